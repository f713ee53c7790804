import Broker
import EventSourcing
import Foundation
import HTTP
import JSON
import Postgres
import TestSupport
import Testing
import Time

@testable import Warning

/// What sensors report, as their service publishes it.
struct TestSensors {
  let broker: any EventBroker

  func report(_ datastream: Int64, _ readings: [(time: Instant, result: Double)], verdict: String = "plausible") async throws {
    let topic = SensorReadings.topics(of: broker)[0]
    let items = readings.map { reading in
      JSONValue.object([
        "id": .int(Int64.random(in: 1...1_000_000)), "phenomenonTime": .string(reading.time.rfc3339), "result": .number(reading.result),
        "verdict": .string(verdict),
      ])
    }
    let event = CloudEvent(
      id: UUID(), source: "/dortmund/sensors", type: "de.dos2030.sensors.observations-recorded.v1", subject: "datastream-\(datastream)",
      time: readings.last?.time ?? Instant(milliseconds: 0), city: "dortmund",
      data: JSONValue.object(["datastream": .int(datastream), "readings": .array(items)]).bytes)
    _ = try await broker.publish([OutgoingEvent(topic: topic, key: String(datastream), event: event)])
  }
}

@Suite("A rule", .timeLimit(.minutes(5))) struct RuleStoryTests {
  static func rule(_ condition: JSONValue, rota: String? = "bach") -> JSONValue {
    var rule: [String: JSONValue] = [
      "name": .string("Rüpingsbach über 1,20 m"), "description": .string("Rechen prüfen, Anlieger warnen."), "city": .string("dortmund"),
      "district": .string("Hombruch"), "place": .array([.number(7.43), .number(51.47)]), "severity": .string("Severe"), "condition": condition,
    ]
    if let rota { rule["rota"] = .string(rota) }
    return .object(rule)
  }

  static func above(_ datastream: Int64, _ raise: Double, clear: Double) -> JSONValue {
    .object([
      "kind": .string("threshold"), "datastream": .int(datastream), "direction": .string("above"), "raiseAt": .number(raise), "clearAt": .number(clear),
      "for": .int(0),
    ])
  }

  /// Draws a rule up and sets it live.
  private func activate(_ rule: JSONValue, _ city: WholeWarnings) async throws -> String {
    let drafted = try await city.expect(201, .post, "/warnings/rules", rule)
    let id = drafted["id"]?.string ?? ""
    try await city.expect(200, .post, "/warnings/rules/\(id)/activate", .object(["version": .int(1)]))
    let live = try await city.get("/warnings/rules") { $0["rules"]?.array?.first?["status"]?.string == "live" }
    #expect(live["rules"]?.array?.first?["status"]?.string == "live")
    return id
  }

  /// Whether whoever watches has its place in every partition with readings.
  private static func isWatching(_ pool: PostgresPool) async throws -> Bool {
    try await pool.query("select 1 from dos_checkpoints where subscription = 'rule-watch' and topic like 'dos.sensors.%'").count == 64
  }

  private func hints(_ city: WholeWarnings, _ wanted: (([JSONValue]) -> Bool)) async throws -> [JSONValue] {
    try await city.get("/warnings/hints") { wanted($0["hints"]?.array ?? []) }["hints"]?.array ?? []
  }

  @Test(
    "that a creek meets pages the crew, goes up the rota while nobody answers, and clears when the creek falls; an alert drafted from it can be explained down to the reading"
  )
  func creek() async throws {
    try await WholeWarnings.run { city in
      try await city.broker.declare(SensorReadings.topics(of: city.broker))
      let sensors = TestSensors(broker: city.broker)
      let (crew, chief) = (try WebhookReceiver(), try WebhookReceiver())
      for (hook, name, level) in [(crew, "crew", 1), (chief, "chief", 2)] {
        try await hook.start()
        try await city.subscribe(hook, name: name, purpose: "rota/bach/\(level)")
      }
      let rule = try await activate(Self.rule(Self.above(7, 1.2, clear: 1.0)), city)
      #expect(try await eventually { try await Self.isWatching(city.pool) })
      var level = 0.2
      var raised: [JSONValue] = []
      for _ in 0..<60 where raised.isEmpty {
        city.clock.pass(.seconds(20))
        level += 0.1
        try await sensors.report(7, [(city.clock.now, level)])
        try await Task.sleep(for: .milliseconds(30))
        raised = try await city.get("/warnings/hints")["hints"]?.array ?? []
      }
      raised = try await hints(city) { !$0.isEmpty }
      let hint = try #require(raised.first?["id"]?.string)
      #expect(raised.count == 1 && raised.first?["rule"]?.string?.lowercased() == rule.lowercased())
      #expect(raised.first?["readings"]?.array?.contains { ($0["result"]?.double ?? 0) >= 1.2 } == true)
      #expect(try await eventually { crew.letters.count == 1 })
      #expect(crew.letters.first?.type == "de.dos2030.warnings.hint-page.v1" && chief.letters.isEmpty)
      city.clock.pass(.seconds(301))
      #expect(try await eventually { chief.letters.count == 1 })
      try await city.expect(200, .post, "/warnings/hints/\(hint)/acknowledge")
      let drafted = try await city.expect(
        201, .post, "/warnings/alerts", .object(["hint": .string(hint), "content": Content.flood(channels: ["app"])]))
      let alert = drafted["id"]?.string ?? ""
      try await city.pass(alert)
      let why = try await city.get("/warnings/\(alert)/why") { $0["deliveries"]?.array?.isEmpty == false }
      #expect(why["rule"]?.array?.last?["type"]?.string == "de.dos2030.warnings.rule-drafted.v1")
      #expect(why["hint"]?.array?.last?["data"]?["finding"]?["readings"]?.array?.isEmpty == false)
      for _ in 0..<3 {
        city.clock.pass(.seconds(20))
        try await sensors.report(7, [(city.clock.now, 0.5)])
      }
      let cleared = try await hints(city) { $0.first?["standing"]?.string == "cleared" }
      #expect(cleared.first?["standing"]?.string == "cleared" && cleared.count == 1)
      for replay in city.replays { #expect(try await replay.run(true) { _ in }.differences.isEmpty) }
      for hook in [crew, chief] { await hook.stop() }
    }
  }

  @Test("goes on where it was after a restart: no hint twice, and one that was due is raised") func restart() async throws {
    try await withTestDatabase(migrate: WholeWarnings.schema(), size: 8) { pool in
      let broker = try await PostgresBroker.open(pool.configuration, unsafeDurability: true)
      try await broker.declare(WarningService().topics + SensorReadings.topics(of: broker))
      let clock = TestClock()
      let sensors = TestSensors(broker: broker)
      let story = self
      try await WholeWarnings.serving(pool, broker, clock) { city in
        _ = try await story.activate(Self.rule(Self.above(7, 1.2, clear: 1.0), rota: nil), city)
        // Known to whoever watches before the reading comes.
        let isReading = try await eventually {
          try await sensors.report(7, [(clock.now, 0.5)])
          return try await pool.query("select 1 from rule_readings").count > 0
        }
        #expect(isReading)
        try await sensors.report(7, [(clock.now, 1.5)])
        let raised = try await story.hints(city) { $0.count == 1 }
        #expect(raised.count == 1)
      }
      // Nobody watches while it falls and rises again.
      clock.pass(.seconds(60))
      try await sensors.report(7, [(clock.now, 0.5)])
      clock.pass(.seconds(60))
      try await sensors.report(7, [(clock.now, 1.6)])
      try await WholeWarnings.serving(pool, broker, clock) { city in
        clock.pass(.seconds(10))
        try await sensors.report(7, [(clock.now, 0.4)])
        let cleared = try await story.hints(city) { $0.contains { $0["standing"]?.string == "cleared" } }
        #expect(!cleared.contains { $0["standing"]?.string == "raised" })
        #expect((1...2).contains(cleared.count))
      }
      await broker.close()
    }
  }

  @Test("is raised by a sensor whose first reading came while nobody watched") func firstReading() async throws {
    try await withTestDatabase(migrate: WholeWarnings.schema(), size: 8) { pool in
      let broker = try await PostgresBroker.open(pool.configuration, unsafeDurability: true)
      try await broker.declare(WarningService().topics + SensorReadings.topics(of: broker))
      let clock = TestClock()
      let story = self
      try await WholeWarnings.serving(pool, broker, clock) { city in
        _ = try await story.activate(Self.rule(Self.above(7, 1.2, clear: 1.0), rota: nil), city)
        #expect(try await eventually { try await Self.isWatching(pool) })
      }
      clock.pass(.seconds(60))
      try await TestSensors(broker: broker).report(7, [(clock.now, 1.5)])
      try await WholeWarnings.serving(pool, broker, clock) { city in
        let raised = try await story.hints(city) { $0.count == 1 }
        #expect(raised.count == 1)
      }
      await broker.close()
    }
  }

  @Test("is not fired by what comes late, nor by what no sound sensor can report") func lateAndImplausible() async throws {
    try await WholeWarnings.run { city in
      try await city.broker.declare(SensorReadings.topics(of: city.broker))
      let sensors = TestSensors(broker: city.broker)
      let old = city.clock.now
      city.clock.pass(.seconds(7_200))
      _ = try await activate(Self.rule(Self.above(7, 1.2, clear: 1.0), rota: nil), city)
      let isReading = try await eventually {
        try await sensors.report(7, [(city.clock.now, 0.5)])
        return try await city.pool.query("select 1 from rule_readings").count > 0
      }
      #expect(isReading)
      try await sensors.report(7, [(old, 9.0)])
      try await sensors.report(7, [(city.clock.now, 9.0)], verdict: "implausible")
      city.clock.pass(.seconds(5))
      try await sensors.report(7, [(city.clock.now, 0.6)])
      let taken = try await eventually { try await city.pool.query("select 1 from rule_readings where result = 0.6").count == 1 }
      #expect(taken)
      #expect(try await city.get("/warnings/hints")["hints"]?.array?.isEmpty == true)
    }
  }

  @Test("is refused with the field that is wrong and the word that was meant") func refused() async throws {
    try await WholeWarnings.run { city in
      let jump = JSONValue.object([
        "kind": .string("rateOfChange"), "datastream": .int(7), "direction": .string("above"), "by": .number(1), "within": .int(600),
        "clearBelow": .number(0.5),
      ])
      let direction = try await city.expect(400, .post, "/warnings/rules", Self.rule(jump))
      #expect(direction["errors"]?.array?.first?["path"]?.string == "condition/direction")
      #expect(direction["errors"]?.array?.first?["expected"]?.string == "one of rise, fall")
      var rule = Self.rule(Self.above(7, 1.2, clear: 1)).object ?? [:]
      rule["staleafter"] = .int(60)
      let misspelt = try await city.expect(400, .post, "/warnings/rules", .object(rule))
      #expect(misspelt["errors"]?.array?.first?["expected"]?.string == "'staleAfter'")
    }
  }

  @Test("is tried on history before it goes live: what it would have fired, hits, misses, false alarms and lead time") func simulate() async throws {
    try await WholeWarnings.run { city in
      try await city.broker.declare(SensorReadings.topics(of: city.broker))
      let sensors = TestSensors(broker: city.broker)
      let now = city.clock.now
      // Two days, a reading every ten minutes; a flood on the first.
      let start = now - .seconds(2 * 86_400)
      let readings = (0..<288).map { index in (time: start + .seconds(600 * index), result: (60..<72).contains(index) ? 2.0 : 0.3) }
      for part in stride(from: 0, to: readings.count, by: 100) { try await sensors.report(7, Array(readings[part..<min(part + 100, readings.count)])) }
      let body = JSONValue.object([
        "rule": Self.rule(Self.above(7, 1.2, clear: 1.0)), "days": .int(3), "events": .array([.string((start + .seconds(600 * 66)).rfc3339)]),
      ])
      let result = try await city.expect(200, .post, "/warnings/rules:simulate", body)
      #expect(result["readings"]?.int == 288)
      #expect(result["firings"]?.array?.count == 1)
      #expect(result["verdict"]?["hits"]?.int == 1 && result["verdict"]?["falseAlarms"]?.int == 0)
      #expect(result["verdict"]?["medianLead"]?.double == 3_600)
    }
  }
}
