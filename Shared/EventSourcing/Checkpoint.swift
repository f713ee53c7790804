public import Broker
public import Postgres

/// How far a subscription has come in one partition.
public struct Checkpoint: Sendable, Hashable {
  /// The offset of the next event wanted.
  public var position: Int64
  /// The last journal position seen, where events carry one: it recognises what is doubled, missing or gone.
  public var journal: JournalPosition?

  public init(position: Int64, journal: JournalPosition? = nil) {
    self.position = position
    self.journal = journal
  }
}

/// The right to consume one partition for a subscription, as it was when it was taken.
///
/// It may be lost at any moment; what makes that harmless is `advance`, which compares claim and position in the transaction of the effects.
public struct Lease: Sendable, Hashable {
  public let subscription: String
  public let topic: String
  public let partition: Int
  /// Rises with every owner.
  public let claim: Int64
  /// Where to go on.
  public let checkpoint: Checkpoint

  public init(subscription: String, topic: String, partition: Int, claim: Int64, checkpoint: Checkpoint) {
    self.subscription = subscription
    self.topic = topic
    self.partition = partition
    self.claim = claim
    self.checkpoint = checkpoint
  }

  /// Moves the checkpoint if nobody else has: the first statement of a batch's transaction. Renews the lease too.
  /// - Parameters:
  ///   - old: what the checkpoint must be.
  ///   - new: what it becomes.
  /// - Throws: `CheckpointLost` when another owner has claimed the partition or the position differs; the transaction must roll back.
  public func advance(from old: Checkpoint, to new: Checkpoint, on connection: isolated PostgresConnection) throws {
    let epoch: SQL = new.journal.map { "\($0.epoch)" } ?? "null"
    let offset: SQL = new.journal.map { "\($0.offset)" } ?? "null"
    let moved = try connection.execute(
      """
      update dos_checkpoints set position = \(new.position), epoch = \(epoch), journal_offset = \(offset),
        until = case when holder is null then until else clock_timestamp() + interval '3 seconds' end
      where subscription = \(subscription) and topic = \(topic) and partition = \(Int32(partition))
        and claim = \(claim) and position = \(old.position)
      """)
    guard moved == 1 else { throw CheckpointLost(subscription: subscription, topic: topic, partition: partition, claim: claim) }
  }

  /// As above in a transaction of its own, for who has no effects in this database (the forwarder).
  public func advance(from old: Checkpoint, to new: Checkpoint, in pool: PostgresPool) async throws {
    try await pool.transaction { connection throws in try advance(from: old, to: new, on: connection) }
  }
}

/// Another owner has claimed the partition, or somebody has moved its checkpoint. Roll back, and claim again if still entitled.
public struct CheckpointLost: Error, Sendable, Hashable {
  public let subscription: String
  public let topic: String
  public let partition: Int
  public let claim: Int64

  public init(subscription: String, topic: String, partition: Int, claim: Int64) {
    self.subscription = subscription
    self.topic = topic
    self.partition = partition
    self.claim = claim
  }
}
