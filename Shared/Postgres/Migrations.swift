public import Embedded

/// One step of a schema: a file that never changes once it is released.
public struct Migration: Sendable, Equatable {
  public let version: Int
  /// The file's name, for messages: `0001_journal.sql`.
  public let name: String
  public let sql: String

  public init(version: Int, name: String, sql: String) {
    self.version = version
    self.name = name
    self.sql = sql
  }
}

/// Brings a database's schema to what the program expects.
public enum Migrations {
  /// The files below `Migrations/` as steps in order.
  ///
  /// - Throws: `PostgresError` of kind `.migration` for a name that is not `0001_words.sql`, a number given twice, or a gap.
  public static func load(_ files: [EmbeddedFile]) throws(PostgresError) -> [Migration] {
    var migrations: [Migration] = []
    for file in files where file.name.hasPrefix("Migrations/") && file.name.hasSuffix(".sql") {
      let name = String(file.name.dropFirst("Migrations/".count))
      let digits = name.prefix { $0.isASCII && $0.isNumber }
      guard digits.count == 4, name.dropFirst(4).hasPrefix("_"), let version = Int(digits) else {
        throw refusal("\(file.name): a migration is named with four digits, an underline and words, as 0001_journal.sql")
      }
      migrations.append(Migration(version: version, name: name, sql: file.text))
    }
    migrations.sort { $0.version < $1.version }
    try checkNumbers(migrations)
    return migrations
  }

  /// Applies what is still missing, each file in a transaction of its own, under a lock that several starting processes take in turn.
  ///
  /// - Parameter scope: whose steps these are; each scope counts its own.
  /// - Returns: what was applied now, in order.
  /// - Throws: `PostgresError`, of kind `.migration` when an applied file was changed or is missing here (a newer program was at work).
  @discardableResult
  public static func apply(_ migrations: [Migration], scope: String, to pool: PostgresPool) async throws -> [Migration] {
    let migrations = migrations.sorted { $0.version < $1.version }
    try checkNumbers(migrations)
    var applied: [Migration] = []
    while let migration = try await applyNext(of: migrations, scope: scope, to: pool) { applied.append(migration) }
    return applied
  }

  private static func applyNext(of migrations: [Migration], scope: String, to pool: PostgresPool) async throws -> Migration? {
    try await pool.transaction { connection throws -> Migration? in
      // Building an index on a table that is in use may wait and work for long; the default limits are for daily statements.
      try connection.execute(script: "set local statement_timeout = 0; set local lock_timeout = 0")
      // One number for all scopes ("dosmigr" in ASCII), held to the end of the transaction.
      _ = try connection.query("select pg_advisory_xact_lock(\(Int64(0x64_6F73_6D69_6772)))")
      try connection.execute(
        script: """
          create table if not exists dos_migrations (
            scope text not null, version integer not null, name text not null, checksum text not null,
            applied_at timestamptz not null default clock_timestamp(), primary key (scope, version))
          """)
      let recorded = try connection.query("select version, name, checksum from dos_migrations where scope = \(scope) order by version")
      for (index, row) in recorded.enumerated() {
        try check(try row.decode(Int.self, String.self, String.self), against: migrations, at: index, on: connection)
      }
      guard recorded.count < migrations.count else { return nil }
      let migration = migrations[recorded.count]
      do throws(PostgresError) {
        try connection.execute(script: migration.sql)
      } catch {
        throw PostgresError(
          kind: error.kind, message: "migration \(scope)/\(migration.name): \(error.message)", hint: error.hint, constraint: error.constraint)
      }
      try connection.execute(
        """
        insert into dos_migrations (scope, version, name, checksum)
        values (\(scope), \(Int32(migration.version)), \(migration.name), encode(sha256(\(Array(migration.sql.utf8))), 'hex'))
        """)
      return migration
    }
  }

  private static func check(
    _ recorded: (version: Int, name: String, checksum: String), against migrations: [Migration], at index: Int,
    on connection: isolated PostgresConnection
  ) throws(PostgresError) {
    guard recorded.version == index + 1 else {
      throw refusal("the database has \(recorded.name) but not the migration \(index + 1) before it; dos_migrations was changed by hand")
    }
    guard index < migrations.count else {
      throw refusal("the database has the migration \(recorded.name), which this program does not know: it was set up by a newer program")
    }
    let migration = migrations[index]
    let row = try connection.query("select encode(sha256(\(Array(migration.sql.utf8))), 'hex')").first
    guard try row?.value(String.self, at: 0) == recorded.checksum else {
      throw refusal("\(migration.name) was changed after it had been applied as \(recorded.name); put it back and write a new migration instead")
    }
  }

  private static func checkNumbers(_ migrations: [Migration]) throws(PostgresError) {
    for (index, migration) in migrations.enumerated() where migration.version != index + 1 {
      let problem = index > 0 && migrations[index - 1].version == migration.version ? "has the number of \(migrations[index - 1].name)" : "follows a gap"
      throw refusal("\(migration.name) \(problem): migrations are numbered 1, 2, 3 ... without a gap")
    }
  }

  private static func refusal(_ message: String) -> PostgresError {
    PostgresError(kind: .migration, message: message)
  }
}
