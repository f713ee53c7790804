import Foundation
import Postgres
import TestSupport
import Testing
import Time

@Suite("A statement")
struct StatementTests {
  @Test("sends what looks like SQL as a value and nothing else")
  func injection() async throws {
    try await withTestDatabase { pool in
      try await pool.execute("create table people (name text)")
      let hostile = "'); drop table people; --"
      try await pool.execute("insert into people values (\(hostile))")
      #expect(try await pool.query("select name from people where name = \(hostile)").first?.value(String.self, at: 0) == hostile)
      #expect(try await pool.query("select count(*) from \(identifier: "people")").first?.value(Int.self, at: 0) == 1)
      let table = #"people"; drop table people; --"#
      await #expect(throws: PostgresError.self) { try await pool.query("select * from \(identifier: table)") }
      #expect(try await pool.query("select 1 from people").count == 1)
    }
  }

  @Test("numbers the parameters of its fragments on")
  func fragments() {
    let filter: SQL = "a = \(1) and b = \("x")"
    let sql: SQL = "select * from t where c = \(true) and (\(filter)) limit \(5)"
    #expect(sql.text == "select * from t where c = $1 and (a = $2 and b = $3) limit $4")
    #expect(sql.parameters.map(\.type) == [.bool, .int8, .text, .int8])
  }

  @Test("says which column has another type than was asked for")
  func typeError() async throws {
    try await withTestDatabase { pool in
      let row = try #require(try await pool.query("select 'x'::text as name, null::bigint as size").first)
      let wrong = #expect(throws: PostgresError.self) { try row.decode(Int64.self) }
      #expect(wrong?.kind == .decoding)
      #expect(wrong?.message == "column name is text, but Int64 reads bigint or integer or smallint or oid")
      let null = #expect(throws: PostgresError.self) { try row.value(Int64.self, named: "size") }
      #expect(null?.message == "column size is NULL, but Int64 is not optional")
      #expect(throws: PostgresError.self) { try row.decode(String.self, Int64?.self, Bool.self) }
    }
  }

  @Test(
    "reads numeric with all its digits",
    arguments: ["0", "1", "-1", "12345678901234567890.0001", "0.00000012", "-0.5", "10000", "100000000", "1e-20", "9999.9999", "NaN", "123000000000.10"])
  func numeric(text: String) async throws {
    try await withTestDatabase { pool in
      let row = try #require(try await pool.query("select \(text)::numeric, \(text)::numeric::text, \(text)::numeric::float8").first)
      #expect(try row.value(String.self, at: 0) == row.value(String.self, at: 1))
      let (read, expected) = (try row.value(Double.self, at: 0), try row.value(Double.self, at: 2))
      #expect(read == expected || (read.isNaN && expected.isNaN))
    }
  }

  @Test("brings arrays with NULLs, empty ones and bytes there and back")
  func arrays() async throws {
    try await withTestDatabase { pool in
      let (words, none, bytes): ([String?], [Int64], [[UInt8]]) = (["a", nil, ""], [], [[], [0, 1]])
      let row = try #require(try await pool.query("select \(words), \(none), \(bytes), \([1.5, -0.0])").first)
      #expect(try row.value([String?].self, at: 0) == words)
      #expect(try row.value([Int64].self, at: 1) == none)
      #expect(try row.value([[UInt8]].self, at: 2) == bytes)
      #expect(try row.value([Double].self, at: 3) == [1.5, -0.0])
    }
  }

  @Test("keeps milliseconds of any century", arguments: [-62_135_596_800_000, -1, 0, 946_684_799_999, 946_684_800_000, 4_102_444_800_001])
  func times(milliseconds: Int64) async throws {
    try await withTestDatabase { pool in
      let instant = Instant(milliseconds: milliseconds)
      let row = try #require(try await pool.query("select \(instant), (extract(epoch from \(instant)) * 1000)::bigint").first)
      #expect(try row.value(Instant.self, at: 0) == instant)
      #expect(try row.value(Int64.self, at: 1) == milliseconds)
    }
  }

  @Test("goes on when its table changed after it was prepared")
  func changedTable() async throws {
    try await withTestDatabase(size: 1) { pool in
      try await pool.execute("create table t (a bigint)")
      for _ in 0..<3 { _ = try await pool.query("select * from t") }
      try await pool.execute("alter table t add b text")
      #expect(try await pool.query("select * from t").columns == ["a", "b"])
    }
  }

  @Test("is prepared when it comes again, and makes room when many others come")
  func preparedStatements() async throws {
    try await withTestDatabase(size: 1) { pool in
      for _ in 0..<3 { #expect(try await pool.query("select \(7)").first?.value(Int.self, at: 0) == 7) }
      let text = "select count(*) from pg_prepared_statements where statement = 'select $1'"
      #expect(try await pool.query(SQL(unsafe: text)).first?.value(Int.self, at: 0) == 1)
      for n in 0..<300 {
        for _ in 0..<2 { _ = try await pool.query("select \(unsafe: "\(n)")") }
      }
      _ = try await pool.query("select 1")
      let held = try await pool.query("select count(*) from pg_prepared_statements").first?.value(Int.self, at: 0)
      #expect(try #require(held) <= 256)
    }
  }

  @Test("names its text but no value in an error")
  func errorWithoutValues() async throws {
    try await withTestDatabase { pool in
      try await pool.execute("create table accounts (iban text primary key)")
      try await pool.execute("insert into accounts values (\("DE-secret"))")
      let error = await #expect(throws: PostgresError.self) { try await pool.execute("insert into accounts values (\("DE-secret"))") }
      #expect(error?.sqlState == "23505")
      #expect(error?.constraint == "accounts_pkey")
      #expect("\(error.map(\.description) ?? "")".contains("insert into accounts values ($1)"))
      #expect(!"\(error.map(\.description) ?? "")".contains("secret"))
    }
  }

  @Test("in a pipeline takes effect with all others or not at all")
  func pipeline() async throws {
    try await withTestDatabase { pool in
      try await pool.execute("create table t (n bigint primary key)")
      await #expect(throws: PostgresError.self) {
        try await pool.withConnection { connection in
          _ = try connection.pipeline(["insert into t values (\(1))", "insert into t values (\(1))", "insert into t values (\(2))"])
        }
      }
      #expect(try await pool.query("select n from t").isEmpty)
      let counts = try await pool.transaction { connection in
        try connection.pipeline(["insert into t values (\(1))", "insert into t values (\(2))", "select n from t"]).map(\.count)
      }
      #expect(counts == [0, 0, 2])
    }
  }
}
