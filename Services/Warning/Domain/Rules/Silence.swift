/// A sensor that says nothing for longer than it should. Any reading ends it, an implausible one too: then the sensor is wrong, but not silent.
///
/// It is the one condition that the clock alone can make true, so it is asked only where all readings that were acknowledged have been taken in.
public struct Silence: Hashable, Sendable, Codable {
  public var datastream: Int64
  /// Seconds since the last reading.
  public var longerThan: Int

  public init(datastream: Int64, longerThan: Int) {
    self.datastream = datastream
    self.longerThan = longerThan
  }

  func check(_ problems: inout RuleProblems, at path: String) {
    problems.check(seconds: longerThan, at: "\(path).longerThan", within: 1...31_622_400)
  }
}
