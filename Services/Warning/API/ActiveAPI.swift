import Foundation
import HTTP
import JSON
import Postgres
import Time
import WarningDomain

/// What holds now, for everybody: all of it, or at a place.
///
/// The place is in no log and in no answer. Whoever would rather not tell it reads all and compares on the device.
struct ActiveAPI: Sendable {
  let lists: WarningLists
  let clock: @Sendable () -> Instant

  /// How long what ended is still shown, with how it ended.
  static let endedShown = Duration.seconds(86_400)

  var routes: [Route] {
    [
      Route(
        .get, "/warnings/active", access: .everyone, accepts: [],
        info: RouteInfo(
          "What holds now, all of it or at a place", tag: "Public",
          parameters: [
            ParameterInfo("lat", "Degrees north; with lon", schema: #"{"type":"number","minimum":-90,"maximum":90}"#),
            ParameterInfo("lon", "Degrees east; with lat", schema: #"{"type":"number","minimum":-180,"maximum":180}"#),
          ], responses: [.schema("ActiveAlerts")], isTagged: true)
      ) { request in try await active(request) },
      Route(
        .get, "/warnings/outlines", access: .everyone, accepts: [],
        info: .read(
          "The outlines of what holds now as GeoJSON, as exact as they were approved; those in /warnings/active may be simplified, and are never smaller",
          "Public", "Outlines", waits: false)
      ) { request in try await outlines(request) },
    ]
  }

  private func active(_ request: Request) async throws -> Response {
    try request.query.allowing(["lat", "lon"])
    try await lists.ownWrites(request)
    let place: SQL
    switch (try number("lat", 90, request), try number("lon", 180, request)) {
    case (let lat?, let lon?): place = "and ST_Covers(outline, ST_SetSRID(ST_MakePoint(\(lon), \(lat)), 4326))"
    case (nil, nil): place = ""
    case (_, nil): throw Problem.badRequest(path: "lon", problem: "is missing beside lat", expected: "both, or none")
    case (nil, _): throw Problem.badRequest(path: "lat", problem: "is missing beside lon", expected: "both, or none")
    }
    let now = clock()
    let rows = try await lists.pool.query(
      """
      select published::text from issued_messages
      where over is null and expires > \(now) and 'app' = any (channels) and (kind in ('alert', 'update') or sent > \(now - Self.endedShown)) \(place)
      order by sent desc, message limit 1000
      """)
    var response = Response.json(Array("{\"alerts\":[\(try rows.map { row throws in try row.value(String.self, at: 0) }.joined(separator: ","))]}".utf8))
    response.headers["Cache-Control"] = "no-cache"
    return response.unlessUnchanged(for: request)
  }

  private func outlines(_ request: Request) async throws -> Response {
    try request.query.allowing([])
    try await lists.ownWrites(request)
    let rows = try await lists.pool.query(
      """
      select json_build_object('type', 'Feature', 'properties', json_build_object('message', message), 'geometry', ST_AsGeoJSON(outline, 7)::json)::text
      from issued_messages where over is null and expires > \(clock()) and 'app' = any (channels) and kind in ('alert', 'update')
      order by sent desc, message limit 1000
      """)
    let features = try rows.map { row throws in try row.value(String.self, at: 0) }.joined(separator: ",")
    var response = Response.json(Array("{\"type\":\"FeatureCollection\",\"features\":[\(features)]}".utf8))
    response.headers["Cache-Control"] = "no-cache"
    return response.unlessUnchanged(for: request)
  }

  private func number(_ name: String, _ most: Double, _ request: Request) throws(Problem) -> Double? {
    guard let text = try request.query.value(name) else { return nil }
    guard let value = Double(text), value.isFinite, abs(value) <= most else {
      // What was sent is a place: it is not repeated.
      throw .badRequest(path: name, problem: "is no such number", expected: "degrees from -\(Int(most)) to \(Int(most))")
    }
    return value
  }
}
