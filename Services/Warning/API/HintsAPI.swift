import EventSourcing
import Foundation
import HTTP
import ServiceKit
import Time
import WarningDomain

/// Hints, as whoever is on duty deals with them.
struct HintsAPI: Sendable {
  let commands: WarningCommands
  let lists: WarningLists

  var routes: [Route] {
    let officers = Access.roles(.warningOfficer)
    return [
      Route(
        .get, "/warnings/hints", access: officers, accepts: [], info: .read("Hints, those changed last first", "Hints", "Hints", ParameterInfo.page + [.open])
      ) { request in
        try await lists.ownWrites(request)
        return try await lists.hints(request).unlessUnchanged(for: request)
      },
      Route(
        .get, "/warnings/hints/{id}", access: officers, accepts: [],
        info: .read("A hint, with what was found and who deals with it", "Hints", "Hint", [.id(of: "a hint")], waits: false)
      ) { request in
        guard case .hint(let hint) = try await commands.letters.hint(try request.uuid("id")) else { throw WarningProblems.of(HintRefusal.unknown) }
        return Response.json(try WarningJSON.bytes(HintView(hint))).unlessUnchanged(for: request)
      },
      Route(.post, "/warnings/hints/{id}/acknowledge", access: officers, accepts: [], info: decision("Takes care of a hint: nobody else is paged")) { request in
        try await decide(request) { .acknowledge(by: $0, at: $1) }
      },
      Route(.post, "/warnings/hints/{id}/confirm", access: officers, accepts: [], info: decision("Says that it is so")) { request in
        try await decide(request) { .confirm(by: $0, at: $1) }
      },
      Route(.post, "/warnings/hints/{id}/dismiss", access: officers, info: decision("Says that it is nothing, and why", takes: .reason)) { request in
        let reason = try request.decoded(ReasonBody.self).reason
        return try await decide(request) { .dismiss(reason: reason, by: $0, at: $1) }
      },
    ]
  }

  private func decision(_ summary: String, takes body: BodyInfo? = nil) -> RouteInfo {
    .decision(summary, "Hints", "Hint", takes: body, [.id(of: "a hint")])
  }

  private func decide(_ request: Request, _ command: (Officer, Instant) -> HintCommand) async throws -> Response {
    let now = commands.clock()
    let handled = try await commands.give(
      HintDecider.self, command(try request.officer(), now), to: WarningStreams.hint(try request.uuid("id")), coding: WarningCoding.hints, for: request,
      at: now, WarningProblems.of)
    guard case .hint(let hint) = handled.state else { throw WarningProblems.of(HintRefusal.unknown) }
    var response = Response.json(try WarningJSON.bytes(HintView(hint)))
    DOSPosition.write(handled.positions, to: &response)
    return response
  }
}

/// A hint as officers see it.
struct HintView: Encodable {
  let id: UUID
  let standing: String
  /// Who acknowledged, confirmed or dismissed it last.
  let by: Officer?
  /// Why it was dismissed.
  let reason: String?
  let level: Int
  let finding: Finding

  init(_ hint: Hint) {
    id = hint.id
    level = hint.level
    finding = hint.finding
    (standing, by, reason) =
      switch hint.standing {
      case .raised: ("raised", nil, nil)
      case .acknowledged(let by): ("acknowledged", by, nil)
      case .confirmed(let by): ("confirmed", by, nil)
      case .dismissed(let by, let reason): ("dismissed", by, reason)
      case .cleared: ("cleared", nil, nil)
      }
  }
}
