import CAP
import Foundation
import HTTP
import Postgres
import ServiceKit
import Time
import WarningDomain

/// Alerts as CAP 1.2, one by one and as an Atom feed.
struct CAPAPI: Sendable {
  let lists: WarningLists
  let clock: @Sendable () -> Instant

  /// How long a message stays in the feed that no longer holds: whoever polls seldom must see that it ended.
  private static let shown = Duration.seconds(7 * 86_400)

  var routes: [Route] {
    [
      Route(
        .get, "/warnings/feed", access: .everyone, accepts: [],
        info: RouteInfo(
          "The messages of the last week and those that hold, as an Atom feed of CAP 1.2", tag: "Public",
          parameters: [ParameterInfo("lang", "The language of titles and summaries", schema: #"{"type":"string","examples":["en"]}"#)],
          responses: [.text("application/atom+xml")], isTagged: true)
      ) { try await feed($0) },
      Route(
        .get, "/warnings/cap/{message}", access: .everyone, accepts: [],
        info: RouteInfo(
          "One message as CAP 1.2", tag: "Public", parameters: [.id(of: "a message", "message")], responses: [.text("application/cap+xml")],
          isTagged: true)
      ) { try await message($0) },
    ]
  }

  private func feed(_ request: Request) async throws -> Response {
    try request.query.allowing(["lang"])
    try await lists.ownWrites(request)
    let now = clock()
    let rows = try await lists.pool.query(
      """
      select published::text from issued_messages
      where 'cap-feed' = any (channels) and (sent > \(now - Self.shown) or (over is null and expires > \(now)))
      order by sent desc, message limit 200
      """)
    let entries = try rows.map { row throws in
      let alert = try Self.published(row)
      let link = "\(request.origin)/warnings/cap/\(alert.message.uuidString.lowercased())"
      return CAPFeed.Entry(alert: CAPAlert(alert), link: link)
    }
    let address = "\(request.origin)/warnings/feed"
    let feed = CAPFeed(
      id: address, link: address, title: "Warnungen der Städte Dortmund und Schwerte", author: "DOS 2030",
      updated: entries.first?.alert.sent ?? Instant(milliseconds: 0), entries: entries)
    let bytes = feed.xml(language: try request.query.value("lang") ?? "de")
    return Response(headers: ["Content-Type": "application/atom+xml; charset=utf-8", "Cache-Control": "no-cache"], body: .bytes(bytes))
      .unlessUnchanged(for: request)
  }

  private func message(_ request: Request) async throws -> Response {
    let id = try request.uuid("message")
    try await lists.ownWrites(request)
    // What a control room enters into MoWaS it may read, in the feed or not.
    let isWatcher = request.caller.map { $0.has(.controlRoom) || $0.has(.warningOfficer) || $0.has(.administrator) } ?? false
    let which: SQL = isWatcher ? "" : "and 'cap-feed' = any (channels)"
    let rows = try await lists.pool.query("select published::text from issued_messages where message = \(id) \(which)")
    guard let row = rows.first else { throw Problem.notFound("There is no such message.") }
    let alert = CAPAlert(try Self.published(row))
    let bytes: [UInt8]
    do throws(CAPError) {
      bytes = try alert.xml()
    } catch {
      throw Problem.unprocessable("This message cannot be written as CAP 1.2: \(error).")
    }
    return Response(headers: ["Content-Type": "application/cap+xml; charset=utf-8"], body: .bytes(bytes)).unlessUnchanged(for: request)
  }

  private static func published(_ row: Row) throws -> PublishedAlert {
    try JSONDecoder().decode(PublishedAlert.self, from: Data(try row.value(String.self, at: 0).utf8))
  }
}
