import Postgres

/// The topics as the database knows them.
enum TopicRegistry {
  /// Makes a topic exist; of one that does, visibility and governance are brought up to date.
  static func declare(_ topic: Topic, on connection: isolated PostgresConnection) throws -> KnownTopic {
    // Processes of one installation start together and declare the same topics.
    _ = try connection.query("select pg_advisory_xact_lock(\(declaringLock))")
    let governance = topic.governance
    let days: SQL =
      switch governance.retention {
      case .forever: "null"
      case .days(let number): "\(Int32(number))"
      }
    if let known = try find(topic.name, on: connection) {
      guard known.partitions == topic.partitions else {
        throw BrokerError.partitionsDiffer(topic: topic.name, existing: known.partitions, declared: topic.partitions)
      }
      try connection.execute(
        """
        update topics set visibility = \(topic.visibility.rawValue), owner = \(governance.owner), purpose = \(governance.purpose),
          legal_basis = \(governance.legalBasis), retention_days = \(days), successor = \(governance.successor)
        where id = \(known.id)
        """)
      return known
    }
    let rows = try connection.query(
      """
      insert into topics (name, partitions, visibility, owner, purpose, legal_basis, retention_days, successor)
      values (\(topic.name), \(Int32(topic.partitions)), \(topic.visibility.rawValue), \(governance.owner), \(governance.purpose),
        \(governance.legalBasis), \(days), \(governance.successor))
      returning id
      """)
    guard let id = try rows.first?.value(Int32.self, at: 0) else {
      throw PostgresError(kind: .decoding, message: "no id for the topic \(topic.name)")
    }
    try connection.execute(
      "insert into topic_partitions (topic, partition) select \(id), number from generate_series(0, \(Int32(topic.partitions - 1))) as number")
    try connection.execute(SQL(unsafe: "create table events_\(id) partition of events for values in (\(id))"))
    return KnownTopic(id: id, partitions: topic.partitions)
  }

  /// Adds what the topic has too few of.
  static func addPartitions(to topic: Topic, on connection: isolated PostgresConnection) throws -> KnownTopic {
    _ = try connection.query("select pg_advisory_xact_lock(\(declaringLock))")
    guard let known = try find(topic.name, on: connection) else { throw BrokerError.unknownTopic(topic.name) }
    guard known.partitions <= topic.partitions else {
      throw BrokerError.partitionsDiffer(topic: topic.name, existing: known.partitions, declared: topic.partitions)
    }
    try connection.execute(
      """
      insert into topic_partitions (topic, partition)
      select \(known.id), number from generate_series(\(Int32(known.partitions)), \(Int32(topic.partitions - 1))) as number
      """)
    try connection.execute("update topics set partitions = \(Int32(topic.partitions)) where id = \(known.id)")
    return KnownTopic(id: known.id, partitions: topic.partitions)
  }

  static func find(_ name: String, on connection: isolated PostgresConnection) throws(PostgresError) -> KnownTopic? {
    guard let row = try connection.query("select id, partitions from topics where name = \(name)").first else { return nil }
    let (id, partitions) = try row.decode(Int32.self, Int32.self)
    return KnownTopic(id: id, partitions: Int(partitions))
  }

  /// "dostopic" in ASCII.
  private static let declaringLock: Int64 = 0x646f_7374_6f70_6963
}

struct KnownTopic: Sendable {
  let id: Int32
  let partitions: Int
}
