import Broker
@testable import EventSourcing
import Postgres
import Synchronization
import TestSupport
import Testing

@Suite("Leases", .timeLimit(.minutes(5))) struct LeaseTests {
  @Test("Two instances share fairly: each partition has one owner, and what the first held beyond its share it gave up before the second began")
  func sharing() async throws {
    try await withJournal(partitions: 4) { _, pool in
      let history = History()
      let first = Instance("first", pool, history)
      #expect(try await eventually { first.leases.held == [0, 1, 2, 3] })
      let second = Instance("second", pool, history)
      #expect(try await eventually { first.leases.held.count == 2 && second.leases.held.count == 2 })
      #expect(Set(first.leases.held).union(second.leases.held) == [0, 1, 2, 3])
      #expect(try await eventually { first.leases.instances == 2 && second.leases.instances == 2 })
      let rows = try await pool.query("select partition, holder from dos_checkpoints order by partition").map { row throws in
        try row.decode(Int32.self, String?.self)
      }
      for (partition, holder) in rows { #expect(holder == (first.leases.held.contains(Int(partition)) ? "first" : "second")) }
      history.expectOneOwnerAtATime()

      // Who leaves in order leaves its partitions at once.
      await second.stop()
      #expect(try await eventually { first.leases.held == [0, 1, 2, 3] && first.leases.instances == 1 })
      history.expectOneOwnerAtATime()
      history.expectRisingClaims()
      await first.stop()
      let held = try await pool.query("select 1 from dos_checkpoints where holder is not null or until > clock_timestamp()").count
      let seen = try await pool.query("select 1 from dos_lease_holders").count
      #expect(held == 0 && seen == 0)
    }
  }

  @Test("An instance that is cut off loses its partitions when its leases run out, not before, and the other has them within seconds")
  func failover() async throws {
    try await withJournal(partitions: 4) { _, pool in
      let history = History()
      let own = PostgresPool(pool.configuration, size: 2)
      let lost = Instance("lost", own, history)
      #expect(try await eventually { lost.leases.held.count == 4 })
      let heir = Instance("heir", pool, history)
      #expect(try await eventually { lost.leases.held.count == 2 && heir.leases.held.count == 2 })
      let stays = Set(lost.leases.held)
      // Its database is out of reach from now on: it can neither renew nor leave.
      await own.close()
      let runsOut = try await pool.query("select extract(epoch from max(until))::float8 from dos_checkpoints where holder = 'lost'")
      let end = try runsOut.first?.decode(Double.self) ?? 0
      let began = ContinuousClock.now
      #expect(try await eventually { heir.leases.held.count == 4 })
      let took = began.duration(to: .now)
      #expect(took < .seconds(8), "took \(took)")
      let now = try await pool.query("select extract(epoch from clock_timestamp())::float8").first?.decode(Double.self) ?? 0
      #expect(now > end)
      #expect(Set(history.claims("heir").map(\.partition)).isSuperset(of: stays))
      history.expectRisingClaims()
      await heir.stop()
      await lost.stop()
    }
  }

  @Test("Taking a lease raises the claim and hands over the checkpoint that stands; the claim before moves nothing any more") func claims() async throws {
    try await withJournal(partitions: 1) { _, pool in
      try await pool.transaction { connection throws in
        try CheckpointTable.ensure(subscription: "s", topic: "t", starts: [7], on: connection)
      }
      let before = try await Leases.claim(subscription: "s", topic: "t", partition: 0, in: pool)
      #expect(before.claim == 1 && before.checkpoint == Checkpoint(position: 7))
      let moved = Checkpoint(position: 9, journal: JournalPosition(partition: 0, epoch: 2, offset: 5))
      try await before.advance(from: before.checkpoint, to: moved, in: pool)
      let after = try await Leases.claim(subscription: "s", topic: "t", partition: 0, in: pool)
      #expect(after.claim == 2 && after.checkpoint == moved)
      await #expect(throws: CheckpointLost.self) { try await before.advance(from: moved, to: Checkpoint(position: 10), in: pool) }
      await #expect(throws: CheckpointLost.self) { try await after.advance(from: before.checkpoint, to: Checkpoint(position: 10), in: pool) }
      // Giving back what is no longer one's own takes nothing from who has it.
      try await Leases.release(before, in: pool)
      #expect(try await pool.query("select 1 from dos_checkpoints where holder = 'operator' and position = 9").count == 1)
    }
  }

  @Test("A partition in an instance's name that it knows nothing of, since the answer to taking it was lost, is claimed anew") func lostAnswer() async throws {
    try await withJournal(partitions: 4) { _, pool in
      let history = History()
      let instance = Instance("first", pool, history)
      #expect(try await eventually { instance.leases.held.count == 4 })
      try await pool.execute("update dos_checkpoints set claim = claim + 1 where partition = 2")
      #expect(try await eventually { history.claims("first").contains { $0.partition == 2 && $0.claim == 3 } && instance.leases.held.count == 4 })
      history.expectOneOwnerAtATime()
      await instance.stop()
    }
  }

  @Test("A lease is prolonged while it is held") func renewed() async throws {
    try await withJournal(partitions: 4) { _, pool in
      let history = History()
      let instance = Instance("first", pool, history)
      #expect(try await eventually { instance.leases.held.count == 4 })
      func until() async throws -> Double {
        try await pool.query("select extract(epoch from min(until))::float8 from dos_checkpoints").first?.decode(Double.self) ?? 0
      }
      let first = try await until()
      #expect(try await eventually { try await until() > first })
      await instance.stop()
    }
  }

  @Test("Whether a lease has run out is told by the database's clock, however far it is from this process's", arguments: [-60, 60])
  func databaseClock(minutes: Int) async throws {
    try await withJournal(partitions: 4) { _, pool in
      try await pool.execute("create schema shifted")
      try await pool.execute(
        SQL(
          unsafe: """
            create function shifted.clock_timestamp() returns timestamptz language sql volatile as
              $$ select pg_catalog.clock_timestamp() + interval '\(minutes) minutes' $$
            """))
      try await pool.execute(
        "do $$ begin execute format('alter database %I set search_path = shifted, pg_catalog, public', current_database()); end $$")
      let shifted = PostgresPool(pool.configuration, size: 2)
      try await shifted.transaction { connection throws in
        try CheckpointTable.ensure(subscription: "s", topic: "t", starts: [0, 0, 0, 0], on: connection)
        // Of two that another instance took, one has run out.
        try connection.execute("update dos_checkpoints set holder = 'other', until = clock_timestamp() + interval '10 minutes' where partition = 0")
        try connection.execute("update dos_checkpoints set holder = 'other', until = clock_timestamp() - interval '1 second' where partition = 1")
      }
      let instance = Instance("first", shifted, History())
      #expect(try await eventually { instance.leases.held == [1, 2, 3] })
      // It looks again, and still finds that the other has time.
      let seen = { try await shifted.query("select seen::text from dos_lease_holders where holder = 'first'").first?.decode(String.self) }
      for _ in 0..<2 {
        let last = try await seen()
        #expect(try await eventually { try await seen() != last })
      }
      #expect(instance.leases.held == [1, 2, 3])
      await instance.stop()
      await shifted.close()
    }
  }

  @Test("Work that does not end when told to holds up nobody: the other partitions stay where they are, and its own goes over when its lease runs out")
  func slowEnd() async throws {
    try await withJournal(partitions: 4) { _, pool in
      let pause = Pause()
      let slow = Leases(pool: pool, subscription: "s", topic: "t", partitions: 4, holder: "slow", starts: { [0, 0, 0, 0] })
      let running = Task {
        await slow.run { lease in
          while !Task.isCancelled { try? await Task.sleep(for: .seconds(60)) }
          if lease.partition == 3 { await pause.hold() }
        }
      }
      #expect(try await eventually { slow.held.count == 4 })
      let history = History()
      let other = Instance("other", pool, history)
      #expect(try await eventually { pause.holds && other.leases.held == [2, 3] })
      let kept = try await pool.query(
        "select partition from dos_checkpoints where holder = 'slow' and claim = 1 and until > clock_timestamp() order by partition"
      ).map { row throws in try row.value(Int32.self, at: 0) }
      #expect(kept == [Int32(0), 1])
      pause.lift()
      #expect(try await eventually { slow.held == [0, 1] })
      await other.stop()
      running.cancel()
      await running.value
    }
  }

  @Test("Work that ends by itself gives the partition back, and it is claimed anew with a higher claim") func endsByItself() async throws {
    try await withJournal(partitions: 1) { _, pool in
      let seen = Mutex<[Int64]>([])
      let leases = Leases(pool: pool, subscription: "s", topic: "t", partitions: 1, starts: { [0] })
      let running = Task { await leases.run { lease in seen.withLock { $0.append(lease.claim) } } }
      let twice = try await eventually { seen.withLock { $0.count } >= 2 }
      #expect(twice)
      running.cancel()
      await running.value
      let claims = seen.withLock { $0 }
      #expect(claims.prefix(2) == [1, 2])
    }
  }
}

/// One instance that holds leases and does nothing with them but write down when it had which.
private struct Instance {
  let leases: Leases
  private let running: Task<Void, Never>

  init(_ holder: String, _ pool: PostgresPool, _ history: History) {
    let leases = Leases(pool: pool, subscription: "s", topic: "t", partitions: 4, holder: holder, starts: { [0, 0, 0, 0] })
    self.leases = leases
    running = Task {
      await leases.run { lease in
        history.note(.began(holder, lease))
        while !Task.isCancelled { try? await Task.sleep(for: .seconds(60)) }
        history.note(.ended(holder, lease))
      }
    }
  }

  func stop() async {
    running.cancel()
    await running.value
  }
}

/// What became of the leases, in order.
private final class History: Sendable {
  enum Entry: Sendable { case began(String, Lease), ended(String, Lease) }
  private let entries = Mutex<[Entry]>([])

  func note(_ entry: Entry) { entries.withLock { $0.append(entry) } }

  func claims(_ holder: String) -> [Lease] {
    entries.withLock { $0 }.compactMap { entry in
      if case .began(holder, let lease) = entry { lease } else { nil }
    }
  }

  func expectOneOwnerAtATime(sourceLocation: SourceLocation = #_sourceLocation) {
    var owners: [Int: Int64] = [:]
    for entry in entries.withLock({ $0 }) {
      switch entry {
      case .began(_, let lease):
        #expect(owners[lease.partition] == nil, sourceLocation: sourceLocation)
        owners[lease.partition] = lease.claim
      case .ended(_, let lease):
        #expect(owners[lease.partition] == lease.claim, sourceLocation: sourceLocation)
        owners[lease.partition] = nil
      }
    }
  }

  func expectRisingClaims(sourceLocation: SourceLocation = #_sourceLocation) {
    var last: [Int: Int64] = [:]
    for case .began(_, let lease) in entries.withLock({ $0 }) {
      #expect(lease.claim > last[lease.partition] ?? 0, sourceLocation: sourceLocation)
      last[lease.partition] = lease.claim
    }
  }
}
