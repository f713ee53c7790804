import EventSourcing
import JSON
import Postgres
import Time
import WarningDomain

struct RuleRows {
  let stream: String
  /// Where the decision stands.
  let place: Int64
  let tables: TableNames

  func apply(_ event: RuleEvent, on connection: isolated PostgresConnection) throws {
    switch event {
    case .drafted(let event):
      try connection.execute(
        """
        insert into \(tables["rules"]) (rule, version, city, name, status, definition, changed, place)
        values (\(event.id), 1, \(event.rule.city), \(event.rule.name), 'drafted', \(try WarningJSON.text(event.rule))::json, \(event.at), \(place))
        """)
    case .changed(let event):
      try connection.execute(
        """
        update \(tables["rules"]) set version = \(Int32(event.version)), city = \(event.rule.city), name = \(event.rule.name),
          since = case when status = 'live' then \(event.at) end, definition = \(try WarningJSON.text(event.rule))::json, changed = \(event.at), place = \(place)
        where rule = \(event.id)
        """)
    case .activated(let event):
      try connection.execute(
        "update \(tables["rules"]) set status = 'live', since = \(event.at), changed = \(event.at), place = \(place) where rule = \(event.id)")
    case .paused(let event):
      try connection.execute(
        "update \(tables["rules"]) set status = 'paused', since = null, changed = \(event.at), place = \(place) where rule = \(event.id)")
    case .retired(let event):
      try connection.execute(
        "update \(tables["rules"]) set status = 'retired', since = null, changed = \(event.at), place = \(place) where rule = \(event.id)")
    }
  }
}
