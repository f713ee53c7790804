import EventSourcing
import TestSupport
import Testing

@Suite("A new subscription", .timeLimit(.minutes(5))) struct SubscriptionStartTests {
  @Test("that starts at the end gets nothing of what happened before, and everything after") func end() async throws {
    try await withJournal(partitions: 1, size: 8) { journal, pool in
      try await Listing.createTable(pool)
      try await journal.append([write("a", .noStream, "1", "2")], context: noon)
      let subscription = Subscription(Listing(), source: JournalSource(journal), pool: pool, start: .end)
      let running = Task { await subscription.run() }
      #expect(try await eventually { subscription.leases.held == [0] })
      try await journal.note("a", .any, "3")
      #expect(try await caughtUp(subscription))
      #expect(try await listed(pool).map(\.said) == ["3"])
      running.cancel()
      await running.value
    }
  }
}
