import Foundation
import Postgres
import Synchronization
import Time

/// The one writer of a process: takes what waits, locks its partitions in ascending order, stores it without gaps and commits it together.
final class PostgresWriter: Sendable {
  /// What one transaction takes at most.
  static let batchEvents = 1_000
  static let batchBytes = 1 << 20

  private let pool: PostgresPool
  private let outbox: Outbox
  private let heads: HeadWatch
  private let recent: RecentEvents
  private let count = Mutex<Int64>(0)

  init(pool: PostgresPool, outbox: Outbox, heads: HeadWatch, recent: RecentEvents) {
    self.pool = pool
    self.outbox = outbox
    self.heads = heads
    self.recent = recent
  }

  /// Events committed by this process since it started.
  var published: Int64 { count.withLock { $0 } }

  /// Runs until the outbox is closed and empty.
  func run() async {
    while let batch = await outbox.take(events: Self.batchEvents, bytes: Self.batchBytes) { await write(batch) }
  }

  private func write(_ batch: [Outbox.Entry]) async {
    do {
      let pool = pool
      let offsets = try await pool.transaction { connection throws in try Self.store(batch, on: connection) }
      count.withLock { $0 += Int64(batch.count) }
      var ends: [Place: Int64] = [:]
      for (entry, offset) in zip(batch, offsets) { ends[entry.place] = offset + 1 }
      recent.note(batch, at: offsets)
      outbox.stored(batch, at: offsets)
      heads.advance(ends)
    } catch {
      await handle(error, batch)
    }
  }

  private func handle(_ error: any Error, _ batch: [Outbox.Entry]) async {
    let failure = error as? PostgresError
    let publishes = Set(batch.map(\.publish))
    // What one sender's event did to the statement must not fail the others: each publish goes alone, still in order.
    if let failure, failure.sqlState != nil, !failure.isTransient, publishes.count > 1 {
      for publish in publishes.sorted() { await write(batch.filter { $0.publish == publish }) }
      return
    }
    // An error the server sent before COMMIT has rolled the transaction back; after anything else nobody knows.
    let isRolledBack = failure?.sqlState.map { !$0.hasPrefix("08") && !$0.hasPrefix("57P") } ?? false
    outbox.failed(batch, reason: "\(error)", mayHaveArrived: !isRolledBack)
  }

  private static func store(_ batch: [Outbox.Entry], on connection: isolated PostgresConnection) throws -> [Int64] {
    let places = Set(batch.map(\.place)).sorted()
    // Two processes that lock in different orders would wait for each other. The lock is held to the end of COMMIT, so that
    // offsets are in commit order and without gaps.
    let lock: SQL = """
      select pg_advisory_xact_lock(topic::integer, partition::integer)
      from unnest(\(places.map { Int64($0.topic) }), \(places.map { Int64($0.partition) })) as wanted(topic, partition)
      """
    // Bounds are a statement of their own: it must see what was committed before the lock was got.
    let bounds = try connection.pipeline([lock, PartitionBounds.statement(places)])[1]
    var next = try PartitionBounds.read(bounds).mapValues(\.next)
    var offsets: [Int64] = []
    offsets.reserveCapacity(batch.count)
    for entry in batch {
      guard let offset = next[entry.place] else {
        throw PostgresError(kind: .decoding, message: "\(entry.event.topic.name) has no partition \(entry.place.partition) in the database")
      }
      offsets.append(offset)
      next[entry.place] = offset + 1
    }
    let assigned = offsets
    try connection.copy(into: "events", columns: columns) { writer throws in
      for (entry, offset) in zip(batch, assigned) {
        let event = entry.event.event
        try writer.row(
          entry.place.topic, entry.place.partition, offset, entry.event.key, event.id, event.source, event.type, event.subject, event.time,
          event.city, event.correlationID, event.causationID, event.traceparent, event.journal.map { Int32(truncatingIfNeeded: $0.partition) },
          event.journal?.epoch, event.journal?.offset, event.data)
      }
    }
    return offsets
  }

  private static let columns = [
    "topic", "partition", "offset", "key", "id", "source", "type", "subject", "time", "city", "correlation_id", "causation_id",
    "traceparent", "journal_partition", "journal_epoch", "journal_offset", "data",
  ]
}

extension Outbox.Entry {
  var place: Place { Place(topic: topicID, partition: Int32(event.targetPartition)) }
}
