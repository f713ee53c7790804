import Postgres
import SensorIngest
import ServiceKit
import Warning

/// The services there are. `all` is another name in the list.
enum CityServices {
  static let list: [any Service] = [SensorIngestService(), WarningService()]

  /// The services that words on the command line name, each once and in the order of the list.
  static func named(_ words: [String]) throws(SettingsRejection) -> [any Service] {
    let names = list.map(\.name)
    for word in words where word != "all" && !names.contains(word) {
      throw SettingsRejection([.wrongArguments(expected: "all or some of the services \(names.joined(separator: ", ")), and not \"\(word)\"")])
    }
    return words.contains("all") ? list : list.filter { words.contains($0.name) }
  }

  /// The services whose databases are this user's: all of them on one machine; in a service's own container, where each has a role of its own, that one.
  /// - Throws: why the first cannot be reached, where none can.
  static func own(_ settings: Settings) async throws -> [any Service] {
    let databases = Databases(settings, log: settings.log)
    var own: [any Service] = []
    var refusal: (any Error)?
    for service in list {
      do {
        let pool = try await databases.open(service.database, size: 1)
        let rows = try await pool.query("select has_schema_privilege('public', 'create')")
        await pool.close()
        if try rows.first?.value(Bool.self, at: 0) == true { own.append(service) }
      } catch let error as PostgresError where error.sqlState == "42501" {
        refusal = refusal ?? error
      } catch let error as Databases.Missing {
        refusal = refusal ?? error
      }
    }
    if own.isEmpty, let refusal { throw refusal }
    return own
  }

  /// The settings of all services: one may stand in a file that several processes read.
  static var settings: [Setting] { list.flatMap(\.settings) }
}
