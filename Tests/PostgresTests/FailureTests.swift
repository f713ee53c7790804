import Foundation
import Postgres
import TestSupport
import Testing

@Suite("When something fails, a pool")
struct FailureTests {
  @Test("stops the statement of a cancelled task, and no other")
  func cancellation() async throws {
    try await withTestDatabase { pool in
      let sleeper = Task { try await pool.query("select pg_sleep(60) /* the sleeper */") }
      try await eventually(pool, "select 1 from pg_stat_activity where query like '%the sleeper%' and state = 'active' and pid <> pg_backend_pid()")
      sleeper.cancel()
      let error = await #expect(throws: PostgresError.self) { try await sleeper.value }
      #expect(error?.kind == .cancelled)
      try await eventually(
        pool, "select 1 where not exists (select 1 from pg_stat_activity where query like '%the sleeper%' and state = 'active' and pid <> pg_backend_pid())")
    }
  }

  @Test("hits no later statement with many late cancellations")
  func lateCancellations() async throws {
    try await withTestDatabase(size: 1) { pool in
      for _ in 0..<100 {
        let task = Task { try await pool.query("select 1") }
        task.cancel()
        _ = await task.result
        let rows = try await pool.query("select pg_sleep(0.0005)")
        #expect(rows.count == 1)
      }
    }
  }

  @Test("lets nobody wait longer than the limit, and gives connections in the order they were asked for")
  func bound() async throws {
    try await withTestDatabase { outer in
      let pool = PostgresPool(outer.configuration, size: 1, waitLimit: .milliseconds(100))
      let holder = Task { try await pool.query("select pg_sleep(60) /* holder */") }
      try await eventually(outer, "select 1 from pg_stat_activity where query like '%holder%' and state = 'active' and pid <> pg_backend_pid()")
      let error = await #expect(throws: PostgresError.self) { try await pool.query("select 1") }
      #expect(error?.kind == .poolExhausted(waited: .milliseconds(100)))
      #expect(error?.isTransient == true)
      let waiter = Task { try await pool.query("select 1") }
      waiter.cancel()
      let left = await #expect(throws: PostgresError.self) { try await waiter.value }
      #expect(left?.kind == .cancelled)
      holder.cancel()
      _ = await holder.result
      #expect(try await pool.query("select 1").count == 1)
      await pool.close()
      let closed = await #expect(throws: PostgresError.self) { try await pool.query("select 1") }
      #expect(closed?.kind == .closed)
    }
  }

  @Test("replaces a connection that died while it was idle, unnoticed by its callers")
  func reconnection() async throws {
    try await withTestDatabase { outer in
      let pool = PostgresPool(outer.configuration, size: 1)
      for _ in 0..<5 {
        let pid = try #require(try await pool.query("select pg_backend_pid()").first?.value(Int.self, at: 0))
        _ = try await outer.query("select pg_terminate_backend(\(Int32(pid)), 5000)")
        #expect(try await pool.query("select pg_backend_pid()").first?.value(Int.self, at: 0) != pid)
      }
      await pool.close()
    }
  }

  @Test("says that a connection broke in the middle of a transaction, and that nothing was stored")
  func brokenTransaction() async throws {
    try await withTestDatabase { outer in
      try await outer.execute("create table t (n bigint)")
      let pool = PostgresPool(outer.configuration, size: 1)
      let error = await #expect(throws: PostgresError.self) {
        try await pool.transaction { connection in
          try connection.execute("insert into t values (\(1))")
          _ = try connection.query("select pg_terminate_backend(pg_backend_pid())")
        }
      }
      #expect(error?.isTransient == true)
      #expect(error?.kind != .commitUnknown)
      #expect(try await pool.query("select 1 from t").isEmpty)
      await pool.close()
    }
  }

  @Test("says that a commit's outcome is unknown when its answer was lost")
  func commitUnknown() async throws {
    try await withTestDatabase { outer in
      // A deferred trigger runs inside COMMIT: there the connection ends.
      try await outer.withConnection { connection in
        try connection.execute(
          script: """
            create table t (n bigint);
            create function die() returns trigger language plpgsql as $$ begin perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(5); return null; end $$;
            create constraint trigger die after insert on t deferrable initially deferred for each row execute function die();
            """)
      }
      let error = await #expect(throws: PostgresError.self) {
        try await outer.transaction { connection in _ = try connection.execute("insert into t values (\(1))") }
      }
      #expect(error?.kind == .commitUnknown)
    }
  }

  @Test("stops a statement when its caller's time is up")
  func deadline() async throws {
    try await withTestDatabase { pool in
      let error = await #expect(throws: PostgresError.self) { try await pool.query("select pg_sleep(60)", within: .milliseconds(50)) }
      #expect(error?.kind == .deadline)
      let rows = try await pool.query("select 1")
      #expect(rows.count == 1)
    }
  }

  @Test("fails fast while the server is down, without a word of the password")
  func serverDown() async throws {
    let pool = PostgresPool(PostgresConfiguration(conninfo: "host=/nowhere-at-all user=x password=geheim dbname=x"))
    for _ in 0..<3 {
      let error = await #expect(throws: PostgresError.self) { try await pool.query("select 1") }
      #expect(error?.kind == .connection)
      #expect(!"\(error.map(\.description) ?? "")".contains("geheim"))
    }
    let broken = PostgresPool(PostgresConfiguration(conninfo: "host=x password geheim"))
    let error = await #expect(throws: PostgresError.self) { try await broken.query("select 1") }
    #expect(!"\(error.map(\.description) ?? "geheim")".contains("geheim"))
  }

  @Test("runs a transaction again that lost against another one")
  func serializationFailures() async throws {
    try await withTestDatabase { pool in
      try await pool.execute("create table counter (n bigint)")
      try await pool.execute("insert into counter values (0)")
      try await withThrowingTaskGroup { group in
        for _ in 0..<4 {
          group.addTask {
            for _ in 0..<5 {
              try await pool.transaction(retrying: 50) { connection in
                let n = try connection.query("select n from counter").first?.value(Int.self, at: 0) ?? 0
                try connection.execute("update counter set n = \(n + 1)")
              }
            }
          }
        }
        try await group.waitForAll()
      }
      #expect(try await pool.query("select n from counter").first?.value(Int.self, at: 0) == 20)
    }
  }

  private func eventually(_ pool: PostgresPool, _ condition: SQL) async throws {
    let limit = ContinuousClock.now + .seconds(20)
    while try await pool.query(condition).isEmpty {
      try #require(ContinuousClock.now < limit, "it never became true: \(condition.text)")
    }
  }
}
