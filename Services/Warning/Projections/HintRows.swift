import EventSourcing
import JSON
import Postgres
import Time
import WarningDomain

struct HintRows {
  let stream: String
  let tables: TableNames

  func apply(_ event: HintEvent, on connection: isolated PostgresConnection) throws {
    switch event {
    case .raised(let event):
      let finding = event.finding
      try connection.execute(
        """
        insert into \(tables["hints"]) (hint, rule, version, city, title, note, severity, longitude, latitude, standing, level, since, raised, changed, readings,
          forecast)
        values (\(event.id), \(finding.rule), \(Int32(finding.version)), \(finding.city), \(finding.title), \(finding.text), \(finding.severity.rawValue),
          \(finding.place?.longitude as Double?), \(finding.place?.latitude as Double?), 'raised', 1, \(finding.since), \(event.at), \(event.at),
          \(try WarningJSON.text(finding.readings))::json, \(try finding.forecast.map { try WarningJSON.text($0) } as String?)::json)
        """)
      if finding.rota != nil { try escalation(at: event.at + HintDecider.acknowledged, on: connection) }
    case .acknowledged(let event): try standing("acknowledged", event.at, on: connection)
    case .confirmed(let event): try standing("confirmed", event.at, on: connection)
    case .dismissed(let event): try standing("dismissed", event.at, on: connection)
    case .cleared(let event): try standing("cleared", event.at, on: connection)
    case .escalated(let event):
      try connection.execute(
        "update \(tables["hints"]) set level = \(Int32(event.level)), changed = \(event.at) where hint = \(event.id)")
      if event.level < HintDecider.mostLevels {
        try escalation(at: event.at + HintDecider.acknowledged, on: connection)
      } else {
        try WarningProjection.deadlines.clear(stream, on: connection, tables: tables)
      }
    }
  }

  private func standing(_ standing: String, _ at: Instant, on connection: isolated PostgresConnection) throws {
    let id = stream.dropFirst("hint-".count)
    try connection.execute("update \(tables["hints"]) set standing = \(standing), changed = \(at) where hint = \(String(id))::uuid")
    try WarningProjection.deadlines.clear(stream, on: connection, tables: tables)
  }

  private func escalation(at time: Instant, on connection: isolated PostgresConnection) throws {
    try WarningProjection.deadlines.set(Deadline(stream: stream, kind: DeadlineKind.escalate.rawValue, due: time), on: connection, tables: tables)
  }
}
