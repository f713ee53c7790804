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
  /// Declared, or named in a publish, with another number of partitions than the topic has.
  case partitionsDiffer(topic: String, existing: Int, declared: Int)
  /// A growth of the topic was begun and not finished.
  case growing(topic: String, to: Int)
  /// A topic of decisions, or a number that is no larger multiple of what it has (nor above 1,024).
  case cannotGrow(topic: String, from: Int, to: Int)
  /// The offset wanted lies before `earliest` (retention) or beyond `next` (the broker was restored).
  case offsetOutOfRange(earliest: Int64, next: Int64)
  /// A property that the broker's library does not take.
  case setting(name: String, reason: String)
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
      "the topic \(topic) has \(existing) partitions and not \(declared): where they are too few, `dos topics grow \(topic)=\(declared)` adds some"
    case .growing(let topic, let count): "the topic \(topic) is to get \(count) partitions and has not: finish it with `dos topics grow \(topic)=\(count)`"
    case .cannotGrow(let topic, let from, let to):
      "the topic \(topic) cannot go from \(from) to \(to) partitions: a topic of facts can have 2, 3, 4, … times as many, up to 1,024; one of decisions keeps them"
    case .offsetOutOfRange(let earliest, let next): "the offset lies outside of what the broker has, \(earliest) up to \(next)"
    case .setting(let name, let reason): "the setting \(name) of Kafka is refused: \(reason)"
    case .closed: "the broker is closed"
    }
  }
}
