import Broker
import EventSourcing
import Foundation
import Postgres
import TestSupport
import Testing
import Time

@Suite("The live tail of a topic", .timeLimit(.minutes(5))) struct LiveFeedTests {
  @Test("who comes back goes on after its last id, from the ring and from the broker; what nobody can tell is a reset") func resume() async throws {
    try await withTestDatabase(migrate: [TestSchema(scope: BrokerMigrations.scope, migrations: try BrokerMigrations.load())]) { pool in
      let broker = try await PostgresBroker.open(pool.configuration, unsafeDurability: true)
      let topic = Topic(
        name: "dos.tests.live", partitions: 2, visibility: .public,
        governance: Governance(owner: "o", purpose: "p", legalBasis: "l", successor: "s"))
      try await broker.declare([topic])
      try await publish(broker, topic, 0..<3)
      let feed = LiveFeed(topic, broker: broker)
      try await feed.run()
      // From the broker: the feed began after these.
      var back = await feed.events(after: "0.0").makeAsyncIterator()
      var seen: [UUID] = []
      var lastID = ""
      for _ in 0..<3 {
        if case .event(let id, let event) = await back.next() {
          seen.append(event.event.id)
          lastID = id
        }
      }
      #expect(Set(seen).count == 3)
      try await publish(broker, topic, 3..<6)
      var again = await feed.events(after: lastID).makeAsyncIterator()
      for _ in 0..<3 { if case .event(_, let event) = await again.next() { seen.append(event.event.id) } }
      #expect(Set(seen).count == 6)
      for id in ["9.9", "0", "x"] {
        var strange = await feed.events(after: id).makeAsyncIterator()
        guard case .reset = await strange.next() else {
          Issue.record("no reset for \(id)")
          continue
        }
      }
      await feed.stop()
      await broker.close()
    }
  }

  private func publish(_ broker: PostgresBroker, _ topic: Topic, _ numbers: Range<Int>) async throws {
    _ = try await broker.publish(
      numbers.map { number in
        let event = CloudEvent(
          id: UUID(), source: "/dortmund/tests", type: "de.dos2030.tests.seen.v1", subject: "\(number)", time: Instant(milliseconds: 0), city: "dortmund",
          data: Array("\(number)".utf8))
        return OutgoingEvent(topic: topic, key: "\(number)", partition: number % 2, event: event)
      })
  }
}
