import Broker
@testable import EventSourcing
import Foundation
import Postgres
import Synchronization
import TestSupport
import Testing

@Suite("Partitions that share a transaction", .timeLimit(.minutes(5))) struct BatchQueueTests {
  /// A batch of everything in a partition, by who has just claimed it.
  private func batch(_ partition: Int, _ journal: Journal, _ pool: PostgresPool) async throws -> PartitionBatch {
    let topic = journal.topic
    try await pool.transaction { connection throws in
      try CheckpointTable.ensure(subscription: Listing.name, topic: topic.name, starts: Array(repeating: 0, count: topic.partitions), on: connection)
    }
    let lease = try await Leases.claim(subscription: Listing.name, topic: topic.name, partition: partition, in: pool)
    let reader = try await JournalSource(journal).reader(partition: partition, from: lease.checkpoint)
    let events = try await reader.next(limit: 1_000, wait: .zero)
    let sifted = SiftedBatch(events[...], after: lease.checkpoint, partition: partition, rows: 1_000, weigh: { _ in 1 })
    return PartitionBatch(
      lease: lease, old: lease.checkpoint, new: sifted.checkpoint, events: sifted.events, weight: sifted.weight, parked: [])
  }

  private func writer(_ journal: Journal, before: @escaping @Sendable ([ProjectedEvent], isolated PostgresConnection) throws -> Void) -> BatchWriter {
    BatchWriter(
      projection: Listing(before: before), tables: TableNames(), letters: DeadLetterBox(subscription: Listing.name, topic: journal.topic.name))
  }

  /// A city of that many partitions, each with two events of a stream of its own.
  private func withBatches(_ count: Int, _ body: (Journal, PostgresPool, [PartitionBatch]) async throws -> Void) async throws {
    try await withJournal(partitions: count, size: 8) { journal, pool in
      try await Listing.createTable(pool)
      var batches: [PartitionBatch] = []
      for partition in 0..<count {
        for number in 1...2 { try await journal.note("s\(partition)", .any, "\(partition).\(number)", partition: partition) }
        batches.append(try await batch(partition, journal, pool))
      }
      try await body(journal, pool, batches)
    }
  }

  @Test("One whose partition was claimed by another fails alone: the others are written") func lost() async throws {
    try await withBatches(3) { journal, pool, batches in
      _ = try await Leases.claim(subscription: Listing.name, topic: journal.topic.name, partition: 1, in: pool)
      let outcomes = await writer(journal) { _, _ in }.write(batches, in: pool)
      #expect(throws: CheckpointLost.self) { try outcomes[1].get() }
      for number in [0, 2] { #expect(throws: Never.self) { try outcomes[number].get() } }
      #expect(try await listed(pool) == decided(journal).filter { $0.partition != 1 })
    }
  }

  @Test("An event that cannot be projected is parked with its successors, and nothing else of its transaction is") func poison() async throws {
    try await withBatches(3) { journal, pool, batches in
      let poisoned = writer(journal) { events, _ in
        if events.contains(where: { $0.event.data == Array("1.1".utf8) }) { throw Poisoned() }
      }
      let outcomes = await poisoned.write(batches, in: pool)
      let parked = try outcomes.map { try $0.get() }
      #expect(parked == [[], ["s1"], []])
      #expect(try await listed(pool) == decided(journal).filter { $0.partition != 1 })
      #expect(try await DeadLetters(pool: pool, subscription: Listing.name, topic: journal.topic.name).count() == 2)
    }
  }

  @Test("What waits while transactions run goes into one, and who no longer wants it goes without") func gathering() async throws {
    try await withBatches(6) { journal, pool, batches in
      let transactions = Mutex<[Set<Int>]>([])
      let gate = Gate()
      let queue = BatchQueue(
        writer(journal) { events, _ in
          transactions.withLock { $0.append(Set(events.map(\.position.partition))) }
          gate.pass()
        }, pool: pool, rows: 6, pace: .zero)
      let first = batches.prefix(2).map { batch in Task { try await queue.write(batch) } }
      #expect(try await eventually { transactions.withLock { $0.count } == 2 })
      let others = batches.dropFirst(2).map { batch in Task { try await queue.write(batch) } }
      #expect(try await eventually { queue.waiting == 4 })
      others[0].cancel()
      #expect(try await eventually { queue.waiting == 3 })
      gate.open()
      for task in first + others.dropFirst() { _ = try await task.value }
      await #expect(throws: CancellationError.self) { _ = try await others[0].value }
      #expect(transactions.withLock { $0.dropFirst(2) } == [[3, 4, 5]])
      #expect(try await listed(pool) == decided(journal).filter { $0.partition != 2 })
    }
  }

  @Test(
    "Who comes soon after a transaction began waits for others, until the time is up or enough have come: the time of all instances together",
    arguments: [(Duration.seconds(3_600), 1), (.seconds(1), 3_600)])
  func pace(_ pace: Duration, _ instances: Int) async throws {
    try await withBatches(5) { journal, pool, batches in
      let transactions = Mutex<[Set<Int>]>([])
      let writer = writer(journal) { events, _ in transactions.withLock { $0.append(Set(events.map(\.position.partition))) } }
      let patient = BatchQueue(writer, pool: pool, rows: 4, pace: pace, sharers: { instances })
      _ = try await patient.write(batches[0])
      let second = Task { try await patient.write(batches[1]) }
      #expect(try await eventually { patient.waiting == 1 })
      _ = try await patient.write(batches[2])
      _ = try await second.value
      #expect(transactions.withLock { $0 } == [[0], [1, 2]])
      let brief = BatchQueue(writer, pool: pool, rows: 100, pace: .milliseconds(50))
      _ = try await brief.write(batches[3])
      _ = try await brief.write(batches[4])
      #expect(try await listed(pool) == decided(journal))
    }
  }

  @Test("A transaction is stopped when the last who wants it leaves, and not before") func leaving() async throws {
    try await withBatches(3) { journal, pool, batches in
      let transactions = Mutex<[Set<Int>]>([])
      let gate = Gate()
      let queue = BatchQueue(
        writer(journal) { events, connection in
          let partitions = Set(events.map(\.position.partition))
          transactions.withLock { $0.append(partitions) }
          gate.pass()
          if partitions == [1, 2] { _ = try connection.query("select pg_sleep(60)") }
        }, pool: pool, rows: 4, atOnce: 1, pace: .zero)
      let first = Task { try await queue.write(batches[0]) }
      #expect(try await eventually { queue.isWriting })
      let tasks = [first] + batches.dropFirst().map { batch in Task { try await queue.write(batch) } }
      #expect(try await eventually { queue.waiting == 2 })
      gate.open()
      _ = try await tasks[0].value
      #expect(try await eventually { transactions.withLock { $0.count } == 2 })
      tasks[1].cancel()
      try await Task.sleep(for: .milliseconds(50))
      #expect(queue.isWriting)
      tasks[2].cancel()
      for task in tasks.dropFirst() { await #expect(throws: (any Error).self) { _ = try await task.value } }
      #expect(try await listed(pool) == decided(journal).filter { $0.partition == 0 })
    }
  }
}

private struct Poisoned: Error {}

/// Keeps transactions waiting, on the threads of their connections.
private final class Gate: Sendable {
  private let isOpen = Mutex(false)

  func pass() {
    while !isOpen.withLock({ $0 }) { usleep(1_000) }
  }

  func open() {
    isOpen.withLock { $0 = true }
  }
}
