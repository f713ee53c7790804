import Foundation
import Postgres

/// The benchmark's own PostgreSQL, with durability on, as its superuser sees it.
struct Server: Sendable {
  private let conninfo: String
  let postmaster: Int32
  let version: String
  /// Where its programs are.
  let programs: String
  let socket: String
  let data: String

  /// - Parameter conninfo: of a superuser, without a database's name.
  /// - Throws: `Failure` where it may lose what it acknowledged: its figures would say nothing.
  init(conninfo: String) async throws {
    self.conninfo = conninfo
    let pool = PostgresPool(PostgresConfiguration(conninfo: conninfo + " dbname=postgres"), size: 1)
    let rows = try await pool.query(
      """
      select current_setting('fsync'), current_setting('synchronous_commit'), current_setting('data_directory'), current_setting('unix_socket_directories'),
        current_setting('server_version'), (select setting from pg_config where name = 'BINDIR')
      """)
    let (fsync, synchronous, data, socket, version, programs) = try rows[0].decode(
      String.self, String.self, String.self, String.self, String.self, String.self)
    await pool.close()
    try expect(fsync == "on" && synchronous == "on", "PostgreSQL has fsync \(fsync) and synchronous_commit \(synchronous): both must be on")
    self.data = data
    self.socket = socket
    self.version = version
    self.programs = programs
    guard let pid = Machine.lines(data + "/postmaster.pid").first.flatMap({ Int32($0) }) else { throw Failure("\(data)/postmaster.pid cannot be read") }
    postmaster = pid
  }

  func pool(_ database: String, size: Int = 4) -> PostgresPool {
    PostgresPool(PostgresConfiguration(conninfo: "\(conninfo) dbname=\(database)", statementTimeout: .seconds(600), lockTimeout: .zero), size: size)
  }

  /// Gives the body a pool on a database that is made for it and dropped afterwards.
  func withDatabase<Outcome: Sendable>(
    _ name: String, size: Int, isolation: isolated (any Actor)? = #isolation, _ body: (PostgresPool) async throws -> Outcome
  ) async throws -> Outcome {
    try await administer { admin in
      try await admin.execute("drop database if exists \(identifier: name) with (force)")
      try await admin.execute("create database \(identifier: name)")
    }
    let pool = pool(name, size: size)
    let outcome: Result<Outcome, any Error>
    do { outcome = .success(try await body(pool)) } catch { outcome = .failure(error) }
    await pool.close()
    _ = try await administer { try await $0.execute("drop database \(identifier: name) with (force)") }
    return try outcome.get()
  }

  /// The city's databases, empty.
  func remakeDatabases() async throws {
    try await administer { admin in
      for name in ["dos_sensors", "dos_warnings", "dos_broker"] {
        try await admin.execute("drop database if exists \(identifier: name) with (force)")
        try await admin.execute("create database \(identifier: name) owner dos")
      }
    }
    for name in ["dos_sensors", "dos_warnings"] {
      let pool = pool(name, size: 1)
      try await pool.execute("create extension postgis")
      await pool.close()
    }
  }

  /// What one measure left to be written shall not burden the next.
  func checkpoint() async throws { _ = try await administer { try await $0.execute("checkpoint") } }

  /// What autovacuum would find out in a while, so that no measure depends on when it came by.
  func analyze(_ databases: [String] = ["dos_sensors", "dos_broker"]) async throws {
    for database in databases {
      let pool = pool(database, size: 1)
      try await pool.execute("vacuum analyze")
      await pool.close()
    }
  }

  /// Bytes of the city's databases, and of the write-ahead log since the cluster was made.
  func bytes() async throws -> (sensors: Double, broker: Double, log: Double) {
    try await administer { admin in
      let rows = try await admin.query(
        "select pg_database_size('dos_sensors'), pg_database_size('dos_broker'), pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint")
      let (sensors, broker, log) = try rows[0].decode(Int64.self, Int64.self, Int64.self)
      return (Double(sensors), Double(broker), Double(log))
    }
  }

  private func administer<Outcome: Sendable>(_ body: (PostgresPool) async throws -> Outcome) async throws -> Outcome {
    let admin = pool("postgres", size: 1)
    let outcome: Result<Outcome, any Error>
    do { outcome = .success(try await body(admin)) } catch { outcome = .failure(error) }
    await admin.close()
    return try outcome.get()
  }
}
