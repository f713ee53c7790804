import Foundation
import HTTP
import JSON
import TestSupport
import Testing
import Time
import WarningDomain

@testable import Warning

@Suite("The model of a gauge upstream", .timeLimit(.minutes(5))) struct RuleFitTests {
  private static let (a, b): (Int64, Int64) = (21, 22)
  private static let floods = 14
  private static let days = floods * 5 + 1

  /// Both gauges have reported so many floods, the last reading of which has just come.
  private func withRiver(floods: Int = floods, _ body: @Sendable (WholeWarnings) async throws -> Void) async throws {
    try await WholeWarnings.run { city in
      try await city.broker.declare(SensorReadings.topics(of: city.broker))
      let sensors = TestSensors(broker: city.broker)
      var simulator = FloodSimulator(seed: 7)
      let river = simulator.river(floods: floods, from: city.clock.now - .seconds(floods * FloodSimulator.stepsPerFlood * FloodSimulator.step))
      for (gauge, levels) in [(Self.a, river.a), (Self.b, river.b)] {
        let readings = levels.map { (time: $0.time, result: $0.value) }
        for part in stride(from: 0, to: readings.count, by: 500) { try await sensors.report(gauge, Array(readings[part..<min(part + 500, readings.count)])) }
      }
      try await body(city)
    }
  }

  private static func body(_ days: Int = days, a: Int64 = a, b: Int64 = b, _ more: [String: JSONValue] = [:]) -> JSONValue {
    .object(["gaugeA": .int(a), "gaugeB": .int(b), "days": .int(Int64(days))].merging(more) { $1 })
  }

  @Test("is fitted on what both gauges have reported, comes with what it takes to judge it, and goes into a rule as it is")
  func fit() async throws {
    try await withRiver { city in
      let fit = try await city.expect(200, .post, "/warnings/rules:fit", Self.body(Self.days, ["longestLag": 43_200]))
      let model = try #require(fit["model"])
      #expect((8...Self.floods).contains(Int(fit["floods"]?.int ?? 0)))
      #expect(fit["lag"] == model["lag"] && fit["error"] == model["error"] && fit["floods"] == model["floods"])
      #expect((3_600...18_000).contains(fit["lag"]?.int ?? 0))
      #expect((fit["error"]?.double ?? 9) < (fit["errorIfUnchanged"]?.double ?? 0))
      #expect((0.8...1).contains(fit["coverage"]?["all"]?.double ?? 0) && (0.5...1).contains(fit["coverage"]?["rising"]?.double ?? 0))
      let count = Double(Self.floods * FloodSimulator.stepsPerFlood)
      for gauge in ["gaugeA", "gaugeB"] { #expect((0.9 * count...count).contains(fit["readings"]?[gauge]?.double ?? 0)) }
      let from = try #require(fit["from"]?.string.flatMap { Instant(rfc3339: $0) })
      #expect(fit["until"]?.string.flatMap { Instant(rfc3339: $0) }.map { $0 - from } == .seconds(86_400 * Self.days))

      let condition: JSONValue = ["kind": "upstream", "gaugeA": .int(Self.a), "gaugeB": .int(Self.b), "model": model, "raiseAt": 2.2, "clearAt": 2.0]
      let rule = RuleStoryTests.rule(condition.with("certainty", "Likely"), rota: nil).with("staleAfter", 3_600)
      let tried = try await city.expect(
        200, .post, "/warnings/rules:simulate",
        ["rule": rule, "days": .int(Int64(Self.days)), "truth": RuleStoryTests.above(Self.b, 2.2, clear: 2.0)])
      #expect((tried["verdict"]?["hits"]?.int ?? 0) >= 1)
      let firing = try #require(tried["firings"]?.array?.first)
      #expect((firing["forecast"]?["level"]?.double ?? 0) >= 2.2)
      try await city.expect(201, .post, "/warnings/rules", rule)
    }
  }

  @Test("is refused with what is missing, and by how much")
  func refusals() async throws {
    try await withRiver(floods: 3) { city in
      func refused(_ body: JSONValue) async throws -> (path: String, problem: String) {
        let problem = try await city.expect(422, .post, "/warnings/rules:fit", body)["errors"]?.array?.first
        return (problem?["path"]?.string ?? "", (problem?["problem"]?.string ?? "") + "; " + (problem?["expected"]?.string ?? ""))
      }
      let few = try await refused(Self.body(30))
      #expect(few.path == "days" && few.problem.hasPrefix("holds ") && few.problem.contains("at least 8"))
      let nothing = try await refused(Self.body(30, a: 99))
      #expect(nothing.path == "days" && nothing.problem.hasPrefix("has 0 moments") && nothing.problem.contains("at least 500"))

      let sensors = TestSensors(broker: city.broker)
      let start = city.clock.now - .seconds(700 * FloodSimulator.step)
      try await sensors.report(23, (0..<700).map { (time: start + .seconds($0 * FloodSimulator.step), result: 1) })
      #expect(try await refused(Self.body(30, a: 23)) == ("gaugeA", "shows one level all the time; a gauge that rises and falls"))
      var random = SeededRandom(seed: 5)
      let noise = (0..<700).map { (time: start + .seconds($0 * FloodSimulator.step), result: Double.random(in: 0...1, using: &random)) }
      try await sensors.report(24, noise)
      let unrelated = try await refused(Self.body(30, a: 24))
      #expect(unrelated.path == "gaugeB" && unrelated.problem.contains("correlate") && unrelated.problem.contains("at least 0.3"))
    }
  }

  @Test("is asked for by officers, with numbers that can be computed with")
  func limits() async throws {
    try await WholeWarnings.run { city in
      try await city.broker.declare(SensorReadings.topics(of: city.broker))
      try await city.expect(403, .post, "/warnings/rules:fit", Self.body(), as: WholeWarnings.una)
      try await city.expect(401, .post, "/warnings/rules:fit", Self.body(), as: nil)
      let wrong: [(JSONValue, String)] = [
        (Self.body(b: Self.a), "gaugeB"), (Self.body(0), "days"), (Self.body(367), "days"), (Self.body(30, ["step": 59]), "step"),
        // A year of minutes, at every lag of a day.
        (Self.body(366, ["step": 60]), "step"), (Self.body(30, ["longestLag": 899]), "longestLag"),
        (Self.body(30, ["step": 60, "longestLag": 30_060]), "longestLag"), (Self.body(30, ["longestLag": 432_001]), "longestLag"),
        (Self.body(30, ["longestlag": 3_600]), "longestlag"),
      ]
      for (body, path) in wrong {
        let problem = try await city.expect(400, .post, "/warnings/rules:fit", body)
        #expect(problem["errors"]?.array?.first?["path"]?.string == path, "\(body)")
      }
    }
  }
}
