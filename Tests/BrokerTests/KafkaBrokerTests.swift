import Broker
import CKafka
import Foundation
import TestSupport
import Testing

@Suite("The broker on Kafka") struct KafkaBrokerTests {
  @Test("a broker away for longer than a publish waits: the answer says so in time, and what was handed over arrives later, in order, once")
  func away() async throws {
    let mock = try MockKafka()
    var limits = BrokerLimits()
    limits.publishTime = .seconds(3)
    let broker = try MockedKafkaBroker(mock, limits: limits)
    let things = topic(partitions: 1)
    try await broker.declare([things])
    _ = try await broker.publish(outgoing(things, ["before"], partition: 0))
    mock.setDown(true)
    for text in ["1", "2"] {
      let begun = ContinuousClock.now
      let refusal = await refusal(of: broker, outgoing(things, [text], partition: 0))
      #expect(refusal == .unavailable(reason: "no broker answered in time", mayHaveArrived: true))
      #expect(begun.duration(to: .now) >= .seconds(3))
    }
    mock.setDown(false)
    _ = try await untilDone { try await broker.publish(outgoing(things, ["after"], partition: 0)) }
    let texts = try await broker.readAll(things, 0).map(text)
    #expect(Array(texts.prefix(3)) == ["before", "1", "2"])
    #expect(texts.last == "after")
    #expect(broker.waitingBytes == 0)
    await broker.close()
  }

  @Test("what waits is bounded: beyond it a publish is refused at once and nothing of it is taken")
  func bounded() async throws {
    let mock = try MockKafka()
    var limits = BrokerLimits()
    (limits.publishTime, limits.waitingBytes) = (.seconds(3), 20_000)
    let broker = try MockedKafkaBroker(mock, limits: limits)
    let things = topic(partitions: 1)
    try await broker.declare([things])
    _ = try await untilDone { try await broker.publish(outgoing(things, ["before"], partition: 0)) }
    mock.setDown(true)
    await #expect(throws: BrokerError.self) { try await broker.publish(outgoing(things, [String(repeating: "x", count: 15_000)], partition: 0)) }
    let refusal = await refusal(of: broker, outgoing(things, [String(repeating: "y", count: 15_000)], partition: 0))
    #expect(refusal.map { if case .full(let waiting) = $0 { waiting > 15_000 } else { false } } == true, "\(String(describing: refusal))")
    mock.setDown(false)
    _ = try await untilDone { try await broker.publish(outgoing(things, ["after"], partition: 0)) }
    #expect(try await broker.readAll(things, 0).allSatisfy { !text($0).hasPrefix("y") })
    await broker.close()
  }

  @Test(
    "errors that pass are not the sender's: the events are there once, in order",
    arguments: [
      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR__TRANSPORT,
    ])
  func passing(_ error: rd_kafka_resp_err_t) async throws {
    let mock = try MockKafka()
    let broker = try MockedKafkaBroker(mock)
    let things = topic(partitions: 1)
    try await broker.declare([things])
    mock.fail(0, with: [error, error, error])  // Produce
    for text in ["1", "2", "3"] { _ = try await broker.publish(outgoing(things, [text], partition: 0)) }
    #expect(try await broker.readAll(things, 0).map(text) == ["1", "2", "3"])
    await broker.close()
  }

  @Test("a producer that failed for good is replaced, and what it had not acknowledged is sent again in its order")
  func replaced() async throws {
    let mock = try MockKafka()
    let broker = try MockedKafkaBroker(mock)
    let things = topic(partitions: 1)
    try await broker.declare([things])
    _ = try await broker.publish(outgoing(things, ["before"], partition: 0))
    // The brokers no longer know what this producer sent, which an idempotent producer must not go on from.
    mock.fail(0, with: Array(repeating: RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, count: 1))
    async let first = broker.publish(outgoing(things, ["1"], partition: 0))
    async let second = broker.publish(outgoing(things, ["2", "3"], partition: 0))
    _ = try await (first, second)
    let texts = try await broker.readAll(things, 0).map(text)
    #expect(Set(texts) == ["before", "1", "2", "3"])
    #expect(texts.lastIndex(of: "2") ?? 0 < texts.lastIndex(of: "3") ?? 0)
    await broker.close()
  }

  @Test("a reader behind retention hears what is still there, and skips nothing in silence; one beyond the end too")
  func retention() async throws {
    guard let bootstrap = BrokerUnderTest.bootstrap else { try Test.cancel("\(OwnKafka.missing)") }
    let broker = try KafkaBroker.open(KafkaSettings(bootstrap: bootstrap))
    let things = TopicNames.$prefix.withValue("dos.tests.\(UUID().uuidString.lowercased())") { topic(partitions: 1) }
    try await broker.declare([things])
    _ = try await broker.publish(outgoing(things, (0..<30).map(String.init), partition: 0))
    let behind = try await broker.reader(topic: things, partition: 0, from: 0)
    #expect(try await behind.next(limit: 5, wait: .seconds(20)).last?.position.offset == 4)
    await behind.close()
    try await deleteRecords(before: 20, of: things, bootstrap)
    await #expect(throws: BrokerError.offsetOutOfRange(earliest: 20, next: 30)) { try await broker.reader(topic: things, partition: 0, from: 5) }
    #expect(try await broker.earliest(of: things) == [20])
    // One that reads already, and whose next event goes before it is fetched.
    let reading = try await broker.reader(topic: things, partition: 0, from: 30)
    #expect(try await reading.next(limit: 5, wait: .milliseconds(300)).isEmpty)
    await #expect(throws: BrokerError.offsetOutOfRange(earliest: 20, next: 30)) { try await broker.reader(topic: things, partition: 0, from: 31) }
    await reading.close()
    await broker.close()
  }

  @Test("a reader whose events go while it reads hears so, and not that nothing came")
  func overtaken() async throws {
    guard let bootstrap = BrokerUnderTest.bootstrap else { try Test.cancel("\(OwnKafka.missing)") }
    let broker = try KafkaBroker.open(KafkaSettings(bootstrap: bootstrap))
    let things = TopicNames.$prefix.withValue("dos.tests.\(UUID().uuidString.lowercased())") { topic(partitions: 1) }
    try await broker.declare([things])
    // More than is fetched ahead, and nothing that could be compressed.
    var random = SeededRandom(seed: 1)
    let large = Data((0..<675_000).map { _ in UInt8.random(in: .min ... .max, using: &random) }).base64EncodedString()
    for _ in 0..<40 { _ = try await broker.publish(outgoing(things, [large], partition: 0)) }
    let reader = try await broker.reader(topic: things, partition: 0, from: 0)
    var seen = try await reader.next(limit: 1, wait: .seconds(20)).map(\.position.offset)
    try await deleteRecords(before: 39, of: things, bootstrap)
    var failure: BrokerError?
    let deadline = ContinuousClock.now + .seconds(60)
    while failure == nil, seen.last != 39, ContinuousClock.now < deadline {
      do throws(BrokerError) {
        seen += try await reader.next(limit: 1, wait: .seconds(5)).map(\.position.offset)
      } catch {
        failure = error
      }
    }
    #expect(failure == .offsetOutOfRange(earliest: 39, next: 40))
    #expect(seen == Array(0..<Int64(seen.count)))
    await reader.close()
    await broker.close()
  }

  @Test("topics have the retention, the partitions and the care that were declared, and keep what an operator set beside it")
  func topicSettings() async throws {
    guard let bootstrap = BrokerUnderTest.bootstrap else { try Test.cancel("\(OwnKafka.missing)") }
    let broker = try KafkaBroker.open(KafkaSettings(bootstrap: bootstrap))
    let prefix = "dos.tests.\(UUID().uuidString.lowercased())"
    let (facts, longer, decisions) = TopicNames.$prefix.withValue(prefix) {
      (topic("facts", partitions: 3, retention: .days(30)), topic("facts", partitions: 3, retention: .days(60)), topic("decisions", partitions: 1))
    }
    try await broker.declare([facts, decisions])
    #expect(try await broker.end(of: facts) == [0, 0, 0])
    let made = try settings(of: facts, bootstrap)
    #expect(made["retention.ms"] == "\(30 * 86_400_000)")
    #expect(made["cleanup.policy"] == "delete" && made["unclean.leader.election.enable"] == "false")
    #expect(try settings(of: decisions, bootstrap)["retention.ms"] == "-1")
    try set("segment.ms", "3600000", of: facts, bootstrap)
    // A Kafka shows what was changed a moment later, and only what it shows can be kept.
    let isShown = try await eventually { try settings(of: facts, bootstrap)["segment.ms"] == "3600000" }
    #expect(isShown)
    try await broker.declare([longer])
    #expect(
      try await eventually {
        let changed = try settings(of: facts, bootstrap)
        return changed["retention.ms"] == "\(60 * 86_400_000)" && changed["segment.ms"] == "3600000"
      })
    await broker.close()
  }

  @Test("a topic that somebody else must make is not made, and is asked for by name")
  func notMade() async throws {
    guard let bootstrap = BrokerUnderTest.bootstrap else { try Test.cancel("\(OwnKafka.missing)") }
    let broker = try KafkaBroker.open(KafkaSettings(bootstrap: bootstrap, makesTopics: false))
    let name = "dos.tests.\(UUID().uuidString.lowercased())"
    let missing = TopicNames.$prefix.withValue(name) { topic() }
    await #expect(throws: BrokerError.unknownTopic(missing.name)) { try await broker.declare([missing]) }
    await broker.close()
  }

  @Test("how far a subscription is stands where the tools of who runs the brokers look: as the offsets of a group, also of a topic that has grown")
  func progress() async throws {
    guard let bootstrap = BrokerUnderTest.bootstrap else { try Test.cancel("\(OwnKafka.missing)") }
    try await TopicNames.$prefix.withValue("dos.tests.\(UUID().uuidString.lowercased())") {
      let broker = GrowingBroker(try KafkaBroker.open(KafkaSettings(bootstrap: bootstrap)))
      let subscription = UUID().uuidString.lowercased()
      let facts = topic("facts", partitions: 2, retention: .days(7))
      try await broker.declare([facts])
      _ = try await broker.publish(outgoing(facts, ["a", "b", "c"], partition: 1))
      // Whoever is told first waits until the Kafka has made what it keeps the offsets in.
      try await untilDone { try await broker.tell(progress: [1: 2], of: subscription, in: facts) }
      #expect(try committed("dos.\(subscription)", facts, bootstrap) == [-1_001, 2])
      try await broker.grow(facts, to: 4) { _ in }
      try await broker.tell(progress: [1: 3, 2: 0, 3: 5], of: subscription, in: broker.current(facts))
      #expect(try committed("dos.\(subscription)", broker.current(facts), bootstrap) == [-1_001, 3, 0, 2])
      await broker.close()
    }
  }

  @Test("nobody is there: whoever asks hears so within seconds, and closing does not wait for longer than a publish would")
  func nobody() async throws {
    var limits = BrokerLimits()
    limits.publishTime = .milliseconds(300)
    let broker = try KafkaBroker.open(KafkaSettings(bootstrap: "127.0.0.1:1", limits: limits))
    await #expect(throws: BrokerError.self) { try await broker.end(of: topic()) }
    await #expect(throws: BrokerError.self) { try await broker.publish(outgoing(topic(), ["x"])) }
    await broker.close()
    await #expect(throws: BrokerError.closed) { try await broker.end(of: topic()) }
  }

  @Test("a record that is no event comes as one that says so, and those behind it come too")
  func unreadable() async throws {
    let mock = try MockKafka()
    let broker = try MockedKafkaBroker(mock)
    let things = topic(partitions: 1)
    try await broker.declare([things])
    _ = try await broker.publish(outgoing(things, ["before"], partition: 0))
    try produce("junk", to: things, mock.bootstrap)
    _ = try await broker.publish(outgoing(things, ["after"], partition: 0))
    let events = try await broker.readAll(things, 0)
    #expect(events.map(\.event.unreadable) == [nil, "no event: missing(attribute: \"specversion\")", nil])
    #expect(events[1].event.subject == "unreadable/0/1")
    #expect(String(decoding: events[1].event.data, as: UTF8.self).contains(#""value":"anVuaw==""#))
    #expect(try await broker.readAll(things, 0) == events)
    await broker.close()
  }

  @Test("a setting that the library does not know is refused by its name")
  func unknownSetting() {
    #expect { try KafkaBroker.open(KafkaSettings(bootstrap: "127.0.0.1:1", properties: ["securitty.protocol": "SSL"])) } throws: { error in
      guard case BrokerError.setting(let name, _) = error else { return false }
      return name == "securitty.protocol"
    }
  }

  private func text(_ event: ConsumedEvent) -> String {
    String(String(decoding: event.event.data, as: UTF8.self).dropFirst(9).dropLast(2))
  }

  private func refusal(of broker: any EventBroker, _ events: [OutgoingEvent]) async -> BrokerError? {
    do throws(BrokerError) {
      _ = try await broker.publish(events)
      return nil
    } catch {
      return error
    }
  }

  /// The first outcome without an error, waiting for it.
  private func untilDone<Outcome>(_ body: () async throws -> Outcome) async throws -> Outcome {
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline {
      if let outcome = try? await body() { return outcome }
      try await Task.sleep(for: .milliseconds(50))
    }
    return try await body()
  }
}
