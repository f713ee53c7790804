import Foundation
import HTTP
import JSON
import Postgres
import TestSupport
import Testing
import Time
import WarningDomain

/// A flood of the Ruhr: the gauge upstream announces it hours before it is there.
@Suite("A flood", .serialized, .timeLimit(.minutes(10)))
struct FloodScenario {
  /// The level at Westhofen that is announced, in metres.
  private static let mark = 1.6
  /// Below it nobody at Westhofen sees anything coming.
  fileprivate static let low = 0.8
  private static let floods = 14

  @Test(
    "is announced by the gauge upstream while the one downstream is still low; whoever has to know is warned, again where it widens, and told when it is over",
    arguments: Mode.allCases)
  func flood(_ mode: Mode) async throws {
    try mode.require()
    try await Warnings.with(mode, rota: "ruhr") { warnings in
      let city = warnings.city
      let gauges = try await Gauges.register(in: city)
      var simulator = FloodSimulator(seed: 7)
      let days = Self.floods * 5
      // Ended before the next one can have begun.
      let history = simulator.river(floods: Self.floods, from: .nextSecond - .seconds(86_400 * (days + 6)))
      try await gauges.report(history)

      // A model is fitted on what was, and tried on it.
      let fit = try await warnings.post(
        "/warnings/rules:fit", ["gaugeA": .int(gauges.a), "gaugeB": .int(gauges.b), "days": .int(Int64(days + 7)), "longestLag": 43_200], 200)
      #expect((8...Self.floods).contains(Int(fit["floods"]?.int ?? 0)))
      #expect((0.8...1).contains(fit["coverage"]?["all"]?.double ?? 0) && (0.6...1).contains(fit["coverage"]?["rising"]?.double ?? 0))
      let rule = try Self.rule(gauges, model: try #require(fit["model"]))
      let tried = try await warnings.post(
        "/warnings/rules:simulate",
        ["rule": rule, "days": .int(Int64(days + 7)), "truth": Warnings.above(gauges.b, Self.mark, clear: Self.mark - 0.2)], 200)
      let verdict = try #require(tried["verdict"])
      let hits = verdict["hits"]?.int ?? 0
      #expect(hits >= 3 && (verdict["misses"]?.int ?? 99) * 3 <= hits && (verdict["falseAlarms"]?.int ?? 99) * 2 <= hits, "\(verdict)")
      #expect((verdict["medianLead"]?.double ?? 0) >= 3_600, "\(verdict)")
      try await warnings.activate(rule)

      // The next flood, which nobody has seen: as much of it as there is when A alone tells of it.
      let next = try NextFlood(after: simulator, rule: rule, gauges)
      let stream = StreamListener(warnings.url + "/warnings/stream")
      try await gauges.untilWatched(next.river)
      try await gauges.report(next.river, a: 0..<next.step, b: 0..<next.step + 1)
      try await gauges.untilTaken(a: next.river.a.last { $0.step < next.step }?.time, b: next.river.b.last { $0.step <= next.step }?.time)
      #expect(try await warnings.get("/warnings/hints")["hints"]?.array == [])
      try await gauges.report(next.river, a: next.step..<next.step + 1, b: 0..<0)
      let found = try await warnings.hint()
      try next.check(found, gauges)
      let hint = try #require(found["id"]?.string)
      try await Browser.until("the crew is paged") { warnings.crew.letters.count == 1 }
      #expect(warnings.crew.letters.first?.data["finding"]?["forecast"] == found["forecast"])
      try await warnings.post("/warnings/hints/\(hint)/acknowledge", [:], 200)

      try await Browser.until("the app listens") { stream.text.contains("id:") }
      let (alert, first) = try await warnings.issue(Self.content("Hochwasser der Ruhr erwartet", in: ["Hörde"]), from: hint)
      try await warnings.arrived([first])
      try await Browser.until("the app's stream has it") { stream.messages == ["alert \(first)"] }
      #expect(try await warnings.active(51.475, 7.50).contains(first))

      // B rises to what was forecast; the warning widens.
      try await gauges.report(b: next.outcome, at: next.time + .seconds(1))
      #expect((next.forecast.low...next.forecast.high).contains(next.outcome), "\(next.outcome) of \(next.forecast)")
      #expect(next.outcome > Self.mark - 0.2)
      let wider = Self.content("Hochwasser der Ruhr, auch in Aplerbeck", in: ["Hörde", "Aplerbeck"])
      let second = try await warnings.follow(alert, "update", of: first, ["content": wider])
      try await warnings.arrived([first, second])
      try await Browser.until("the app's stream has the update") { stream.messages == ["alert \(first)", "update \(second)"] }
      #expect(try await warnings.active(51.49, 7.57).contains(second))

      // The water falls, and it is over.
      try await gauges.report(b: 0.9, at: next.time + .seconds(2))
      try await gauges.report(a: 0.5, at: next.time + .seconds(3))
      try await Browser.until("the hint is cleared") { try await warnings.hint()["standing"]?.string == "cleared" }
      let over = Warnings.texts("Entwarnung an der Ruhr", event: "Hochwasser")
      let third = try await warnings.follow(alert, "all-clear", of: second, ["texts": over])
      try await warnings.arrived([first, second, third])
      let told = ["alert \(first)", "update \(second)", "all-clear \(third)"]
      try await Browser.until("the app's stream has the all-clear") { stream.messages == told }
      #expect(warnings.crew.letters.count == 1)

      try Self.explains(try await warnings.get("/warnings/\(alert)/why"), third, gauges)
    }
  }

  private static func rule(_ gauges: Gauges, model: JSONValue) throws -> JSONValue {
    [
      "name": "Ruhr bei Westhofen: Vorhersage über 1,60 m", "description": "Ufer räumen lassen, Anlieger warnen.", "city": "dortmund", "district": "Hörde",
      "place": [7.49, 51.42], "severity": "Severe", "rota": "ruhr", "staleAfter": 3_600,
      "condition": [
        "kind": "upstream", "gaugeA": .int(gauges.a), "gaugeB": .int(gauges.b), "model": model, "raiseAt": .number(mark), "clearAt": .number(mark - 0.2),
        "certainty": "Likely",
      ],
    ]
  }

  private static func content(_ headline: String, in districts: [String]) -> JSONValue {
    Warnings.content(headline, event: "Hochwasser", in: districts)
  }

  /// From a letter that arrived back to the readings of both gauges, by what each step names.
  private static func explains(_ why: JSONValue, _ message: String, _ gauges: Gauges) throws {
    func step(_ section: String, _ type: String, _ isIt: (JSONValue) -> Bool = { _ in true }) throws -> JSONValue {
      let events = why[section]?.array ?? []
      return try #require(events.first { $0["type"]?.string == "de.dos2030.warnings.\(type).v1" && isIt($0) }, "\(section): \(type)")
    }
    let delivered = try step("deliveries", "delivery-delivered") { event in
      event["data"]?["message"]?.string?.lowercased() == message && event["stream"]?.string?.contains("-webhook-") == true
    }
    let handed = try step("deliveries", "delivery-handed") { event in
      event["stream"] == delivered["stream"] && event["data"]?["parcel"]?["message"] == delivered["data"]?["message"]
    }
    let issued = try step("alert", "alert-issued") { $0["id"] == handed["cause"] }
    #expect(issued["data"]?["message"]?.string?.lowercased() == message)
    #expect(issued["data"]?["approvals"]?["approvedBy"]?["subject"]?.string == "ben")
    let drafted = try step("alert", "alert-drafted") { $0["data"]?["draft"]?["kind"]?.string == "alert" }
    #expect(drafted["data"]?["by"]?["subject"]?.string == "ada" && drafted["data"]?["origin"]?["kind"]?.string == "hint")
    let raised = try step("hint", "hint-raised") { $0["data"]?["id"]?.string?.lowercased() == drafted["data"]?["origin"]?["id"]?.string }
    let finding = try #require(raised["data"]?["finding"])
    #expect(finding["forecast"]?["level"]?.double ?? 0 >= mark)
    let readings = finding["readings"]?.array ?? []
    #expect(Set(readings.compactMap { $0["datastream"]?.int }) == [gauges.a, gauges.b])
    _ = try step("rule", "rule-activated") { $0["data"]?["id"] == finding["rule"] }
    _ = try step("hint", "hint-cleared")
  }
}

/// The gauges of the Ruhr at Villigst and, downstream of it, at Westhofen.
private struct Gauges {
  let city: RunningCity
  let device: String
  /// Their datastreams.
  let a: Int64
  let b: Int64

  static func register(in city: RunningCity) async throws -> Gauges {
    let token = try await city.token("sensor-operator")
    // B first: of one moment its reading is then looked at before A's, in trials as here.
    let b = try await city.registerStation("Pegel Westhofen", .waterLevel, token: token)
    let a = try await city.registerStation("Pegel Villigst", .waterLevel, token: token)
    return Gauges(city: city, device: try await city.token("device"), a: a, b: b)
  }

  /// Sends a river, or these steps of it, in batches as loggers do.
  func report(_ river: FloodSimulator.River, a stepsA: Range<Int> = 0..<Int.max, b stepsB: Range<Int> = 0..<Int.max) async throws {
    let (upstream, downstream) = (river.a.filter { stepsA.contains($0.step) }, river.b.filter { stepsB.contains($0.step) })
    let size = 1_000
    for begin in stride(from: 0, to: max(upstream.count, downstream.count), by: size) {
      try await send([(b, Array(downstream.dropFirst(begin).prefix(size))), (a, Array(upstream.dropFirst(begin).prefix(size)))])
    }
  }

  private func send(_ parts: [(datastream: Int64, levels: [FloodSimulator.Level])]) async throws {
    let groups = parts.filter { !$0.levels.isEmpty }.map { datastream, levels -> JSONValue in
      let rows = levels.map { level -> JSONValue in [.string(level.time.rfc3339), .number(level.value)] }
      return ["Datastream": ["@iot.id": .int(datastream)], "components": ["phenomenonTime", "result"], "dataArray": .array(rows)]
    }
    let answer = try await city.post("/sensors/v1.1/CreateObservations", .array(groups), token: device)
    #expect(answer.status == 201, "\(answer.text.prefix(300))")
  }

  /// Sends the first readings of what is to come until whoever watches for rules takes them: what came before it knew of the rule it does not look at.
  func untilWatched(_ river: FloodSimulator.River) async throws {
    try await taken("both gauges are watched") { newest in
      if newest.count < 2 { try await report(river, a: 0..<4, b: 0..<4) }
      return newest.count == 2
    }
  }

  func untilTaken(a timeA: Instant?, b timeB: Instant?) async throws {
    try await taken("both gauges' readings are taken") { $0[a] == timeA && $0[b] == timeB }
  }

  /// - Parameter isEnough: gets the newest reading of each gauge that rules are watched with.
  private func taken(_ what: String, _ isEnough: ([Int64: Instant]) async throws -> Bool) async throws {
    let pool = PostgresPool(city.database.configuration(database: "dos_warnings"), size: 1)
    try await Browser.until(what) {
      var newest: [Int64: Instant] = [:]
      for row in try await pool.query("select datastream, max(time) from rule_readings group by 1") {
        let (datastream, time) = try row.decode(Int64.self, Instant.self)
        newest[datastream] = time
      }
      return try await isEnough(newest)
    }
    await pool.close()
  }

  func report(a level: Double, at time: Instant) async throws { try await send([(a, [FloodSimulator.Level(step: 0, time: time, value: level)])]) }
  func report(b level: Double, at time: Instant) async throws { try await send([(b, [FloodSimulator.Level(step: 0, time: time, value: level)])]) }
}

/// A flood that is under way: at a step of it, which is now, the gauge upstream announces for the first time that the mark will be passed.
private struct NextFlood {
  let river: FloodSimulator.River
  let step: Int
  /// Of that step.
  var time: Instant { river.time(step) }
  let forecast: LevelForecast
  /// What B really shows when the forecast's time has come.
  let outcome: Double

  /// - Parameter simulator: as it is after the history.
  init(after simulator: FloodSimulator, rule: JSONValue, _ gauges: Gauges) throws {
    let rule = try JSONDecoder().decode(Rule.self, from: Data(rule.bytes))
    guard case .upstream(let upstream) = rule.condition else { throw Unfit() }
    let then = Instant(milliseconds: 0)
    // Not every rain makes a flood, and some come slowly, on a river that is high already.
    var simulator = simulator
    var (before, trial) = (simulator, simulator.river(floods: 1, from: then))
    var firing = Self.firstFiring(rule, trial, gauges)
    while firing.map({ Self.level(at: $0.raised, trial) >= FloodScenario.low }) ?? true {
      before = simulator
      trial = simulator.river(floods: 1, from: then)
      firing = Self.firstFiring(rule, trial, gauges)
    }
    guard let firing, let forecast = firing.forecast else { throw Unfit() }
    self.forecast = forecast
    step = Int((firing.raised - then) / .seconds(FloodSimulator.step))
    river = before.river(floods: 1, from: .nextSecond - .seconds(step * FloodSimulator.step))
    outcome = trial.trueB[step + upstream.model.lag / FloodSimulator.step]
  }

  private struct Unfit: Error {}

  private static func firstFiring(_ rule: Rule, _ river: FloodSimulator.River, _ gauges: Gauges) -> Simulation.Firing? {
    let histories = [gauges.a: river.a, gauges.b: river.b].mapValues { $0.map { Reading(time: $0.time, value: $0.value, offset: Int64($0.step)) } }
    return Simulation.run(rule, over: histories, from: river.time(0), until: river.time(river.trueB.count)).firings.first
  }

  private static func level(at time: Instant, _ river: FloodSimulator.River) -> Double { river.b.last { $0.time <= time }?.value ?? .infinity }

  /// The hint is there while B is low, and says what it rests on.
  func check(_ hint: JSONValue, _ gauges: Gauges) throws {
    let said = try #require(hint["forecast"])
    for (name, value) in [("level", forecast.level), ("low", forecast.low), ("high", forecast.high)] {
      #expect(abs((said[name]?.double ?? .infinity) - value) < 1e-6, "\(name): \(said) and not \(forecast)")
    }
    let readings = hint["readings"]?.array ?? []
    func newest(_ datastream: Int64) throws -> (time: Instant, level: Double) {
      let reading = try #require(readings.last { $0["datastream"]?.int == datastream })
      return (try #require(reading["time"]?.string.flatMap { Instant(rfc3339: $0) }), try #require(reading["result"]?.double))
    }
    let (a, b) = (try newest(gauges.a), try newest(gauges.b))
    #expect(said["time"]?.string.flatMap { Instant(rfc3339: $0) }.map { $0 - a.time } ?? .zero > .seconds(3_600))
    #expect(a.time == time && b.time <= a.time)
    #expect(b.level < FloodScenario.low && FloodScenario.low < forecast.low)
  }
}

extension Instant {
  /// Now, as gauges tell the time: not before anything that has happened.
  fileprivate static var nextSecond: Instant { Instant(milliseconds: (Instant.now().milliseconds / 1_000 + 1) * 1_000) }
}

extension StreamListener {
  /// Kind and id of the alerts that came, in their order.
  fileprivate var messages: [String] {
    text.split(separator: "\n").filter { $0.hasPrefix("data:") }.compactMap { line in
      guard let data = try? JSONValue(parsing: Array(line.dropFirst(5).utf8)), let kind = data["kind"]?.string, let message = data["message"]?.string
      else { return nil }
      return "\(kind) \(message.lowercased())"
    }
  }
}
