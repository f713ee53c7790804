import Broker
import EventSourcing
import Foundation
import Postgres
import Synchronization
import Time

/// When the events of a measure were somewhere, by their numbers; the first time counts.
private final class Moments: Sendable {
  private let state: Mutex<[ContinuousClock.Instant?]>

  init(_ count: Int) { state = Mutex(Array(repeating: nil, count: count)) }

  var all: [ContinuousClock.Instant?] { state.withLock { $0 } }
  func note(_ number: Int, _ moment: ContinuousClock.Instant) { state.withLock { $0[number] = $0[number] ?? moment } }
}

/// How many events several readers have seen.
private final class Count: Sendable {
  private let state = Mutex(0)

  var value: Int { state.withLock { $0 } }
  func add(_ events: Int) { state.withLock { $0 += events } }
}

extension Bench {
  /// The forwarder alone, on both brokers: from a commit into the Journal until a reader of the topic has the event, at 200 events a second; and a Journal of
  /// 200,000 events caught up with.
  func forwarding() async throws {
    try await server.withDatabase("bench_broker", size: 1) { pool in
      let broker = try await PostgresBroker.open(pool.configuration)
      try await forwarding("PostgreSQL", broker, nil)
      await broker.close()
    }
    let kafka = try await KafkaServer.fresh()
    do {
      let broker = try KafkaBroker.open(KafkaSettings(bootstrap: kafka.bootstrap))
      try await forwarding("Kafka", broker, kafka)
      await broker.close()
    } catch {
      await kafka.stop()
      throw error
    }
    await kafka.stop()
  }

  private func forwarding(_ name: String, _ broker: any EventBroker, _ kafka: KafkaServer?) async throws {
    let topic = Topic.bench("dos.bench.forwarded")
    try await broker.declare([topic])
    let steps = try EventSourcingMigrations.load()
    try await server.withDatabase("bench_journal", size: 16) { pool in
      try await Migrations.apply(steps, scope: EventSourcingMigrations.scope, to: pool)
      let journal = Journal(pool: pool, topic: topic, city: "dortmund", source: "/dortmund/bench")
      try await journal.append(
        [StreamWrite(stream: "first", expected: .noStream, events: [NewEvent(type: "de.dos2030.bench.begun.v1", data: Array("{}".utf8))])],
        context: EventContext(time: .now()))
      // Kafka's own machine compiles what is used often.
      _ = try await Self.paced(journal, broker, topic, seconds: settings.shortSeconds)
      let times = try await Self.paced(journal, broker, topic, seconds: settings.shortSeconds)
      add(Figure(measure: "forwarding", name: "committed until consumed, \(name), p50", value: times.percentile(50), unit: "ms"))
      add(
        Figure(measure: "forwarding", name: "committed until consumed, \(name), p99", value: times.percentile(99), unit: "ms", aim: .atMost(20)))

      let count = settings.isQuick ? 20_000 : 200_000
      say("forwarding: \(count) events are appended")
      let sofar = try await broker.end(of: topic)
      try await Self.append(count, to: journal)
      try await server.checkpoint()
      let before = Usage(dos: [], postmaster: server.postmaster, kafka: kafka?.pid)
      let began = ContinuousClock.now
      let forwarder = Task { await Forwarder(journal: journal, broker: broker).run() }
      try await Self.consume(count, of: topic, from: sofar, broker)
      let seconds = (ContinuousClock.now - began) / .seconds(1)
      forwarder.cancel()
      await forwarder.value
      let used = Usage(dos: [], postmaster: server.postmaster, kafka: kafka?.pid).times(since: before)
      let limit: Figure.Limit
      if let kafka, let rate = try await kafka.produced(records: count, bytes: 300) {
        limit = Figure.Limit(name: "Kafka's own producer, 300 bytes, records/s", value: rate)
      } else {
        limit = try await limits.plainCopy()
      }
      add(Figure(measure: "forwarding", name: "caught up, \(name)", value: Double(count) / seconds, unit: "events/s", limit: limit, aim: .atLeast(60_000)))
      let hundredThousands = Double(count) / 100_000
      for (part, time) in [("forwarder and reader", used.load), ("PostgreSQL", used.postgres), ("Kafka", used.kafka)] where time > 0 {
        add(Figure(measure: "forwarding", name: "\(part), per 100,000, \(name)", value: time / hundredThousands, unit: "CPU s"))
      }
      await journal.close()
    }
  }

  private static func news(_ number: Int) -> [NewEvent] {
    [NewEvent(type: "de.dos2030.bench.happened.v1", data: Array(#"{"n":\#(number),"text":"\#(String(repeating: "x", count: 120))"}"#.utf8))]
  }

  /// Appends 200 events a second, and gives the time from each commit until its event was read.
  private static func paced(_ journal: Journal, _ broker: any EventBroker, _ topic: Topic, seconds: Int) async throws -> Times {
    say("forwarding: 200 events a second")
    let count = 200 * seconds
    let (committed, arrived) = (Moments(count), Moments(count))
    let starts = try await broker.end(of: topic)
    let forwarder = Task { await Forwarder(journal: journal, broker: broker).run() }
    let reading = Task {
      await withTaskGroup(of: Void.self) { group in
        for (partition, start) in starts.enumerated() {
          group.addTask {
            guard let reader = try? await broker.reader(topic: topic, partition: partition, from: start) else { return }
            while !Task.isCancelled {
              let events = (try? await reader.next(limit: 1_000, wait: .seconds(1))) ?? []
              let now = ContinuousClock.now
              for event in events {
                // {"n":123,...
                guard let number = Int(String(decoding: event.event.data.dropFirst(5).prefix { $0 != UInt8(ascii: ",") }, as: UTF8.self)) else { continue }
                arrived.note(number, now)
              }
            }
            await reader.close()
          }
        }
      }
    }
    // The first are those that open what stays open.
    try await Task.sleep(for: .seconds(2))
    let began = ContinuousClock.now
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<count {
        try await Task.sleep(until: began + .milliseconds(5 * number))
        group.addTask {
          try await journal.append([StreamWrite(stream: "paced-\(number)", expected: .any, events: news(number))], context: EventContext(time: .now()))
          committed.note(number, .now)
        }
      }
      try await group.waitForAll()
    }
    let deadline = ContinuousClock.now + .seconds(30)
    while arrived.all.contains(nil) {
      try expect(ContinuousClock.now < deadline, "not every event was read within 30 s")
      try await Task.sleep(for: .milliseconds(10))
    }
    forwarder.cancel()
    reading.cancel()
    await forwarder.value
    await reading.value
    var times = Times()
    for (from, to) in zip(committed.all, arrived.all) {
      if let from, let to { times.add(max(.zero, from.duration(to: to))) }
    }
    return times
  }

  private static func append(_ count: Int, to journal: Journal) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<16 {
        group.addTask {
          for turn in 0..<count / 16 / 125 {
            let events = (0..<125).flatMap { news(turn * 125 + $0) }
            try await journal.append([StreamWrite(stream: "many-\(writer)-\(turn)", expected: .noStream, events: events)], context: EventContext(time: .now()))
          }
        }
      }
      try await group.waitForAll()
    }
  }

  /// Reads until that many more events have come.
  private static func consume(_ count: Int, of topic: Topic, from starts: [Int64], _ broker: any EventBroker) async throws {
    let seen = Count()
    let wanted = count / 16 / 125 * 125 * 16
    await withTaskGroup(of: Void.self) { group in
      for (partition, start) in starts.enumerated() {
        group.addTask {
          guard let reader = try? await broker.reader(topic: topic, partition: partition, from: start) else { return }
          while seen.value < wanted {
            let events = (try? await reader.next(limit: 5_000, wait: .milliseconds(200))) ?? []
            seen.add(events.count)
          }
          await reader.close()
        }
      }
    }
  }
}
