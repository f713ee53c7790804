import Embedded
import EventSourcingEmbedded
public import Postgres

/// The tables of a service's own database that event sourcing needs: the Journal, checkpoints, dead letters.
public enum EventSourcingMigrations {
  /// Under this scope they are applied, beside the service's own.
  public static let scope = "event-sourcing"

  /// From the files in the binary, in their order.
  public static func load() throws(PostgresError) -> [Migration] {
    try Migrations.load(EmbeddedFile.list(event_sourcing_files()).filter { $0.name.hasPrefix("Migrations/") })
  }
}
