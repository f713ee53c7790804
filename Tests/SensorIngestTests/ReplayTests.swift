import Broker
import EventSourcing
import Foundation
import Postgres
import SensorDomain
import ServiceKit
import Synchronization
import TestSupport
import Testing
import Time

@testable import SensorIngest

/// A service's read models over a broker of their own, fed with facts as the intake makes them.
private struct Station: Sendable {
  let pool: PostgresPool
  let broker: PostgresBroker
  let journal: Journal
  let subscriptions: ObservationSubscriptions

  static let rollups = [HourlyRollups.table, DailyRollups.table]
  static let raw = [
    ProjectionTable(name: "observations", key: ["datastream_id", "phenomenon_time"]),
    ProjectionTable(name: "observation_revisions", key: ["datastream_id", "phenomenon_time", "log_offset", "log_index"]),
    ProjectionTable(name: "observation_aliases", key: ["id"]),
  ]
  static let start = Instant(milliseconds: 1_767_225_600_000)

  static func run(_ body: @Sendable (Station) async throws -> Void) async throws {
    try await withTestDatabase(migrate: RegistryHarness.schema(), size: 8) { pool in
      let broker = try await PostgresBroker.open(pool.configuration, unsafeDurability: true)
      try await broker.declare(ObservationTopics.declared)
      try await pool.execute(
        """
        insert into datastreams (id, thing_id, sensor_id, observed_property_id, name, description, unit, observation_type, visibility, reporting, city,
          governance, opened_at)
        select id, 1, 1, 1, '', '', '{}', '', case id when 2 then 'internal' else 'public' end, '{}', '', '{}', now() from generate_series(1, 4) id
        """)
      let journal = Journal(pool: pool, topic: SensorTopics.registry, city: "dortmund", source: "/dortmund/sensors")
      let station = Station(pool: pool, broker: broker, journal: journal, subscriptions: ObservationSubscriptions(broker: broker, pool: pool))
      let running = Task { await station.subscriptions.run() }
      let outcome: Result<Void, any Error>
      do {
        outcome = .success(try await body(station))
      } catch {
        outcome = .failure(error)
      }
      running.cancel()
      await running.value
      await journal.close()
      await broker.close()
      try outcome.get()
    }
  }

  /// Sends readings of one datastream, value by minute, and waits until they are stored.
  @discardableResult
  func send(_ datastream: Int64, _ values: [Int: Double], id: Int64? = nil) async throws -> BrokerPosition {
    let readings = values.sorted { $0.key < $1.key }.map { minute, value in
      RecordedReading(
        id: id ?? Int64.random(in: 1..<(1 << 52)), observation: Observation(phenomenonTime: Self.start + .seconds(minute * 60), result: .number(value)),
        verdict: .plausible)
    }
    return try await publish(datastream, .recorded(ObservationsRecorded(datastream: datastream, readings: readings)), ObservationsRecorded.type)
  }

  @discardableResult
  func withdraw(_ datastream: Int64, _ minute: Int) async throws -> BrokerPosition {
    let time = Self.start + .seconds(minute * 60)
    return try await publish(datastream, .withdrawn(ObservationWithdrawn(datastream: datastream, phenomenonTime: time)), ObservationWithdrawn.type)
  }

  func publish(_ datastream: Int64, _ fact: ObservationFact, _ type: String, data: [UInt8]? = nil) async throws -> BrokerPosition {
    let event = CloudEvent(
      id: UUID(), source: "/dortmund/sensors", type: type, subject: "datastream-\(datastream)", time: .now(), city: "dortmund", data: data ?? fact.data)
    let topic = ObservationTopics.topic(datastream == 2 ? .internal : .public)
    let positions = try await broker.publish([OutgoingEvent(topic: topic, key: String(datastream), event: event)])
    if data == nil {
      let arrived = await subscriptions.wait(for: positions[0], atMost: .seconds(30))
      #expect(arrived)
    }
    return positions[0]
  }

  /// Readings, repeats, revisions and withdrawals of three datastreams over two days.
  func fill() async throws {
    for datastream in Int64(1)...3 {
      for day in 0..<2 { try await send(datastream, Dictionary(uniqueKeysWithValues: (0..<50).map { (day * 1_440 + $0 * 20, Double($0) / 10) })) }
      try await send(datastream, [0: 0, 20: 7.5, 40: 8.5])
      try await withdraw(datastream, 60)
      try await send(datastream, [60: 1])
      try await withdraw(datastream, 80)
    }
  }

  func all(_ tables: [ProjectionTable]) async throws -> [[String]] {
    var rows: [[String]] = []
    for table in tables { rows.append(try await text(of: table, in: pool)) }
    return rows
  }

  func replay(_ name: String, verify: Bool = false) async throws -> ReplayableProjection.Outcome {
    let found = SensorReplays(journal: journal, broker: broker, pool: pool).all.first { $0.name == name }
    return try await #require(found).run(verify) { _ in }
  }

  func leftovers() async throws -> Int {
    try await pool.query(
      """
      select 1 from pg_namespace where nspname like 'replay%' union all select 1 from dos_checkpoints where subscription like 'replay%'
      union all select 1 from dos_dead_letters where subscription like 'replay%'
      """
    ).count
  }
}

/// Ends a task that must end what it has begun.
private final class Enough: Sendable {
  private let said = Mutex(false)
  var isSaid: Bool { said.withLock { $0 } }
  func say() { said.withLock { $0 = true } }
}

@Suite("Replays of the sensors' read models", .timeLimit(.minutes(5)))
struct ReplayTests {
  @Test("the registry's tables come out with the same bytes, and a verification finds nothing")
  func registry() async throws {
    try await RegistryHarness.run { city in
      let id = try await city.post("/Things", Body.thing(datastreams: [Body.datastream("A"), Body.datastream("B")]))
      _ = try await city.post("/Things", Body.thing())
      let moved = try await city.post("/Things(\(id))/Locations", Body.location)
      #expect(try await city.send(.patch, "/Things(\(id))", ["name": "Neu", "properties": ["dos:owner": "Umweltamt"]]).status == 200)
      #expect(try await city.send(.delete, "/Locations(\(moved))").status == 200)
      let sensor = try await city.post("/Sensors", Body.sensor)
      #expect(try await city.send(.delete, "/Sensors(\(sensor))").status == 200)
      let datastream = try #require(try await city.get("/Things(\(id))/Datastreams")["value"]?.array?.first?["@iot.id"]?.int)
      #expect(try await city.send(.delete, "/Datastreams(\(datastream))").status == 200)
      try await city.service.caughtUp([])
      let tables = RegistryProjection().tables
      var before: [[String]] = []
      for table in tables { before.append(try await text(of: table, in: city.pool)) }
      #expect(before.allSatisfy { !$0.isEmpty } || before.count { $0.isEmpty } == 1, "only features of interest may be missing")
      try await Replay(RegistryProjection(), source: JournalSource(city.journal), pool: city.pool).run()
      for (table, rows) in zip(tables, before) { #expect(try await text(of: table, in: city.pool) == rows, "\(table.name)") }
      #expect(try await Replay(RegistryProjection(), source: JournalSource(city.journal), pool: city.pool).verify().differences.isEmpty)
    }
  }

  @Test("hours and days come out with the same bytes, in tables of their own that took the live ones' place")
  func rollups() async throws {
    try await Station.run { station in
      try await station.fill()
      let (before, tables) = (try await station.all(Station.rollups), try await identities(of: Station.rollups, in: station.pool))
      #expect(before.allSatisfy { !$0.isEmpty })
      let outcome = try await station.replay("rollups")
      #expect(outcome.done == 300 && outcome.unit == "readings")
      #expect(try await station.all(Station.rollups) == before)
      let swapped = try await identities(of: Station.rollups, in: station.pool)
      #expect(zip(swapped, tables).allSatisfy { $0 != $1 })
      #expect(try await station.replay("rollups", verify: true).differences.isEmpty)
      #expect(try await identities(of: Station.rollups, in: station.pool) == swapped)
      #expect(try await station.leftovers() == 0)
    }
  }

  @Test("a verification of the rollups tells what is wrong with them and leaves it; a replay puts it right")
  func rollupsRepaired() async throws {
    try await Station.run { station in
      try await station.fill()
      let right = try await station.all(Station.rollups)
      try await station.pool.execute("delete from observation_hours where datastream_id = 1 and hour = (select min(hour) from observation_hours)")
      // The sum is the same, and is not written the same.
      try await station.pool.execute("update observation_days set total = total::numeric(20, 6) where datastream_id = 2")
      let wrong = try await station.all(Station.rollups)
      let found = try await station.replay("rollups", verify: true).differences
      #expect(found.count == 2)
      #expect(found[0].contains("observation_hours: 1 rows missing") && found[0].contains("1/2026-01-01"))
      #expect(found[1].contains("observation_days: 2 rows with other content"))
      #expect(try await station.all(Station.rollups) == wrong)
      _ = try await station.replay("observations")
      #expect(try await station.all(Station.rollups) == right)
    }
  }

  @Test("rollups that are built while readings, revisions and withdrawals come lose none of them, and a verification finds no difference")
  func rollupsMeanwhile() async throws {
    try await Station.run { station in
      try await station.fill()
      let enough = Enough()
      let coming = Task<Int, any Error> {
        var turn = 0
        while !enough.isSaid {
          try await station.send(Int64(turn % 4 + 1), [turn % 100: Double(turn % 7), turn + 200: 1])
          if turn % 5 == 4 { try await station.withdraw(Int64(turn % 4 + 1), turn % 100) }
          turn += 1
        }
        return turn
      }
      for turn in 0..<6 {
        let outcome = try await station.replay("rollups", verify: turn % 2 == 0)
        #expect(outcome.differences.isEmpty)
      }
      enough.say()
      let sent = try await coming.value
      #expect(sent > 0)
      #expect(try await station.replay("rollups", verify: true).differences.isEmpty)
      #expect(try await station.pool.query("select 1 from dos_dead_letters").isEmpty)
    }
  }

  @Test("readings that were being stored when one replay of the rollups ended are waited for by the next")
  func rollupsOneAfterTheOther() async throws {
    try await Station.run { station in
      try await station.fill()
      // As it is for a moment when a replay ends: nobody else may have the gate, and there is nothing to note in any more.
      let ending = PostgresPool(station.pool.configuration, size: 1)
      try await ending.execute("select pg_advisory_lock(\(TouchedHours.gate.space), \(TouchedHours.gate.number))")
      let blocker = PostgresPool(station.pool.configuration, size: 1)
      try await blocker.execute("select pg_advisory_lock(4711)")
      let holding = Task {
        try await station.pool.transaction { connection throws in
          try connection.execute(script: "lock table observation_days in share row exclusive mode; select pg_advisory_xact_lock(4711)")
        }
      }
      try await until("the days are held") { try await !station.pool.query("select 1 from pg_locks where objid = 4711 and not granted").isEmpty }
      let sent = Task { try await station.send(1, [5: 99]) }
      func isWaitedFor(_ table: String) async throws -> Bool {
        try await !station.pool.query("select 1 from pg_locks where not granted and relation = to_regclass(\(table))").isEmpty
      }
      try await until("the readings are stored and their day is not") { try await isWaitedFor("observation_days") }
      await ending.close()
      let next = Task { try await station.replay("rollups") }
      try await until("the next replay waits for them, at its beginning or only at its end") { try await isWaitedFor("observations") }
      await blocker.close()
      try await holding.value
      _ = try await (sent.value, next.value)
      #expect(try await station.replay("rollups", verify: true).differences.isEmpty)
    }
  }

  @Test("of two replays of the rollups at once the second is refused, and an hour that changes while one is at work is right after its swap")
  func rollupsAtOnce() async throws {
    try await Station.run { station in
      try await station.fill()
      let replay = RollupReplay(pool: station.pool)
      // Held up at the table that it reads: by then it notes what changes.
      let blocker = PostgresPool(station.pool.configuration, size: 1)
      try await blocker.execute("select pg_advisory_lock(\(TouchedHours.gate.space), \(TouchedHours.gate.number))")
      let first = Task { try await replay.run(verify: false) }
      try await until("it waits") {
        try await !station.pool.query(
          """
          select 1 from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())
          """
        ).isEmpty
      }
      await #expect(throws: ReplayRefusal.alreadyRunning("rollups")) { try await replay.run(verify: true) }
      try await station.send(1, [5: 99])
      #expect(try await !station.pool.query("select 1 from replay_rollups.touched_hours").isEmpty)
      await blocker.close()
      _ = try await first.value
      #expect(try await replay.run(verify: true).differences.isEmpty)
      #expect(try await station.leftovers() == 0)
    }
  }

  @Test("the stored readings are as the topics say, and a verification leaves them untouched")
  func observations() async throws {
    try await Station.run { station in
      try await station.fill()
      let (before, tables) = (try await station.all(Station.raw), try await identities(of: Station.raw, in: station.pool))
      #expect(before.allSatisfy { !$0.isEmpty })
      let found = try await station.replay("observations", verify: true)
      #expect(found.differences == [] && found.notes == [])
      #expect(found.done == 18 && found.unit == "events")
      let outcome = try await station.replay("observations")
      #expect(outcome.notes.first?.contains("archive") == true)
      #expect(try await station.all(Station.raw) == before)
      #expect(try await identities(of: Station.raw, in: station.pool) == tables)
      #expect(try await station.leftovers() == 0)
    }
  }

  @Test("a verification of the readings tells each that is missing, different, or not in the topic, with datastream, time and offset")
  func observationsSpoilt() async throws {
    try await Station.run { station in
      try await station.fill()
      let place = try await station.send(2, [3_000: 5, 3_020: 6, 3_040: 7])
      let where3000 = "\(place.topic)/\(place.partition)/\(place.offset)"
      for change: SQL in [
        "delete from observations where datastream_id = 2 and number = 5 and phenomenon_time = \(Station.start + .seconds(3_000 * 60))",
        "update observations set number = 6.5 where datastream_id = 2 and phenomenon_time = \(Station.start + .seconds(3_020 * 60))",
        """
        insert into observations select datastream_id, phenomenon_time + interval '1 day', phenomenon_end, 4711, number, truth, text, json, result_time, valid_time,
          result_quality, parameters, implausible, withdrawn, log_offset, log_index
        from observations where datastream_id = 2 and phenomenon_time = \(Station.start + .seconds(3_040 * 60))
        """,
        "delete from observation_revisions where datastream_id = 1 and number = 0.1",
        "delete from observation_aliases where datastream_id = 3",
      ] { try await station.pool.execute(change) }
      let found = try await station.replay("observations", verify: true).differences
      #expect(found.contains("a reading is missing (datastream 2, 2026-01-03T02:00:00.000Z, \(where3000), reading 0)"), "\(found)")
      #expect(found.contains("a reading is not as the topic has it (datastream 2, 2026-01-03T02:20:00.000Z, \(where3000), reading 1)"))
      #expect(found.contains("a reading is stored that the topic does not have (datastream 2, 2026-01-04T02:40:00.000Z, \(where3000), reading 2)"))
      #expect(found.contains { $0.hasPrefix("a reading is missing (datastream 1, 2026-01-01T00:20:00.000Z") })
      #expect(found.contains { $0.hasPrefix("the id ") && $0.contains("datastream 3") })
    }
  }

  @Test("readings from before what the topic still holds are the archive's, and do not look like differences")
  func observationsBeyondRetention() async throws {
    try await Station.run { station in
      try await station.fill()
      // Ten years and more: all of it goes from the topic.
      try await station.broker.sweep(now: .now() + .seconds(3_700 * 86_400))
      #expect(try await station.broker.earliest(of: ObservationTopics.topic(.public)).contains { $0 > 0 })
      // Repeats, revisions and a withdrawal of what the topic no longer has.
      try await station.send(1, [0: 0, 20: 9, 100: 0.5])
      try await station.withdraw(1, 120)
      try await station.send(1, [80: 0.4, 5_000: 1])
      let found = try await station.replay("observations", verify: true)
      #expect(found.differences == [])
      #expect(found.done == 3)
      #expect(found.notes.contains { $0.contains("archive") })
      try await station.pool.execute("update observations set number = 8 where datastream_id = 1 and number = 9")
      #expect(try await station.replay("observations", verify: true).differences.count == 1)
    }
  }

  @Test("a verification of the readings while more come finds no difference")
  func observationsMeanwhile() async throws {
    try await Station.run { station in
      try await station.fill()
      let enough = Enough()
      let coming = Task<Void, any Error> {
        var turn = 0
        while !enough.isSaid {
          try await station.send(Int64(turn % 4 + 1), [turn % 60 * 20: Double(turn % 7), turn + 5_000: 1])
          turn += 1
        }
      }
      for _ in 0..<3 { #expect(try await station.replay("observations", verify: true).differences == []) }
      enough.say()
      try await coming.value
    }
  }

  @Test("a verification while readings are parked says so, and does not call them missing")
  func observationsParked() async throws {
    try await Station.run { station in
      try await station.fill()
      let fact = ObservationFact.withdrawn(ObservationWithdrawn(datastream: 1, phenomenonTime: Station.start))
      _ = try await station.publish(1, fact, ObservationsRecorded.type, data: Array("{\"no\":\"readings\"}".utf8))
      try await until("it is parked") { try await !station.pool.query("select 1 from dos_dead_letters").isEmpty }
      let found = try await station.replay("observations", verify: true)
      #expect(found.differences == [])
      #expect(found.notes.contains { $0.contains("1 parked") })
    }
  }

  private func until(_ what: String, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(30)
    while try await !condition() {
      guard ContinuousClock.now < deadline else {
        Issue.record("waited in vain until \(what)")
        return
      }
      try await Task.sleep(for: .milliseconds(10))
    }
  }
}
