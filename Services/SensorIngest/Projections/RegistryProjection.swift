import Dispatch
import EventSourcing
import JSON
import Postgres
import Synchronization

/// The registry's read models, from its Journal.
struct RegistryProjection: Projection {
  static let name = "registry"

  let tables = RegistryTables.keys.map { ProjectionTable(name: $0.table, key: $0.key) }

  func check(_ event: ProjectedEvent) throws { _ = try Self.read([event]) }

  func project(_ batch: [ProjectedEvent], on connection: isolated PostgresConnection, tables: TableNames) throws {
    try RegistryTables(tables: tables).write(RegistryFolding(Self.read(batch)), on: connection)
  }

  /// Fewer are read sooner by one thread than handed to others.
  private static let piece = 500

  /// The events of a batch, in its order, read on all cores at once: nothing of it can be written before the last is read.
  private static func read(_ batch: [ProjectedEvent]) throws -> [RegistryEvent] {
    let pieces = Mutex<[Int: Result<[RegistryEvent], any Error>]>([:])
    let count = (batch.count + piece - 1) / piece
    DispatchQueue.concurrentPerform(iterations: count) { number in
      let part = batch[number * piece..<min((number + 1) * piece, batch.count)]
      let events = Result { try part.compactMap { try RegistryEvent(type: $0.event.type, data: $0.event.data) } }
      pieces.withLock { $0[number] = events }
    }
    return try pieces.withLock { pieces in try (0..<count).flatMap { try pieces[$0]?.get() ?? [] } }
  }
}
