import Broker
import Postgres

/// The broker that the settings name.
enum CityBroker {
  private static let database = "dos_broker"

  /// What is waited for.
  static func server(_ settings: Settings) -> Databases.Server {
    switch settings[ProcessSettings.broker] {
    case .postgres: .database(database)
    case .kafka: .kafka
    }
  }

  /// Opens it, waiting for a PostgreSQL that is away. Whether a Kafka answers is found out by who declares the topics.
  ///
  /// - Throws: `SettingsRejection`, `Databases.Unreachable`, `Databases.Missing`, `PostgresError`, `BrokerError`, `CancellationError`.
  static func open(_ settings: Settings, _ databases: Databases, log: Log) async throws -> GrowingBroker {
    switch settings[ProcessSettings.broker] {
    case .postgres:
      let waiting = try await databases.open(database, size: 1)
      await waiting.close()
      let broker = try await databases.reaching(server(settings)) {
        try await PostgresBroker.open(
          databases.configuration(database, applicationName: "dos broker"), unsafeDurability: settings[ProcessSettings.unsafeDurability]
        ) { log.migrated($0, BrokerMigrations.scope, in: database) }
      }
      return GrowingBroker(broker)
    case .kafka: return GrowingBroker(try KafkaBroker.open(kafka(settings, log: log)))
    }
  }

  static func kafka(_ settings: Settings, log: Log) throws(SettingsRejection) -> KafkaSettings {
    guard let bootstrap = settings[ProcessSettings.kafkaBootstrap] else {
      throw SettingsRejection([.impossible(.flag("--kafka-bootstrap"), value: nil, expected: "the brokers of the Kafka that --broker kafka is to use")])
    }
    var properties: [String: String] = [:]
    for text in settings[ProcessSettings.kafkaProperties] {
      let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard sides.count == 2, !sides[0].isEmpty else {
        throw SettingsRejection([.impossible(.flag("--kafka-property"), value: text, expected: "a name and a value, such as security.protocol=SSL")])
      }
      guard !sides[0].hasSuffix("password") else { throw SettingsRejection([.secretOnCommandLine(flag: "--kafka-password")]) }
      properties[sides[0]] = sides[1]
    }
    if let password = settings[ProcessSettings.kafkaPassword] { properties["sasl.password"] = password.revealed }
    return KafkaSettings(
      bootstrap: bootstrap, replication: settings[ProcessSettings.kafkaReplication], makesTopics: settings[ProcessSettings.kafkaTopics] == .make,
      properties: properties, trouble: { what in log.repeating(.warning, "kafka", every: .seconds(5), "kafka", ["what": .string(what)]) })
  }
}
