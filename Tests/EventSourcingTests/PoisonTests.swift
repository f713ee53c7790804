import Broker
import EventSourcing
import Postgres
import Testing

@Suite("A poisoned stream", .timeLimit(.minutes(5))) struct PoisonTests {
  private struct Refused: Error {}

  @Test("keeps what comes later waiting behind it, in later batches and for whoever takes the partition over, while others go on") func later() async throws {
    try await withJournal(partitions: 1, size: 8) { journal, pool in
      try await Listing.createTable(pool)
      let listing = Listing { batch, _ in if batch.contains(where: { $0.event.data == Array("0".utf8) }) { throw Refused() } }
      try await journal.note("a", .noStream, "0")
      for turn in 1...2 {
        let subscription = Subscription(listing, source: JournalSource(journal), pool: pool)
        let running = Task { await subscription.run() }
        #expect(try await caughtUp(subscription))
        try await journal.note("a", .any, "\(turn)")
        try await journal.note("b", .any, "\(turn)")
        #expect(try await caughtUp(subscription))
        running.cancel()
        await running.value
      }
      #expect(try await listed(pool).map(\.subject) == ["b", "b"])
      let letters = try await DeadLetters(pool: pool, subscription: Listing.name, topic: journal.topic.name).list()
      #expect(letters.map(\.event.event.data) == ["0", "1", "2"].map { Array($0.utf8) })
      #expect(letters.map { $0.cause == nil } == [false, true, true])
    }
  }
}
