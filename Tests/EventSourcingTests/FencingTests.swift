import Broker
@testable import EventSourcing
import Postgres
import Synchronization
import TestSupport
import Testing

@Suite("Fencing", .timeLimit(.minutes(5))) struct FencingTests {
  @Test("An instance that was paused beyond its lease, with a batch in hand, loses the comparison and leaves no row behind") func paused() async throws {
    try await withJournal(partitions: 1, size: 8) { journal, pool in
      try await Listing.createTable(pool)
      try await journal.append([write("a", .noStream, "1", "2", "3")], context: noon)
      let zombie = Zombie(journal, pool)
      try await zombie.pausesWithBatch()
      // Nobody renews its lease, so another instance has the partition as soon as that has run out, and does the same batch and more.
      let heir = Subscription(Listing(), source: JournalSource(journal), pool: pool)
      let running = Task { await heir.run() }
      #expect(try await caughtUp(heir))
      try await journal.note("a", .any, "4")
      #expect(try await caughtUp(heir))
      let standing = try await checkpoint(pool)
      // Its batch goes to the database now, late; it ends by itself, at the claim that is no longer its own.
      try await zombie.resumes()
      #expect(zombie.wrote.value == 0 && zombie.attempts.value == 0)
      #expect(try await listed(pool) == decided(journal))
      #expect(try await checkpoint(pool) == standing)
      #expect(try await DeadLetters(pool: pool, subscription: Listing.name, topic: journal.topic.name).count() == 0)
      running.cancel()
      await running.value
    }
  }

  @Test("It loses as well where only the claim has changed and the checkpoint stands where it stood") func claimAlone() async throws {
    try await withJournal(partitions: 1, size: 8) { journal, pool in
      try await Listing.createTable(pool)
      try await journal.append([write("a", .noStream, "1", "2", "3")], context: noon)
      let zombie = Zombie(journal, pool)
      try await zombie.pausesWithBatch()
      let owner = try await Leases.claim(subscription: Listing.name, topic: journal.topic.name, partition: 0, in: pool)
      #expect(owner.checkpoint == Checkpoint(position: 0))
      try await zombie.resumes()
      #expect(try await listed(pool).isEmpty)
      // The owner has lost nothing: it still goes on from where it claimed.
      try await owner.advance(from: owner.checkpoint, to: Checkpoint(position: 4), in: pool)
    }
  }

  @Test("Rows of a batch whose comparison comes last are rolled back with it") func rollsBack() async throws {
    try await withJournal(partitions: 1, size: 8) { journal, pool in
      try await Listing.createTable(pool)
      let topic = journal.topic.name
      try await pool.transaction { connection throws in
        try CheckpointTable.ensure(subscription: Listing.name, topic: topic, starts: [0], on: connection)
      }
      let old = try await Leases.claim(subscription: Listing.name, topic: topic, partition: 0, in: pool)
      _ = try await Leases.claim(subscription: Listing.name, topic: topic, partition: 0, in: pool)
      await #expect(throws: CheckpointLost.self) {
        try await pool.transaction { connection throws in
          try connection.execute("insert into listed values (0, 1, 'a', 't', 'written before the comparison')")
          try old.advance(from: old.checkpoint, to: Checkpoint(position: 1), on: connection)
        }
      }
      #expect(try await listed(pool).isEmpty)
    }
  }

  @Test("Two instances that consume at once with leases that come and go have each event once") func contention() async throws {
    try await withJournal(partitions: 2, size: 8) { journal, pool in
      try await Listing.createTable(pool)
      let instances = (0..<2).map { _ in Subscription(Listing(), source: JournalSource(journal), pool: pool) }
      let running = instances.map { instance in Task { await instance.run() } }
      for turn in 0..<60 {
        try await journal.note("s\(turn % 5)", .any, "\(turn)", partition: turn % 5 % 2)
        // Takes the partition out of its owner's hands, wherever that is in its batch.
        if turn % 10 == 0 { try await pool.execute("update dos_checkpoints set claim = claim + 1, holder = null, until = '-infinity'") }
      }
      #expect(try await caughtUp(instances[0]))
      #expect(try await listed(pool) == decided(journal))
      #expect(try await instances[0].parked() == 0)
      for task in running { task.cancel() }
      for task in running { await task.value }
    }
  }

  private func checkpoint(_ pool: PostgresPool) async throws -> [Int: Checkpoint] {
    try await CheckpointTable.read(subscription: Listing.name, topic: decisions().name, in: pool)
  }
}

/// An instance on a lease that nobody renews, paused when it has read a batch and not yet written it.
private final class Zombie: Sendable {
  /// Batches that came as far as the projection, and those whose rows were written.
  let attempts = Counter()
  let wrote = Counter()
  private let ended = Counter()
  private let pause = Pause()
  private let subscription: Subscription
  private let journal: Journal
  private let pool: PostgresPool
  private let running = Mutex<Task<Void, Never>?>(nil)

  init(_ journal: Journal, _ pool: PostgresPool) {
    self.journal = journal
    self.pool = pool
    let (attempts, wrote) = (attempts, wrote)
    let listing = Listing { _, _ in attempts.add(1) }
    subscription = Subscription(
      listing, source: PausedSource(source: JournalSource(journal), pause: pause), pool: pool,
      observer: SubscriptionObserver(projected: { _, _ in wrote.add(1) }))
  }

  func pausesWithBatch() async throws {
    let topic = journal.topic
    try await pool.transaction { connection throws in
      try CheckpointTable.ensure(
        subscription: Listing.name, topic: topic.name, starts: Array(repeating: 0, count: topic.partitions), on: connection)
    }
    let lease = try await Leases.claim(subscription: Listing.name, topic: topic.name, partition: 0, in: pool)
    let task = Task { [subscription, ended] in
      await subscription.consume(lease)
      ended.add(1)
    }
    running.withLock { $0 = task }
    #expect(try await eventually { pause.holds })
  }

  /// Goes on. It must end by itself; where a broken comparison lets it live, the test is to fail and not to hang.
  func resumes() async throws {
    pause.lift()
    #expect(try await eventually { ended.value == 1 })
    let task = running.withLock { $0 }
    task?.cancel()
    await task?.value
  }
}
