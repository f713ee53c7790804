import Broker
import EventSourcing
import Foundation
import Postgres
import Synchronization
import TestSupport
import Testing
import Time

@Suite("The live tail of topics", .timeLimit(.minutes(5))) struct LiveFeedTests {
  private struct Told: Sendable, Hashable {
    let partition: Int
    let offset: Int64
  }

  /// One who hears a feed: first what it missed, then what comes.
  private final class Reader: Sendable {
    private let items = Mutex<[(news: LiveFeed.News, place: LivePlaces)]>([])

    func hear(_ news: LiveFeed.News, _ place: LivePlaces) { items.withLock { $0.append((news, place)) } }

    var told: [Told] {
      items.withLock { items in
        items.compactMap { if case .event(let event) = $0.news { Told(partition: event.position.partition, offset: event.position.offset) } else { nil } }
      }
    }
    var places: [String] { items.withLock { $0.map(\.place.text) } }
    /// The places of the resets.
    var resets: [String] { items.withLock { items in items.filter { $0.news == .reset }.map(\.place.text) } }
  }

  /// Whoever has entered.
  private final class Room: Sendable {
    private let readers = Mutex<[Reader]>([])
    func enter(_ reader: Reader) { readers.withLock { $0.append(reader) } }
    func tell(_ news: LiveFeed.News, _ places: LivePlaces) {
      for reader in readers.withLock({ $0 }) { reader.hear(news, places) }
    }
  }

  /// A process with a feed of its own.
  private struct Process {
    private let room: Room
    let feed: LiveFeed

    init(_ topics: [String: Topic], _ broker: any EventBroker, maximumBytes: Int = 64 << 20) {
      let room = Room()
      self.room = room
      feed = LiveFeed(topics, broker: broker, maximumBytes: maximumBytes) { _, news, places in room.tell(news, places) }
    }

    /// A reader who stood at `place`; it has heard what it missed when this returns.
    func read(from place: String) async throws -> Reader {
      let reader = Reader()
      let places = LivePlaces(text: place).completed(with: feed.now)
      try await feed.join(at: places) { _, news, place in
        reader.hear(news, place)
      } enter: { [room] in
        room.enter(reader)
      }
      return reader
    }
  }

  /// A broker that cannot be reached at first.
  private final class Away: EventBroker {
    private let broker: PostgresBroker
    private let refusals = Mutex(2)
    init(broker: PostgresBroker) { self.broker = broker }

    func end(of topic: Topic) async throws(BrokerError) -> [Int64] {
      let isAway = refusals.withLock { refusals in
        defer { refusals = max(0, refusals - 1) }
        return refusals > 0
      }
      if isAway { throw .unavailable(reason: "told so", mayHaveArrived: false) }
      return try await broker.end(of: topic)
    }

    func publish(_ events: [OutgoingEvent]) async throws(BrokerError) -> [BrokerPosition] { try await broker.publish(events) }
    func reader(topic: Topic, partition: Int, from offset: Int64) async throws(BrokerError) -> any PartitionReader {
      try await broker.reader(topic: topic, partition: partition, from: offset)
    }
    func earliest(of topic: Topic) async throws(BrokerError) -> [Int64] { try await broker.earliest(of: topic) }
    func declare(_ topics: [Topic]) async throws(BrokerError) { try await broker.declare(topics) }
    var waitingBytes: Int { broker.waitingBytes }
    func close() async { await broker.close() }
  }

  /// Waits until as many events have been told.
  private func heard(_ count: Int, by reader: Reader) async throws -> [Told] {
    while reader.told.count < count { try await Task.sleep(for: .milliseconds(5)) }
    return reader.told
  }

  private func topic(_ name: String = "dos.tests.live", partitions: Int = 4) -> Topic {
    Topic(
      name: name, partitions: partitions, visibility: .public,
      governance: Governance(owner: "o", purpose: "p", legalBasis: "l", retention: .days(1), successor: "s"))
  }

  /// By default a topic of four partitions, of which the last never says anything.
  private func withBroker(_ topics: [Topic], _ body: (PostgresBroker, PostgresPool) async throws -> Void) async throws {
    try await withTestDatabase(migrate: [TestSchema(scope: BrokerMigrations.scope, migrations: try BrokerMigrations.load())]) { pool in
      let broker = try await PostgresBroker.open(pool.configuration, unsafeDurability: true)
      try await broker.declare(topics)
      try await body(broker, pool)
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

  @Test("who comes back at any place, to this process or to one started since, gets exactly what is missing and then goes on live")
  func resume() async throws {
    let topic = topic()
    try await withBroker([topic]) { broker, _ in
      try await publish(broker, topic, [0, 1])
      let process = Process(["t": topic], broker)
      try await process.feed.run()
      let first = try await process.read(from: "t:0.0.0.0")
      try await publish(broker, topic, [0, 2, 1, 0, 2, 2, 1, 0])
      let all = try await heard(10, by: first)
      #expect(Set(all).count == 10)
      // Its ring is empty: all of it comes from the broker.
      let restarted = Process(["t": topic], broker)
      try await restarted.feed.run()
      var readers: [(reader: Reader, missing: Int)] = []
      for process in [process, restarted] {
        for (index, place) in first.places.enumerated() {
          let reader = try await process.read(from: place)
          let missing = all[(index + 1)...]
          #expect(reader.told.count == missing.count && Set(reader.told) == Set(missing), "after \(place)")
          for partition in 0..<4 {
            let offsets = reader.told.filter { $0.partition == partition }.map(\.offset)
            #expect(offsets == offsets.sorted())
          }
          readers.append((reader, missing.count))
        }
      }
      // Nothing doubled in between: the next thing each hears is new, and they all stand at one place then.
      try await publish(broker, topic, [1])
      for (reader, missing) in readers {
        #expect(try await heard(missing + 1, by: reader).dropFirst(missing) == [Told(partition: 1, offset: 3)])
        #expect(reader.places.last == "t:4.4.3.0")
      }
      await restarted.feed.stop()
      await process.feed.stop()
    }
  }

  @Test("a reader's place is its own: what it had heard before, in another order than the ring has it, is not told twice")
  func ownPlace() async throws {
    let topic = topic()
    try await withBroker([topic]) { broker, _ in
      let process = Process(["t": topic], broker)
      try await process.feed.run()
      let ring = try await process.read(from: "t:0.0.0.0")
      for (count, partition) in [1, 0, 0].enumerated() {
        try await publish(broker, topic, [partition])
        _ = try await heard(count + 1, by: ring)
      }
      // Another process told the two of the first partition first.
      let reader = try await process.read(from: "t:2.0.0.0")
      #expect(reader.told == [Told(partition: 1, offset: 0)])
      #expect(reader.places == ["t:2.1.0.0"])
      await process.feed.stop()
    }
  }

  @Test("a place is one in several topics, of which a reader hears its own")
  func several() async throws {
    let (one, other) = (topic("dos.tests.one", partitions: 2), topic("dos.tests.other", partitions: 1))
    try await withBroker([one, other]) { broker, _ in
      let process = Process(["one": one, "other": other], broker)
      try await process.feed.run()
      let both = try await process.read(from: "one:0.0,other:0")
      for (count, topic) in [one, other, one].enumerated() {
        try await publish(broker, topic, [0])
        _ = try await heard(count + 1, by: both)
      }
      #expect(both.places == ["one:1.0,other:0", "one:1.0,other:1", "one:2.0,other:1"])
      let alone = Reader()
      try await process.feed.join(at: LivePlaces(text: "one:1.0")) { _, news, place in
        alone.hear(news, place)
      } enter: {
      }
      #expect(alone.places == ["one:2.0"])
      await process.feed.stop()
    }
  }

  @Test("what the ring had no room for comes from the broker")
  func beyondTheRing() async throws {
    let topic = topic()
    try await withBroker([topic]) { broker, _ in
      let process = Process(["t": topic], broker, maximumBytes: 2_000)
      try await process.feed.run()
      let first = try await process.read(from: "t:0.0.0.0")
      for round in 1...10 {
        try await publish(broker, topic, [0, 1])
        _ = try await heard(2 * round, by: first)
      }
      let late = try await process.read(from: "t:1.0.0.0")
      #expect(late.told.count == 19 && Set(late.told) == Set(first.told).subtracting([Told(partition: 0, offset: 0)]))
      await process.feed.stop()
    }
  }

  @Test("who reads while much comes hears each event once")
  func joiningWhileMuchComes() async throws {
    let topic = topic()
    try await withBroker([topic]) { broker, _ in
      let process = Process(["t": topic], broker)
      try await process.feed.run()
      let publishing = Task { for _ in 0..<40 { try await publish(broker, topic, Array(repeating: 0, count: 25)) } }
      var readers: [Reader] = []
      for _ in 0..<40 {
        readers.append(try await process.read(from: "t:0.0.0.0"))
        try await Task.sleep(for: .milliseconds(2))
      }
      try await publishing.value
      for reader in readers { #expect(try await heard(1_000, by: reader).map(\.offset) == Array(0..<1_000)) }
      await process.feed.stop()
    }
  }

  @Test("what nobody can tell is a reset: places beyond the end, of another topic, and older than retention")
  func resets() async throws {
    let topic = topic()
    try await withBroker([topic]) { broker, _ in
      try await publish(broker, topic, [0, 0, 1])
      let process = Process(["t": topic], broker)
      try await process.feed.run()
      for place in ["t:9.9.9.9", "t:0", "t:", "t:x.1"] { #expect(try await process.read(from: place).resets == ["t:2.1.0.0"], "\(place)") }
      let kept = try await process.read(from: "t:1.1.0.0")
      #expect(kept.told == [Told(partition: 0, offset: 1)])
      #expect(kept.resets.isEmpty)
      try await broker.sweep(now: .now() + .seconds(2 * 86_400))
      let late = try await process.read(from: "t:1.1.0.0")
      #expect(late.resets == ["t:2.1.0.0"])
      // And goes on from there.
      try await publish(broker, topic, [2])
      _ = try await heard(1, by: late)
      #expect(late.places.last == "t:2.1.1.0")
      await process.feed.stop()
    }
  }

  @Test("where the broker was restored to less than was heard, who listens is told to read anew, and hears what comes then")
  func restored() async throws {
    let topic = topic(partitions: 2)
    try await withBroker([topic]) { broker, pool in
      try await publish(broker, topic, [0, 0, 1])
      let process = Process(["t": topic], broker)
      try await process.feed.run()
      let reader = try await process.read(from: "")
      try await publish(broker, topic, [1])
      _ = try await heard(1, by: reader)
      #expect(reader.places == ["t:2.2"])
      // A backup that had nothing of the first partition yet.
      try await pool.execute("delete from events where partition = 0")
      while reader.resets.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
      #expect(reader.resets.first?.hasPrefix("t:0.") == true)
      await process.feed.stop()
    }
  }

  @Test("a broker that does not answer when the feed begins is waited for")
  func beginsLater() async throws {
    let topic = topic()
    try await withBroker([topic]) { broker, _ in
      let process = Process(["t": topic], Away(broker: broker))
      try await process.feed.run()
      let reader = try await process.read(from: "t:0.0.0.0")
      try await publish(broker, topic, [1])
      #expect(try await heard(1, by: reader) == [Told(partition: 1, offset: 0)])
    }
  }

  @Test("a reader that waits for a feed that has stopped is told so")
  func stopped() async throws {
    let topic = topic()
    try await withBroker([topic]) { broker, _ in
      let process = Process(["t": topic], broker)
      await #expect(throws: LiveFeed.Stopped.self) { _ = try await process.read(from: "t:0.0.0.0") }
      try await process.feed.run()
      await process.feed.stop()
      await #expect(throws: LiveFeed.Stopped.self) { _ = try await process.read(from: "t:0.0.0.0") }
    }
  }
}
