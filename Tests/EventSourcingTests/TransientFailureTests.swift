import Broker
@testable import EventSourcing
import Postgres
import Synchronization
import Testing

@Suite("Trouble of database and network", .timeLimit(.minutes(5))) struct TransientFailureTests {
  static let troubles: [PostgresError.Kind] = [
    .server(sqlState: "08006"), .server(sqlState: "40001"), .server(sqlState: "40P01"), .server(sqlState: "53300"), .server(sqlState: "57014"),
    .server(sqlState: "57P01"), .connection, .commitUnknown, .deadline,
  ]

  @Test("A projection that meets it is tried again until it goes through, and nothing is parked", arguments: troubles)
  func retried(_ kind: PostgresError.Kind) async throws {
    try await withJournal(partitions: 1, size: 8) { journal, pool in
      try await Listing.createTable(pool)
      let failing = Counter()
      let listing = Listing { _, _ in
        if failing.value < 3 {
          failing.add(1)
          throw PostgresError(kind: kind, message: "told so")
        }
      }
      let troubles = Counter()
      let observer = SubscriptionObserver(trouble: { _ in troubles.add(1) })
      try await journal.append([write("a", .noStream, "1", "2")], context: noon)
      let subscription = Subscription(listing, source: JournalSource(journal), pool: pool, observer: observer)
      let running = Task { await subscription.run() }
      #expect(try await caughtUp(subscription))
      try await journal.note("a", .any, "3")
      #expect(try await caughtUp(subscription))
      #expect(failing.value == 3 && troubles.value == 3)
      #expect(try await subscription.parked() == 0)
      #expect(try await listed(pool) == decided(journal))
      running.cancel()
      await running.value
    }
  }

  @Test("A connection that is killed in the middle of a batch takes its rows along, and the batch is done anew") func killed() async throws {
    try await withJournal(partitions: 1, size: 8) { journal, pool in
      try await Listing.createTable(pool)
      let kills = Counter()
      let listing = Listing { _, connection in
        if kills.value == 0 {
          kills.add(1)
          _ = try connection.query("insert into listed values (0, 1, 'a', 't', 'first try') returning pg_terminate_backend(pg_backend_pid())")
        }
      }
      try await journal.append([write("a", .noStream, "1", "2")], context: noon)
      let subscription = Subscription(listing, source: JournalSource(journal), pool: pool)
      let running = Task { await subscription.run() }
      #expect(try await caughtUp(subscription))
      #expect(kills.value == 1)
      #expect(try await listed(pool) == decided(journal))
      #expect(try await subscription.parked() == 0)
      running.cancel()
      await running.value
    }
  }

  @Test("What a crash of the server takes back with its checkpoint is projected again, also where no event comes after it") func takenBack() async throws {
    try await withJournal(partitions: 1, size: 8) { journal, pool in
      try await Listing.createTable(pool)
      let subscription = Subscription(Listing(), source: JournalSource(journal), pool: pool)
      let running = Task { await subscription.run() }
      try await journal.append([write("a", .noStream, "1", "2", "3")], context: noon)
      #expect(try await caughtUp(subscription))
      // As it is after a crash: a transaction that nobody waited for is gone, checkpoint and rows.
      try await pool.transaction { connection throws in
        try connection.execute("update dos_checkpoints set position = 1, journal_offset = 0")
        try connection.execute("delete from listed where journal_offset >= 1")
      }
      #expect(try await caughtUp(subscription))
      #expect(try await listed(pool) == decided(journal))
      running.cancel()
      await running.value
    }
  }

  @Test("Trouble while a failed batch is done event by event parks nothing either: the whole batch is done anew") func amidst() async throws {
    try await withJournal(partitions: 1, size: 8) { journal, pool in
      try await Listing.createTable(pool)
      let troubled = Counter()
      let listing = Listing { batch, _ in
        if batch.contains(where: { $0.event.data == Array("\"bad\"".utf8) }) { throw Refused() }
        if batch.count == 1, batch[0].event.subject == "b", troubled.value == 0 {
          troubled.add(1)
          throw PostgresError(kind: .server(sqlState: "40001"), message: "told so")
        }
      }
      try await journal.append([write("a", .noStream, "\"bad\"", "1"), write("b", .noStream, "2")], partition: 0, context: noon)
      let subscription = Subscription(listing, source: JournalSource(journal), pool: pool)
      let running = Task { await subscription.run() }
      #expect(try await caughtUp(subscription))
      let letters = try await DeadLetters(pool: pool, subscription: Listing.name, topic: journal.topic.name).list()
      #expect(letters.map(\.event.event.subject) == ["a", "a"])
      #expect(letters.map { $0.cause == nil } == [false, true])
      #expect(try await listed(pool).map(\.said) == ["2"])
      #expect(troubled.value == 1)
      running.cancel()
      await running.value
    }
  }

  private struct Refused: Error {}
}
