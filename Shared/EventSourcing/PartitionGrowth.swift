public import Broker
public import Postgres

/// What a topic that gets more partitions asks of a database that consumes it.
public enum PartitionGrowth {
  /// How many instances, replays and operators' commands consume something there now, or did within three seconds.
  public static func consumers(in pool: PostgresPool) async throws -> Int {
    let rows = try await pool.query(
      """
      select count(*) from (
        select holder from dos_lease_holders where seen > clock_timestamp() - interval '3 seconds'
        union select holder from dos_checkpoints where until > clock_timestamp()) consumers
      """)
    return Int(try rows.first?.value(Int64.self, at: 0) ?? 0)
  }

  /// Makes each subscription's place in the new partitions, where its parent's stands, and moves what is parked to where its key lives now. Nobody may consume
  /// the topic meanwhile. Repeating it is harmless.
  public static func place(_ grown: TopicGrown, in pool: PostgresPool) async throws {
    try await pool.transaction { connection throws in
      try connection.execute(
        """
        insert into dos_checkpoints (subscription, topic, partition, position, epoch, journal_offset)
        select subscription, topic, number, position, epoch, journal_offset
        from generate_series(\(Int32(grown.from)), \(Int32(grown.to - 1))) number
        join dos_checkpoints parent on parent.topic = \(grown.topic) and parent.partition = number % \(Int32(grown.from))
        on conflict do nothing
        """)
      let parked = try connection.query("select distinct partition, key from dos_dead_letters where topic = \(grown.topic)")
      let moved = try parked.compactMap { row throws -> (partition: Int64, key: String, to: Int64)? in
        let (partition, key) = try row.decode(Int32.self, String.self)
        let target = Topic.partition(forKey: key, writtenTo: Int(partition), of: grown.from, now: grown.to)
        return target == partition ? nil : (Int64(partition), key, Int64(target))
      }
      try connection.execute(
        """
        update dos_dead_letters letter set partition = moved.target
        from unnest(\(moved.map(\.partition)), \(moved.map(\.key)), \(moved.map(\.to))) moved(partition, key, target)
        where letter.topic = \(grown.topic) and letter.partition = moved.partition and letter.key = moved.key
        """)
    }
  }
}
