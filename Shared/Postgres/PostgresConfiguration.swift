/// Where the database is and how each connection to it is set up.
public struct PostgresConfiguration: Sendable {
  /// A libpq connection string, `host=/run/dos2030 dbname=dos_sensors` or `postgresql://...`; TLS settings are its own (`sslmode`, `sslrootcert`).
  /// May hold a password: never put it into a message.
  public var conninfo: String
  /// What `pg_stat_activity` shows.
  public var applicationName: String
  /// The server stops a statement after this long. `.zero`: never.
  public var statementTimeout: Duration
  /// The server gives up waiting for a lock after this long. `.zero`: never.
  public var lockTimeout: Duration
  /// Connecting fails after this long (whole seconds, at least 2; libpq).
  public var connectTimeout: Duration
  /// Further session settings, for example `["synchronous_commit": "off"]`.
  public var settings: [String: String]

  public init(
    conninfo: String, applicationName: String = "dos", statementTimeout: Duration = .seconds(30), lockTimeout: Duration = .seconds(10),
    connectTimeout: Duration = .seconds(3), settings: [String: String] = [:]
  ) {
    self.conninfo = conninfo
    self.applicationName = applicationName
    self.statementTimeout = statementTimeout
    self.lockTimeout = lockTimeout
    self.connectTimeout = connectTimeout
    self.settings = settings
  }

  /// What a fresh session is told before anything else runs on it.
  var sessionScript: String {
    var values = [
      "timezone": "UTC", "client_min_messages": "warning", "standard_conforming_strings": "on", "datestyle": "ISO", "bytea_output": "hex",
      "extra_float_digits": "1", "statement_timeout": "\(statementTimeout.inMilliseconds)", "lock_timeout": "\(lockTimeout.inMilliseconds)",
    ]
    values.merge(settings) { $1 }
    return values.sorted { $0.key < $1.key }
      .map { "set \(quotedIdentifier($0.key)) = '\($0.value.replacing("'", with: "''"))'" }
      .joined(separator: ";")
  }
}

extension Duration {
  var inMilliseconds: Int64 {
    components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
  }
}
