import BrokerEmbedded
import Embedded
import Postgres

/// The files of this module that are in the binary.
public let brokerFiles = EmbeddedFile.list(broker_files())

/// The tables of `PostgresBroker` in the database `dos_broker`.
public enum BrokerMigrations {
  /// The name under which they are recorded.
  public static let scope = "broker"

  public static func load() throws(PostgresError) -> [Migration] {
    try Migrations.load(brokerFiles)
  }
}
