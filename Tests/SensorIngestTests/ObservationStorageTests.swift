import EventSourcing
import Postgres
import SensorDomain
import TestSupport
import Testing
import Time

@testable import SensorIngest

@Suite("Stored observations")
struct ObservationStorageTests {
  /// A database with the service's tables, and a way to store facts as the projection does.
  private func withStore(_ body: (PostgresPool) async throws -> Void) async throws {
    let migrations = try Migrations.load(SensorFiles.all.filter { $0.name.hasPrefix("Migrations/") })
    let shared = TestSchema(scope: EventSourcingMigrations.scope, migrations: try EventSourcingMigrations.load())
    try await withTestDatabase(migrate: [shared, TestSchema(scope: "sensors", migrations: migrations)], body)
  }

  private func reading(_ id: Int64, _ time: String, _ result: ObservedResult, _ verdict: Verdict = .plausible) throws -> RecordedReading {
    RecordedReading(id: id, observation: Observation(phenomenonTime: try #require(Instant(rfc3339: time)), result: result), verdict: verdict)
  }

  private func store(_ facts: [(Int64, ObservationFact)], in pool: PostgresPool) async throws {
    try await pool.transaction { connection in
      try Rollups.update(try Observations.store(Observations.changes(facts.map { (offset: $0.0, fact: $0.1) }), on: connection), on: connection)
    }
  }

  private func text(_ sql: SQL, in pool: PostgresPool) async throws -> [String] {
    try await pool.query(sql).map { try $0.value(String.self, at: 0) }
  }

  private func dump(_ table: String, in pool: PostgresPool) async throws -> [String] {
    try await text("select t::text from \(identifier: table) t order by 1", in: pool)
  }

  @Test("the same result again is the same fact, and its id names the stored one")
  func sameAgain() async throws {
    try await withStore { pool in
      try await store([(1, .recorded(.init(datastream: 7, readings: [try reading(1, "2026-01-01T00:00:00Z", .number(5))])))], in: pool)
      try await store([(2, .recorded(.init(datastream: 7, readings: [try reading(2, "2026-01-01T01:00:00+01:00", .number(5))])))], in: pool)
      #expect(try await text("select id || ' ' || number || ' ' || log_offset from observations", in: pool) == ["1 5 1"])
      #expect(try await text("select id::text from observation_aliases", in: pool) == ["2"])
      #expect(try await dump("observation_revisions", in: pool).isEmpty)
    }
  }

  @Test("another result is a revision: the later holds, the earlier stays beside it")
  func revision() async throws {
    try await withStore { pool in
      let time = "2026-01-01T00:00:00Z"
      try await store([(1, .recorded(.init(datastream: 7, readings: [try reading(1, time, .number(5))])))], in: pool)
      try await store(
        [(2, .recorded(.init(datastream: 7, readings: [try reading(2, time, .text("x")), try reading(3, time, .json(Array(#"{"a":[1,2.5]}"#.utf8)))])))],
        in: pool)
      try await store([(3, .recorded(.init(datastream: 7, readings: [try reading(4, time, .json(Array(#"{"a":[1,2.5]}"#.utf8)))])))], in: pool)
      #expect(try await text("select id || ' ' || json from observations", in: pool) == [#"3 {"a": [1, 2.5]}"#])
      #expect(
        try await text("select id || ' ' || coalesce(number::text, text) from observation_revisions order by log_offset, log_index", in: pool) == [
          "1 5", "2 x",
        ])
      #expect(try await text("select id::text from observation_aliases order by id", in: pool) == ["1", "2", "4"])
    }
  }

  @Test("are written beside a newer version, which has added columns that this one does not know")
  func addedColumns() async throws {
    try await withStore { pool in
      try await pool.execute("alter table observations add column later text not null default 'x'")
      for number in 1...2 {
        let recorded = try reading(Int64(number), "2026-01-01T00:00:00Z", .number(Double(number)))
        try await store([(Int64(number), .recorded(.init(datastream: 7, readings: [recorded])))], in: pool)
      }
      #expect(try await text("select id || ' ' || number || ' ' || later from observations", in: pool) == ["2 2 x"])
    }
  }

  @Test("of revisions that are taken one by one in a single transaction the last holds")
  func oneByOne() async throws {
    try await withStore { pool in
      let facts = try (1...20).map { number -> ObservationFact in
        .recorded(.init(datastream: 7, readings: [try reading(Int64(number), "2026-01-01T00:00:00Z", .number(Double(number)))]))
      }
      try await pool.transaction { connection in
        for (offset, fact) in facts.enumerated() { _ = try Observations.store(Observations.changes([(Int64(offset), fact)]), on: connection) }
      }
      #expect(try await text("select id || ' ' || number || ' ' || log_offset from observations", in: pool) == ["20 20 19"])
      #expect(try await text("select count(*)::text from observation_revisions", in: pool) == ["19"])
    }
  }

  @Test("a withdrawn observation counts no more, and a later reading for its time holds again")
  func withdrawal() async throws {
    try await withStore { pool in
      let time = try #require(Instant(rfc3339: "2026-01-01T00:00:00Z"))
      try await store([(1, .recorded(.init(datastream: 7, readings: [try reading(1, time.rfc3339, .number(5))])))], in: pool)
      try await store([(2, .withdrawn(.init(datastream: 7, phenomenonTime: time))), (3, .withdrawn(.init(datastream: 8, phenomenonTime: time)))], in: pool)
      #expect(try await text("select withdrawn::text from observations", in: pool) == ["true"])
      #expect(try await dump("observation_hours", in: pool).isEmpty)
      #expect(try await dump("observation_days", in: pool).isEmpty)
      try await store([(4, .recorded(.init(datastream: 7, readings: [try reading(2, time.rfc3339, .number(5))])))], in: pool)
      #expect(try await text("select id || ' ' || withdrawn from observations", in: pool) == ["2 false"])
      #expect(try await text("select readings::text from observation_days", in: pool) == ["1"])
    }
  }

  @Test("what comes with a revision of its hour counts once, and what is withdrawn with the batch that brought it counts nowhere")
  func sameBatch() async throws {
    try await withStore { pool in
      let (first, second) = ("2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z")
      let counts: SQL = "select readings || ' ' || total from observation_hours union all select readings || ' ' || total from observation_days"
      try await store([(1, .recorded(.init(datastream: 7, readings: [try reading(1, first, .number(5))])))], in: pool)
      try await store([(2, .recorded(.init(datastream: 7, readings: [try reading(2, first, .number(6)), try reading(3, second, .number(7))])))], in: pool)
      #expect(try await text(counts, in: pool) == ["2 13", "2 13"])
      let gone = try #require(Instant(rfc3339: "2026-01-02T12:00:00Z"))
      try await store(
        [
          (3, .recorded(.init(datastream: 7, readings: [try reading(4, gone.rfc3339, .number(1))]))),
          (4, .withdrawn(.init(datastream: 7, phenomenonTime: gone))),
        ], in: pool)
      #expect(try await text(counts, in: pool) == ["2 13", "2 13"])
    }
  }

  @Test("reading the log again from an earlier offset changes nothing")
  func again() async throws {
    try await withStore { pool in
      let time = "2026-01-01T00:00:00Z"
      let facts: [(Int64, ObservationFact)] = [
        (1, .recorded(.init(datastream: 7, readings: [try reading(1, time, .number(5)), try reading(2, time, .number(6))]))),
        (2, .recorded(.init(datastream: 7, readings: [try reading(3, time, .number(5))]))),
      ]
      try await store(facts, in: pool)
      let tables = ["observations", "observation_revisions", "observation_aliases", "observation_hours", "observation_days"]
      var before: [[String]] = []
      for table in tables { before.append(try await dump(table, in: pool)) }
      try await store(facts, in: pool)
      try await store([facts[0]], in: pool)
      for (table, rows) in zip(tables, before) { #expect(try await dump(table, in: pool) == rows) }
    }
  }

  @Test("rollups are the same whatever the order and the batches in which readings, revisions and withdrawals came")
  func orderOfBatches() async throws {
    var random = SystemRandomNumberGenerator()
    let start = try #require(Instant(rfc3339: "2020-10-24T20:00:00Z"))
    var facts: [(Int64, ObservationFact)] = []
    for offset in 0..<Int64(300) {
      let time = start + .seconds(Int.random(in: 0..<200, using: &random) * 180)
      if offset % 20 == 19 {
        facts.append((offset, .withdrawn(.init(datastream: offset % 3, phenomenonTime: time))))
      } else {
        let value = Double(Int.random(in: 0..<50, using: &random)) / 10
        facts.append(
          (
            offset,
            .recorded(.init(datastream: offset % 3, readings: [try reading(offset, time.rfc3339, .number(value), value > 4 ? .implausible : .plausible)]))
          ))
      }
    }
    try await withStore { pool in
      var rest = facts[...]
      while !rest.isEmpty {
        let size = Int.random(in: 1...40, using: &random)
        try await store(Array(rest.prefix(size)), in: pool)
        rest = rest.dropFirst(size)
      }
      let tables = ["observation_hours", "observation_days"]
      var incremental: [[String]] = []
      for table in tables { incremental.append(try await dump(table, in: pool)) }
      #expect(try await RollupReplay(pool: pool).run(verify: true).differences.isEmpty)
      #expect(try await RollupReplay(pool: pool).run(verify: false).readings > 0)
      for (table, rows) in zip(tables, incremental) { #expect(try await dump(table, in: pool) == rows) }
      let total = try await text(
        "select (select sum(readings) from observation_days)::text || ' ' || (select count(*) from observations where not withdrawn)", in: pool)
      let parts = total[0].split(separator: " ")
      #expect(parts[0] == parts[1])
    }
  }

  @Test("sums are exact, in whatever order their values came")
  func exactSums() async throws {
    for values in [[1e15, 0.1, -1e15, 0.2], [0.1, 0.2, 1e15, -1e15], [1e15, -1e15, 0.2, 0.1]] {
      try await withStore { pool in
        for (minute, value) in values.enumerated() {
          let time = "2026-01-01T0\(minute % 2):0\(minute):00Z"
          try await store([(Int64(minute), .recorded(.init(datastream: 7, readings: [try reading(Int64(minute), time, .number(value))])))], in: pool)
        }
        #expect(try await text("select total::text from observation_days", in: pool) == ["0.3"], "\(values)")
      }
    }
  }

  @Test("an implausible value is kept and counted, and does not spoil the mean")
  func implausible() async throws {
    try await withStore { pool in
      try await store(
        [
          (
            1,
            .recorded(
              .init(
                datastream: 7,
                readings: [try reading(1, "2026-01-01T00:00:00Z", .number(5)), try reading(2, "2026-01-01T00:01:00Z", .number(9_999), .implausible)]))
          )
        ], in: pool)
      let row = try await text("select readings || ' ' || plausible || ' ' || minimum || ' ' || maximum || ' ' || total from observation_hours", in: pool)
      #expect(row == ["2 1 5 5 5"])
      #expect(try await text("select id::text from observations where implausible", in: pool) == ["2"])
    }
  }

  @Test("each month has its partition, and all years before 2010 have four")
  func partitions() async throws {
    try await withStore { pool in
      let times = [
        "1970-01-01T00:00:00Z", "1999-12-31T23:59:59.999Z", "2009-12-31T23:59:59Z", "2010-01-01T00:00:00Z", "2020-06-30T23:59:59.999Z", "2020-07-01T00:00:00Z",
      ]
      let readings = try times.enumerated().map { try reading(Int64($0.offset), $0.element, .truth(true)) }
      try await store([(1, .recorded(.init(datastream: 1, readings: readings)))], in: pool)
      #expect(
        try await text("select tableoid::regclass::text from observations order by phenomenon_time", in: pool) == [
          "observations_1970s", "observations_1990s", "observations_2000s", "observations_2010_01", "observations_2020_06", "observations_2020_07",
        ])
    }
  }

  @Test("what is known is looked up by index, also with a plan that was made while there was nothing to look up")
  func plan() async throws {
    try await withStore { pool in
      let start = try #require(Instant(rfc3339: "2026-01-01T00:00:00Z"))
      let batches = try (Int64(0)..<5).map { batch in
        let readings = try (0..<Int64(100)).map { try reading(batch * 100 + $0, (start + .seconds(batch * 100 + $0)).rfc3339, .number(1)) }
        return Observations.changes([(offset: batch, fact: .recorded(.init(datastream: 7, readings: readings)))])
      }
      let scans: SQL = "select sum(seq_scan)::bigint, sum(idx_scan)::bigint from pg_stat_xact_user_tables where relname like 'observations_2026%'"
      let (first, all) = try await pool.transaction { connection in
        _ = try Observations.store(batches[0], on: connection)
        let first = try connection.query(scans)[0].decode(Int64.self, Int64.self)
        for changes in batches.dropFirst() { _ = try Observations.store(changes, on: connection) }
        return (first, try connection.query(scans)[0].decode(Int64.self, Int64.self))
      }
      // Making the partition reads it whole.
      #expect(all.0 == first.0)
      #expect(all.1 - first.1 == 400)
    }
  }

  @Test("two transactions that need the same new month make it once, and neither fails")
  func sameMonthTwice() async throws {
    try await withStore { pool in
      let month: SQL = "select dos_make_observation_partition('2031-05-17Z')"
      let waiting: SQL = """
        select count(*) from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())
        """
      let other = PostgresPool(pool.configuration, size: 2)
      let second = try await pool.transaction { connection in
        _ = try connection.query(month)
        let second = Task { try await other.query(month) }
        while try connection.query(waiting)[0].value(Int64.self, at: 0) == 0 { _ = try connection.query("select pg_sleep(0.005)") }
        return second
      }
      _ = try await second.value
      #expect(try await text("select relname from pg_class where relname like 'observations_2031%' and relkind = 'r'", in: pool) == ["observations_2031_05"])
      await other.close()
    }
  }
}
