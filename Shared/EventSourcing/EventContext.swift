public import Time

/// What a command brings along for all events it leads to. Domain code never reads a clock: the time of a decision comes in with its command.
public struct EventContext: Sendable, Hashable {
  /// When the command was given, UTC, in milliseconds. Every event of the append carries it.
  public var time: Instant
  /// What all events of one undertaking share.
  public var correlationID: String?
  /// The event or command that led to this one.
  public var causationID: String?
  /// W3C Trace Context, `traceparent`.
  public var traceparent: String?

  public init(time: Instant, correlationID: String? = nil, causationID: String? = nil, traceparent: String? = nil) {
    self.time = time
    self.correlationID = correlationID
    self.causationID = causationID
    self.traceparent = traceparent
  }
}
