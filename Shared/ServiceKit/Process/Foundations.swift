import Broker
import HTTP
import Postgres
import Time

/// What services stand on in one process: their migrated databases, the broker with their topics, the devices' keys.
public final class Foundations: Sendable {
  public let services: [any Service]
  public let settings: Settings
  public let log: Log
  public let metrics: Metrics
  public let broker: any EventBroker
  public let devices: DeviceKeys
  private let pools: [String: PostgresPool]

  /// Waits for the databases, migrates them, opens the broker and declares the topics.
  ///
  /// - Throws: `Databases.Unreachable`, `Databases.Missing`, `PostgresError`, `BrokerError`, `CancellationError`.
  public init(for services: [any Service], _ settings: Settings, log: Log, metrics: Metrics = Metrics()) async throws {
    let databases = Databases(settings, log: log)
    // A process without the service whose devices have keys has none to know, and may not reach into another service's database.
    let owned = services.map(\.database)
    let given = settings[ProcessSettings.identityDatabase]
    let identity = settings.isSet(ProcessSettings.identityDatabase) || owned.contains(given) ? given : owned.first ?? given
    var pools: [String: PostgresPool] = [:]
    do {
      for service in services {
        let pool = try await databases.open(service.database, size: 12)
        pools[service.database] = pool
        let migrations = try service.migrations()
        try await databases.reaching(.database(service.database)) {
          for steps in migrations { try await Self.apply(steps, to: pool, named: service.database, log) }
        }
      }
      let identityPool: PostgresPool
      if let pool = pools[identity] { identityPool = pool } else { identityPool = try await databases.open(identity, size: 2) }
      pools[identity] = identityPool
      try await databases.reaching(.database(identity)) { try await Self.apply(DeviceKeys.migrations(), to: identityPool, named: identity, log) }
      devices = DeviceKeys(pool: identityPool)
      if !settings[ProcessSettings.unsafeDurability] {
        for service in services {
          try await databases.reaching(.database(service.database)) { [pools] in try await pools[service.database]?.checkDurability() }
        }
      }
      broker = try await CityBroker.open(settings, databases, log: log)
    } catch {
      for pool in pools.values { await pool.close() }
      throw error
    }
    self.services = services
    self.settings = settings
    self.log = log
    self.metrics = metrics
    self.pools = pools
    do {
      try await databases.reaching(CityBroker.server(settings)) { [broker] in try await broker.declare(services.flatMap(\.topics)) }
    } catch {
      await close()
      throw error
    }
    metrics.brokerWaiting { [broker] in Double(broker.waitingBytes) }
  }

  private static func apply(_ steps: SchemaSteps, to pool: PostgresPool, named database: String, _ log: Log) async throws {
    log.migrated(try await Migrations.apply(steps.migrations, scope: steps.scope, to: pool), steps.scope, in: database)
  }

  /// What a service of this process stands on.
  public func context(for service: any Service) throws(NotHere) -> ServiceContext {
    guard let pool = pools[service.database] else { throw NotHere(service: service.name) }
    return ServiceContext(
      pool: pool, broker: broker, city: settings[ProcessSettings.city], settings: settings, log: log.with(["service": .string(service.name)]), metrics: metrics)
  }

  /// A service was asked for that this process was not started with.
  public struct NotHere: Error, Sendable {
    public let service: String
  }

  /// Whether database and broker answer.
  public var checks: [HealthCheck] {
    let databases = pools.sorted { $0.key < $1.key }.map { name, pool in
      HealthCheck("database \(name)") {
        do {
          _ = try await pool.query("select 1", within: .seconds(1))
          return .good
        } catch {
          return .bad("it does not answer")
        }
      }
    }
    guard let topic = services.flatMap(\.topics).first else { return databases }
    return databases + [
      HealthCheck("broker") { [broker] in
        do throws(BrokerError) {
          _ = try await broker.end(of: topic)
          return .good
        } catch {
          return .bad("it does not answer")
        }
      }
    ]
  }

  /// Ends what was begun: the broker first, since it still writes what waits.
  public func close() async {
    await broker.close()
    for pool in pools.values { await pool.close() }
  }
}

extension Log {
  /// Says what was applied, and what an instance of a newer version has applied before: until the upgrade ends, this one goes on beside it.
  func migrated(_ outcome: Migrations.Outcome, _ scope: String, in database: String) {
    for migration in outcome.applied { info("migrated", ["database": .string(database), "step": .string("\(scope)/\(migration.name)")]) }
    for name in outcome.beyond {
      warning(
        "a newer program has migrated further; end the upgrade, or go back with every instance",
        [
          "database": .string(database), "step": .string("\(scope)/\(name)"),
        ])
    }
  }
}
