public import Time

/// A value of a datastream as the log tells of it.
public struct Reading: Hashable, Sendable {
  /// When what was measured was so. With the datastream it says which reading this is.
  public var time: Instant
  public var value: Double
  /// Whether a sound sensor can report it. What cannot be is kept in mind, and decides nothing but that the sensor is not silent.
  public var isPlausible: Bool
  /// Where the log tells of it: of two readings for one time the higher offset holds.
  public var offset: Int64

  public init(time: Instant, value: Double, isPlausible: Bool = true, offset: Int64) {
    self.time = time
    self.value = value
    self.isPlausible = isPlausible
    self.offset = offset
  }
}
