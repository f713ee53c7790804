/// A level at gauge B that gauge A announces: what flows past A is at B a travel time later.
///
/// At each reading of A the model predicts the level at B and a band that nine of ten outcomes lie in. The condition is raised where the prediction
/// reaches `raiseAt`, and cleared where it falls below `clearAt`. What it knows when it is raised is a forecast, so its evidence holds that beside
/// the readings.
public struct Upstream: Hashable, Sendable, Codable {
  /// The datastream of the gauge upstream.
  public var gaugeA: Int64
  /// The datastream of the gauge downstream, which the forecast is about.
  public var gaugeB: Int64
  /// Fitted on the history of both.
  public var model: LaggedRegression
  /// The level at B, in its unit, that is announced.
  public var raiseAt: Double
  /// At most `raiseAt`.
  public var clearAt: Double
  /// How sure the forecast must be: `likely`, where the middle of the band counts, or `possible`, where its upper edge does, which one in twenty
  /// outcomes lies above: earlier, with more false alarms.
  public var certainty: Certainty

  public init(gaugeA: Int64, gaugeB: Int64, model: LaggedRegression, raiseAt: Double, clearAt: Double, certainty: Certainty = .likely) {
    self.gaugeA = gaugeA
    self.gaugeB = gaugeB
    self.model = model
    self.raiseAt = raiseAt
    self.clearAt = clearAt
    self.certainty = certainty
  }

  func check(_ problems: inout RuleProblems, at path: String) {
    if gaugeA == gaugeB { problems.add("\(path).gaugeB", "is gauge A itself", expected: "another datastream than gaugeA") }
    if problems.check(finite: [("raiseAt", raiseAt), ("clearAt", clearAt)], at: path), clearAt > raiseAt {
      problems.add("\(path).clearAt", "is \(clearAt), above raiseAt \(raiseAt)", expected: "at most raiseAt")
    }
    if certainty != .likely, certainty != .possible {
      problems.add("\(path).certainty", "is \(certainty.rawValue)", expected: "Likely or Possible: a forecast is neither observed nor unlikely")
    }
    model.check(&problems, at: "\(path).model")
  }

  /// The level that decides.
  func level(of forecast: LevelForecast) -> Double { certainty == .possible ? forecast.high : forecast.level }
}
