/// Why no model comes of a history.
public enum FitRefusal: Error, Hashable, Sendable {
  /// Too few moments at which both gauges have a reading.
  case tooLittleHistory(moments: Int, needed: Int)
  /// The gauge shows one level all the time.
  case noVariance(Gauge)
  /// Too few floods to see how the model errs on one that it does not know.
  case tooFewFloods(Int, needed: Int)
  /// What moves A does not move B within the longest lag: the best correlation of their changes is too weak.
  case noRelation(correlation: Double, needed: Double)
  /// On floods left out, the model's error is hardly below that of saying that B stays as it is.
  case noSkill(error: Double, persistence: Double)

  public enum Gauge: String, Hashable, Sendable, Codable { case upstream, downstream }
}

/// A model, with what is needed to judge it.
public struct RegressionFit: Sendable {
  public let model: LaggedRegression
  /// What ``LaggedRegression/error`` would be of saying that the level at B stays as it is.
  public let persistence: Double
  /// Of each flood, what came when it was left out.
  let outcomes: [[FloodTrial.Outcome]]
}

extension LaggedRegression {
  /// What a fit is asked for.
  public struct Options: Hashable, Sendable {
    /// Seconds between the moments at which both gauges are compared: the interval at which they report, a quarter of an hour with PEGELONLINE.
    public var step: Int
    /// The longest travel time that is looked for, in seconds.
    public var longestLag: Int
    /// How many floods the history must have.
    public var floods: Int

    public init(step: Int = 900, longestLag: Int = 86_400, floods: Int = 8) {
      self.step = max(1, step)
      self.longestLag = max(1, longestLag)
      self.floods = max(3, floods)
    }
  }

  private static let leastMoments = 500
  private static let leastCorrelation = 0.3

  /// Fits a model on what both gauges showed, the readings of each by time; implausible ones are left out.
  ///
  /// The lag is the one at which the gauges' changes correlate best: the travel time. (The smallest error would always choose the shortest lag.) The
  /// time over which A's rise is taken, and the band, are judged on floods left out one by one: readings of one flood err alike, so that errors of a
  /// flood that was fitted on would flatter.
  public static func fit(upstream: [Reading], downstream: [Reading], _ options: Options = Options()) throws(FitRefusal) -> RegressionFit {
    let history = GaugeHistory(upstream: upstream, downstream: downstream, step: options.step)
    guard history.complete >= leastMoments else { throw .tooLittleHistory(moments: history.complete, needed: leastMoments) }
    guard history.spread(\.a) > 0 else { throw .noVariance(.upstream) }
    guard history.spread(\.b) > 0 else { throw .noVariance(.downstream) }
    let (lag, correlation) = history.bestLag(upTo: max(1, options.longestLag / options.step))
    guard correlation >= leastCorrelation else { throw .noRelation(correlation: correlation, needed: leastCorrelation) }
    let floods = history.floods(apart: lag)
    guard floods.count >= options.floods else { throw .tooFewFloods(floods.count, needed: options.floods) }

    let candidates = Set([max(1, lag / 4), max(1, lag / 2), lag]).sorted()
    let trials = candidates.compactMap { FloodTrial(history: history, floods: floods, lag: lag, riseOver: $0) }
    guard let best = trials.min(by: { $0.error < $1.error }) else {
      throw .tooLittleHistory(moments: history.complete, needed: leastMoments)
    }
    guard best.error < 0.95 * best.persistence else { throw .noSkill(error: best.error, persistence: best.persistence) }
    let model = best.model(options, holds: history.holds, floods: floods.count).banded(by: best.outcomes.flatMap(\.self))
    return RegressionFit(model: model, persistence: best.persistence, outcomes: best.outcomes)
  }

  /// The same with the band that these errors make.
  func banded(by outcomes: [FloodTrial.Outcome]) -> LaggedRegression {
    var model = self
    model.band = Self.band(of: outcomes)
    model.widening = 1
    model.widening = Self.widening(of: model, on: outcomes.filter(\.isRisingLimb))
    return model
  }

  /// How much wider the band must be while the water rises for nine tenths of the rising limbs of floods left out to lie in it.
  private static func widening(of model: LaggedRegression, on outcomes: [FloodTrial.Outcome]) -> Double {
    func share(_ width: Double) -> Double {
      let held = outcomes.count { outcome in
        let (low, high) = model.errors(rise: outcome.rise, riseA: outcome.riseA)
        let factor = model.isRising(rise: outcome.rise, riseA: outcome.riseA) ? width : 1
        return outcome.error >= low * factor && outcome.error <= high * factor
      }
      return Double(held) / Double(max(1, outcomes.count))
    }
    // One flood more is still unknown than were left out, so a little more than nine tenths; but a rise that begins before A shows it is beyond any
    // width, and none is spent on it.
    let widest = 4.0
    let target = min(0.9 * (1 + 1 / Double(model.floods)), share(widest) - 0.01)
    return stride(from: 1, to: widest, by: 0.02).first { share($0) >= target } ?? widest
  }

  /// Quantiles of the errors among forecasts of about the same rise. Large rises are few and err most, so their groups are the smallest; each still has
  /// errors enough for its twentieths.
  private static func band(of outcomes: [FloodTrial.Outcome]) -> [Knot] {
    let sorted = outcomes.sorted { $0.rise < $1.rise }
    let cuts = [0, 0.02, 0.1, 0.3, 0.5, 0.7, 0.8, 0.87, 0.92, 0.96, 0.985, 1].map { Int($0 * Double(sorted.count)) }
    var knots: [Knot] = []
    for (from, to) in zip(cuts, cuts.dropFirst()) where to - from >= 20 {
      let group = sorted[from..<to]
      let rise = group.reduce(0) { $0 + $1.rise } / Double(group.count)
      let errors = group.map(\.error).sorted()
      if let last = knots.last, rise <= last.rise { continue }
      knots.append(Knot(rise: rise, low: quantile(0.05, of: errors), high: quantile(0.95, of: errors)))
    }
    return knots
  }

  /// Between the two values next to the share, as most statistics programs do (Hyndman and Fan 1996, definition 7).
  private static func quantile(_ share: Double, of sorted: [Double]) -> Double {
    let place = share * Double(sorted.count - 1)
    let below = Int(place)
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
  }
}

/// A regression tried on each flood with weights fitted on the others.
struct FloodTrial {
  struct Outcome {
    /// The rise that was predicted.
    let rise: Double
    /// What came less what was predicted.
    let error: Double
    let riseA: Double
    /// Whether B rose from its foot to its peak then, as is known afterwards.
    let isRisingLimb: Bool
  }

  let lag: Int
  let riseOver: Int
  let weights: [Double]
  /// By flood.
  let outcomes: [[Outcome]]
  let error: Double
  let persistence: Double

  /// Nil where some flood's weights cannot be found.
  init?(history: GaugeHistory, floods: [Range<Int>], lag: Int, riseOver: Int) {
    let rows = floods.map { flood in
      let limb = history.risingLimb(of: flood)
      return flood.compactMap { index in
        history.row(at: index, lag: lag, riseOver: riseOver).map { (row: $0, isRisingLimb: limb.contains(index)) }
      }
    }
    let sums = rows.map { flood in
      flood.reduce(into: LeastSquares(width: 4)) { $0.add($1.row.features, outcome: $1.row.outcome) }
    }
    let total = sums.reduce(LeastSquares(width: 4), +)
    guard let weights = total.solve() else { return nil }
    var outcomes: [[Outcome]] = []
    var (squares, persistence) = (0.0, 0.0)
    for (flood, own) in zip(rows, sums) {
      guard let others = (total - own).solve() else { return nil }
      var came: [Outcome] = []
      for (row, isRisingLimb) in flood {
        let predicted = zip(others, row.features).reduce(0) { $0 + $1.0 * $1.1 }
        let error = row.outcome - predicted
        came.append(Outcome(rise: predicted - row.features[3], error: error, riseA: row.features[2], isRisingLimb: isRisingLimb))
        squares += error * error
        persistence += (row.outcome - row.features[3]) * (row.outcome - row.features[3])
      }
      outcomes.append(came)
    }
    let count = outcomes.reduce(0) { $0 + $1.count }
    guard count > 0 else { return nil }
    self.lag = lag
    self.riseOver = riseOver
    self.weights = history.unshifted(weights)
    self.outcomes = outcomes
    error = (squares / Double(count)).squareRoot()
    self.persistence = (persistence / Double(count)).squareRoot()
  }

  func model(_ options: LaggedRegression.Options, holds: Int, floods: Int) -> LaggedRegression {
    let outcomes = outcomes.flatMap(\.self)
    // Most of the time a river is calm, so the median is what its noise does.
    func noise(_ sizes: [Double]) -> Double { sizes.sorted()[sizes.count / 2] }
    return LaggedRegression(
      lag: lag * options.step, riseOver: riseOver * options.step, holds: holds, constant: weights[0], levelA: weights[1], riseA: weights[2],
      levelB: weights[3], band: [], risingA: 3 * noise(outcomes.map { abs($0.riseA) }),
      risingB: 3 * noise(outcomes.map { abs($0.rise) }), widening: 1, floods: floods, error: error)
  }
}
