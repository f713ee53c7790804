import Broker
import EventSourcing
import Foundation
import Postgres
import Synchronization
import TestSupport
import Testing
import Time

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

  @Test("among many is found without trying each of them alone") func halves() async throws {
    try await withJournal(partitions: 1, size: 8) { journal, pool in
      try await Listing.createTable(pool)
      let tries = Mutex(0)
      let listing = Listing { batch, _ in
        tries.withLock { $0 += 1 }
        if batch.contains(where: { $0.event.data == Array("7".utf8) }) { throw Refused() }
      }
      for number in 0..<200 { try await journal.note("\(number % 20)", .any, "\(number)") }
      let subscription = Subscription(listing, source: JournalSource(journal), pool: pool)
      let running = Task { await subscription.run() }
      #expect(try await caughtUp(subscription))
      running.cancel()
      await running.value
      let letters = try await DeadLetters(pool: pool, subscription: Listing.name, topic: journal.topic.name).list()
      #expect(letters.map(\.event.event.data) == stride(from: 7, to: 200, by: 20).map { Array("\($0)".utf8) })
      #expect(try await listed(pool).count == 190)
      #expect(tries.withLock { $0 } < 60)
    }
  }

  @Test("that cannot be read is found without projecting the others again and again") func unreadableAmongMany() async throws {
    try await withJournal(partitions: 1, size: 8) { journal, pool in
      try await Listing.createTable(pool)
      let tries = Mutex(0)
      var listing = Listing { batch, _ in
        tries.withLock { $0 += 1 }
        if batch.contains(where: { $0.event.data == Array("7".utf8) }) { throw Refused() }
      }
      listing.checking = { if $0.event.data == Array("7".utf8) { throw Refused() } }
      for number in 0..<200 { try await journal.note("\(number % 20)", .any, "\(number % 10)") }
      let subscription = Subscription(listing, source: JournalSource(journal), pool: pool)
      let running = Task { await subscription.run() }
      #expect(try await caughtUp(subscription))
      running.cancel()
      await running.value
      let letters = try await DeadLetters(pool: pool, subscription: Listing.name, topic: journal.topic.name).list()
      #expect(Set(letters.map(\.event.event.subject)) == ["7", "17"] && letters.count == 20)
      #expect(letters.count { $0.cause != nil } == 2)
      #expect(try await listed(pool).count == 180)
      #expect(tries.withLock { $0 } <= 2)
    }
  }

  @Test("is what a record makes that is no event: it is parked with the reason, and holds up nobody") func unreadable() async throws {
    try await withTestDatabase(migrate: [TestSchema(scope: BrokerMigrations.scope, migrations: try BrokerMigrations.load())] + schemas(), size: 8) { pool in
      try await Listing.createTable(pool)
      let broker = try await PostgresBroker.open(pool.configuration, unsafeDurability: true)
      let topic = Topic(
        name: "dos.tests.junk", partitions: 1, visibility: .public, governance: Governance(owner: "o", purpose: "p", legalBasis: "l", successor: "s"))
      try await broker.declare([topic])
      func event(_ type: String, _ subject: String, _ data: String, _ offset: Int64? = nil) -> OutgoingEvent {
        let event = CloudEvent(
          id: UUID(), source: "/dortmund/tests", type: type, subject: subject, time: Instant(milliseconds: 1_751_328_000_000), city: "dortmund",
          journal: offset.map { JournalPosition(partition: 0, epoch: 1, offset: $0) }, data: Array(data.utf8))
        return OutgoingEvent(topic: topic, key: subject, partition: 0, event: event)
      }
      let junk = event("de.dos2030.broker.unreadable.v1", "unreadable/0/1", #"{"reason":"no event"}"#)
      _ = try await broker.publish([event("de.dos2030.tests.noted.v1", "a", "1", 0), junk, event("de.dos2030.tests.noted.v1", "b", "2", 1)])
      let subscription = Subscription(Listing(), source: TopicSource(topic, broker: broker), pool: pool)
      let running = Task { await subscription.run() }
      #expect(try await caughtUp(subscription))
      running.cancel()
      await running.value
      #expect(try await listed(pool).map(\.subject) == ["a", "b"])
      #expect(try await DeadLetters(pool: pool, subscription: Listing.name, topic: topic.name).list().map(\.cause) == ["no event"])
      await broker.close()
    }
  }

  private func schemas() throws -> [TestSchema] {
    [TestSchema(scope: EventSourcingMigrations.scope, migrations: try EventSourcingMigrations.load())]
  }
}
