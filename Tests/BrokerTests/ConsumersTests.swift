import Broker
import EventSourcing
import Foundation
import Postgres
import TestSupport
import Testing
import Time

@Suite("Consumers of every broker", .timeLimit(.minutes(5))) struct ConsumersTests {
  private static let partitions = 6
  private static let rounds = 40

  @Test(
    "join, leave and share the partitions, and what is delivered again has its effect once: every decision in its order, whoever took it",
    arguments: BrokerUnderTest.all)
  func sharing(_ kind: BrokerUnderTest) async throws {
    try await withTestDatabase(
      migrate: [TestSchema(scope: EventSourcingMigrations.scope, migrations: try EventSourcingMigrations.load())], size: 12
    ) { pool in
      // A doubled effect fails, and what fails for good is parked.
      try await pool.execute(
        "create table taken (number bigint generated always as identity, place integer, said integer, primary key (place, said))")
      try await kind.withBroker { broker in
        let topic = topic("decisions", partitions: Self.partitions)
        try await broker.declare([topic])
        var members: [Member] = []
        for round in 0..<Self.rounds {
          if [0, 10, 20].contains(round) {
            members.append(Member(topic, broker, pool))
            let count = members.count
            let all = members
            #expect(try await eventually { all.allSatisfy { $0.holds == Self.partitions / count } })
          }
          if round == 30 { await members.removeFirst().leave() }
          // As a forwarder that starts again at its checkpoint: what it had sent before comes once more.
          let again = round % 5 == 4 ? 3 : 0
          for number in (round - again)...round {
            _ = try await broker.publish((0..<Self.partitions).map { Self.decision(number, topic, partition: $0) })
          }
        }
        let total = Int64(Self.partitions * Self.rounds)
        #expect(try await eventually { try await pool.query("select count(*) from taken")[0].value(Int64.self, at: 0) == total })
        let remaining = members
        #expect(try await eventually { remaining.allSatisfy { $0.holds == Self.partitions / 2 } })
        for member in members { await member.leave() }
        for partition in 0..<Self.partitions {
          let said = try await pool.query("select said from taken where place = \(Int32(partition)) order by number").map { row throws in
            try row.value(Int32.self, at: 0)
          }
          #expect(said == (0..<Int32(Self.rounds)).map { $0 })
        }
        #expect(try await DeadLetters(pool: pool, subscription: Taking.name, topic: topic.name).count() == 0)
      }
    }
  }

  private static func decision(_ number: Int, _ topic: Topic, partition: Int) -> OutgoingEvent {
    let journal = JournalPosition(partition: partition, epoch: 1, offset: Int64(number))
    return OutgoingEvent(
      topic: topic, key: "stream-\(partition)", partition: partition, event: event("\(number)", subject: "stream-\(partition)", journal: journal))
  }
}

/// One instance of a service.
private final class Member: Sendable {
  private let subscription: Subscription
  private let running: Task<Void, Never>

  init(_ topic: Topic, _ broker: any EventBroker, _ pool: PostgresPool) {
    let subscription = Subscription(Taking(), source: TopicSource(topic, broker: broker), pool: pool)
    self.subscription = subscription
    running = Task { await subscription.run() }
  }

  var holds: Int { subscription.partitions.count }

  func leave() async {
    running.cancel()
    await running.value
  }
}

private struct Taking: Projection {
  static let name = "taking"
  let tables: [ProjectionTable] = []

  func project(_ batch: [ProjectedEvent], on connection: isolated PostgresConnection, tables: TableNames) throws {
    for item in batch {
      let position = try #require(item.event.journal)
      try connection.execute("insert into taken (place, said) values (\(Int32(position.partition)), \(Int32(position.offset)))")
    }
  }
}
