/// Two gauges' levels at the same moments, one step apart; NaN where a gauge had no reading that still stood for it.
struct GaugeHistory {
  private(set) var a: [Double] = []
  private(set) var b: [Double] = []
  /// Seconds that a reading stands for where none follows.
  let holds: Int
  /// Means of both, taken off before sums are made, so that these keep their digits.
  private var (meanA, meanB) = (0.0, 0.0)

  struct Row {
    let features: [Double]
    let outcome: Double
  }

  init(upstream: [Reading], downstream: [Reading], step: Int) {
    holds = min(86_400, max(2 * step, 1_800))
    let upstream = upstream.filter(\.isPlausible)
    let downstream = downstream.filter(\.isPlausible)
    guard let start = [upstream.first, downstream.first].compactMap({ $0?.time }).max(),
      let end = [upstream.last, downstream.last].compactMap({ $0?.time }).min(), !upstream.isEmpty, !downstream.isEmpty, start < end
    else { return }
    let moments = Array(stride(from: start.milliseconds, through: end.milliseconds, by: step * 1_000))
    a = Self.levels(of: upstream, at: moments, holds: holds)
    b = Self.levels(of: downstream, at: moments, holds: holds)
    meanA = Self.mean(a)
    meanB = Self.mean(b)
  }

  /// At how many moments both are known.
  var complete: Int { zip(a, b).count { !$0.isNaN && !$1.isNaN } }

  /// The difference between the highest and the lowest level.
  func spread(_ gauge: KeyPath<GaugeHistory, [Double]>) -> Double {
    let known = self[keyPath: gauge].filter { !$0.isNaN }
    return (known.max() ?? 0) - (known.min() ?? 0)
  }

  /// The lag, in steps, at which changes of both correlate best, and how well. Changes, not levels: levels of a river correlate at any lag.
  func bestLag(upTo longest: Int) -> (lag: Int, correlation: Double) {
    let over = 4
    guard a.count > over else { return (1, 0) }
    let changesA = (over..<a.count).map { a[$0] - a[$0 - over] }
    let changesB = (over..<b.count).map { b[$0] - b[$0 - over] }
    var best = (lag: 1, correlation: 0.0)
    for lag in 1...longest where lag < changesA.count {
      var (products, squaresA, squaresB) = (0.0, 0.0, 0.0)
      for i in 0..<changesA.count - lag {
        let (x, y) = (changesA[i], changesB[i + lag])
        if (x + y).isNaN { continue }
        products += x * y
        squaresA += x * x
        squaresB += y * y
      }
      let correlation = squaresA > 0 && squaresB > 0 ? products / (squaresA * squaresB).squareRoot() : 0
      if correlation > best.correlation { best = (lag, correlation) }
    }
    return best
  }

  /// The history cut into stretches with one flood at B each. A flood is where B is well above its usual level; two that are closer than
  /// twice the lag are one.
  func floods(apart lag: Int) -> [Range<Int>] {
    let known = b.filter { !$0.isNaN }.sorted()
    guard !known.isEmpty else { return [] }
    let usual = known[known.count / 2]
    let mark = usual + 0.25 * (known[Int(Double(known.count - 1) * 0.98)] - usual)
    var waves: [Range<Int>] = []
    for (index, level) in b.enumerated() where level > mark {
      if let last = waves.last, index - last.upperBound < 2 * lag {
        waves[waves.count - 1] = last.lowerBound..<index + 1
      } else {
        waves.append(index..<index + 1)
      }
    }
    guard !waves.isEmpty else { return [] }
    let cuts = zip(waves, waves.dropFirst()).map { ($0.upperBound + $1.lowerBound) / 2 }
    return zip([0] + cuts, cuts + [b.count]).map { $0..<$1 }
  }

  /// Where B rose in a flood: from a tenth of the way between its foot and its peak to the peak.
  func risingLimb(of flood: Range<Int>) -> Range<Int> {
    guard let peak = flood.filter({ !b[$0].isNaN }).max(by: { b[$0] < b[$1] }) else { return flood.lowerBound..<flood.lowerBound }
    let before = (flood.lowerBound...peak).filter { !b[$0].isNaN }
    let foot = before.map { b[$0] }.min() ?? b[peak]
    let mark = foot + 0.1 * (b[peak] - foot)
    return (before.last { b[$0] < mark } ?? flood.lowerBound)..<peak + 1
  }

  /// What is known at a moment, and what came of it; nil where something is missing.
  func row(at index: Int, lag: Int, riseOver: Int) -> Row? {
    guard index >= riseOver, index + lag < b.count else { return nil }
    let rise = a[index] - a[index - riseOver]
    let outcome = b[index + lag]
    guard !(rise + b[index] + outcome).isNaN else { return nil }
    return Row(features: [1, a[index] - meanA, rise, b[index] - meanB], outcome: outcome - meanB)
  }

  /// The weights for levels as they are.
  func unshifted(_ weights: [Double]) -> [Double] {
    [weights[0] + meanB - weights[1] * meanA - weights[3] * meanB, weights[1], weights[2], weights[3]]
  }

  private static func levels(of readings: [Reading], at moments: [Int64], holds: Int) -> [Double] {
    var next = 0
    return moments.map { moment in
      while next < readings.count, readings[next].time.milliseconds <= moment { next += 1 }
      guard next > 0, moment - readings[next - 1].time.milliseconds <= Int64(holds) * 1_000 else { return .nan }
      return readings[next - 1].value
    }
  }

  private static func mean(_ levels: [Double]) -> Double {
    let known = levels.filter { !$0.isNaN }
    return known.isEmpty ? 0 : known.reduce(0, +) / Double(known.count)
  }
}
