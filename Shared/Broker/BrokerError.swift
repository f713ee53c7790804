/// Why the broker did not do what was asked.
public enum BrokerError: Error, Sendable, Hashable {
  /// The broker did not answer, or not in time. With `mayHaveArrived` the events may still be stored; repeating is safe either way.
  case unavailable(reason: String, mayHaveArrived: Bool)
  /// What waits to be sent has reached its bound; nothing of this publish was taken.
  case full(waitingBytes: Int)
  /// One event is larger than a message may be.
  case tooLarge(bytes: Int, limit: Int)
  /// What can never be stored, and why (a NUL in a key, a time beyond the year 9999). Nothing of this publish was taken.
  case invalid(String)
  case unknownTopic(String)
  case unknownPartition(topic: String, partition: Int)
  /// Declared with another number of partitions than the topic has, which is fixed for life.
  case partitionsDiffer(topic: String, existing: Int, declared: Int)
  /// The offset wanted lies before `earliest` (retention) or beyond `next` (the broker was restored).
  case offsetOutOfRange(earliest: Int64, next: Int64)
  /// A property that the broker's library does not take.
  case setting(name: String, reason: String)
  /// A stored record cannot be read as an event.
  case malformed(position: BrokerPosition, reason: String)
  case closed
}

extension BrokerError: CustomStringConvertible {
  /// What is wrong and, where somebody can do something about it, what.
  public var description: String {
    switch self {
    case .unavailable(let reason, let mayHaveArrived): "the broker does not answer: \(reason)" + (mayHaveArrived ? "; what was sent may have been stored" : "")
    case .full(let bytes): "\(bytes) bytes wait to be stored already"
    case .tooLarge(let bytes, let limit): "an event of \(bytes) bytes is larger than the \(limit) that are possible"
    case .invalid(let reason): "the event can never be stored: \(reason)"
    case .unknownTopic(let name): "there is no topic \(name): the service that publishes to it must have been started once, or dos migrate run"
    case .unknownPartition(let topic, let partition): "the topic \(topic) has no partition \(partition)"
    case .partitionsDiffer(let topic, let existing, let declared):
      "the topic \(topic) has \(existing) partitions for life and is declared with \(declared): keep \(existing), or make a topic of another name"
    case .offsetOutOfRange(let earliest, let next): "the offset lies outside of what the broker has, \(earliest) up to \(next)"
    case .setting(let name, let reason): "the setting \(name) of Kafka is refused: \(reason)"
    case .malformed(let position, let reason): "\(position.topic), partition \(position.partition), offset \(position.offset) is no event: \(reason)"
    case .closed: "the broker is closed"
    }
  }
}
