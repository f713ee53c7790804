import Broker
@testable import EventSourcing
import Postgres
import TestSupport
import Testing

@Suite("Projections of a service's own decisions", .timeLimit(.minutes(5))) struct JournalSourceTests {
  @Test("A projection gets each decision once and in order, whoever appended it, and none of the records that open an epoch") func own() async throws {
    try await withJournal(partitions: 2, size: 8) { journal, pool in
      try await Listing.createTable(pool)
      let subscription = Subscription(Listing(), source: JournalSource(journal), pool: pool)
      let running = Task { await subscription.run() }
      let (other, otherPool) = another(journal, pool)
      for turn in 0..<20 { try await (turn % 2 == 0 ? journal : other).note("s\(turn % 3)", .any, "\(turn)") }
      #expect(try await caughtUp(subscription))
      #expect(try await listed(pool) == decided(journal))
      #expect(try await listed(pool).count == 20)

      // A restore that takes nothing back: the record of the new epoch moves the checkpoint and nothing else.
      try await pool.execute("select dos_after_restore()")
      let appended = try await journal.note("s0", .any, "20")
      let last = try #require(appended.positions.last)
      try await subscription.positions.wait(for: .journal(last), timeout: .seconds(10))
      #expect(try await caughtUp(subscription))
      #expect(try await listed(pool) == decided(journal))
      #expect(try await pool.query("select 1 from listed where type = \(EpochBegan.type)").isEmpty)
      let checkpoints = try await CheckpointTable.read(subscription: Listing.name, topic: journal.topic.name, in: pool)
      #expect(checkpoints.values.allSatisfy { $0.journal?.epoch == 2 })
      running.cancel()
      await running.value
      await other.close()
      await otherPool.close()
    }
  }

  @Test("A projection that has seen what a restore took back stops, says which, and a replay rebuilds it") func restored() async throws {
    try await withJournal(partitions: 1, size: 8) { journal, pool in
      try await Listing.createTable(pool)
      try await journal.append([write("a", .noStream, "1", "2")], context: noon)
      try await pool.execute("select dos_after_restore()")
      try await journal.note("a", .any, "3")
      // Its read model lives elsewhere and was not restored: there it had come to offset 4 of the first epoch.
      try await pool.execute("insert into listed values (0, 4, 'a', 't', 'gone')")
      let topic = journal.topic.name
      try await pool.transaction { connection throws in
        let seen = Checkpoint(position: 5, journal: JournalPosition(partition: 0, epoch: 1, offset: 4))
        try CheckpointTable.place(seen, subscription: Listing.name, topic: topic, partition: 0, on: connection)
      }
      let subscription = Subscription(Listing(), source: JournalSource(journal), pool: pool)
      let running = Task { await subscription.run() }
      let loss = EpochLoss(partition: 0, epoch: 2, gone: 3...4)
      #expect(try await eventually { subscription.partitions[0] == .stopped(.gone(loss)) })
      try await Replay(Listing(), source: JournalSource(journal), pool: pool).run()
      #expect(try await listed(pool) == decided(journal))
      // The replay has taken the partition away from who stood still, so it goes on by itself.
      try await journal.note("a", .any, "4")
      #expect(try await caughtUp(subscription))
      #expect(try await listed(pool) == decided(journal))
      running.cancel()
      await running.value
    }
  }

  @Test("A replay while events keep coming loses none and doubles none") func replayMeanwhile() async throws {
    try await withJournal(partitions: 2, size: 8) { journal, pool in
      try await Listing.createTable(pool)
      let subscription = Subscription(Listing(), source: JournalSource(journal), pool: pool)
      let running = Task { await subscription.run() }
      for turn in 0..<50 { try await journal.note("s\(turn % 5)", .any, "\(turn)", partition: turn % 5 % 2) }
      let coming = Task {
        var turn = 50
        while !Task.isCancelled {
          try await journal.note("s\(turn % 5)", .any, "\(turn)", partition: turn % 5 % 2)
          turn += 1
        }
        return turn
      }
      for _ in 0..<3 { try await Replay(Listing(), source: JournalSource(journal), pool: pool).run() }
      coming.cancel()
      let count = try await coming.value
      #expect(count > 50)
      #expect(try await caughtUp(subscription))
      #expect(try await listed(pool) == decided(journal))
      #expect(try await listed(pool).count == count)
      #expect(try await subscription.parked() == 0)
      #expect(try await pool.query("select 1 from pg_namespace where nspname like 'replay%'").isEmpty)
      running.cancel()
      await running.value
    }
  }
}
