@testable import Broker
import Foundation
import Postgres
import TestSupport
import Testing
import Time

@Suite("The broker on PostgreSQL") struct PostgresBrokerTests {
  @Test("a server that does not flush is refused, by the name of the setting") func durability() async throws {
    try await withTestDatabase { pool in
      var configuration = pool.configuration
      configuration.settings["synchronous_commit"] = "off"
      let fsync = try await pool.query("select setting from pg_settings where name = 'fsync'").first?.value(String.self, at: 0)
      let expected = fsync == "off" ? "fsync" : "synchronous_commit"
      await #expect(throws: UnsafeDurability(setting: expected, value: "off")) { try await PostgresBroker.open(configuration) }
    }
  }

  @Test("offsets have no gap, also not where a transaction failed") func gapless() async throws {
    try await withBroker { broker, pool in
      let things = topic(partitions: 1)
      try await broker.declare([things])
      for round in 0..<20 {
        if round % 5 == 4 { try await terminate(pool) }
        _ = try? await broker.publish(outgoing(things, (0..<10).map(String.init), partition: 0))
      }
      let offsets = try await broker.readAll(things, 0).map(\.position.offset)
      #expect(offsets == Array(0..<Int64(offsets.count)))
      #expect(offsets.count >= 160)
    }
  }

  @Test("partitions are locked in ascending order, whatever the order of the events: who waits for one holds none behind it") func ascending() async throws {
    try await withBroker { broker, pool in
      let things = topic(partitions: 3)
      try await broker.declare([things])
      let id = try await pool.query("select id from topics where name = \(things.name)")[0].value(Int32.self, at: 0)
      let other = PostgresPool(pool.configuration, size: 1)
      try await other.execute("select pg_advisory_lock(\(id), 1)")
      let publish = Task { try await broker.publish([2, 1, 0].flatMap { outgoing(things, ["x"], partition: $0) }) }
      let holding: SQL = """
        select coalesce(array_agg(held.objid::bigint order by held.objid), '{}') from pg_locks waiting
        join pg_locks held on held.pid = waiting.pid and held.locktype = 'advisory' and held.granted and held.classid = waiting.classid
        where waiting.locktype = 'advisory' and not waiting.granted and waiting.classid = \(Int64(id))::oid and waiting.objid = 1
          and waiting.database = (select oid from pg_database where datname = current_database())
        """
      let waiting: SQL = """
        select count(*) from pg_locks where locktype = 'advisory' and not granted and classid = \(Int64(id))::oid
          and database = (select oid from pg_database where datname = current_database())
        """
      let deadline = ContinuousClock.now + .seconds(30)
      while try await pool.query(waiting)[0].value(Int64.self, at: 0) == 0, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(5)) }
      #expect(try await pool.query(holding)[0].value([Int64].self, at: 0) == [0])
      await other.close()
      #expect(try await publish.value.map(\.offset) == [0, 0, 0])
    }
  }

  @Test("while connections are cut, what was acknowledged stays, in order, and readers and writers go on") func restart() async throws {
    try await withBroker { broker, pool in
      let things = topic(partitions: 2)
      try await broker.declare([things])
      let reader = try await broker.reader(topic: things, partition: 0, from: 0)
      async let cutting: Void = {
        for _ in 0..<5 {
          try await Task.sleep(for: .milliseconds(60))
          try await terminate(pool)
        }
      }()
      var acknowledged: [UUID] = []
      for number in 0..<200 {
        let batch = outgoing(things, ["\(number)"], partition: 0)
        if (try? await broker.publish(batch)) != nil { acknowledged.append(batch[0].event.id) }
      }
      try await cutting
      var read: [UUID] = []
      let wanted = Set(acknowledged)
      var failures = 0
      while !wanted.isSubset(of: read), failures < 20 {
        do {
          read += try await reader.next(limit: 100, wait: .seconds(2)).map(\.event.id)
        } catch {
          failures += 1
          if failures == 20 { Issue.record(error) }
          try await Task.sleep(for: .milliseconds(50))
        }
      }
      #expect(read.filter(wanted.contains) == acknowledged)
      #expect(Set(read).count == read.count)
    }
  }

  @Test("what fails at the commit is not acknowledged and takes no offset") func commit() async throws {
    try await withBroker { broker, pool in
      let things = topic(partitions: 1)
      try await broker.declare([things])
      try await refuse(pool)
      await #expect(throws: BrokerError.self) { try await broker.publish(outgoing(things, ["refused"])) }
      #expect(try await broker.publish(outgoing(things, ["fine"])).map(\.offset) == [0])
      #expect(try await broker.readAll(things, 0).count == 1)
    }
  }

  @Test("an event that fails what it was to be stored with fails alone") func neighbours() async throws {
    try await withBroker { broker, pool in
      let things = topic(partitions: 1)
      try await broker.declare([things])
      try await refuse(pool)
      let publishes = try await holding(pool, partition: 0) {
        let first = Task { try await broker.publish(outgoing(things, ["first.."], partition: 0)) }
        while broker.waitingBytes == 0 { try await Task.sleep(for: .milliseconds(2)) }
        let one = broker.waitingBytes
        // What waits for the first is stored together.
        let rest = ["fine..1", "refused", "fine..2"].map { text in Task { try await broker.publish(outgoing(things, [text], partition: 0)) } }
        while broker.waitingBytes < 4 * one { try await Task.sleep(for: .milliseconds(2)) }
        return [first] + rest
      }
      var failed = 0
      for publish in publishes { if case .failure = await publish.result { failed += 1 } }
      #expect(failed == 1)
      #expect(try await broker.readAll(things, 0).map(\.position.offset) == [0, 1, 2])
    }
  }

  @Test("what waits is bounded: beyond it the answer is full, at once, and nothing of it was taken") func bound() async throws {
    var limits = BrokerLimits()
    limits.waitingBytes = 20_000
    try await withBroker(limits: limits) { broker, pool in
      let things = topic(partitions: 1)
      try await broker.declare([things])
      let text = String(repeating: "x", count: 8_000)
      let first = try await holding(pool, partition: 0) {
        let waiting = Task { try await broker.publish(outgoing(things, [text, text])) }
        while broker.waitingBytes < 16_000 { try await Task.sleep(for: .milliseconds(2)) }
        let before = ContinuousClock.now
        await #expect(throws: BrokerError.full(waitingBytes: broker.waitingBytes)) { try await broker.publish(outgoing(things, [text])) }
        #expect(before.duration(to: .now) < .seconds(5))
        return waiting
      }
      #expect(try await first.value.count == 2)
      #expect(try await broker.end(of: things) == [2])
      #expect(broker.waitingBytes == 0)
    }
  }

  @Test("a publish is awaited for its time; then it may still arrive, and it does, whoever left") func timeLimit() async throws {
    var limits = BrokerLimits()
    limits.publishTime = .milliseconds(300)
    try await withBroker(limits: limits) { broker, pool in
      let things = topic(partitions: 1)
      try await broker.declare([things])
      try await holding(pool, partition: 0) {
        do {
          _ = try await broker.publish(outgoing(things, ["late"]))
          Issue.record("acknowledged while the partition was locked")
        } catch BrokerError.unavailable(_, let mayHaveArrived) {
          #expect(mayHaveArrived)
        }
        let before = broker.waitingBytes
        let leaving = Task { try await broker.publish(outgoing(things, ["left"])) }
        while broker.waitingBytes == before { try await Task.sleep(for: .milliseconds(2)) }
        leaving.cancel()
      }
      let reader = try await broker.reader(topic: things, partition: 0, from: 0)
      var texts: [String] = []
      for _ in 0..<2 where texts.count < 2 {
        texts += try await reader.next(limit: 10, wait: .seconds(10)).map { String(decoding: $0.event.data, as: UTF8.self) }
      }
      #expect(texts == ["{\"text\":\"late\"}", "{\"text\":\"left\"}"])
    }
  }

  @Test("retention takes the oldest first and only what is too old; offsets go on, and readers below hear where it begins") func retention() async throws {
    try await withBroker { broker, pool in
      let (facts, decisions) = (topic("facts", partitions: 1, retention: .days(30)), topic(partitions: 1))
      try await broker.declare([facts, decisions])
      for topic in [facts, decisions] { _ = try await broker.publish(outgoing(topic, (0..<30).map(String.init), partition: 0)) }
      let late = try await broker.reader(topic: facts, partition: 0, from: 5)
      try await pool.execute("update events set stored_at = stored_at - interval '31 days' where \"offset\" < 20")
      #expect(try await broker.sweep(now: .now()) == 20)
      #expect(try await broker.earliest(of: facts) == [20])
      #expect(try await broker.earliest(of: decisions) == [0])
      #expect(try await broker.readAll(facts, 0, from: 20).count == 10)
      await #expect(throws: BrokerError.offsetOutOfRange(earliest: 20, next: 30)) { try await broker.reader(topic: facts, partition: 0, from: 19) }
      await #expect(throws: BrokerError.offsetOutOfRange(earliest: 20, next: 30)) { try await late.next(limit: 10, wait: .zero) }
      #expect(try await broker.sweep(now: .now() + .seconds(40 * 86_400)) == 10)
      #expect(try await broker.earliest(of: facts) == [30])
      #expect(try await broker.publish(outgoing(facts, ["next"])).first?.offset == 30)
    }
  }

  @Test("what text cannot hold is refused before it can fail its neighbours") func invalid() async throws {
    try await withBroker { broker, _ in
      let things = topic()
      try await broker.declare([things])
      await #expect(throws: BrokerError.self) { try await broker.publish(outgoing(things, ["x"], key: "a\0b")) }
    }
  }

  @Test("what others write in between reaches a process that remembers its own, in order and once") func others() async throws {
    try await withBroker { broker, pool in
      let things = topic(partitions: 1)
      try await broker.declare([things])
      let other = try await PostgresBroker.open(pool.configuration, unsafeDurability: true)
      let tail = try await broker.reader(topic: things, partition: 0, from: 0)
      var tailed: [Int64] = []
      var sent: [UUID] = []
      for round in 0..<30 {
        let writer = round % 3 == 1 ? other : broker
        let batch = outgoing(things, (0...round % 4).map { "\(round).\($0)" })
        _ = try await writer.publish(batch)
        sent += batch.map(\.event.id)
        if round % 5 == 0 { tailed += try await tail.next(limit: 3, wait: .seconds(10)).map(\.position.offset) }
      }
      while tailed.count < sent.count { tailed += try await tail.next(limit: 100, wait: .seconds(10)).map(\.position.offset) }
      #expect(tailed == Array(0..<Int64(sent.count)))
      for from in sent.indices {
        #expect(try await broker.readAll(things, 0, from: Int64(from)).map(\.event.id) == Array(sent[from...]))
      }
      await other.close()
    }
  }

  @Test("a process outlives a restore of its database: who was ahead hears where it ends, and what is gone is given to nobody") func restored() async throws {
    try await withBroker { broker, pool in
      let things = topic(partitions: 1)
      try await broker.declare([things])
      _ = try await broker.publish(outgoing(things, (0..<10).map(String.init)))
      let ahead = try await broker.reader(topic: things, partition: 0, from: 10)
      try await pool.execute("delete from events where \"offset\" >= 5")
      await #expect(throws: BrokerError.offsetOutOfRange(earliest: 0, next: 5)) { try await ahead.next(limit: 10, wait: .seconds(20)) }
      #expect(try await broker.readAll(things, 0).map(\.position.offset) == [0, 1, 2, 3, 4])
      #expect(try await broker.publish(outgoing(things, ["anew"])).map(\.offset) == [5])
      #expect(try await broker.readAll(things, 0, from: 4).map(\.position.offset) == [4, 5])
    }
  }

  private func withBroker(
    limits: BrokerLimits = .init(), _ body: (PostgresBroker, PostgresPool) async throws -> Void
  ) async throws {
    try await withTestDatabase(migrate: [TestSchema(scope: BrokerMigrations.scope, migrations: try BrokerMigrations.load())]) { pool in
      let broker = try await PostgresBroker.open(pool.configuration, unsafeDurability: true, limits: limits)
      do {
        try await body(broker, pool)
        await broker.close()
      } catch {
        await broker.close()
        throw error
      }
    }
  }

  /// Lets every commit fail that comes with an event of the first topic which says "refused".
  private func refuse(_ pool: PostgresPool) async throws {
    try await pool.execute(
      """
      create function refuse() returns trigger language plpgsql as
        $$ begin if convert_from(new.data, 'UTF8') like '%refused%' then raise 'told so'; end if; return null; end $$
      """)
    try await pool.execute(
      "create constraint trigger refuse after insert on events_1 deferrable initially deferred for each row execute function refuse()")
  }

  /// Holds the lock of a partition of the only topic while the body runs.
  private func holding<Outcome: Sendable>(
    _ pool: PostgresPool, partition: Int32, _ body: () async throws -> Outcome
  ) async throws -> Outcome {
    try await pool.execute("create table if not exists release_lock (done boolean)")
    let holder = Task {
      try await pool.withConnection { connection throws in
        _ = try connection.query("select pg_advisory_lock(1, \(partition))")
        while try connection.query("select 1 from release_lock").isEmpty { _ = try connection.query("select pg_sleep(0.01)") }
        _ = try connection.query("select pg_advisory_unlock(1, \(partition))")
      }
    }
    let held: SQL =
      "select 1 from pg_locks where locktype = 'advisory' and classid = 1 and granted and database = (select oid from pg_database where datname = current_database())"
    while try await pool.query(held).isEmpty { try await Task.sleep(for: .milliseconds(1)) }
    let outcome = try await body()
    try await pool.execute("insert into release_lock values (true)")
    try await holder.value
    return outcome
  }
}

/// Cuts every other connection to the test's database, as a restart would.
private func terminate(_ pool: PostgresPool) async throws {
  _ = try await pool.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and application_name = 'dos tests'")
}
