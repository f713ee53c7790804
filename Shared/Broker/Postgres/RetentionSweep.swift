import Postgres
import Time

/// Takes away what is older than a topic's retention: always the oldest of a partition, in pieces, found along the primary key, so that
/// it costs what it deletes and needs no index of its own.
enum RetentionSweep {
  static let pieceEvents = 5_000

  /// A partition with a stated retention.
  struct Work: Sendable {
    let place: Place
    let days: Int32
  }

  static func work(on connection: isolated PostgresConnection) throws -> [Work] {
    try connection.query(
      """
      select p.topic, p.partition, t.retention_days from topic_partitions p join topics t on t.id = p.topic
      where t.retention_days is not null order by p.topic, p.partition
      """
    ).map { row throws in
      let (topic, partition, days) = try row.decode(Int32.self, Int32.self, Int32.self)
      return Work(place: Place(topic: topic, partition: partition), days: days)
    }
  }

  /// One piece: the new beginning first, then the rows before it, together.
  static func piece(of work: Work, now: Instant, on connection: isolated PostgresConnection) throws -> Int {
    let (topic, partition) = (work.place.topic, work.place.partition)
    let oldestKept = now - .seconds(Int64(work.days) * 86_400)
    // The row lock makes sweepers of several processes take turns.
    let rows = try connection.query("select earliest from topic_partitions where topic = \(topic) and partition = \(partition) for update")
    guard let earliest = try rows.first?.value(Int64.self, at: 0) else { return 0 }
    // The first that is young enough ends the search: what lies behind it stays, whatever clock stamped it.
    let found = try connection.query(
      """
      with oldest as (
        select "offset", stored_at from events
        where topic = \(topic) and partition = \(partition) and "offset" >= \(earliest) order by "offset" limit \(Int64(pieceEvents)))
      select coalesce(
        (select "offset" from oldest where stored_at >= \(oldestKept) order by "offset" limit 1),
        (select "offset" + 1 from oldest order by "offset" desc limit 1))
      """)
    guard let next = try found.first?.value(Int64?.self, at: 0), next > earliest else { return 0 }
    try connection.execute("update topic_partitions set earliest = \(next) where topic = \(topic) and partition = \(partition)")
    return try connection.execute(
      """
      delete from events where topic = \(topic) and partition = \(partition) and "offset" >= \(earliest) and "offset" < \(next)
      """)
  }
}
