import Foundation
public import Postgres

/// The steps of one scope that a test's database has applied before the test begins.
public struct TestSchema: Sendable {
  public let scope: String
  public let migrations: [Migration]

  public init(scope: String, migrations: [Migration]) {
    self.scope = scope
    self.migrations = migrations
  }
}

/// Gives the body a pool on a fresh database of its own with the schemas applied, and drops the database afterwards, whatever happened.
///
/// The server is the one that `DOS_TEST_POSTGRES` (a connection string of a superuser) names, else the one at `host=/run/dos-test user=postgres`.
/// At most eight such databases exist at once in a process; further tests wait. `pool.configuration.conninfo` is what a second pool needs.
public func withTestDatabase<Outcome>(
  migrate schemas: [TestSchema] = [], size: Int = 4, isolation: isolated (any Actor)? = #isolation,
  _ body: (PostgresPool) async throws -> Outcome
) async throws -> Outcome {
  await TestServer.gate.enter()
  defer { TestServer.gate.leave() }
  let name = try await TestServer.shared.createDatabase(schemas)
  let pool = PostgresPool(TestServer.configuration(database: name), size: size)
  let outcome: Result<Outcome, any Error>
  do {
    outcome = .success(try await body(pool))
  } catch {
    outcome = .failure(error)
  }
  await pool.close()
  await TestServer.shared.dropDatabase(name)
  return try outcome.get()
}

/// Why no test against PostgreSQL can run.
public struct NoTestServer: Error, CustomStringConvertible {
  public let reason: String
  public var description: String {
    "No test PostgreSQL answers (\(reason)). Run `make test`, which starts one, or name one in DOS_TEST_POSTGRES."
  }
}

/// The server that tests make their databases on.
actor TestServer {
  static let shared = TestServer()
  static let gate = Gate(width: 8)

  private let pool = PostgresPool(TestServer.configuration(database: "postgres"), size: 8, waitLimit: .seconds(120))
  private var templates: [String: Task<String, any Error>] = [:]
  private var cleaning: Task<Void, any Error>?
  private var count = 0

  static func configuration(database: String) -> PostgresConfiguration {
    let server = ProcessInfo.processInfo.environment["DOS_TEST_POSTGRES"] ?? "host=/run/dos-test user=postgres"
    // Of two values for a keyword libpq takes the later.
    return PostgresConfiguration(conninfo: "\(server) dbname=\(database)", applicationName: "dos tests", statementTimeout: .seconds(60))
  }

  func createDatabase(_ schemas: [TestSchema]) async throws -> String {
    try await clean()
    let template = try await template(for: schemas)
    count += 1
    let name = "dos_test_\(getpid())_\(count)"
    try await pool.execute("create database \(identifier: name) template \(identifier: template) strategy file_copy")
    return name
  }

  func dropDatabase(_ name: String) async {
    // Shielded: the test's task may be cancelled, and the database must go all the same. What stays behind is dropped at the next start.
    let pool = pool
    await Task { _ = try? await pool.execute("drop database if exists \(identifier: name) with (force)") }.value
  }

  private func template(for schemas: [TestSchema]) async throws -> String {
    if schemas.isEmpty { return "template0" }
    let text = schemas.map { schema in
      schema.scope + "\0" + schema.migrations.map { "\($0.version)\0\($0.name)\0\($0.sql)" }.joined(separator: "\0")
    }.joined(separator: "\0")
    let hash = try await pool.query("select encode(sha256(\(Array(text.utf8))), 'hex')").first?.value(String.self, at: 0) ?? ""
    let name = "dos_template_" + hash.prefix(24)
    let making = templates[name] ?? Task { try await makeTemplate(name, schemas) }
    templates[name] = making
    return try await making.value
  }

  /// Several test processes may want the same one at once: a lock on the server lets one build it, under another name until it is whole.
  private func makeTemplate(_ name: String, _ schemas: [TestSchema]) async throws -> String {
    let pool = pool
    let building = "dos_test_\(getpid())_\(name)"
    let exists = try await pool.query("select 1 from pg_database where datname = \(name)").count == 1
    if exists { return name }
    try await pool.execute("drop database if exists \(identifier: building) with (force)")
    try await pool.execute("create database \(identifier: building) template template0 strategy file_copy")
    let inside = PostgresPool(Self.configuration(database: building), size: 1)
    for schema in schemas { try await Migrations.apply(schema.migrations, scope: schema.scope, to: inside) }
    await inside.close()
    do {
      try await pool.execute("alter database \(identifier: building) rename to \(identifier: name)")
    } catch let error as PostgresError where error.sqlState == "42P04" {
      try await pool.execute("drop database if exists \(identifier: building) with (force)")
    }
    return name
  }

  /// Drops what processes that are gone left behind; a database's name says whose it is.
  private func clean() async throws {
    let pool = pool
    let work =
      cleaning
      ?? Task {
        let rows: Rows
        do {
          rows = try await pool.query("select datname from pg_database where datname ~ '^dos_test_[0-9]+_'")
        } catch let error as PostgresError where error.kind == .connection {
          throw NoTestServer(reason: error.message)
        }
        for row in rows {
          let name = try row.decode(String.self)
          guard let pid = name.split(separator: "_").dropFirst(2).first.flatMap({ Int32($0) }), pid != getpid(), kill(pid, 0) != 0, errno == ESRCH
          else { continue }
          _ = try? await pool.execute("drop database if exists \(identifier: name) with (force)")
        }
      }
    cleaning = work
    try await work.value
  }
}
