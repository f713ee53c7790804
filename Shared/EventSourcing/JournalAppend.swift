import Broker
import Foundation
import Postgres
import Time

/// One append on its way into the log.
struct PendingAppend: Sendable {
  /// The internal key, stored with the events: what a lost answer to COMMIT is resolved with.
  let id: UUID
  let writes: [StreamWrite]
  let idempotency: IdempotencyKey?
  let outcome: [UInt8]
  let context: EventContext
  let bytes: Int

  init(id: UUID, writes: [StreamWrite], idempotency: IdempotencyKey?, outcome: [UInt8], context: EventContext) {
    self.id = id
    self.writes = writes
    self.idempotency = idempotency
    self.outcome = outcome
    self.context = context
    bytes = writes.reduce(outcome.count + 256) { $0 + $1.stream.utf8.count + $1.events.reduce(0) { $0 + $1.data.count + 128 } }
  }

  /// Refuses what no state of the log would accept, before anybody else shares a transaction with it.
  func check() throws(JournalError) {
    var seen: Set<String> = []
    for write in writes {
      guard !write.stream.isEmpty, !write.stream.hasPrefix(EpochBegan.streamPrefix) else { throw .malformed("\"\(write.stream)\" names no stream") }
      guard write.stream.utf8.count <= 1_000 else { throw .malformed("a stream's name of \(write.stream.utf8.count) bytes; 1,000 is the most") }
      guard seen.insert(write.stream).inserted else { throw .malformed("stream \(write.stream) written twice in one append") }
      if case .exactly(let version) = write.expected, version < 0 { throw .malformed("version \(version) expected of stream \(write.stream)") }
    }
    let texts = writes.flatMap { [$0.stream] + $0.events.map(\.type) } + [context.correlationID, context.causationID, context.traceparent].compactMap(\.self)
    guard !texts.contains(where: { $0.utf8.contains(0) }) else { throw .malformed("a NUL in a stream, type or context") }
    if let idempotency {
      guard !idempotency.key.isEmpty else { throw .malformed("an empty idempotency key") }
    }
  }
}

/// One partition's log in the database: appends groups of appends, and finds out what became of one whose answer was lost.
struct PartitionLog: Sendable {
  let pool: PostgresPool
  let number: TopicNumber
  let partition: Int
  let shared: SharedAppends

  /// What a group came to: answered by the database, or sent without an answer.
  enum Answer: Sendable {
    case answered([Result<Appended, JournalError>])
    case lost(PostgresError)
  }

  /// All of them in one transaction, which groups of other partitions may share.
  /// - Throws: when nothing was stored.
  func append(_ group: [PendingAppend], within limit: Duration) async throws -> Answer {
    try await shared.append(group, to: partition, within: limit)
  }

  /// Which of these appends are in the log, and where.
  ///
  /// The partition's lock comes first: a transaction whose connection broke may still be committing, and holds it until that is decided.
  func find(_ group: [PendingAppend], after floor: Int64, within limit: Duration) async throws -> [UUID: [JournalPosition]] {
    let topic = try await number.value()
    let partition = Int16(partition)
    let ids = group.map(\.id)
    let rows = try await pool.transaction(within: limit) { connection in
      _ = try connection.query("select journal_lock(\(topic), \(partition))")
      return try connection.query(
        """
        select append_id, epoch, log_offset from journal_events
        where topic = \(topic) and partition = \(partition) and log_offset > \(floor) and append_id = any(\(ids)) order by log_offset
        """)
    }
    var found: [UUID: [JournalPosition]] = [:]
    for row in rows {
      let (id, epoch, offset) = try row.decode(UUID.self, Int64.self, Int64.self)
      found[id, default: []].append(JournalPosition(partition: self.partition, epoch: epoch, offset: offset))
    }
    return found
  }

  /// The last offset of the partition.
  func last(within limit: Duration) async throws -> Int64 {
    let topic = try await number.value()
    let rows = try await pool.query(
      "select log_offset from journal_events where topic = \(topic) and partition = \(Int16(partition)) order by log_offset desc limit 1", within: limit)
    return try rows.first?.decode(Int64.self) ?? -1
  }

  /// What the rows of `dos_append` say about the appends of one partition.
  static func results(of group: [PendingAppend], _ rows: some Sequence<Row>, partition: Int) throws -> [Result<Appended, JournalError>] {
    try zip(group, rows).map { append, row in try verdict(of: append, row, partition: partition) }
  }

  private static func verdict(of append: PendingAppend, _ row: Row, partition: Int) throws -> Result<Appended, JournalError> {
    let (verdict, epoch, first, events) = try row.decode(String.self, Int64.self, Int64?.self, Int32.self)
    switch verdict {
    case "accepted", "repeated":
      let first = first ?? 0
      let positions = (first..<first + Int64(events)).map { JournalPosition(partition: partition, epoch: epoch, offset: $0) }
      let home: Int16? = try row.value(at: 7)
      let placed = home.map { home in positions.map { JournalPosition(partition: Int(home), epoch: $0.epoch, offset: $0.offset) } } ?? positions
      return .success(Appended(positions: placed, repeated: verdict == "repeated", outcome: try row.value([UInt8]?.self, at: 6) ?? []))
    case "key_reused":
      return .failure(.keyReused)
    default:
      let stream: String = try row.value(at: 4)
      let actual: Int64 = try row.value(at: 5)
      if verdict == "elsewhere" { return .failure(.streamElsewhere(stream: stream, partition: Int(actual))) }
      let expected = append.writes.first { $0.stream == stream }?.expected ?? .any
      return .failure(.conflict(stream: stream, expected: expected, actual: actual))
    }
  }

  /// - Parameters:
  ///   - groups: in the order of their partitions.
  ///   - waits: for the partition's lock; for one group only.
  static func statement(_ groups: [(partition: Int, appends: [PendingAppend])], topic: Int16, waits: Bool) -> SQL {
    let group = groups.flatMap(\.appends)
    let writes = group.flatMap(\.writes)
    let events = writes.flatMap(\.events)
    let keys = group.map(\.idempotency)
    let members: SQL = """
      \(groups.flatMap { Array(repeating: Int16($0.partition), count: $0.appends.count) }), \(group.map(\.id)), \(keys.map { $0?.scope }),
      \(keys.map { $0?.bodyHash }), \(group.map { $0.idempotency == nil ? nil : $0.outcome }), \(group.map(\.context.time)),
      \(group.map(\.context.correlationID)), \(group.map(\.context.causationID)), \(group.map(\.context.traceparent)),
      \(group.map { Int64($0.writes.count) })
      """
    let streams: SQL = "\(writes.map(\.stream)), \(writes.map(\.expected.number)), \(writes.map { Int64($0.events.count) })"
    let contents: SQL = "\(events.map(\.id)), \(events.map(\.type)), \(events.map { String(decoding: $0.data, as: UTF8.self) })"
    return """
      select verdict, epoch, first_offset, events, stream, actual, outcome, home
      from dos_append(\(topic), \(waits), \(members), \(streams), \(contents))
      """
  }
}

extension PostgresError {
  /// Whether a statement that failed so may nevertheless have been committed.
  var leavesOpen: Bool {
    switch kind {
    // An administrator's shutdown (57P..) can meet a backend between commit and answer.
    case .server(let state): state.hasPrefix("08") || state.hasPrefix("57P")
    case .connection, .commitUnknown, .deadline, .cancelled: true
    case .poolExhausted, .decoding, .closed, .migration: false
    }
  }
}
