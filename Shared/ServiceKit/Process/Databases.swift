import Broker
import Postgres
import Time

/// The databases of one PostgreSQL server: how each is reached, waited for and made.
public struct Databases: Sendable {
  /// A database is missing and may not be made by the user we are.
  public struct Missing: Error, Sendable, CustomStringConvertible {
    public let name: String
    public let reason: String
    public var description: String { "the database \(name) does not exist and cannot be made (\(reason)): create database \(name)" }
  }

  /// What is waited for.
  public enum Server: Sendable, Hashable, CustomStringConvertible {
    case database(String)
    case kafka

    public var description: String {
      switch self {
      case .database(let name): "the database \(name)"
      case .kafka: "Kafka"
      }
    }

    fileprivate var product: String {
      switch self {
      case .database: "PostgreSQL"
      case .kafka: "Kafka"
      }
    }

    fileprivate var setting: String {
      switch self {
      case .database: "DOS_POSTGRES"
      case .kafka: "DOS_KAFKA_BOOTSTRAP"
      }
    }
  }

  /// It did not answer for as long as the start may take.
  public struct Unreachable: Error, Sendable, CustomStringConvertible {
    public let server: Server
    public let limit: Duration
    public let reason: String
    public var description: String {
      "\(server) was not there within \(limit): \(reason). Set \(server.setting) to how it is reached, or DOS_START_LIMIT to wait longer"
    }
  }

  private let conninfo: String
  private let password: Secret?
  private let startLimit: Duration
  private let log: Log

  public init(_ settings: Settings, log: Log) {
    conninfo = settings[ProcessSettings.postgres]
    password = settings[ProcessSettings.postgresPassword]
    startLimit = settings[ProcessSettings.startLimit]
    self.log = log
  }

  /// How a database is reached. A name in the given conninfo is overruled.
  public func configuration(_ database: String, applicationName: String = "dos") -> PostgresConfiguration {
    var parts = [("dbname", database)]
    if let password { parts.append(("password", password.revealed)) }
    return PostgresConfiguration(conninfo: Self.conninfo(conninfo, adding: parts), applicationName: applicationName)
  }

  /// libpq takes key-value pairs, of which the last counts, and URIs, whose query may hold the same keys (section 34.1.1 of its manual).
  static func conninfo(_ given: String, adding parts: [(String, String)]) -> String {
    if given.hasPrefix("postgresql://") || given.hasPrefix("postgres://") {
      let query = parts.map { "\($0)=\(percentEncoded($1))" }.joined(separator: "&")
      return given + (given.contains("?") ? "&" : "?") + query
    }
    let pairs = parts.map { "\($0)='\($1.replacing("\\", with: "\\\\").replacing("'", with: "\\'"))'" }
    return ([given] + pairs).joined(separator: " ")
  }

  private static func percentEncoded(_ text: String) -> String {
    text.utf8.map { byte in
      let plain = (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte == 0x5f || byte == 0x2d
      return plain ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }

  /// Waits until the database answers, with a word in the log now and then, and makes it where it is missing.
  ///
  /// - Throws: `Missing`, `Unreachable`, `PostgresError` for what waiting cannot mend, `CancellationError`.
  public func open(_ database: String, size: Int = 8) async throws -> PostgresPool {
    let pool = PostgresPool(configuration(database), size: size)
    do {
      try await reaching(.database(database)) {
        do {
          _ = try await pool.query("select 1")
        } catch let error as PostgresError where error.message.contains("\"\(database)\" does not exist") {
          try await make(database)
          _ = try await pool.query("select 1")
        }
      }
    } catch {
      await pool.close()
      throw error
    }
    return pool
  }

  /// Runs a body that may be run again, and does so for as long as the start may take while the server is away or goes away meanwhile.
  ///
  /// - Throws: `Unreachable`, `CancellationError`, what the body throws and waiting cannot mend.
  public func reaching<Outcome>(_ server: Server, _ body: () async throws -> Outcome) async throws -> Outcome {
    let deadline = ContinuousClock.now + startLimit
    while true {
      do {
        return try await body()
      } catch {
        guard let reason = Self.trouble(error) else { throw error }
        guard ContinuousClock.now < deadline else { throw Unreachable(server: server, limit: startLimit, reason: reason) }
        log.repeating(
          .warning, "waiting for \(server)", every: .seconds(5), "waiting for \(server.product)",
          ["what": .string("\(server)"), "reason": .string(reason)])
        try await Task.sleep(for: .milliseconds(250))
      }
    }
  }

  /// Why the server cannot be reached; nil for an error that is none of its being away.
  private static func trouble(_ error: any Error) -> String? {
    switch error {
    case let error as PostgresError where error.isTransient: error.message
    case BrokerError.unavailable(let reason, _): reason
    default: nil
    }
  }

  private func make(_ database: String) async throws {
    let pool = PostgresPool(configuration("postgres"), size: 1)
    do {
      try await pool.execute("create database \(identifier: database)")
      log.info("made the database", ["database": .string(database)])
      await pool.close()
    } catch {
      await pool.close()
      // Another process that starts at the same moment may have been first.
      if (error as? PostgresError)?.sqlState == "42P04" { return }
      throw Missing(name: database, reason: (error as? PostgresError)?.message ?? "\(error)")
    }
  }
}
