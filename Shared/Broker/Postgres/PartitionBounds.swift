import Postgres

/// Where a partition of `PostgresBroker` begins and ends.
struct PartitionBounds: Sendable {
  /// The first offset that can be read.
  let earliest: Int64
  /// One past the last stored.
  let next: Int64

  /// Reads them for many partitions in one query.
  static func read(_ places: Set<Place>, on connection: isolated PostgresConnection) throws(PostgresError) -> [Place: PartitionBounds] {
    try read(connection.query(statement(Array(places))))
  }

  /// Asks for them; `read` reads the answer.
  static func statement(_ places: [Place]) -> SQL {
    // `order by ... desc limit 1`, never max(): on a fresh table without statistics the planner reads everything for max().
    """
    select p.topic, p.partition, p.earliest, (
      select e."offset" from events e where e.topic = p.topic and e.partition = p.partition order by e."offset" desc limit 1)
    from unnest(\(places.map { Int64($0.topic) }), \(places.map { Int64($0.partition) })) as wanted(topic, partition)
    join topic_partitions p on p.topic = wanted.topic and p.partition = wanted.partition
    """
  }

  static func read(_ rows: Rows) throws(PostgresError) -> [Place: PartitionBounds] {
    var bounds: [Place: PartitionBounds] = [:]
    for row in rows {
      let (topic, partition, earliest, last) = try row.decode(Int32.self, Int32.self, Int64.self, Int64?.self)
      bounds[Place(topic: topic, partition: partition)] = PartitionBounds(earliest: earliest, next: max(earliest, (last ?? -1) + 1))
    }
    return bounds
  }
}

/// A partition by the numbers the tables know it by.
struct Place: Hashable, Sendable, Comparable {
  let topic: Int32
  let partition: Int32

  static func < (left: Place, right: Place) -> Bool {
    (left.topic, left.partition) < (right.topic, right.partition)
  }
}
