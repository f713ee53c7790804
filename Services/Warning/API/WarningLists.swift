import EventSourcing
import Foundation
import HTTP
import JSON
import Postgres
import ServiceKit
import Time
import WarningDomain

/// What lists show, from the read models.
struct WarningLists: Sendable {
  let pool: PostgresPool
  let decisions: Journal
  let positions: ReadPositions

  /// How long a list waits for what this process has acknowledged.
  private static let patience = Duration.milliseconds(250)
  private static let positionPatience = Duration.seconds(5)

  /// Returns when the read models have what this process has decided, or what the request names.
  func ownWrites(_ request: Request) async throws {
    for position in try DOSPosition.read(request) where position.topic == decisions.topic.name {
      do {
        try await positions.wait(for: .broker(partition: position.partition, offset: position.offset), timeout: Self.positionPatience)
      } catch ReadPositions.Failure.timeout {
        throw Problem.unavailable("The read model has not come to \(position.topic)/\(position.partition)/\(position.offset) yet. Try again.")
      } catch ReadPositions.Failure.parked(let stream, _) {
        throw Problem.conflict("An event of \(stream) could not be taken into the read model and waits for an operator.")
      }
    }
    if let head = decisions.commits.head(0) { _ = try await positions.wait(beyond: head, in: 0, atMost: Self.patience) }
  }

  func alerts(_ request: Request) async throws -> Response {
    try request.query.allowing(["limit", "cursor", "city", "open"])
    let page = try request.query.page(of: "alerts", kinds: [.integer, .text])
    let city: SQL = try request.query.value("city").map { "and city = \($0)" } ?? ""
    let open: SQL = try request.query.truth("open") == true ? "and ending is null" : ""
    let rows = try await pool.query(
      """
      select alert, changed, json_build_object('id', alert, 'city', city, 'mode', mode, 'origin', origin, 'hint', hint, 'title', title, 'severity', severity,
        'stage', stage, 'draft', draft, 'draftKind', draft_kind, 'revision', revision, 'authority', authority, 'head', head, 'headKind', head_kind,
        'sent', \(rfc3339("sent")), 'expires', \(rfc3339("expires")), 'ending', ending, 'reviewDue', review_due, 'changed', \(rfc3339("changed")))::text
      from alerts where \(try after(page, "changed", "alert")) \(city) \(open) order by changed desc, alert limit \(Int64(page.limit + 1))
      """)
    return try list(rows, page, "alerts")
  }

  func hints(_ request: Request) async throws -> Response {
    try request.query.allowing(["limit", "cursor", "city", "open"])
    let page = try request.query.page(of: "hints", kinds: [.integer, .text])
    let city: SQL = try request.query.value("city").map { "and city = \($0)" } ?? ""
    let open: SQL = try request.query.truth("open") == true ? "and standing in ('raised', 'acknowledged', 'confirmed')" : ""
    let rows = try await pool.query(
      """
      select hint, changed, json_build_object('id', hint, 'rule', rule, 'version', version, 'city', city, 'title', title, 'text', note, 'severity', severity,
        'longitude', longitude, 'latitude', latitude, 'standing', standing, 'level', level, 'since', \(rfc3339("since")), 'raised', \(rfc3339("raised")),
        'changed', \(rfc3339("changed")), 'readings', readings, 'forecast', forecast)::text
      from hints where \(try after(page, "changed", "hint")) \(city) \(open) order by changed desc, hint limit \(Int64(page.limit + 1))
      """)
    return try list(rows, page, "hints")
  }

  func rules(_ request: Request) async throws -> Response {
    try request.query.allowing(["limit", "cursor", "city"])
    let page = try request.query.page(of: "rules", kinds: [.integer, .text])
    let city: SQL = try request.query.value("city").map { "and city = \($0)" } ?? ""
    let rows = try await pool.query(
      """
      select rule, changed, json_build_object('id', rule, 'version', version, 'status', status, 'since', \(rfc3339("since")),
        'changed', \(rfc3339("changed")), 'rule', definition)::text
      from rules where \(try after(page, "changed", "rule")) \(city) order by changed desc, rule limit \(Int64(page.limit + 1))
      """)
    return try list(rows, page, "rules")
  }

  /// Who has what of an alert: every parcel of every destination, in the order of their handing over.
  func deliveries(of subject: UUID) async throws -> Response {
    let rows = try await pool.query(
      """
      select json_build_object('message', message, 'kind', kind, 'channel', channel, 'target', target,
        'name', (select name from delivery_targets t where t.target = deliveries.target), 'status', status, 'attempts', attempts, 'next', \(rfc3339("next")),
        'reason', reason, 'receipt', receipt, 'handed', \(rfc3339("handed")), 'changed', \(rfc3339("changed")))::text
      from deliveries where subject = \(subject) order by handed, channel, stream, message limit 10000
      """)
    return Response.json(Array("{\"deliveries\":[\(try rows.map { row throws in try row.value(String.self, at: 0) }.joined(separator: ","))]}".utf8))
  }

  func releases() async throws -> Response {
    let rows = try await pool.query(
      """
      select json_build_object('id', release, 'city', city, 'mode', mode, 'from', \(rfc3339("window_from")), 'until', \(rfc3339("window_until")),
        'reason', reason, 'status', status)::text from releases order by window_from desc, release limit 1000
      """)
    return Response.json(Array("{\"releases\":[\(try rows.map { row throws in try row.value(String.self, at: 0) }.joined(separator: ","))]}".utf8))
  }

  /// Messages issued, by month and kind. Exercises and tests never count.
  func figures(city: String?) async throws -> Response {
    let which: SQL = city.map { "and city = \($0)" } ?? ""
    let rows = try await pool.query(
      """
      select json_build_object('month', to_char(sent at time zone 'Europe/Berlin', 'YYYY-MM'), 'city', city, 'kind', kind, 'severity', severity,
        'category', category, 'count', count(*))::text
      from issued_messages where mode = 'Actual' \(which)
      group by to_char(sent at time zone 'Europe/Berlin', 'YYYY-MM'), city, kind, severity, category
      order by to_char(sent at time zone 'Europe/Berlin', 'YYYY-MM') desc, city, kind, severity, category limit 1000
      """)
    return Response.json(Array("{\"figures\":[\(try rows.map { row throws in try row.value(String.self, at: 0) }.joined(separator: ","))]}".utf8))
  }

  /// A time as everything else here writes it.
  private func rfc3339(_ column: String) -> SQL {
    "to_char(\(identifier: column) at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
  }

  private func after(_ page: PageRequest, _ time: String, _ id: String) throws -> SQL {
    guard let after = page.after, case .integer(let changed) = after.values[0], case .text(let last) = after.values[1] else { return "true" }
    let moment = Instant(milliseconds: changed)
    return "(\(identifier: time) < \(moment) or (\(identifier: time) = \(moment) and \(identifier: id) > \(last)::uuid))"
  }

  /// Rows of id, time and JSON as a page with a link to the next.
  private func list(_ rows: Rows, _ page: PageRequest, _ name: String) throws -> Response {
    let shown = rows.prefix(page.limit)
    var json = JSONWriter()
    try json.object { json throws in
      json.key(name: name)
      try json.array { json throws in
        for row in shown { json.raw(Array(try row.value(String.self, at: 2).utf8)) }
      }
      if rows.count > page.limit, let last = shown.last {
        let (id, time) = try last.decode(UUID.self, Instant.self)
        json.key("next")
        json.string(Cursor([.integer(time.milliseconds), .text(id.uuidString.lowercased())]).encoded(for: name))
      }
    }
    return .json(json.bytes)
  }
}
