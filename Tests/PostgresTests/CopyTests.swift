import Postgres
import TestSupport
import Testing
import Time

@Suite("COPY")
struct CopyTests {
  @Test("loads more rows than one piece holds, NULLs and quoted names included")
  func loads() async throws {
    try await withTestDatabase { pool in
      try await pool.execute(#"create table "odd ""table" (id bigint, "select" text, at timestamptz, value double precision)"#)
      let count = try await pool.withConnection { connection in
        try connection.copy(into: #"odd "table"#, columns: ["id", "select", "at", "value"]) { writer in
          for n in 0..<20_000 {
            try writer.row(Int64(n), n % 2 == 0 ? "row \(n)" : nil, Instant(milliseconds: Int64(n)), Double(n) / 2)
          }
        }
      }
      #expect(count == 20_000)
      let row = try await pool.query(#"select count(*), count("select"), sum(value)::float8 from "odd ""table""#).first
      #expect(try #require(row).decode(Int.self, Int.self, Double.self) == (20_000, 10_000, 99_995_000))
    }
  }

  @Test("stores nothing when its writer fails, and leaves the connection usable")
  func writerFails() async throws {
    struct Stop: Error {}
    try await withTestDatabase(size: 1) { pool in
      try await pool.execute("create table t (n bigint)")
      try await pool.withConnection { connection in
        #expect(throws: Stop.self) {
          try connection.copy(into: "t", columns: ["n"]) { writer in
            for n in 0..<50_000 { try writer.row(Int64(n)) }
            throw Stop()
          }
        }
        let error = #expect(throws: PostgresError.self) {
          try connection.copy(into: "t", columns: ["n"]) { try $0.row(Int64(1), "too many") }
        }
        #expect(error?.kind == .decoding)
        let left = try connection.query("select 1 from t")
        #expect(left.isEmpty)
      }
    }
  }

  @Test("gives the server's reason when the server refuses a row")
  func serverRefuses() async throws {
    try await withTestDatabase(size: 1) { pool in
      try await pool.execute("create table t (n bigint check (n < 10))")
      let error = await #expect(throws: PostgresError.self) {
        try await pool.withConnection { connection in
          try connection.copy(into: "t", columns: ["n"]) { writer in
            for n in 0..<50_000 { try writer.row(Int64(n)) }
          }
        }
      }
      #expect(error?.sqlState == "23514")
      #expect(error?.constraint == "t_n_check")
      #expect(try await pool.query("select 1 from t").isEmpty)
    }
  }

  @Test("in a transaction that is rolled back leaves nothing")
  func rolledBack() async throws {
    struct Stop: Error {}
    try await withTestDatabase { pool in
      try await pool.execute("create table t (n bigint)")
      await #expect(throws: Stop.self) {
        try await pool.transaction { connection in
          try connection.copy(into: "t", columns: ["n"]) { try $0.row(Int64(1)) }
          throw Stop()
        }
      }
      #expect(try await pool.query("select 1 from t").isEmpty)
    }
  }
}
