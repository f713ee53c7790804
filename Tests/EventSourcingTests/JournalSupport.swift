import Broker
import EventSourcing
import Foundation
import Postgres
import Synchronization
import TestSupport
import Time

/// A Journal on a fresh database of its own. `size` bounds its pool.
func withJournal<Outcome>(
  partitions: Int = 4, size: Int = 4, settings: JournalSettings = JournalSettings(), observer: JournalObserver = JournalObserver(),
  _ body: (Journal, PostgresPool) async throws -> Outcome
) async throws -> Outcome {
  let schema = TestSchema(scope: EventSourcingMigrations.scope, migrations: try EventSourcingMigrations.load())
  return try await withTestDatabase(migrate: [schema], size: size) { pool in
    let journal = Journal(
      pool: pool, topic: decisions(partitions: partitions), city: "dortmund", source: "/dortmund/tests", settings: settings, observer: observer)
    let outcome = try await body(journal, pool)
    await journal.close()
    return outcome
  }
}

func decisions(partitions: Int = 4) -> Topic {
  Topic(
    name: "dos.tests.decisions", partitions: partitions, visibility: .internal,
    governance: Governance(owner: "tests", purpose: "tests", legalBasis: "none", successor: "nobody"))
}

/// A second Journal on the same database with connections of its own, as another process would have.
func another(_ journal: Journal, _ pool: PostgresPool) -> (Journal, PostgresPool) {
  let second = PostgresPool(pool.configuration, size: 4)
  return (Journal(pool: second, topic: journal.topic, city: journal.city, source: journal.source), second)
}

let noon = EventContext(time: Instant(milliseconds: 1_900_000_000_123), correlationID: "walk", causationID: "step", traceparent: "00-1-2-01")

func write(_ stream: String, _ expected: ExpectedVersion = .any, _ data: String...) -> StreamWrite {
  let events = (data.isEmpty ? ["{}"] : data).map { NewEvent(type: "de.dos2030.tests.happened.v1", data: Array($0.utf8)) }
  return StreamWrite(stream: stream, expected: expected, events: events)
}

extension Journal {
  /// One event to one stream.
  @discardableResult
  func note(_ stream: String, _ expected: ExpectedVersion = .any, _ data: String = "{}", partition: Int? = nil) async throws(JournalError) -> Appended {
    try await append([write(stream, expected, data)], partition: partition, context: noon)
  }
}
/// Holds a partition of the first topic, as a slow transaction of another process would, until the returned function is called.
func holdPartition(_ partition: Int, _ pool: PostgresPool) async throws -> () async throws -> Void {
  let other = PostgresPool(pool.configuration, size: 1)
  try await other.execute("select pg_advisory_lock(544173139, 65536 + \(Int32(partition)))")
  return { await other.close() }
}

func waitingForLocks(_ pool: PostgresPool) async throws -> Int64 {
  let rows = try await pool.query(
    "select count(*) from pg_locks where not granted and database = (select oid from pg_database where datname = current_database())")
  return try rows.first?.decode(Int64.self) ?? 0
}

/// Counts what happens on several tasks.
final class Counter: Sendable {
  private let count = Mutex(0)
  var value: Int { count.withLock { $0 } }
  func add(_ number: Int) { count.withLock { $0 += number } }
}
