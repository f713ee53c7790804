import Embedded
import Foundation
import Postgres
import TestSupport
import Testing
import Time

@Suite("A pool of connections")
struct PoolTests {
  @Test("brings values there and back")
  func roundTrip() async throws {
    try await withTestDatabase { pool in
      try await pool.execute("create table things (id bigint primary key, name text, at timestamptz, tags text[], raw bytea, more jsonb)")
      let at = Instant(milliseconds: 1_893_456_000_123)
      try await pool.transaction { connection in
        let count = try connection.execute(
          "insert into things values (\(1), \("O'Neill"), \(at), \(["a", "b\"c"]), \([UInt8]([0, 255])), \(JSONText(#"{"a": 1}"#)))")
        #expect(count == 1)
      }
      let rows = try await pool.query("select id, name, at, tags, raw, more, null::text from things where id = \(1)")
      let row = try #require(rows.first)
      let values = try row.decode(Int64.self, String.self, Instant.self, [String].self, [UInt8].self, JSONText.self, String?.self)
      #expect(values.0 == 1)
      #expect(values.1 == "O'Neill")
      #expect(values.2 == at)
      #expect(values.3 == ["a", "b\"c"])
      #expect(values.4 == [0, 255])
      #expect(values.5.text == #"{"a": 1}"#)
      #expect(values.6 == nil)
    }
  }

  @Test("rolls back what a body threw out of")
  func rollBack() async throws {
    struct Stop: Error {}
    let schema = TestSchema(scope: "test", migrations: [Migration(version: 1, name: "0001_t.sql", sql: "create table t (n bigint)")])
    try await withTestDatabase(migrate: [schema]) { pool in
      await #expect(throws: Stop.self) {
        try await pool.transaction { connection in
          try connection.execute("insert into t values (\(1))")
          throw Stop()
        }
      }
      let count = try await pool.transaction { connection in
        try connection.copy(into: "t", columns: ["n"]) { writer in
          for n in 0..<10 { try writer.row(Int64(n)) }
        }
      }
      #expect(count == 10)
      #expect(try await pool.query("select count(*) from t").first?.value(Int.self, at: 0) == 10)
    }
  }

  @Test("gives texts and JSON without a copy, nothing for NULL, and refuses other types")
  func texts() async throws {
    try await withTestDatabase { pool in
      let rows = try await pool.query("select 'ä\"'::text, ''::varchar, '{\"a\": 1}'::jsonb, '[1 ]'::json, null::text, 1::bigint")
      let row = try #require(rows.first)
      let read = try (0..<5).map { column -> String? in
        var text: String?
        let isThere = try row.withText(at: column) { bytes in text = bytes.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) } }
        #expect(isThere == (text != nil))
        return text
      }
      #expect(read == ["ä\"", "", #"{"a": 1}"#, "[1 ]", nil])
      for column in [-1, 5, 6] { #expect(throws: PostgresError.self) { _ = try row.withText(at: column) { _ in } } }
    }
  }

  @Test("turns each who waits away when its own time is up, whoever came first")
  func limits() async throws {
    try await withTestDatabase { outer in
      let pool = PostgresPool(outer.configuration, size: 1, waitLimit: .seconds(600))
      let taken = AsyncStream<Void>.makeStream()
      let holder = Task {
        try await pool.withConnection { connection in
          taken.continuation.finish()
          // Until the others were turned away.
          let deadline = ContinuousClock.now + .seconds(60)
          while !Task.isCancelled, ContinuousClock.now < deadline { try connection.execute("select pg_sleep(0.01)") }
        }
      }
      for await _ in taken.stream {}
      let patient = Task { try await pool.query("select 1") }
      for limit in [Duration.milliseconds(300), .milliseconds(20), .milliseconds(100)] {
        do {
          _ = try await pool.query("select 1", within: limit)
          Issue.record("found a connection")
        } catch let error as PostgresError {
          guard case .poolExhausted(let waited) = error.kind else { throw error }
          #expect(waited <= limit)
        }
      }
      holder.cancel()
      _ = await holder.result
      let rows = try await patient.value
      #expect(rows.count == 1)
      await pool.close()
    }
  }
}
