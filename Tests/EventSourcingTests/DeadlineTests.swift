@testable import EventSourcing
import Postgres
import Synchronization
import TestSupport
import Testing
import Time

/// A clock that is set by the test, and time that passes when the test says so.
private final class TestTime: Sendable {
  private let state = Mutex((clock: Instant(milliseconds: 1_900_000_000_000), passed: Duration.zero))
  var clock: Instant { state.withLock { $0.clock } }
  var passed: Duration { state.withLock { $0.passed } }

  func pass(_ seconds: Int64) {
    state.withLock {
      $0.clock = $0.clock + .seconds(seconds)
      $0.passed += .seconds(seconds)
    }
  }

  func set(by seconds: Int64) { state.withLock { $0.clock = $0.clock + .seconds(seconds) } }
}

private let table = DeadlineTable("deadlines")

private func withDeadlines(_ body: (PostgresPool) async throws -> Void) async throws {
  try await withTestDatabase { pool in
    try await pool.execute("create table deadlines (stream text not null, kind text not null, due timestamptz not null, primary key (stream, kind))")
    try await pool.execute("create index on deadlines (due)")
    try await body(pool)
  }
}

private func set(_ stream: String, _ due: Instant, _ pool: PostgresPool) async throws {
  try await pool.transaction { connection throws in
    try table.set(Deadline(stream: stream, kind: "expire", due: due), on: connection, tables: TableNames())
  }
}

@Suite("Deadlines", .timeLimit(.minutes(5))) struct DeadlineTests {
  @Test("are given when their time has come, not before, and once while nothing is seen of them") func given() async throws {
    try await withDeadlines { pool in
      let time = TestTime()
      let given = Mutex<[String]>([])
      let start = time.clock
      try await set("late", start + .seconds(60), pool)
      try await set("due", start + .seconds(10), pool)
      try await set("now", start, pool)
      var settings = DeadlineTicker.Settings()
      settings.pause = .milliseconds(2)
      settings.jump = .seconds(3_600)
      let ticker = DeadlineTicker(table, pool: pool, settings: settings, clock: { time.clock }, steady: { time.passed }) { deadline in
        given.withLock { $0.append(deadline.stream) }
      }
      let running = Task { await ticker.run() }
      #expect(try await eventually { given.withLock { $0 } == ["now"] })
      try await pool.execute("delete from deadlines where stream = 'now'")
      time.pass(10)
      #expect(try await eventually { given.withLock { $0 } == ["now", "due"] })
      // Nothing came of it: the row stands still.
      time.pass(6)
      #expect(try await eventually { given.withLock { $0 } == ["now", "due", "due"] })
      running.cancel()
      await running.value
    }
  }

  @Test("that fail do not hold up the others, and are given again") func failing() async throws {
    try await withDeadlines { pool in
      let time = TestTime()
      let given = Mutex<[String: Int]>([:])
      let troubles = Counter()
      for name in ["bad", "good"] { try await set(name, time.clock, pool) }
      var settings = DeadlineTicker.Settings()
      settings.pause = .milliseconds(2)
      let ticker = DeadlineTicker(
        table, pool: pool, settings: settings, clock: { time.clock }, steady: { time.passed }, trouble: { _ in troubles.add(1) }
      ) { deadline in
        given.withLock { $0[deadline.stream, default: 0] += 1 }
        struct Refused: Error {}
        if deadline.stream == "bad" { throw Refused() }
      }
      let running = Task { await ticker.run() }
      #expect(try await eventually { given.withLock { $0 } == ["bad": 1, "good": 1] && troubles.value == 1 })
      time.pass(6)
      #expect(try await eventually { given.withLock { $0["bad"] } == 2 })
      running.cancel()
      await running.value
    }
  }

  @Test("wait where the clock was set ahead, until it has stood by it") func setAhead() async throws {
    try await withDeadlines { pool in
      let time = TestTime()
      let given = Counter()
      let troubles = Counter()
      try await set("a", time.clock + .seconds(1_800), pool)
      var settings = DeadlineTicker.Settings()
      settings.pause = .milliseconds(2)
      let looks = Counter()
      let ticker = DeadlineTicker(
        table, pool: pool, settings: settings,
        clock: {
          looks.add(1)
          return time.clock
        }, steady: { time.passed }, trouble: { _ in troubles.add(1) }
      ) { _ in given.add(1) }
      let running = Task { await ticker.run() }
      #expect(try await eventually { looks.value > 2 })
      time.set(by: 3_600)
      #expect(try await eventually { troubles.value == 1 })
      let seen = looks.value
      #expect(try await eventually { looks.value > seen + 3 })
      #expect(given.value == 0)
      time.pass(61)
      #expect(try await eventually { given.value == 1 })
      running.cancel()
      await running.value
    }
  }

  @Test("of one stream and kind are one: a later takes the place of an earlier") func replaced() async throws {
    try await withDeadlines { pool in
      let start = Instant(milliseconds: 1_900_000_000_000)
      try await set("a", start, pool)
      try await set("a", start + .seconds(5), pool)
      #expect(try await table.due(at: start, limit: 10, in: pool).isEmpty)
      #expect(try await table.due(at: start + .seconds(5), limit: 10, in: pool).count == 1)
      try await pool.transaction { connection throws in try table.clear("a", on: connection, tables: TableNames()) }
      #expect(try await table.due(at: start + .seconds(5), limit: 10, in: pool).isEmpty)
    }
  }

  @Test("A clock that was set ahead and back again is believed at once; one set back is believed; small steps are no news") func clockWatch() {
    var watch = ClockWatch(jump: .seconds(30), hold: .seconds(60))
    func at(_ seconds: Int64) -> Instant { Instant(milliseconds: 1_900_000_000_000 + seconds * 1_000) }
    #expect(watch.look(at(0), .seconds(0)) == .believed)
    #expect(watch.look(at(21), .seconds(1)) == .believed)
    #expect(watch.look(at(3_622), .seconds(2)) == .setAhead(.seconds(3_600)))
    #expect(watch.look(at(3_623), .seconds(3)) == .doubted)
    #expect(watch.look(at(24), .seconds(4)) == .believed)
    #expect(watch.look(at(-500), .seconds(5)) == .believed)
    #expect(watch.look(at(100), .seconds(6)) == .setAhead(.seconds(599)))
    #expect(watch.look(at(159), .seconds(65)) == .doubted)
    #expect(watch.look(at(160), .seconds(66)) == .believed)
  }
}
