import EventSourcing
import Postgres

/// The registry's read models, from its Journal.
struct RegistryProjection: Projection {
  static let name = "registry"

  let tables = RegistryTables.keys.map { ProjectionTable(name: $0.table, key: $0.key) }

  func project(_ batch: [ProjectedEvent], on connection: isolated PostgresConnection, tables: TableNames) throws {
    let events = try batch.compactMap { try RegistryEvent(type: $0.event.type, data: $0.event.data) }
    try RegistryTables(tables: tables).write(RegistryFolding(events), on: connection)
  }
}
