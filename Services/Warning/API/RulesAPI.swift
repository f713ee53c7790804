import Broker
import EventSourcing
import Foundation
import HTTP
import JSON
import Postgres
import ServiceKit
import Time
import WarningDomain

/// Rules, drawn up by people, tried on history, and set live.
struct RulesAPI: Sendable {
  let commands: WarningCommands
  let lists: WarningLists
  let history: ReadingHistory
  /// Told that a rule may have changed.
  let changed: @Sendable () -> Void

  private struct ActivateBody: Decodable, KnownFields, Sendable {
    static let fields = ["version"]
    let version: Int
  }

  private struct SimulateBody: Decodable, KnownFields, Sendable {
    static let fields = ["rule", "days", "events", "truth", "announces"]
    let rule: Rule
    let days: Int
    let events: [Instant]?
    let truth: Condition?
    let announces: Int?
  }

  var routes: [Route] {
    let officers = Access.roles(.warningOfficer)
    return [
      Route(.get, "/warnings/rules", access: officers, accepts: [], info: info("Rules, those changed last first")) { request in
        try await lists.ownWrites(request)
        return try await lists.rules(request).unlessUnchanged(for: request)
      },
      Route(.post, "/warnings/rules", access: officers, info: info("Draws a rule up; it raises nothing until it is activated", status: 201)) { request in
        let rule = try request.decoded(Rule.self)
        let id = commands.newID(for: request)
        return try await decide(id, request, status: 201) { .draft(id: id, rule, by: $0, at: $1) }
      },
      Route(.put, "/warnings/rules/{id}", access: officers, info: info("Makes the next version; of a live rule it is live at once")) { request in
        let rule = try request.decoded(Rule.self)
        return try await decide(try request.uuid("id"), request) { .change(rule, by: $0, at: $1) }
      },
      Route(.post, "/warnings/rules/{id}/activate", access: officers, info: info("Sets exactly the version named live")) { request in
        let version = try request.decoded(ActivateBody.self).version
        return try await decide(try request.uuid("id"), request) { .activate(version: version, by: $0, at: $1) }
      },
      Route(.post, "/warnings/rules/{id}/pause", access: officers, accepts: [], info: info("Raises nothing until it is activated again")) { request in
        try await decide(try request.uuid("id"), request) { .pause(by: $0, at: $1) }
      },
      Route(.post, "/warnings/rules/{id}/retire", access: officers, accepts: [], info: info("Ends a rule; its versions stay readable")) { request in
        try await decide(try request.uuid("id"), request) { .retire(by: $0, at: $1) }
      },
      Route(
        .post, "/warnings/rules:simulate", access: officers,
        info: info("What a rule would have done on the last days' readings, by the code that would have watched")
      ) { try await simulate($0) },
    ]
  }

  private func info(_ summary: String, status: Int = 200) -> RouteInfo {
    RouteInfo(summary, tag: "Rules", responses: [BodyInfo(schema: #"{"type":"object"}"#)], status: status)
  }

  private func decide(_ id: UUID, _ request: Request, status: Int = 200, _ command: (Officer, Instant) -> RuleCommand) async throws -> Response {
    let now = commands.clock()
    let handled = try await commands.give(
      RuleDecider.self, command(try request.officer(), now), to: WarningStreams.rule(id), coding: WarningCoding.rules, for: request, at: now,
      WarningProblems.of)
    let (version, word): (RuleVersion, String) =
      switch handled.state {
      case .none: throw WarningProblems.of(RuleRefusal.unknown)
      case .drafted(let version): (version, "drafted")
      case .live(let version, _): (version, "live")
      case .paused(let version): (version, "paused")
      case .retired(let version): (version, "retired")
      }
    struct View: Encodable {
      let id: UUID
      let version: Int
      let status: String
      let rule: Rule
    }
    var response = Response.json(
      try WarningJSON.bytes(View(id: version.id, version: version.version, status: word, rule: version.rule)), status: status)
    if status == 201 { response.headers["Location"] = "/warnings/rules/\(id.uuidString.lowercased())" }
    DOSPosition.write(handled.positions, to: &response)
    changed()
    return response
  }

  private func simulate(_ request: Request) async throws -> Response {
    let body = try request.decoded(SimulateBody.self)
    let problems = body.rule.problems()
    guard problems.isEmpty else { throw WarningProblems.of(RuleRefusal.problems(problems)) }
    guard (1...366).contains(body.days) else { throw Problem.badRequest(path: "days", problem: "is \(body.days)", expected: "1 to 366") }
    guard body.events == nil || body.truth == nil else {
      throw Problem.badRequest(path: "truth", problem: "stands beside events", expected: "one of the two, or none")
    }
    let until = commands.clock()
    let from = until - .seconds(86_400 * body.days)
    var datastreams = body.rule.condition.datastreams
    if let truth = body.truth { datastreams.formUnion(truth.datastreams) }
    let reach = body.rule.condition.reach.values.max() ?? 0
    let readings: [Int64: [Reading]]
    do {
      readings = try await history.readings(of: datastreams, from: from - .seconds(reach + 2 * body.rule.staleAfter), until: until)
    } catch let error as ReadingHistory.TooMany {
      throw Problem.unprocessable("These datastreams have more than \(error.limit) readings in that time: ask for fewer days or datastreams.")
    }
    let truth: Simulation.Truth? = body.truth.map { .condition($0) } ?? body.events.map { .times($0) }
    let simulation = Simulation.run(body.rule, over: readings, from: from, until: until, truth: truth, announces: body.announces ?? 21_600)
    return .json(try WarningJSON.bytes(SimulationView(simulation, from: from, until: until)))
  }
}

private struct SimulationView: Encodable {
  struct Firing: Encodable {
    let raised: Instant
    let since: Instant
    let cleared: Instant?
    let readings: [HintReading]
  }

  struct Verdict: Encodable {
    let hits: Int
    let misses: Int
    let falseAlarms: Int
    /// Seconds.
    let shortestLead: Double?
    let medianLead: Double?
  }

  let from: Instant
  let until: Instant
  let readings: Int
  let firings: [Firing]
  let verdict: Verdict?

  init(_ simulation: Simulation, from: Instant, until: Instant) {
    self.from = from
    self.until = until
    readings = simulation.readings
    firings = simulation.firings.map { Firing(raised: $0.raised, since: $0.since, cleared: $0.cleared, readings: $0.evidence) }
    verdict = simulation.verdict.map {
      Verdict(
        hits: $0.hits, misses: $0.misses, falseAlarms: $0.falseAlarms, shortestLead: $0.shortestLead.map { $0 / .seconds(1) },
        medianLead: $0.medianLead.map { $0 / .seconds(1) })
    }
  }
}
