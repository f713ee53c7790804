import EventSourcing
import Postgres

/// The registry's read models, from its Journal.
struct RegistryProjection: Projection {
  static let name = "registry"

  let tables = RegistryTables.keys.map { ProjectionTable(name: $0.table, key: $0.key) }

  func project(_ batch: [ProjectedEvent], on connection: isolated PostgresConnection, tables: TableNames) throws {
    let written = RegistryTables { tables.name($0) }
    for projected in batch {
      guard let event = try RegistryEvent(type: projected.event.type, data: projected.event.data) else { continue }
      try written.apply(event, on: connection)
    }
  }
}
