/// Limits and times of a broker. The defaults are the design's; tests narrow them.
public struct BrokerLimits: Sendable {
  /// Bytes that may wait to be stored.
  public var waitingBytes = 64 << 20
  /// How long a publish is awaited.
  public var publishTime = Duration.seconds(10)
  /// One event with its attributes; what Kafka's default `message.max.bytes` allows too.
  public var eventBytes = 1_000_000

  public init() {}
}
