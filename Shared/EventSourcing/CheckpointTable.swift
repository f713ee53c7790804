import Broker
public import Postgres

/// The rows behind leases, for those who set them up, read them or move them by hand (replay).
public enum CheckpointTable {
  /// Makes a subscription's rows exist. Those that do are left as they are.
  ///
  /// Where a topic has more partitions than a subscription knows, it has grown meanwhile, and each new one goes on where its parent ended: there it begins at the
  /// parent's place, and not at its start.
  public static func ensure(
    subscription: String, topic: String, starts: [Int64], on connection: isolated PostgresConnection
  ) throws(PostgresError) {
    try connection.execute(
      """
      with known as (select * from dos_checkpoints where subscription = \(subscription) and topic = \(topic)),
        given as (select number - 1 as partition, start from unnest(\(starts)) with ordinality as listed(start, number))
      insert into dos_checkpoints (subscription, topic, partition, position, epoch, journal_offset)
      select \(subscription), \(topic), given.partition, coalesce(parent.position, given.start), parent.epoch, parent.journal_offset
      from given left join known parent on parent.partition = given.partition % (select nullif(count(*), 0) from known)
      on conflict do nothing
      """)
  }

  /// Every partition's checkpoint.
  public static func read(subscription: String, topic: String, in pool: PostgresPool) async throws -> [Int: Checkpoint] {
    try await pool.withConnection { connection throws in try read(subscription: subscription, topic: topic, on: connection) }
  }

  /// As above, within a transaction.
  public static func read(subscription: String, topic: String, on connection: isolated PostgresConnection) throws -> [Int: Checkpoint] {
    let rows = try connection.query(
      "select partition, position, epoch, journal_offset from dos_checkpoints where subscription = \(subscription) and topic = \(topic)")
    var checkpoints: [Int: Checkpoint] = [:]
    for row in rows {
      let (partition, position, epoch, offset) = try row.decode(Int32.self, Int64.self, Int64?.self, Int64?.self)
      checkpoints[Int(partition)] = Checkpoint(position: position, journal: journal(Int(partition), epoch, offset))
    }
    return checkpoints
  }

  /// Puts a partition's checkpoint where it shall be and fences off whoever holds it.
  public static func place(
    _ checkpoint: Checkpoint, subscription: String, topic: String, partition: Int, on connection: isolated PostgresConnection
  ) throws(PostgresError) {
    let epoch: SQL = checkpoint.journal.map { "\($0.epoch)" } ?? "null"
    let offset: SQL = checkpoint.journal.map { "\($0.offset)" } ?? "null"
    try connection.execute(
      """
      insert into dos_checkpoints (subscription, topic, partition, position, epoch, journal_offset)
      values (\(subscription), \(topic), \(Int32(partition)), \(checkpoint.position), \(epoch), \(offset))
      on conflict (subscription, topic, partition) do update set position = excluded.position, epoch = excluded.epoch,
        journal_offset = excluded.journal_offset, claim = dos_checkpoints.claim + 1, holder = null, until = '-infinity'
      """)
  }

  static func journal(_ partition: Int, _ epoch: Int64?, _ offset: Int64?) -> JournalPosition? {
    guard let epoch, let offset else { return nil }
    return JournalPosition(partition: partition, epoch: epoch, offset: offset)
  }
}
