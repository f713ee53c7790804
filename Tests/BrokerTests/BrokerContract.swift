import Broker
import Foundation
import Postgres
import TestSupport
import Testing
import Time

/// A broker to be held to the contract. Another implementation joins by being listed in `all`.
struct BrokerUnderTest: Sendable, CustomTestStringConvertible {
  let name: String
  /// Gives the body what opens brokers on one fresh store, as several processes of an installation would.
  let withStore: @Sendable (_ body: @Sendable (_ open: @Sendable () async throws -> any EventBroker) async throws -> Void) async throws -> Void

  var testDescription: String { name }

  static let all = [
    BrokerUnderTest(name: "PostgreSQL") { body in
      try await withTestDatabase(migrate: [TestSchema(scope: BrokerMigrations.scope, migrations: try BrokerMigrations.load())]) { pool in
        let configuration = pool.configuration
        try await body { try await PostgresBroker.open(configuration, unsafeDurability: true) }
      }
    },
    BrokerUnderTest(name: "Kafka, mocked") { body in
      let mock = try MockKafka()
      try await body { try MockedKafkaBroker(mock) }
    },
    BrokerUnderTest(name: "Kafka") { body in
      guard let bootstrap else { try Test.cancel("\(OwnKafka.missing)") }
      // Its topics outlive the test: each test has names of its own.
      try await TopicNames.$prefix.withValue("dos.tests.\(UUID().uuidString.lowercased())") {
        try await body { try KafkaBroker.open(KafkaSettings(bootstrap: bootstrap)) }
      }
    },
  ]

  /// A Kafka that runs already; `make test` starts one.
  static let bootstrap = ProcessInfo.processInfo.environment["KAFKA_BOOTSTRAP_SERVERS"].flatMap { $0.isEmpty ? nil : $0 }

  func withBroker(_ body: @Sendable @escaping (any EventBroker) async throws -> Void) async throws {
    try await withStore { open in
      let broker = try await open()
      do {
        try await body(broker)
        await broker.close()
      } catch {
        await broker.close()
        throw error
      }
    }
  }
}

enum TopicNames {
  @TaskLocal static var prefix = "dos.tests"
}

func topic(_ name: String = "things", partitions: Int = 4, retention: Retention = .forever) -> Topic {
  Topic(
    name: "\(TopicNames.prefix).\(name)", partitions: partitions, visibility: .public,
    governance: Governance(owner: "Stadt Dortmund", purpose: "test", legalBasis: "none", retention: retention, successor: "none"))
}

func event(_ text: String, subject: String = "thing/1", journal: JournalPosition? = nil) -> CloudEvent {
  CloudEvent(
    id: UUID(), source: "/dortmund/tests", type: "de.dos2030.tests.happened.v1", subject: subject, time: Instant(milliseconds: 1_751_328_000_123),
    city: "dortmund", journal: journal, data: Array("{\"text\":\"\(text)\"}".utf8))
}

func outgoing(_ topic: Topic, _ texts: [String], key: String = "k", partition: Int? = nil) -> [OutgoingEvent] {
  texts.map { OutgoingEvent(topic: topic, key: key, partition: partition, event: event($0)) }
}

extension EventBroker {
  func readAll(_ topic: Topic, _ partition: Int, from offset: Int64 = 0) async throws -> [ConsumedEvent] {
    let reader = try await reader(topic: topic, partition: partition, from: offset)
    var events: [ConsumedEvent] = []
    let end = try await end(of: topic)[partition]
    while (events.last?.position.offset ?? offset - 1) + 1 < end {
      let more = try await reader.next(limit: 700, wait: .seconds(20))
      if more.isEmpty { break }
      events += more
    }
    await reader.close()
    return events
  }
}

@Suite("What every broker promises") struct BrokerContract {
  @Test("an event comes back as it went in, with every attribute, whatever its key and text", arguments: BrokerUnderTest.all)
  func roundTrip(_ kind: BrokerUnderTest) async throws {
    try await kind.withBroker { broker in
      let things = topic()
      try await broker.declare([things])
      var full = event("ü 🚒 \\u0000 end", subject: "Straße/„1“", journal: JournalPosition(partition: 2, epoch: 3, offset: 4))
      full.correlationID = "c"
      full.causationID = String(repeating: "ä", count: 8_000)
      full.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
      let key = "Schlüssel 🔑 \n\t\"'"
      let positions = try await broker.publish([OutgoingEvent(topic: things, key: key, partition: nil, event: full)])
      let position = try #require(positions.first)
      #expect(position.partition == things.partition(forKey: key))
      #expect(try await broker.readAll(things, position.partition, from: position.offset) == [ConsumedEvent(position: position, key: key, event: full)])
    }
  }

  @Test("publishers of several processes leave one order per partition, each one's own order kept, no event lost or doubled", arguments: BrokerUnderTest.all)
  func concurrency(_ kind: BrokerUnderTest) async throws {
    try await kind.withStore { open in
      let brokers = [try await open(), try await open(), try await open()]
      let things = topic(partitions: 3)
      for broker in brokers { try await broker.declare([things]) }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for publisher in 0..<12 {
          group.addTask {
            for round in 0..<15 {
              // Over several partitions in another order each time: locks taken out of order would deadlock.
              let events = (0..<6).map { index in
                OutgoingEvent(topic: things, key: "\(publisher)", partition: (index + publisher) % 3, event: event("\(publisher)/\(round * 6 + index)"))
              }
              _ = try await brokers[publisher % 3].publish(events)
            }
          }
        }
        try await group.waitForAll()
      }
      var seen = 0
      for partition in 0..<3 {
        let events = try await brokers[0].readAll(things, partition)
        seen += events.count
        #expect(Set(events.map(\.event.id)).count == events.count)
        #expect(zip(events, events.dropFirst()).allSatisfy { $0.position.offset < $1.position.offset })
        for publisher in 0..<12 {
          let own = events.filter { $0.key == "\(publisher)" }.map { number(in: $0.event) }
          #expect(own == own.sorted(), "publisher \(publisher) in partition \(partition)")
        }
        #expect(try await brokers[1].end(of: things)[partition] == (events.last?.position.offset ?? -1) + 1)
      }
      #expect(seen == 12 * 15 * 6)
      for broker in brokers { await broker.close() }
    }
  }

  @Test("several readers of a partition each get everything; one that starts later starts where it says", arguments: BrokerUnderTest.all)
  func readers(_ kind: BrokerUnderTest) async throws {
    try await kind.withBroker { broker in
      let things = topic()
      try await broker.declare([things])
      let positions = try await broker.publish(outgoing(things, (0..<50).map(String.init), partition: 1))
      let all = try await broker.readAll(things, 1, from: positions[0].offset)
      #expect(all.count == 50)
      #expect(try await broker.readAll(things, 1, from: positions[0].offset) == all)
      #expect(try await broker.readAll(things, 1, from: positions[30].offset).map(\.position) == Array(positions[30...]))
      let reader = try await broker.reader(topic: things, partition: 1, from: positions[0].offset)
      #expect(try await reader.next(limit: 7, wait: .seconds(20)).count == 7)
      #expect(try await reader.next(limit: 7, wait: .seconds(20)).first?.position == positions[7])
    }
  }

  @Test("an event of one byte and one of 900 kB come back as they went", arguments: BrokerUnderTest.all)
  func sizes(_ kind: BrokerUnderTest) async throws {
    try await kind.withBroker { broker in
      let things = topic(partitions: 1)
      try await broker.declare([things])
      for data in [Array("1".utf8), Array("\"\(String(repeating: "ü", count: 449_000))\"".utf8)] {
        var sized = event("")
        sized.data = data
        let positions = try await broker.publish([OutgoingEvent(topic: things, key: "k", partition: 0, event: sized)])
        #expect(try await broker.readAll(things, 0, from: positions[0].offset).map(\.event) == [sized])
      }
    }
  }

  @Test("who waits gets nothing after the time, and an event within 50 ms of its acknowledgement", arguments: BrokerUnderTest.all)
  func waiting(_ kind: BrokerUnderTest) async throws {
    try await kind.withStore { open in
      let (here, there) = (try await open(), try await open())
      let things = topic()
      try await here.declare([things])
      let end = try await here.end(of: things)[0]
      let idle = try await here.reader(topic: things, partition: 0, from: end)
      let before = ContinuousClock.now
      #expect(try await idle.next(limit: 10, wait: .milliseconds(150)).isEmpty)
      #expect(before.duration(to: .now) >= .milliseconds(150))
      // Two waits: one woken by the process's own publish, one that has to notice another process's. The best of many,
      // since the machine that runs the tests is shared.
      for publisher in [here, there] {
        var best = Duration.seconds(60)
        for _ in 0..<200 where best >= .milliseconds(60) {
          let reader = try await here.reader(topic: things, partition: 0, from: try await here.end(of: things)[0])
          async let arrival = (reader.next(limit: 1, wait: .seconds(20)), ContinuousClock.now)
          try await Task.sleep(for: .milliseconds(120))
          _ = try await publisher.publish(outgoing(things, ["x"], partition: 0))
          let acknowledged = ContinuousClock.now
          let (events, time) = try await arrival
          #expect(events.count == 1)
          best = min(best, acknowledged.duration(to: time))
        }
        #expect(best < .milliseconds(60))
      }
      await here.close()
      await there.close()
    }
  }

  @Test("a topic, a partition or an offset that is not there is refused by name", arguments: BrokerUnderTest.all)
  func refusals(_ kind: BrokerUnderTest) async throws {
    try await kind.withBroker { broker in
      let things = topic()
      try await broker.declare([things, things])
      // The mock makes every topic that is asked for.
      if kind.name != "Kafka, mocked" {
        await #expect(throws: BrokerError.unknownTopic(topic("nothing").name)) { try await broker.publish(outgoing(topic("nothing"), ["x"])) }
      }
      await #expect(throws: BrokerError.unknownPartition(topic: things.name, partition: 4)) {
        try await broker.publish(outgoing(things, ["x"], partition: 4))
      }
      await #expect(throws: BrokerError.partitionsDiffer(topic: things.name, existing: 4, declared: 5)) {
        try await broker.declare([topic(partitions: 5)])
      }
      await #expect(throws: BrokerError.offsetOutOfRange(earliest: 0, next: 0)) { try await broker.reader(topic: things, partition: 0, from: 1) }
      await #expect(throws: BrokerError.self) { try await broker.publish(outgoing(things, [String(repeating: "x", count: 1_000_001)])) }
      #expect(try await broker.end(of: things) == [0, 0, 0, 0])
    }
  }

  private func number(in event: CloudEvent) -> Int {
    let text = String(decoding: event.data, as: UTF8.self)
    return Int(text.split(separator: "/").last?.prefix { $0.isNumber } ?? "") ?? -1
  }
}
