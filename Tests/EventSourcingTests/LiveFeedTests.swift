import Broker
import EventSourcing
import Foundation
import Postgres
import TestSupport
import Testing
import Time

@Suite("The live tail of a topic", .timeLimit(.minutes(5))) struct LiveFeedTests {
  private struct Told: Sendable, Hashable {
    let partition: Int
    let offset: Int64
  }

  /// A topic of four partitions, of which the last never says anything.
  private func withTopic(_ body: (PostgresBroker, Topic) async throws -> Void) async throws {
    try await withTestDatabase(migrate: [TestSchema(scope: BrokerMigrations.scope, migrations: try BrokerMigrations.load())]) { pool in
      let broker = try await PostgresBroker.open(pool.configuration, unsafeDurability: true)
      let topic = Topic(
        name: "dos.tests.live", partitions: 4, visibility: .public,
        governance: Governance(owner: "o", purpose: "p", legalBasis: "l", retention: .days(1), successor: "s"))
      try await broker.declare([topic])
      try await body(broker, topic)
      await broker.close()
    }
  }

  private func publish(_ broker: PostgresBroker, _ topic: Topic, _ partitions: [Int]) async throws {
    _ = try await broker.publish(
      partitions.map { partition in
        let event = CloudEvent(
          id: UUID(), source: "/dortmund/tests", type: "de.dos2030.tests.seen.v1", subject: "s", time: Instant(milliseconds: 0), city: "dortmund",
          data: Array("{}".utf8))
        return OutgoingEvent(topic: topic, key: "k", partition: partition, event: event)
      })
  }

  /// The next events, with the reader's place after each; ends early at a reset.
  private func next(_ count: Int, of events: inout LiveEvents.AsyncIterator) async -> [(place: LivePlace, told: Told)] {
    var all: [(place: LivePlace, told: Told)] = []
    while all.count < count, case .event(let place, let event) = await events.next() {
      all.append((place, Told(partition: event.position.partition, offset: event.position.offset)))
    }
    return all
  }

  @Test("who comes back at any place, to this process or to one started since, gets exactly what is missing and then goes on live")
  func resume() async throws {
    try await withTopic { broker, topic in
      try await publish(broker, topic, [0, 1])
      let feed = LiveFeed(topic, broker: broker)
      try await feed.run()
      var first = await feed.events(after: LivePlace(text: "0.0.0.0")).makeAsyncIterator()
      var heard = await next(2, of: &first)
      try await publish(broker, topic, [0, 2, 1, 0, 2, 2, 1, 0])
      heard += await next(8, of: &first)
      #expect(Set(heard.map(\.told)).count == 10)
      // Its ring is empty: all of it comes from the broker.
      let restarted = LiveFeed(topic, broker: broker)
      try await restarted.run()
      var readers: [(LiveEvents.AsyncIterator, Int)] = []
      for process in [feed, restarted] {
        for place in heard.indices {
          var reader = await process.events(after: LivePlace(text: heard[place].place.text)).makeAsyncIterator()
          let missing = heard[(place + 1)...].map(\.told)
          let told = await next(missing.count, of: &reader).map(\.told)
          #expect(told.count == missing.count && Set(told) == Set(missing), "after \(heard[place].place.text)")
          for partition in 0..<4 {
            let offsets = told.filter { $0.partition == partition }.map(\.offset)
            #expect(offsets == offsets.sorted())
          }
          readers.append((reader, place))
        }
      }
      // Nothing doubled in between: the next thing each hears is new.
      try await publish(broker, topic, [1])
      for (reader, place) in readers where place < heard.count - 1 {
        var reader = reader
        #expect(await next(1, of: &reader).map(\.told) == [Told(partition: 1, offset: 3)])
      }
      await restarted.stop()
      await feed.stop()
    }
  }

  @Test("a reader's place is its own: what it had heard before, in another order than the ring has it, is not told twice")
  func ownPlace() async throws {
    try await withTopic { broker, topic in
      let feed = LiveFeed(topic, broker: broker)
      try await feed.run()
      var ring = await feed.events(after: LivePlace(text: "0.0.0.0")).makeAsyncIterator()
      for partition in [1, 0, 0] {
        try await publish(broker, topic, [partition])
        _ = await next(1, of: &ring)
      }
      // Another process told the two of the first partition first.
      var reader = await feed.events(after: LivePlace(text: "2.0.0.0")).makeAsyncIterator()
      let told = await next(1, of: &reader)
      #expect(told.map(\.told) == [Told(partition: 1, offset: 0)])
      #expect(told.map(\.place.text) == ["2.1.0.0"])
      await feed.stop()
    }
  }

  @Test("what nobody can tell is a reset: places beyond the end, of another topic, and older than retention")
  func resets() async throws {
    try await withTopic { broker, topic in
      try await publish(broker, topic, [0, 0, 1])
      let feed = LiveFeed(topic, broker: broker)
      try await feed.run()
      for place in [[9, 9, 9, 9], [0], []] as [[Int64]] {
        var strange = await feed.events(after: LivePlace(offsets: place)).makeAsyncIterator()
        #expect(await strange.next() == .reset(at: LivePlace(offsets: [2, 1, 0, 0])), "\(place)")
      }
      #expect(LivePlace(text: "x.1") == nil)
      var kept = await feed.events(after: LivePlace(offsets: [1, 1, 0, 0])).makeAsyncIterator()
      #expect(await next(1, of: &kept).map(\.told) == [Told(partition: 0, offset: 1)])
      try await broker.sweep(now: .now() + .seconds(2 * 86_400))
      var late = await feed.events(after: LivePlace(offsets: [1, 1, 0, 0])).makeAsyncIterator()
      #expect(await late.next() == .reset(at: LivePlace(offsets: [2, 1, 0, 0])))
      // And goes on from there.
      try await publish(broker, topic, [2])
      #expect(await next(1, of: &late).map(\.place.text) == ["2.1.1.0"])
      await feed.stop()
    }
  }

  @Test("where the broker was restored to less than was heard, who listens is told to read anew, and hears what comes then")
  func restored() async throws {
    try await withTestDatabase(migrate: [TestSchema(scope: BrokerMigrations.scope, migrations: try BrokerMigrations.load())]) { pool in
      let broker = try await PostgresBroker.open(pool.configuration, unsafeDurability: true)
      let topic = Topic(
        name: "dos.tests.live", partitions: 2, visibility: .public, governance: Governance(owner: "o", purpose: "p", legalBasis: "l", successor: "s"))
      try await broker.declare([topic])
      try await publish(broker, topic, [0, 0, 1])
      let feed = LiveFeed(topic, broker: broker)
      try await feed.run()
      var reader = await feed.events().makeAsyncIterator()
      try await publish(broker, topic, [1])
      #expect(await next(1, of: &reader).map(\.place.text) == ["2.2"])
      // A backup that had nothing of the first partition yet.
      try await pool.execute("delete from events where partition = 0")
      guard case .reset(let place) = await reader.next() else {
        Issue.record("no reset")
        return
      }
      #expect(place.offsets[0] == 0)
      await feed.stop()
      await broker.close()
    }
  }
}
