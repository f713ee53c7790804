import Foundation
import TestSupport
import Testing
import Time

@testable import Broker

@Suite("A topic that gets more partitions") struct GrowingBrokerTests {
  /// librdkafka's mock cluster cannot add partitions.
  static let logs = BrokerUnderTest.all.filter { $0.name != "Kafka, mocked" }
  private static let keys = (0..<40).map { "datastream-\($0)" }

  @Test("keeps the order of every key, from the beginning and from any place, over two growths", arguments: logs)
  func order(_ kind: BrokerUnderTest) async throws {
    try await withGrowing(kind) { operation, open in
      let topic = topic(partitions: 2, retention: .days(7))
      try await operation.declare([topic])
      var sent: [String: [String]] = [:]
      for (round, count) in [2, 4, 12].enumerated() {
        if count > 2 { try await operation.grow(topic, to: count) { _ in } }
        let broker = try growing(try await open())
        try await broker.declare([topic])
        let grown = broker.current(topic)
        #expect(grown.partitions == count)
        for step in 0..<3 {
          let events = Self.keys.map { OutgoingEvent(topic: grown, key: $0, event: event("\(round).\(step)", subject: $0)) }
          let positions = try await broker.publish(events)
          for (key, position) in zip(Self.keys, positions) {
            #expect(position.partition == grown.partition(forKey: key))
            sent[key, default: []].append("\(round).\(step)")
          }
          // What was answered is where it is read.
          for (key, position) in zip(Self.keys, positions).prefix(5) {
            let read = try #require(try await broker.readAll(grown, position.partition, from: position.offset).first)
            #expect(read.position == position && read.key == key)
          }
        }
        await broker.close()
      }
      let broker = try growing(try await open())
      try await broker.declare([topic])
      let grown = broker.current(topic)
      var heard: [String: [String]] = [:]
      for partition in 0..<grown.partitions {
        let all = try await broker.readAll(grown, partition)
        #expect(all.map(\.position.offset) == Array(0..<(try await broker.end(of: grown)[partition])))
        for event in all.own { heard[event.key, default: []].append(try event.text) }
        for place in [1, all.count / 2, all.count - 1] where all.indices.contains(place) {
          #expect(try await broker.readAll(grown, partition, from: Int64(place)) == Array(all[place...]))
        }
      }
      #expect(heard == sent)
      await broker.close()
    }
  }

  @Test("is known to whoever declares it later, and nobody publishes by the number it had", arguments: logs)
  func elsewhere(_ kind: BrokerUnderTest) async throws {
    try await withGrowing(kind) { broker, open in
      let topic = topic(partitions: 2, retention: .days(7))
      try await broker.declare([topic])
      _ = try await broker.publish(outgoing(topic, ["before"]))
      try await broker.grow(topic, to: 4) { _ in }
      let other = try growing(try await open())
      try await other.declare([topic])
      #expect(other.current(topic).partitions == 4)
      #expect(try await other.end(of: topic) == (try await broker.end(of: topic)))
      await #expect(throws: BrokerError.partitionsDiffer(topic: topic.name, existing: 4, declared: 2)) { try await other.publish(outgoing(topic, ["late"])) }
      _ = try await other.publish(outgoing(other.current(topic), ["after"]))
      let partition = other.current(topic).partition(forKey: "k")
      #expect(try await other.readAll(topic, partition).own.map { try $0.text } == ["before", "after"])
      await other.close()
    }
  }

  @Test("has only just some when its growth is interrupted: it is refused until the growth is asked for again", arguments: logs)
  func interrupted(_ kind: BrokerUnderTest) async throws {
    struct PowerCut: Error {}
    try await withGrowing(kind) { broker, open in
      let topic = topic(partitions: 2, retention: .days(7))
      try await broker.declare([topic])
      _ = try await broker.publish(outgoing(topic, ["before"]))
      await #expect(throws: PowerCut.self) { try await broker.grow(topic, to: 4) { _ in throw PowerCut() } }
      let next = try growing(try await open())
      await #expect(throws: BrokerError.growing(topic: topic.name, to: 4)) { try await next.declare([topic]) }
      var placed: [TopicGrown] = []
      try await next.grow(topic, to: 4) { placed.append($0) }
      #expect(placed.map(\.from) == [2])
      try await next.declare([topic])
      #expect(try await next.end(of: next.current(topic)).count == 4)
      #expect(try await next.readAll(topic, next.current(topic).partition(forKey: "k")).own.map { try $0.text } == ["before"])
      await next.close()
    }
  }

  @Test("grows by whole multiples, and only where it holds facts", arguments: logs)
  func refused(_ kind: BrokerUnderTest) async throws {
    try await withGrowing(kind) { broker, _ in
      let (facts, decisions) = (topic("facts", partitions: 4, retention: .days(7)), topic("decisions", partitions: 4))
      try await broker.declare([facts, decisions])
      for count in [2, 4, 6, 2_048] {
        await #expect(throws: BrokerError.cannotGrow(topic: facts.name, from: 4, to: count)) { try await broker.grow(facts, to: count) { _ in } }
      }
      await #expect(throws: BrokerError.cannotGrow(topic: decisions.name, from: 4, to: 8)) { try await broker.grow(decisions, to: 8) { _ in } }
      #expect(broker.current(facts) == facts)
    }
  }

  @Test("leaves where it was what a writer put elsewhere than its key says")
  func putElsewhere() {
    let key = "k"
    let growth = TopicGrown(topic: "t", from: 2, to: 4, ends: [10, 10])
    let home = Topic.partition(forKey: key, of: 2)
    let partitions = (0..<4).map { GrownPartition($0, of: 4, growths: [growth]) }
    let owners = { (stored: Int) in
      partitions.filter { partition in partition.pieces.contains { $0.stored == stored && $0.offsets.contains(5) && partition.owns(key, of: $0) } }.map(
        \.number)
    }
    #expect(owners(home) == [Topic.partition(forKey: key, of: 4)])
    #expect(owners(1 - home) == [1 - home])
  }

  @Test("begins where retention has left something: in the parent's events, then in its own")
  func retention() {
    let growth = TopicGrown(topic: "t", from: 2, to: 4, ends: [10, 20])
    let new = GrownPartition(3, of: 4, growths: [growth])
    #expect(new.earliest([0, 0, 0, 0]) == 0)
    #expect(new.earliest([0, 7, 0, 0]) == 7)
    #expect(new.earliest([0, 25, 0, 0]) == 20)
    #expect(new.earliest([0, 25, 0, 4]) == 24)
    #expect(GrownPartition(1, of: 4, growths: [growth]).earliest([0, 25, 0, 4]) == 25)
  }

  private func withGrowing(
    _ kind: BrokerUnderTest, _ body: @Sendable @escaping (GrowingBroker, _ open: @Sendable () async throws -> any EventBroker) async throws -> Void
  ) async throws {
    try await kind.withStore { open in
      let broker = try growing(try await open())
      do {
        try await body(broker, open)
      } catch {
        await broker.close()
        throw error
      }
      await broker.close()
    }
  }
}

private func growing(_ log: any EventBroker) throws -> GrowingBroker { GrowingBroker(try #require(log as? any GrowableLog)) }

extension ConsumedEvent {
  fileprivate var text: String {
    get throws { try #require(String(decoding: event.data, as: UTF8.self).split(separator: "\"").dropFirst(3).first.map(String.init)) }
  }
}

extension [ConsumedEvent] {
  /// Without what is read in another partition now.
  fileprivate var own: [ConsumedEvent] { filter { $0.event.type == "de.dos2030.tests.happened.v1" } }
}
