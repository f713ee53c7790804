import Broker
import EventSourcing
import Foundation
import Postgres
import Synchronization
import TestSupport
import Testing
import Time

@Suite("Whoever consumes a topic that gets more partitions", .timeLimit(.minutes(5))) struct PartitionGrowthTests {
  @Test("hears everything once and in the order of each stream, also what it had not heard before, and what is parked waits where its stream goes on")
  func growing() async throws {
    let schemas = [
      TestSchema(scope: BrokerMigrations.scope, migrations: try BrokerMigrations.load()),
      TestSchema(scope: EventSourcingMigrations.scope, migrations: try EventSourcingMigrations.load()),
    ]
    try await withTestDatabase(migrate: schemas, size: 8) { pool in
      try await pool.execute("create table heard (number bigint generated always as identity, stream text not null, said text not null)")
      let broker = GrowingBroker(try await PostgresBroker.open(pool.configuration, unsafeDurability: true))
      let topic = Topic(
        name: "dos.tests.growing", partitions: 2, visibility: .public,
        governance: Governance(owner: "test", purpose: "test", legalBasis: "none", retention: .days(7), successor: "none"))
      try await broker.declare([topic])
      let streams = (0..<20).map { "stream-\($0)" }
      let poisoned = try #require(streams.first { topic.with(partitions: 4).partition(forKey: $0) >= 2 })
      let hearing = Hearing(poisoned: poisoned)

      try await say(["1", "2"], streams, in: topic, broker)
      try await hear(hearing, topic, broker, pool) { try await count(pool) == 38 }
      let letters = DeadLetters(pool: pool, subscription: Hearing.name, topic: topic.name)
      #expect(try await letters.count() == 2)
      try await say(["3"], streams, in: topic, broker)
      #expect(try await PartitionGrowth.consumers(in: pool) == 0)

      try await broker.grow(topic, to: 4) { grown in
        try await PartitionGrowth.place(grown, in: pool)
        try await PartitionGrowth.place(grown, in: pool)
      }
      let grown = broker.current(topic)
      try await say(["4"], streams, in: grown, broker)
      try await hear(hearing, grown, broker, pool) {
        let (consumers, heard, parked) = (try await PartitionGrowth.consumers(in: pool), try await count(pool), try await letters.count())
        return consumers == 1 && heard == 76 && parked == 4
      }
      let home = grown.partition(forKey: poisoned)
      #expect(try await letters.list(partition: home).map { String(decoding: $0.event.event.data, as: UTF8.self) } == ["1", "2", "3", "4"])
      hearing.heal()
      #expect(try await letters.retry(partition: home, projection: hearing).projected == 4)
      let rows = try await pool.query("select stream, string_agg(said, '' order by number) from heard group by 1").map { row throws in
        try row.decode(String.self, String.self)
      }
      #expect(Dictionary(uniqueKeysWithValues: rows.map { ($0.0, $0.1) }) == Dictionary(uniqueKeysWithValues: streams.map { ($0, "1234") }))
      await broker.close()
    }
  }

  @Test("that nobody told of it goes on at the place of each new partition's parent") func untold() async throws {
    try await withTestDatabase(
      migrate: [TestSchema(scope: EventSourcingMigrations.scope, migrations: try EventSourcingMigrations.load())], size: 2
    ) { pool in
      let places = try await pool.transaction { connection throws in
        for starts: [Int64] in [[3, 5], [0, 0, 90, 90, 90, 90], [7, 7, 7, 7, 7, 7]] {
          try CheckpointTable.ensure(subscription: "hearing", topic: "dos.tests.growing", starts: starts, on: connection)
        }
        return try CheckpointTable.read(subscription: "hearing", topic: "dos.tests.growing", on: connection)
      }
      #expect(places.mapValues(\.position) == [0: 3, 1: 5, 2: 3, 3: 5, 4: 3, 5: 5])
    }
  }

  private func say(_ words: [String], _ streams: [String], in topic: Topic, _ broker: any EventBroker) async throws {
    for word in words {
      _ = try await broker.publish(
        streams.map { stream in
          OutgoingEvent(
            topic: topic, key: stream,
            event: CloudEvent(
              id: UUID(), source: "/dortmund/tests", type: Hearing.type, subject: stream, time: Instant(milliseconds: 1_751_328_000_000), city: "dortmund",
              data: Array(word.utf8)))
        })
    }
  }

  private func hear(
    _ hearing: Hearing, _ topic: Topic, _ broker: any EventBroker, _ pool: PostgresPool, until holds: @escaping @Sendable () async throws -> Bool
  ) async throws {
    let subscription = Subscription(hearing, source: TopicSource(topic, broker: broker), pool: pool)
    let running = Task { await subscription.run() }
    #expect(try await eventually { try await holds() })
    running.cancel()
    await running.value
  }

  private func count(_ pool: PostgresPool) async throws -> Int64 { try await pool.query("select count(*) from heard")[0].value(Int64.self, at: 0) }
}

/// Writes down what it hears, in its order; cannot take one stream until it is healed.
private final class Hearing: Projection {
  static let name = "hearing"
  static let type = "de.dos2030.tests.said.v1"
  let tables: [ProjectionTable] = []
  private let poisoned: Mutex<String?>

  private struct Refused: Error {}

  init(poisoned: String) {
    self.poisoned = Mutex(poisoned)
  }

  func heal() { poisoned.withLock { $0 = nil } }

  func project(_ batch: [ProjectedEvent], on connection: isolated PostgresConnection, tables: TableNames) throws {
    for item in batch where item.event.type == Self.type {
      if item.event.subject == poisoned.withLock({ $0 }) { throw Refused() }
      try connection.execute("insert into heard (stream, said) values (\(item.event.subject), \(String(decoding: item.event.data, as: UTF8.self)))")
    }
  }
}
