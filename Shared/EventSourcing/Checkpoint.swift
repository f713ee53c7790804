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
    try Self.advance([(self, old, new)], on: connection)
  }

  /// As above for several partitions of one subscription: all of them or none.
  /// - Parameter setting: a statement that goes before in the same round trip.
  /// - Throws: `CheckpointLost` for the first that is not as it must be.
  static func advance(
    _ moves: [(lease: Lease, old: Checkpoint, new: Checkpoint)], after setting: SQL? = nil, on connection: isolated PostgresConnection
  ) throws {
    guard let first = moves.first?.lease else { return }
    let statement: SQL = """
      update dos_checkpoints c set position = moved.position, epoch = moved.epoch, journal_offset = moved.journal_offset,
        until = case when c.holder is null then c.until else clock_timestamp() + interval '3 seconds' end
      from unnest(\(moves.map { Int32($0.lease.partition) }), \(moves.map(\.lease.claim)), \(moves.map(\.old.position)), \(moves.map(\.new.position)),
        \(moves.map(\.new.journal?.epoch)), \(moves.map(\.new.journal?.offset))) moved(partition, claim, old, position, epoch, journal_offset)
      where c.subscription = \(first.subscription) and c.topic = \(first.topic) and c.partition = moved.partition
        and c.claim = moved.claim and c.position = moved.old
      returning c.partition
      """
    let results = try connection.pipeline((setting.map { [$0] } ?? []) + [statement])
    let moved = Set(try results[results.count - 1].map { row throws in Int(try row.value(Int32.self, at: 0)) })
    guard let lost = moves.first(where: { !moved.contains($0.lease.partition) })?.lease else { return }
    throw CheckpointLost(subscription: lost.subscription, topic: lost.topic, partition: lost.partition, claim: lost.claim)
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
