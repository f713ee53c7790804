/// Why the Journal did not append or read, with the facts.
public enum JournalError: Error, Sendable, Equatable {
  /// A stream is not at the version that was expected. Load it again and decide anew.
  case conflict(stream: String, expected: ExpectedVersion, actual: Int64)
  /// The idempotency key was used before, with another body (422).
  case keyReused
  /// The streams of one append lie in several partitions; one append touches one.
  case severalPartitions(streams: [String])
  /// The stream has its events in another partition already.
  case streamElsewhere(stream: String, partition: Int)
  /// What was handed over can never be appended; says what is wrong with it.
  case malformed(String)
  /// Too much waits already for this partition (503).
  case full(waiting: Int)
  /// The database did not answer in time (503). With `mayHaveHappened` the events may be in the log: repeat only with the idempotency key or the expected version.
  case unavailable(reason: String, mayHaveHappened: Bool)
  /// The database answered, and refused for good: a fault of program or schema, not of the moment.
  case refused(sqlState: String?, message: String)
  /// The Journal was closed; nothing was handed over.
  case closed
}
