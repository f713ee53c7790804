public import Time

/// What a gauge will show a travel time later, and how sure that is.
public struct LevelForecast: Hashable, Sendable, Codable {
  /// The moment that is forecast.
  public let time: Instant
  public let level: Double
  /// One in twenty outcomes lies below.
  public let low: Double
  /// One in twenty outcomes lies above.
  public let high: Double

  public init(time: Instant, level: Double, low: Double, high: Double) {
    self.time = time
    self.level = level
    self.low = low
    self.high = high
  }
}

/// The level at gauge B one travel time ahead, from the level at gauge A, its recent rise and the level at B: the gauge-relation method
/// (*Bezugspegelverfahren*) of the flood services, as a linear regression with its own errors.
///
/// The band is made of the errors that the model made on floods it had not seen, and is wider where it predicts a large rise, as the Bavarian flood
/// service does it (*Unsicherheitsbereiche* by quantiles of past forecasts' errors, per hydrological situation). It says how wrong forecasts were,
/// not why: a broken dam is not in it.
public struct LaggedRegression: Hashable, Sendable, Codable {
  /// How forecasts erred where they predicted about this rise at B. Between two knots the line between them holds, beyond the last the band grows
  /// with the rise.
  public struct Knot: Hashable, Sendable, Codable {
    /// The predicted level less the present one.
    public let rise: Double
    /// The error (outcome less prediction) that one in twenty outcomes lies below.
    public let low: Double
    /// The error that one in twenty lies above.
    public let high: Double

    public init(rise: Double, low: Double, high: Double) {
      self.rise = rise
      self.low = low
      self.high = high
    }
  }

  /// Seconds that a wave takes from A to B.
  public let lag: Int
  /// Seconds over which A's recent rise is taken.
  public let riseOver: Int
  /// Seconds that a reading stands for, at most, where none follows.
  public let holds: Int
  public let constant: Double
  public let levelA: Double
  public let riseA: Double
  public let levelB: Double
  /// By rising `rise`.
  public internal(set) var band: [Knot]
  /// The water counts as rising where A rose by at least this over `riseOver`, or B is forecast to rise by at least `risingB`: more than a calm river
  /// and its sensors' noise do.
  public let risingA: Double
  public let risingB: Double
  /// By how much the band is wider while the water rises, at least 1.
  public internal(set) var widening: Double
  /// How many floods it was fitted on.
  public let floods: Int
  /// The root of the mean squared error on floods left out, in B's unit.
  public let error: Double

  public init(
    lag: Int, riseOver: Int, holds: Int, constant: Double, levelA: Double, riseA: Double, levelB: Double, band: [Knot], risingA: Double,
    risingB: Double, widening: Double, floods: Int, error: Double
  ) {
    self.lag = lag
    self.riseOver = riseOver
    self.holds = holds
    self.constant = constant
    self.levelA = levelA
    self.riseA = riseA
    self.levelB = levelB
    self.band = band
    self.risingA = risingA
    self.risingB = risingB
    self.widening = widening
    self.floods = floods
    self.error = error
  }

  /// What follows at B from A's level and rise and B's level at a moment.
  public func forecast(levelA a: Double, riseA rise: Double, levelB b: Double, at time: Instant) -> LevelForecast {
    let level = constant + levelA * a + riseA * rise + levelB * b
    let (low, high) = errors(rise: level - b, riseA: rise)
    return LevelForecast(time: time + .seconds(lag), level: level, low: level + low, high: level + high)
  }

  func errors(rise: Double, riseA: Double) -> (low: Double, high: Double) {
    let width = isRising(rise: rise, riseA: riseA) ? widening : 1
    guard let first = band.first, let last = band.last else { return (0, 0) }
    if rise <= first.rise { return (first.low * width, first.high * width) }
    if rise >= last.rise {
      let growth = last.rise > 0 ? width * rise / last.rise : width
      return (last.low * growth, last.high * growth)
    }
    let next = band.firstIndex { $0.rise > rise } ?? band.count - 1
    let (left, right) = (band[next - 1], band[next])
    let share = (rise - left.rise) / (right.rise - left.rise)
    return (width * (left.low + share * (right.low - left.low)), width * (left.high + share * (right.high - left.high)))
  }

  func isRising(rise: Double, riseA: Double) -> Bool { riseA >= risingA || rise >= risingB }

  func check(_ problems: inout RuleProblems, at path: String) {
    problems.check(seconds: lag, at: "\(path).lag", within: 60...432_000)
    problems.check(seconds: riseOver, at: "\(path).riseOver", within: 60...432_000)
    problems.check(seconds: holds, at: "\(path).holds", within: 1...86_400)
    let numbers = [
      ("constant", constant), ("levelA", levelA), ("riseA", riseA), ("levelB", levelB), ("risingA", risingA), ("risingB", risingB), ("widening", widening),
      ("error", error),
    ]
    _ = problems.check(finite: numbers, at: path)
    if widening < 1 { problems.add("\(path).widening", "is \(widening)", expected: "at least 1") }
    if band.isEmpty || band.count > 64 { problems.add("\(path).band", "has \(band.count) knots", expected: "1 to 64 knots") }
    for (index, knot) in band.enumerated() {
      let place = "\(path).band[\(index)]"
      guard problems.check(finite: [("rise", knot.rise), ("low", knot.low), ("high", knot.high)], at: place) else { continue }
      if knot.low > knot.high { problems.add("\(place).low", "is \(knot.low), above high \(knot.high)", expected: "at most high") }
      if index > 0, knot.rise <= band[index - 1].rise {
        problems.add("\(place).rise", "is \(knot.rise), not above that of the knot before", expected: "knots by rising rise")
      }
    }
  }
}
