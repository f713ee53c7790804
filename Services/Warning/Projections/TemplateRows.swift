import EventSourcing
import Postgres
import WarningDomain

struct TemplateRows {
  let tables: TableNames

  func apply(_ event: TemplateEvent, on connection: isolated PostgresConnection) throws {
    switch event {
    case .saved(let event):
      try connection.execute(
        """
        insert into \(tables["templates"]) (name, template, changed) values (\(event.name), \(try WarningJSON.text(event.template))::json, \(event.at))
        on conflict (name) do update set template = excluded.template, changed = excluded.changed
        """)
    case .removed(let event): try connection.execute("delete from \(tables["templates"]) where name = \(event.name)")
    }
  }
}
