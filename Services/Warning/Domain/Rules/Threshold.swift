/// A value at or beyond a mark, for a minimum duration.
///
/// It is raised at one mark and cleared at another: a level that moves about a single mark would raise and clear without end (the deadband of alarm
/// practice, ANSI/ISA-18.2). The minimum duration keeps single outliers from raising it (ISA-18.2's on-delay, the `for` of Prometheus' alerting rules): until
/// it has passed, every reading must be at or beyond `raiseAt`. Flood marks come from whoever is responsible for the river; in North Rhine-Westphalia they are
/// the *Informationswerte* 1 to 3 of the state's flood gauges, and on the Ruhr the reporting limits of the Bezirksregierung Arnsberg.
public struct Threshold: Hashable, Sendable, Codable {
  public enum Direction: String, Hashable, Sendable, Codable, CaseIterable { case above, below }

  public var datastream: Int64
  public var direction: Direction
  /// Raised at this value and beyond, in the datastream's unit.
  public var raiseAt: Double
  /// Cleared where the value is on the safe side of this one. Below `raiseAt` where the direction is above, and the other way round; equal means no hysteresis.
  public var clearAt: Double
  /// Seconds between the first and the newest reading at or beyond the mark before it holds, by the readings' own times; 0 where one reading
  /// suffices. The machine's clock plays no part, so it takes a reading to end it: where a sensor reports rarely, choose it shorter than two of its
  /// intervals.
  public var minimum: Int

  public init(datastream: Int64, direction: Direction, raiseAt: Double, clearAt: Double, for minimum: Int = 0) {
    self.datastream = datastream
    self.direction = direction
    self.raiseAt = raiseAt
    self.clearAt = clearAt
    self.minimum = minimum
  }

  private enum CodingKeys: String, CodingKey {
    case datastream, direction, raiseAt, clearAt
    case minimum = "for"
  }

  func check(_ problems: inout RuleProblems, at path: String) {
    if problems.check(finite: [("raiseAt", raiseAt), ("clearAt", clearAt)], at: path) {
      switch direction {
      case .above where clearAt > raiseAt: problems.add("\(path).clearAt", "is \(clearAt), above raiseAt \(raiseAt)", expected: "at most raiseAt")
      case .below where clearAt < raiseAt: problems.add("\(path).clearAt", "is \(clearAt), below raiseAt \(raiseAt)", expected: "at least raiseAt")
      case .above, .below: break
      }
    }
    problems.check(seconds: minimum, at: "\(path).for", within: 0...604_800)
  }

  func isRaised(by value: Double) -> Bool { direction == .above ? value >= raiseAt : value <= raiseAt }
  func isCleared(by value: Double) -> Bool { direction == .above ? value < clearAt : value > clearAt }
}
