import HTTP
import Postgres
import SensorDomain

/// What somebody may see of datastreams. Everything else in the registry is public.
struct STAViewer: Sendable, Hashable {
  let visibilities: [DatastreamVisibility]
  /// Where set, what is not public is seen of this city only.
  let city: String?

  static let everyone = STAViewer(visibilities: [.public], city: nil)

  init(visibilities: [DatastreamVisibility], city: String?) {
    self.visibilities = visibilities
    self.city = city
  }

  /// Partners see what is for partners; the administration what is internal too; what is restricted the administrator alone.
  init(_ caller: Caller?) {
    guard let caller else {
      self = .everyone
      return
    }
    if caller.roles.contains("administrator") {
      visibilities = DatastreamVisibility.allCases
    } else if caller.roles.contains("reader") || caller.roles.contains("sensor-operator") {
      visibilities = [.public, .partner, .internal]
    } else if caller.roles.contains("partner") {
      visibilities = [.public, .partner]
    } else {
      visibilities = [.public]
    }
    city = caller.city
  }

  /// Whether a datastream of that visibility and city may be seen.
  func sees(_ visibility: DatastreamVisibility, city other: String) -> Bool {
    visibility == .public || (visibilities.contains(visibility) && (city == nil || city == other))
  }

  /// SQL that is true for the rows of a type that are there and may be seen.
  /// - Parameter reachedBy: the way to them from entities that may be seen, for which this was asked already.
  func condition(_ type: STAEntityType, alias: String, reachedBy navigation: STANavigation? = nil) -> SQL {
    var sql: SQL = "true"
    if let condition = type.condition { sql += " and \(unsafe: condition.of(alias))" }
    if navigation?.passesAccess == true { return sql }
    if case .visibility(let column, let cityColumn) = type.access {
      let column = column.of(alias)
      let others = visibilities.filter { $0 != .public }.map(\.rawValue)
      if others.isEmpty {
        sql += " and \(unsafe: column) = 'public'"
      } else if let city {
        sql += " and (\(unsafe: column) = 'public' or (\(unsafe: column) = any(\(others)) and \(unsafe: cityColumn.of(alias)) = \(city)))"
      } else {
        sql += " and (\(unsafe: column) = 'public' or \(unsafe: column) = any(\(others)))"
      }
    }
    if case .datastream(let column) = type.access {
      // As a set, which is found once: asked of each row, a million of them took half a minute.
      sql += " and \(unsafe: column.of(alias)) in (select owner.id from datastreams owner"
      sql += " where \(condition(.datastream, alias: "owner")))"
    }
    return sql
  }
}
