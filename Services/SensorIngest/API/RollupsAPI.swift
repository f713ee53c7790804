import HTTP
import JSON
import Postgres
import SensorDomain
import Time

/// `GET /sensors/v1/datastreams/{id}/hours?from=&to=` and `.../days`: what was measured in each hour (UTC) or day of the city (Europe/Berlin). SensorThings has
/// no such thing, so the shape is ours:
///
///     {"value": [{"hour": "2026-11-21T10:00:00.000Z", "readings": 60, "plausible": 59, "minimum": 1, "maximum": 3, "mean": 2.5}]}
///
/// Days carry `"day": "2026-11-21"` and `from` and `to` are days then. Both ends as asked: `from` belongs to it, `to` does not. Minimum, maximum and mean are of
/// the plausible numbers, and null where there are none. Hours and days without a reading are left out.
struct RollupsAPI: Sendable {
  /// How many hours or days an answer holds at most: a year of hours.
  static let limit = 8_784

  let pool: PostgresPool
  let observations: ObservationsAPI

  var routes: [Route] {
    let hours = Self.info("hours", "hour", #"{"type":"string","format":"date-time"}"#)
    let days = Self.info("days", "day", #"{"type":"string","format":"date"}"#)
    return [
      Route(.get, "/sensors/v1/datastreams/{id}/hours", access: .everyone, info: hours) { request in
        let (from, to) = (try Self.instant(request, "from"), try Self.instant(request, "to"))
        guard from < to, to - from <= .seconds(Self.limit * 3_600) else { throw Self.tooLong }
        return try await answer(request) { id in
          "select hour, null::text, readings, plausible, minimum, maximum, (total / nullif(plausible, 0))::float8 from observation_hours where datastream_id = \(id) and hour >= \(from) and hour < \(to) order by hour"
        }
      },
      Route(.get, "/sensors/v1/datastreams/{id}/days", access: .everyone, info: days) { request in
        let (from, to) = (try Self.day(request, "from"), try Self.day(request, "to"))
        guard from < to, to.daysSince1970 - from.daysSince1970 <= Self.limit else { throw Self.tooLong }
        return try await answer(request) { id in
          "select null::timestamptz, day::text, readings, plausible, minimum, maximum, (total / nullif(plausible, 0))::float8 from observation_days where datastream_id = \(id) and day >= \(from.iso8601)::text::date and day < \(to.iso8601)::text::date order by day"
        }
      },
    ]
  }

  private func answer(_ request: Request, _ sql: (Int64) -> SQL) async throws -> Response {
    try request.query.allowing(["from", "to"])
    let id = try request.integerParameter("id")
    try await observations.check(id, request)
    try await observations.waitForOwnWrites(request, datastream: id)
    var writer = JSONWriter(capacity: 16_384)
    writer.beginObject()
    writer.key("value")
    writer.beginArray()
    for row in try await pool.query(sql(id)) { try Self.write(row, to: &writer) }
    writer.endArray()
    writer.endObject()
    return .json(writer.bytes)
  }

  private static func write(_ row: Row, to writer: inout JSONWriter) throws {
    let (hour, day, readings, plausible, minimum, maximum, mean) = try row.decode(
      Instant?.self, String?.self, Int64.self, Int64.self, Double?.self, Double?.self, Double?.self)
    writer.beginObject()
    if let hour {
      writer.key("hour")
      writer.instant(hour)
    }
    if let day {
      writer.key("day")
      writer.string(day)
    }
    writer.key("readings")
    writer.int(readings)
    writer.key("plausible")
    writer.int(plausible)
    writer.key("minimum")
    writer.double(minimum ?? .nan)
    writer.key("maximum")
    writer.double(maximum ?? .nan)
    writer.key("mean")
    writer.double(mean ?? .nan)
    writer.endObject()
  }

  private static let tooLong = Problem.badRequest(
    path: "to", problem: "the span is empty or too long", expected: "a later end, at most \(limit) hours or days on")

  private static func instant(_ request: Request, _ name: String) throws(Problem) -> Instant {
    let text = try request.query.required(name)
    guard let instant = Instant(rfc3339: text) else {
      throw .badRequest(path: name, problem: "'\(text.prefix(40))' is no time", expected: "a time with a zone, as 2026-11-21T10:00:00Z")
    }
    return instant
  }

  private static func day(_ request: Request, _ name: String) throws(Problem) -> CityDay {
    let text = try request.query.required(name)
    guard let day = CityDay(iso8601: text) else { throw .badRequest(path: name, problem: "'\(text.prefix(40))' is no day", expected: "a day as 2026-11-21") }
    return day
  }

  private static func info(_ what: String, _ name: String, _ schema: String) -> RouteInfo {
    let figures: [Shape.Member] = [
      ("readings", Shape.natural), ("plausible", Shape.natural), ("minimum", Shape.nullable(Shape.number)), ("maximum", Shape.nullable(Shape.number)),
      ("mean", Shape.nullable(Shape.number)),
    ]
    let span = Shape.object([(name, schema)] + figures, required: [name] + figures.map(\.name), others: .refused)
    return RouteInfo(
      "Count, minimum, maximum and mean of a datastream's \(what)", tag: "Observations",
      parameters: [
        .id, ParameterInfo("from", "First \(name)", schema: schema, required: true),
        ParameterInfo("to", "First \(name) after, at most \(limit) hours or days on", schema: schema, required: true),
      ], responses: [BodyInfo(schema: Shape.object([("value", Shape.list(of: span))], required: ["value"], others: .refused))])
  }
}
