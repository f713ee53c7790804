import EventSourcing
import Foundation
import HTTP
import JSON
import Postgres
import ServiceKit
import Time
import WarningDomain

/// Rules, drawn up by people and set live.
struct RulesAPI: Sendable {
  let commands: WarningCommands
  let lists: WarningLists
  /// Told that a rule may have changed.
  let changed: @Sendable () -> Void

  private struct ActivateBody: Decodable, KnownFields, Sendable {
    static let fields = ["version"]
    let version: Int
  }

  var routes: [Route] {
    let officers = Access.roles(.warningOfficer)
    return [
      Route(.get, "/warnings/rules", access: officers, accepts: [], info: .read("Rules, those changed last first", "Rules", "Rules", ParameterInfo.page)) {
        request in
        try await lists.ownWrites(request)
        return try await lists.rules(request).unlessUnchanged(for: request)
      },
      Route(
        .post, "/warnings/rules", access: officers, info: decision("Draws a rule up; it raises nothing until it is activated", takes: .newRule, status: 201)
      ) { request in
        let rule = try request.decoded(Rule.self)
        let id = commands.newID(for: request)
        return try await decide(id, request, status: 201) { .draft(id: id, rule, by: $0, at: $1) }
      },
      Route(.put, "/warnings/rules/{id}", access: officers, info: decision("Makes the next version; of a live rule it is live at once", takes: .newRule)) {
        request in
        let rule = try request.decoded(Rule.self)
        return try await decide(try request.uuid("id"), request) { .change(rule, by: $0, at: $1) }
      },
      Route(.post, "/warnings/rules/{id}/activate", access: officers, info: decision("Sets exactly the version named live", takes: .ruleActivation)) {
        request in
        let version = try request.decoded(ActivateBody.self).version
        return try await decide(try request.uuid("id"), request) { .activate(version: version, by: $0, at: $1) }
      },
      Route(.post, "/warnings/rules/{id}/pause", access: officers, accepts: [], info: decision("Raises nothing until it is activated again")) { request in
        try await decide(try request.uuid("id"), request) { .pause(by: $0, at: $1) }
      },
      Route(.post, "/warnings/rules/{id}/retire", access: officers, accepts: [], info: decision("Ends a rule; its versions stay readable")) { request in
        try await decide(try request.uuid("id"), request) { .retire(by: $0, at: $1) }
      },
    ]
  }

  private func decision(_ summary: String, takes body: BodyInfo? = nil, status: Int = 200) -> RouteInfo {
    .decision(summary, "Rules", "RuleVersion", takes: body, status == 201 ? [] : [.id(of: "a rule")], status: status)
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
}
