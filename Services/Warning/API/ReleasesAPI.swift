import EventSourcing
import Foundation
import HTTP
import JSON
import ServiceKit
import Time
import WarningDomain

/// Releases, under which exercises and tests reach real channels.
struct ReleasesAPI: Sendable {
  let commands: WarningCommands
  let lists: WarningLists
  let city: String

  private struct Body: Decodable, KnownFields, Sendable {
    static let fields = ["city", "mode", "from", "until", "reason"]
    let city: String?
    let mode: AlertMode
    let from: Instant
    let until: Instant
    let reason: String
  }

  var routes: [Route] {
    let officers = Access.roles(.warningOfficer)
    return [
      Route(.get, "/warnings/releases", access: officers, accepts: [], info: .read("Releases, the latest first", "Releases", "Releases")) { request in
        try await lists.ownWrites(request)
        return try await lists.releases().unlessUnchanged(for: request)
      },
      Route(.post, "/warnings/releases", access: officers, info: decision("Proposes a release for an exercise or a test", takes: .newRelease, status: 201)) {
        request in
        let body = try request.decoded(Body.self)
        let officer = try request.officer()
        let release = Release(
          id: commands.newID(for: request), city: body.city ?? officer.city ?? city, mode: body.mode, from: body.from, until: body.until,
          reason: body.reason)
        return try await decide(release.id, request, status: 201) { .propose(release, by: $0, at: $1) }
      },
      Route(.post, "/warnings/releases/{id}/approve", access: officers, accepts: [], info: decision("Approves another officer's release")) { request in
        try await decide(try request.uuid("id"), request) { .approve(by: $0, at: $1) }
      },
      Route(.post, "/warnings/releases/{id}/revoke", access: officers, info: decision("Ends a release before its time", takes: .reason)) { request in
        let reason = try request.decoded(ReasonBody.self).reason
        return try await decide(try request.uuid("id"), request) { .revoke(reason: reason, by: $0, at: $1) }
      },
    ]
  }

  private func decision(_ summary: String, takes body: BodyInfo? = nil, status: Int = 200) -> RouteInfo {
    .decision(summary, "Releases", "ReleaseDecision", takes: body, status == 201 ? [] : [.id(of: "a release")], status: status)
  }

  private func decide(_ id: UUID, _ request: Request, status: Int = 200, _ command: (Officer, Instant) -> ReleaseCommand) async throws -> Response {
    let now = commands.clock()
    let handled = try await commands.give(
      ReleaseDecider.self, command(try request.officer(), now), to: WarningStreams.release(id), coding: WarningCoding.releases, for: request, at: now,
      WarningProblems.of)
    let (release, word): (Release, String) =
      switch handled.state {
      case .none: throw WarningProblems.of(ReleaseRefusal.unknown)
      case .proposed(let release, _): (release, "proposed")
      case .approved(let release): (release, "approved")
      case .revoked(let release): (release, "revoked")
      }
    struct View: Encodable {
      let release: Release
      let status: String
    }
    var response = Response.json(try WarningJSON.bytes(View(release: release, status: word)), status: status)
    if status == 201 { response.headers["Location"] = "/warnings/releases/\(id.uuidString.lowercased())" }
    DOSPosition.write(handled.positions, to: &response)
    return response
  }
}
