import EventSourcing
import Foundation
import HTTP
import JSON
import ServiceKit
import WarningDomain

/// Who is sent what: webhooks and mailing lists, of each city its own.
struct TargetsAPI: Sendable {
  let targets: DeliveryTargets
  let city: String

  /// Of the channels those that need an address.
  enum Sending: String, CaseIterable, Decodable { case webhook, email }

  static let longestAddress = 8_192
  /// Bytes.
  static let shortestSecret = 24
  /// Mail addresses of one target.
  static let mostAddresses = 100
  /// Regular expressions of one address.
  static let webAddress = "https?://[!-~]+"
  static let mailAddress = "[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,253}"
  /// A regular expression of what a target may be for.
  static let purposes = "alerts|rota/[a-z0-9-]{1,60}/[1-\(HintDecider.mostLevels)]|control-room/[a-z0-9-]{1,60}"

  private struct Body: Decodable, KnownFields, Sendable {
    static let fields = ["city", "channel", "name", "address", "secret", "purpose"]
    let city: String?
    let channel: Sending
    let name: String
    let address: String
    let secret: String?
    let purpose: String?
  }

  var routes: [Route] {
    let officers = Access.roles(.warningOfficer)
    return [
      Route(
        .get, "/warnings/targets", access: officers, accepts: [],
        info: .read("Who is sent what; secrets are never shown", "Targets", "Targets", waits: false)
      ) { request in
        let all = try await targets.all(city: request.caller?.city)
        return Response.json(try WarningJSON.bytes(["targets": all.map(View.init)])).unlessUnchanged(for: request)
      },
      Route(
        .post, "/warnings/targets", access: officers,
        info: RouteInfo(
          "Adds a webhook or a mailing list", tag: "Targets", request: .newTarget, responses: [.schema("Target")], status: 201, headers: [.location])
      ) { try await add($0) },
      Route(
        .delete, "/warnings/targets/{id}", access: officers, accepts: [],
        info: RouteInfo("Takes a target away, with its address", tag: "Targets", parameters: [.id(of: "a target")], status: 204)
      ) { request in
        let target = try await own(request)
        try await targets.remove(target.id)
        return .noContent
      },
    ]
  }

  private func add(_ request: Request) async throws -> Response {
    let body = try request.decoded(Body.self)
    let city = body.city ?? request.caller?.city ?? self.city
    try check(city, request)
    let channel: Channel = body.channel == .webhook ? .webhook : .email
    try check(body.address, channel)
    guard !body.name.allSatisfy(\.isWhitespace), body.name.count <= 200 else {
      throw Problem.badRequest(path: "name", problem: "is empty or too long", expected: "1 to 200 characters")
    }
    let purpose = body.purpose ?? DeliveryTargets.alerts
    guard try Regex(Self.purposes).wholeMatch(in: purpose) != nil else {
      throw Problem.badRequest(
        path: "purpose", problem: "is \"\(purpose.prefix(80))\"", expected: "alerts, rota/<name>/<level 1 to 5> or control-room/<authority>")
    }
    if channel == .webhook, (body.secret ?? "").utf8.count < Self.shortestSecret {
      throw Problem.badRequest(
        path: "secret", problem: "is missing or short", expected: "at least \(Self.shortestSecret) bytes that nobody can guess; signatures are made with it")
    }
    let target = DeliveryTarget(
      id: .v7(), city: city, channel: channel, name: body.name, address: body.address, secret: body.secret, purpose: purpose)
    guard try await targets.add(target) else { throw Problem.conflict("\(city) has a \(channel.rawValue) target of this name already.") }
    return .created(location: "/warnings/targets/\(target.id.uuidString.lowercased())", json: try WarningJSON.bytes(View(target)))
  }

  private func own(_ request: Request) async throws -> DeliveryTarget {
    guard let target = try await targets.one(try request.uuid("id")) else { throw Problem.notFound("There is no such target.") }
    try check(target.city, request)
    return target
  }

  private func check(_ city: String, _ request: Request) throws(Problem) {
    if let own = request.caller?.city, own != city { throw .forbidden("This is for officers of \(city).") }
  }

  private func check(_ address: String, _ channel: Channel) throws {
    let fits: Bool
    if channel == .webhook {
      fits = try Regex(Self.webAddress).wholeMatch(in: address) != nil
    } else {
      let parts = address.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingPrefix(while: { $0 == " " }) }
      let one = try Regex(Self.mailAddress)
      fits = try parts.count <= Self.mostAddresses && parts.allSatisfy { try one.wholeMatch(in: $0) != nil }
    }
    guard fits, address.utf8.count <= Self.longestAddress, address.utf8.allSatisfy({ $0 > 0x1f && $0 < 0x7f }) else {
      throw Problem.badRequest(
        path: "address", problem: "is no address of \(channel.rawValue)",
        expected: channel == .webhook ? "a URL that begins with https://" : "1 to \(Self.mostAddresses) mail addresses with commas between")
    }
  }

  private struct View: Encodable {
    let id: UUID
    let city: String
    let channel: Channel
    let name: String
    let address: String
    let purpose: String

    init(_ target: DeliveryTarget) {
      (id, city, channel, name, address, purpose) = (target.id, target.city, target.channel, target.name, target.address, target.purpose)
    }
  }
}
