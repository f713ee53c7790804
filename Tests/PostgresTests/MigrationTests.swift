import Dispatch
import Embedded
import Postgres
import TestSupport
import Testing

@Suite("Migrations")
struct MigrationTests {
  private let first = Migration(version: 1, name: "0001_first.sql", sql: "create table a (n bigint); create table b (n bigint);")
  private let second = Migration(version: 2, name: "0002_second.sql", sql: "alter table a add m text;")
  private let third = Migration(version: 3, name: "0003_third.sql", sql: "create index on a (m);")

  @Test("are applied once, in order, each scope on its own")
  func order() async throws {
    try await withTestDatabase { pool in
      #expect(try await Migrations.apply([first], scope: "one", to: pool).applied == [first])
      #expect(try await Migrations.apply([second, first], scope: "one", to: pool).applied == [second])
      #expect(try await Migrations.apply([first, second], scope: "one", to: pool) == Migrations.Outcome())
      let other = Migration(version: 1, name: "0001_other.sql", sql: "create table c (n bigint)")
      #expect(try await Migrations.apply([other], scope: "two", to: pool).applied == [other])
      let checksums = try await pool.query("select checksum from dos_migrations").map { try $0.decode(String.self) }
      #expect(checksums.count == 3 && checksums.allSatisfy { $0.count == 64 })
    }
  }

  @Test("that were changed after they had been applied are refused by name")
  func changed() async throws {
    try await withTestDatabase { pool in
      try await Migrations.apply([first], scope: "s", to: pool)
      let changed = Migration(version: 1, name: "0001_first.sql", sql: first.sql + " ")
      let error = await #expect(throws: PostgresError.self) { try await Migrations.apply([changed, second], scope: "s", to: pool) }
      #expect(error?.kind == .migration)
      #expect(error?.message.contains("0001_first.sql was changed") == true)
    }
  }

  @Test("of a newer program are named to an older one, which goes on beside them")
  func newer() async throws {
    try await withTestDatabase { pool in
      try await Migrations.apply([first, second, third], scope: "s", to: pool)
      #expect(try await Migrations.apply([first], scope: "s", to: pool) == Migrations.Outcome(beyond: ["0002_second.sql", "0003_third.sql"]))
      #expect(try await Migrations.apply([first, second, third], scope: "s", to: pool) == Migrations.Outcome())
    }
  }

  @Test("of a newer program do not excuse what an older one finds changed, or missing below them")
  func newerAndChanged() async throws {
    try await withTestDatabase { pool in
      try await Migrations.apply([first, second, third], scope: "s", to: pool)
      let other = Migration(version: 2, name: "0002_other.sql", sql: "alter table a add o text;")
      let changed = await #expect(throws: PostgresError.self) { try await Migrations.apply([first, other], scope: "s", to: pool) }
      #expect(changed?.message.contains("0002_other.sql was changed after it had been applied as 0002_second.sql") == true)

      try await pool.execute("delete from dos_migrations where version = 2")
      for known in [[first], [first, second]] {
        let missing = await #expect(throws: PostgresError.self) { try await Migrations.apply(known, scope: "s", to: pool) }
        #expect(missing?.message.contains("has 0003_third.sql but not the migration 2 before it") == true)
      }
    }
  }

  @Test("that take something away are refused to a program too old to do without, and to no other")
  func contracting() async throws {
    try await withTestDatabase { pool in
      let contracting = Migration(version: 4, name: "0004_drop_b_needs_0002.sql", sql: "drop table b;")
      try await Migrations.apply([first, second, third, contracting], scope: "s", to: pool)
      let error = await #expect(throws: PostgresError.self) { try await Migrations.apply([first], scope: "s", to: pool) }
      #expect(error?.kind == .migration)
      #expect(error?.message.contains("0004_drop_b_needs_0002.sql, which takes away") == true)
      #expect(try await Migrations.apply([first, second], scope: "s", to: pool).beyond == ["0003_third.sql", "0004_drop_b_needs_0002.sql"])
    }
  }

  @Test("that fail leave nothing behind and name their file")
  func failing() async throws {
    try await withTestDatabase { pool in
      let broken = Migration(version: 2, name: "0002_broken.sql", sql: "create table c (n bigint); create tabel d ();")
      let error = await #expect(throws: PostgresError.self) { try await Migrations.apply([first, broken], scope: "s", to: pool) }
      #expect(error?.message.contains("0002_broken.sql") == true)
      let row = try #require(try await pool.query("select to_regclass('c') is null, to_regclass('a') is null").first)
      #expect(try row.decode(Bool.self, Bool.self) == (true, false))
      #expect(try await Migrations.apply([first, second], scope: "s", to: pool).applied == [second])
    }
  }

  @Test("are applied once by many processes that start together")
  func concurrent() async throws {
    try await withTestDatabase(size: 8) { pool in
      let applied = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<8 { group.addTask { try await Migrations.apply([first, second], scope: "s", to: pool).applied.count } }
        return try await group.reduce(0, +)
      }
      #expect(applied == 2)
    }
  }

  @Test("that wait for somebody's transaction let others pass, and are applied when it has ended")
  func waiting() async throws {
    try await withTestDatabase(size: 8) { pool in
      try await Migrations.apply([first], scope: "s", to: pool)
      let (held, release) = (AsyncStream.makeStream(of: Void.self), DispatchSemaphore(value: 0))
      let holding = Task {
        try await pool.transaction { connection throws in
          try connection.execute("insert into a (n) values (1)")
          held.continuation.finish()
          release.wait()
        }
      }
      for await _ in held.stream {}
      let applying = Task { try await Migrations.apply([first, second], scope: "s", to: pool) }
      let waiting: SQL = "select count(*) from pg_locks where not granted and relation = 'a'::regclass"
      while try await pool.query(waiting)[0].value(Int64.self, at: 0) == 0 { try await Task.sleep(for: .milliseconds(5)) }
      // Whoever wants the table now is behind the migration, whose holder goes on for as long as it likes.
      await #expect(throws: Never.self) { try await pool.query("select count(*) from a", within: .seconds(60)) }
      release.signal()
      try await holding.value
      #expect(try await applying.value.applied == [second])
    }
  }

  @Test("are numbered without a gap and named so that order is seen")
  func names() throws {
    func file(_ name: String) -> EmbeddedFile { EmbeddedFile(name: name, bytes: Array("select 1".utf8)) }
    let loaded = try Migrations.load([file("Migrations/0002_b.sql"), file("Pages/index.html"), file("Migrations/0001_a.sql")])
    #expect(loaded.map(\.name) == ["0001_a.sql", "0002_b.sql"])
    #expect(try Migrations.load([file("Migrations/0001_needs.sql"), file("Migrations/0002_drop_needs_0001.sql")]).count == 2)
    let needing = ["0001", "0002", "0003", "9999", "1", "00001", "0001_more", "what"].map { ["0001_a.sql", "0002_drop_needs_\($0).sql"] }.dropFirst()
    for names in [["1_a.sql"], ["0001_a.sql", "0003_c.sql"], ["0001_a.sql", "0001_b.sql"], ["0002_a.sql"]] + needing {
      let error = #expect(throws: PostgresError.self) { try Migrations.load(names.map { file("Migrations/" + $0) }) }
      #expect(error?.kind == .migration)
    }
  }
}
