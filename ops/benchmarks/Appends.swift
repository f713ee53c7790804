import Broker
import EventSourcing
import Foundation
import Postgres
import Time

extension Bench {
  /// Decisions into the Journal and events into the broker, beside pgbench's inserts into a table with one index.
  func appends() async throws {
    let steps = try EventSourcingMigrations.load()
    try await server.withDatabase("bench_journal", size: 16) { pool in
      try await Migrations.apply(steps, scope: EventSourcingMigrations.scope, to: pool)
      let journal = Journal(pool: pool, topic: Self.topic, city: "dortmund", source: "/dortmund/bench")
      var appended = 0
      for (writers, events) in [(1, 1), (16, 1), (16, 20)] {
        try await server.checkpoint()
        say("appends: \(writers) writers, \(events) events each")
        let (count, seconds) = try await Self.turns(writers, settings.shortSeconds) { writer, turn in
          let stream = "\(writers)-\(events)-\(writer)-\(turn)"
          let news = (0..<events).map { NewEvent(type: "de.dos2030.bench.happened.v1", data: Array(#"{"n":\#($0)}"#.utf8)) }
          try await journal.append([StreamWrite(stream: stream, expected: .noStream, events: news)], context: EventContext(time: .now()))
        }
        appended += count * events
        try await add(writers, events, Double(count * events) / seconds)
      }
      await journal.close()
      let stored = try await pool.query("select count(*) from journal_events where type = 'de.dos2030.bench.happened.v1'")[0].value(Int64.self, at: 0)
      try expect(stored == Int64(appended), "\(appended) events were appended and \(stored) are in the Journal")
    }
    try await publishes()
  }

  private func add(_ writers: Int, _ events: Int, _ rate: Double) async throws {
    if events > 1 {
      let limit = try await limits.groupedInserts(clients: writers, rows: events)
      add(Figure(measure: "appends", name: "\(events) at once, \(writers) writers", value: rate, unit: "events/s", limit: limit, aim: .atLeast(40_000)))
    } else {
      let limit = try await limits.inserts(clients: writers)
      add(
        Figure(
          measure: "appends", name: "one at a time, \(writers) writer\(writers == 1 ? "" : "s")", value: rate, unit: "appends/s", limit: limit,
          aim: .ofLimit(0.5)))
    }
  }

  private func publishes() async throws {
    try await server.withDatabase("bench_broker", size: 1) { pool in
      let broker = try await PostgresBroker.open(pool.configuration)
      try await broker.declare([Self.topic])
      var published = 0
      for (clients, size) in [(1, 1), (16, 1), (16, 100)] {
        try await server.checkpoint()
        say("publishes: \(clients) clients, \(size) events each")
        let (count, seconds) = try await Self.turns(clients, settings.shortSeconds) { client, turn in
          let events = (0..<size).map { Self.event("\(client)-\(turn)-\($0)") }
          _ = try await broker.publish(events.map { OutgoingEvent(topic: Self.topic, key: $0.subject, event: $0) })
        }
        published += count * size
        let limit = size == 1 ? try await limits.inserts(clients: clients) : try await limits.plainCopy()
        add(
          Figure(
            measure: "appends", name: "published, \(size) at once, \(clients) client\(clients == 1 ? "" : "s")", value: Double(count * size) / seconds,
            unit: "events/s", limit: limit))
      }
      await broker.close()
      let stored = try await pool.query("select count(*) from events")[0].value(Int64.self, at: 0)
      try expect(stored == Int64(published), "\(published) events were published and \(stored) are in the broker")
    }
  }

  private static let topic = Topic.bench("dos.bench.decisions")

  private static func event(_ subject: String) -> CloudEvent {
    CloudEvent(
      id: UUID(), source: "/dortmund/bench", type: "de.dos2030.bench.happened.v1", subject: subject, time: .now(), city: "dortmund",
      data: Array(#"{"n":1}"#.utf8))
  }

  /// Lets workers do something again and again until the time is up; gives how often they did and how long it took.
  private static func turns(
    _ workers: Int, _ seconds: Int, _ work: @escaping @Sendable (_ worker: Int, _ turn: Int) async throws -> Void
  ) async throws -> (count: Int, seconds: Double) {
    let began = ContinuousClock.now
    let count = try await withThrowingTaskGroup(of: Int.self) { group in
      for worker in 0..<workers {
        group.addTask {
          var turn = 0
          while ContinuousClock.now - began < .seconds(seconds) {
            try await work(worker, turn)
            turn += 1
          }
          return turn
        }
      }
      return try await group.reduce(0, +)
    }
    return (count, (ContinuousClock.now - began) / .seconds(1))
  }
}
