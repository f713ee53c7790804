import Broker
import EventSourcing
import Foundation
import Postgres
import Synchronization
import TestSupport
import Testing
import Time

/// Counts per subject, and refuses the text "bad" while the table `refuse` says so.
private struct Counting: Projection {
  static let name = "counting"
  let tables = [ProjectionTable(name: "counts", key: ["subject"])]

  func project(_ batch: [ProjectedEvent], on connection: isolated PostgresConnection, tables: TableNames) throws {
    for item in batch {
      if String(decoding: item.event.data, as: UTF8.self) == "\"bad\"", try !connection.query("select 1 from refuse").isEmpty { throw Refused() }
      try connection.execute(
        """
        insert into \(tables["counts"]) as c (subject, count) values (\(item.event.subject), 1)
        on conflict (subject) do update set count = c.count + 1
        """)
    }
  }

  struct Refused: Error {}
}

@Suite("Subscriptions over a topic", .timeLimit(.minutes(5))) struct SubscriptionTests {
  @Test("a poisoned event parks its stream, others go on, a retry puts all in, and a replay arrives at the same bytes") func wholePath() async throws {
    let schemas = [
      TestSchema(scope: BrokerMigrations.scope, migrations: try BrokerMigrations.load()),
      TestSchema(scope: EventSourcingMigrations.scope, migrations: try EventSourcingMigrations.load()),
    ]
    try await withTestDatabase(migrate: schemas) { pool in
      try await pool.execute("create table counts (subject text constraint counts_by_subject primary key, count bigint not null)")
      try await pool.execute("create table refuse (yes boolean)")
      try await pool.execute("insert into refuse values (true)")
      let broker = try await PostgresBroker.open(pool.configuration, unsafeDurability: true)
      let topic = Topic(
        name: "dos.tests.counted", partitions: 1, visibility: .public,
        governance: Governance(owner: "o", purpose: "p", legalBasis: "l", successor: "s"))
      try await broker.declare([topic])
      let alarms = Mutex<[String]>([])
      let subscription = Subscription(
        Counting(), source: TopicSource(topic, broker: broker), pool: pool,
        observer: SubscriptionObserver(stopped: { what in alarms.withLock { $0.append(what) } }))
      let running = Task { await subscription.run() }
      let given = [("a", "ok"), ("b", "bad"), ("a", "ok"), ("b", "ok"), ("c", "ok")]
      let positions = try await broker.publish(given.enumerated().map { outgoing(topic, $1.0, $1.1, offset: Int64($0)) })
      let last = try #require(positions.last)
      try await subscription.positions.wait(for: .broker(partition: 0, offset: last.offset), timeout: .seconds(20))
      #expect(try await counts(pool) == ["a 2", "c 1"])
      await #expect(throws: ReadPositions.Failure.self) {
        try await subscription.positions.wait(for: .broker(partition: 0, offset: last.offset), stream: "b", timeout: .seconds(5))
      }
      let letters = DeadLetters(pool: pool, subscription: "counting", topic: topic.name)
      let parked = try await letters.list()
      #expect(parked.map(\.event.position.offset) == [1, 3])
      #expect(parked.map { $0.cause == nil } == [false, true])

      // Sent again by a forwarder that had not heard the answer: seen before, so it changes nothing.
      let doubled = try await broker.publish([outgoing(topic, "c", "ok", offset: 4)])
      try await subscription.positions.wait(for: .broker(partition: 0, offset: doubled[0].offset), timeout: .seconds(20))
      #expect(try await letters.retry(partition: 0, projection: Counting()).failed != nil)
      try await pool.execute("delete from refuse")
      #expect(try await letters.retry(partition: 0, projection: Counting()).projected == 2)
      #expect(try await counts(pool) == ["a 2", "b 2", "c 1"])

      let before = try await text(of: Counting().tables[0], in: pool)
      #expect(try await Replay(Counting(), source: TopicSource(topic, broker: broker), pool: pool).verify().differences.isEmpty)
      try await Replay(Counting(), source: TopicSource(topic, broker: broker), pool: pool).run()
      #expect(try await text(of: Counting().tables[0], in: pool) == before)
      #expect(try await pool.query("select 1 from pg_indexes where indexname = 'counts_by_subject' and schemaname = 'public'").count == 1)

      // An offset that skips ahead stops the partition.
      _ = try await broker.publish([outgoing(topic, "d", "ok", offset: 6)])
      while subscription.partitions[0] != .stopped(.gap(expected: 5, found: 6)) || alarms.withLock({ $0.isEmpty }) {
        try await Task.sleep(for: .milliseconds(5))
      }
      #expect(alarms.withLock { $0.count == 1 && $0[0].hasPrefix("counting on \(topic.name), partition 0: ") })
      #expect(try await counts(pool) == ["a 2", "b 2", "c 1"])
      running.cancel()
      await running.value
      await broker.close()
    }
  }

  @Test("What a deferred constraint refuses at COMMIT is the event's fault: it is parked, and the others go on") func deferred() async throws {
    try await withJournal(partitions: 1, size: 8) { journal, pool in
      try await Listing.createTable(pool)
      try await pool.execute("create table said_once (said text, constraint once unique (said) deferrable initially deferred)")
      let listing = Listing { batch, connection in
        for event in batch { try connection.execute("insert into said_once values (\(String(decoding: event.event.data, as: UTF8.self)))") }
      }
      for (stream, said) in [("a", "1"), ("b", "2"), ("c", "1"), ("c", "3"), ("a", "4")] { try await journal.note(stream, .any, said) }
      let subscription = Subscription(listing, source: JournalSource(journal), pool: pool)
      let running = Task { await subscription.run() }
      #expect(try await caughtUp(subscription))
      #expect(try await listed(pool).map(\.said) == ["1", "2", "4"])
      let letters = try await DeadLetters(pool: pool, subscription: Listing.name, topic: journal.topic.name).list()
      #expect(letters.map { String(decoding: $0.event.event.data, as: UTF8.self) } == ["1", "3"])
      #expect(letters.first?.cause?.contains("once") == true)
      running.cancel()
      await running.value
    }
  }

  @Test("A parked event tells when it was parked, and not when it happened") func parkedAt() async throws {
    try await withJournal(partitions: 1, size: 8) { journal, pool in
      try await Listing.createTable(pool)
      let before = Instant.now() - .seconds(5)
      let listing = Listing { _, _ in throw Counting.Refused() }
      try await journal.note("a", .any, "1")
      let subscription = Subscription(listing, source: JournalSource(journal), pool: pool)
      let running = Task { await subscription.run() }
      #expect(try await caughtUp(subscription))
      let letter = try #require(try await DeadLetters(pool: pool, subscription: Listing.name, topic: journal.topic.name).list().first)
      #expect(letter.event.event.time == noon.time)
      #expect(letter.parkedAt > before && letter.parkedAt < Instant.now() + .seconds(5))
      running.cancel()
      await running.value
    }
  }

  private func outgoing(_ topic: Topic, _ subject: String, _ text: String, offset: Int64) -> OutgoingEvent {
    let event = CloudEvent(
      id: UUID(), source: "/dortmund/tests", type: "de.dos2030.tests.counted.v1", subject: subject, time: Instant(milliseconds: 0), city: "dortmund",
      journal: JournalPosition(partition: 0, epoch: 1, offset: offset), data: Array("\"\(text)\"".utf8))
    return OutgoingEvent(topic: topic, key: subject, partition: 0, event: event)
  }

  private func counts(_ pool: PostgresPool) async throws -> [String] {
    try await pool.query("select subject || ' ' || count from counts order by subject").map { row throws in try row.value(String.self, at: 0) }
  }
}
