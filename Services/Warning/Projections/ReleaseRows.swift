import EventSourcing
import Postgres
import WarningDomain

struct ReleaseRows {
  let tables: TableNames

  func apply(_ event: ReleaseEvent, on connection: isolated PostgresConnection) throws {
    switch event {
    case .proposed(let event):
      let release = event.release
      try connection.execute(
        """
        insert into \(tables["releases"]) (release, city, mode, window_from, window_until, reason, status)
        values (\(release.id), \(release.city), \(release.mode.rawValue), \(release.from), \(release.until), \(release.reason), 'proposed')
        """)
    case .approved(let event): try connection.execute("update \(tables["releases"]) set status = 'approved' where release = \(event.id)")
    case .revoked(let event): try connection.execute("update \(tables["releases"]) set status = 'revoked' where release = \(event.id)")
    }
  }
}
