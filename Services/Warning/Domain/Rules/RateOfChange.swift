/// A rise or fall of a value by an amount within a time: a creek that comes up half a metre in a quarter of an hour, whatever its level was.
///
/// The rise at a reading is what it lies above the lowest value within the time before it; where the time begins between two readings, the value
/// there is taken from the line between them, so that a rare report does not look like a jump.
public struct RateOfChange: Hashable, Sendable, Codable {
  public enum Direction: String, Hashable, Sendable, Codable, CaseIterable { case rise, fall }

  public var datastream: Int64
  public var direction: Direction
  /// Raised where the change is at least this, above 0, in the datastream's unit.
  public var by: Double
  /// Seconds in which the change happens.
  public var within: Int
  /// Cleared where the change is below this one; above 0, at most `by`.
  public var clearBelow: Double

  public init(datastream: Int64, direction: Direction, by: Double, within: Int, clearBelow: Double) {
    self.datastream = datastream
    self.direction = direction
    self.by = by
    self.within = within
    self.clearBelow = clearBelow
  }

  func check(_ problems: inout RuleProblems, at path: String) {
    if problems.check(finite: [("by", by), ("clearBelow", clearBelow)], at: path) {
      if by <= 0 { problems.add("\(path).by", "is \(by)", expected: "an amount above 0; direction says which way") }
      if clearBelow <= 0 || clearBelow > by {
        problems.add("\(path).clearBelow", "is \(clearBelow) with by \(by)", expected: "above 0 and at most by")
      }
    }
    problems.check(seconds: within, at: "\(path).within", within: 1...259_200)
  }
}
