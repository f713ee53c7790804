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

/// Brings a database's schema to what the program expects, and keeps it fit for the version before.
///
/// While a city is upgraded two versions share a database, and an instance of either may be started at any moment. So a step only adds: tables, indexes,
/// columns that may be left out, functions under new names (*expand*). What a version no longer uses a later one takes away (*contract*), and the file says in
/// its name which step a program must know to do without: `0009_drop_unit_needs_0007.sql`. A program that finds steps beyond its own goes on beside them, and
/// one that does not know what such a step needs is refused.
public enum Migrations {
  /// What `apply` did and found.
  public struct Outcome: Sendable, Equatable {
    /// Applied now, in order.
    public var applied: [Migration]
    /// The names of steps that a newer program has applied and this one does not know.
    public var beyond: [String]

    public init(applied: [Migration] = [], beyond: [String] = []) {
      self.applied = applied
      self.beyond = beyond
    }
  }

  /// The files below `Migrations/` as steps in order.
  ///
  /// - Throws: `PostgresError` of kind `.migration` for a name that is not `0001_words.sql`, a number given twice, a gap, or a need of what is not before.
  public static func load(_ files: [EmbeddedFile]) throws(PostgresError) -> [Migration] {
    var migrations: [Migration] = []
    for file in files where file.name.hasPrefix("Migrations/") && file.name.hasSuffix(".sql") {
      let name = String(file.name.dropFirst("Migrations/".count))
      guard let version = number(name[...]), name.dropFirst(4).hasPrefix("_") else {
        throw refusal("\(file.name): a migration is named with four digits, an underline and words, as 0001_journal.sql")
      }
      if let needed = need(name), !(1..<version).contains(needed) {
        throw refusal("\(file.name): a migration needs one before it, named with four digits, as 0009_drop_unit_needs_0007.sql")
      }
      migrations.append(Migration(version: version, name: name, sql: file.text))
    }
    migrations.sort { $0.version < $1.version }
    try checkNumbers(migrations)
    return migrations
  }

  /// Applies what is still missing, each file in a transaction of its own, under a lock that several starting processes take in turn.
  ///
  /// Where somebody uses a table that a step has to lock, it waits briefly and again, for about a minute and a half: whoever comes to that table meanwhile
  /// stands behind it in the queue.
  ///
  /// - Parameter scope: whose steps these are; each scope counts its own.
  /// - Throws: `PostgresError`, of kind `.migration` when an applied file was changed, or a newer program has taken away what this one uses.
  @discardableResult
  public static func apply(_ migrations: [Migration], scope: String, to pool: PostgresPool) async throws -> Outcome {
    let migrations = migrations.sorted { $0.version < $1.version }
    try checkNumbers(migrations)
    var outcome = Outcome()
    var attempt = 1
    while true {
      do {
        let (migration, beyond) = try await applyNext(of: migrations, scope: scope, to: pool)
        outcome.beyond = beyond
        guard let migration else { return outcome }
        outcome.applied.append(migration)
        attempt = 1
      } catch let error as PostgresError where ["55P03", "40P01"].contains(error.sqlState ?? "") && attempt < 30 {
        attempt += 1
        try await Task.sleep(for: .seconds(1))
      }
    }
  }

  private static func applyNext(of migrations: [Migration], scope: String, to pool: PostgresPool) async throws -> (applied: Migration?, beyond: [String]) {
    try await pool.transaction { connection throws -> (Migration?, [String]) in
      // Building an index may take long, and so may those whose turn comes first; the default limits are for daily statements.
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
        .map { row throws in try row.decode(Int.self, String.self, String.self) }
      for (index, step) in recorded.enumerated() { try check(step, against: migrations, at: index, on: connection) }
      guard recorded.count < migrations.count else { return (nil, recorded.dropFirst(migrations.count).map(\.1)) }
      let migration = migrations[recorded.count]
      try connection.execute(script: "set local lock_timeout = '2s'")
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
      return (migration, [])
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
      guard let needed = need(recorded.name), needed > migrations.count else { return }
      throw refusal(
        "a newer program has applied \(recorded.name), which takes away what this one uses, since it knows \(migrations.count) migrations; start a newer one")
    }
    let migration = migrations[index]
    let row = try connection.query("select encode(sha256(\(Array(migration.sql.utf8))), 'hex')").first
    guard try row?.value(String.self, at: 0) == recorded.checksum else {
      throw refusal("\(migration.name) was changed after it had been applied as \(recorded.name); put it back and write a new migration instead")
    }
  }

  /// The number of exactly four digits that a text begins with.
  private static func number(_ text: Substring) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    return digits.count == 4 ? Int(digits) : nil
  }

  /// The step that a program must know to do without what this one takes away; more than there can be where the name says none.
  private static func need(_ name: String) -> Int? {
    guard let word = name.ranges(of: "_needs_").last else { return nil }
    let number = number(name[word.upperBound...])
    return name[word.upperBound...].dropFirst(4) == ".sql" ? number ?? .max : .max
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
