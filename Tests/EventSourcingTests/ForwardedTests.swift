import Broker
@testable import EventSourcing
import Postgres
import TestSupport
import Testing

@Suite("From decision to another service's read model", .timeLimit(.minutes(5))) struct ForwardedTests {
  @Test("What two instances decide and forward through PostgresBroker is projected once each, in order, elsewhere") func endToEnd() async throws {
    try await withJournal(partitions: 2, size: 8) { journal, pool in
      let schemas = [TestSchema(scope: EventSourcingMigrations.scope, migrations: try EventSourcingMigrations.load())]
      try await withTestDatabase(migrate: schemas, size: 8) { consumer in
        try await Listing.createTable(consumer)
        let broker = try await PostgresBroker.open(pool.configuration, unsafeDurability: true)
        try await broker.declare([journal.topic])
        let (other, otherPool) = another(journal, pool)
        let forwarding = [journal, other].map { journal in Task { await Forwarder(journal: journal, broker: broker, batch: 7).run() } }
        let subscription = Subscription(Listing(), source: TopicSource(journal.topic, broker: broker), pool: consumer)
        let running = Task { await subscription.run() }
        for turn in 0..<40 {
          try await (turn % 2 == 0 ? journal : other).note("s\(turn % 5)", .any, "\(turn)", partition: turn % 5 % 2)
          // A forwarder that is fenced off between acknowledgement and checkpoint publishes again what the topic has.
          if turn == 20 { try await pool.execute("update dos_checkpoints set claim = claim + 1, position = greatest(0, position - 3)") }
        }
        let ends = try await journal.end()
        for end in ends { try await subscription.positions.wait(for: .journal(end), timeout: .seconds(20)) }
        #expect(try await listed(consumer) == decided(journal))
        #expect(try await listed(consumer).count == 40)
        #expect(try await subscription.parked() == 0)
        for partition in 0..<2 {
          let said = try await listed(consumer).filter { $0.partition == partition }.compactMap { Int($0.said) }
          #expect(said == said.sorted())
        }
        running.cancel()
        await running.value
        for task in forwarding { task.cancel() }
        for task in forwarding { await task.value }
        await broker.close()
        await other.close()
        await otherPool.close()
      }
    }
  }
}
