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
  /// The server does not keep what it acknowledges: `fsync` or `synchronous_commit` is off.
  case unsafeDurability(setting: String, value: String)
  /// A stored record cannot be read as an event.
  case malformed(position: BrokerPosition, reason: String)
  case closed
}
