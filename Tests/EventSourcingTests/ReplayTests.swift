import Broker
@testable import EventSourcing
import Postgres
import TestSupport
import Testing

@Suite("Replays", .timeLimit(.minutes(5))) struct ReplayTests {
  private let tables = Listing().tables

  /// A projection that has taken in what a Journal holds.
  private func withListing(
    streams: Int = 3, _ body: (Journal, PostgresPool, Subscription) async throws -> Void
  ) async throws {
    try await withJournal(partitions: 2, size: 8) { journal, pool in
      try await Listing.createTable(pool)
      let subscription = Subscription(Listing(), source: JournalSource(journal), pool: pool)
      let running = Task { await subscription.run() }
      for turn in 0..<20 { try await journal.note("s\(turn % streams)", .any, "\(turn)") }
      #expect(try await caughtUp(subscription))
      try await body(journal, pool, subscription)
      running.cancel()
      await running.value
    }
  }

  private func leftovers(_ pool: PostgresPool) async throws -> Int64 {
    try await pool.query(
      """
      select (select count(*) from pg_namespace where nspname like 'replay%') + (select count(*) from dos_checkpoints where subscription like 'replay%')
        + (select count(*) from dos_dead_letters where subscription like 'replay%')
      """)[0].value(Int64.self, at: 0)
  }

  @Test("A verification swaps nothing, and tells the rows that are missing, too many and different") func verifies() async throws {
    try await withListing { journal, pool, _ in
      let before = try await identities(of: tables, in: pool)
      let same = try await Replay(Listing(), source: JournalSource(journal), pool: pool).verify()
      #expect(same.differences.isEmpty && same.failed.isEmpty && same.parked == 0)
      #expect(same.events == 22)
      let rows = try await listed(pool)
      let (lost, changed) = (try #require(rows.first), try #require(rows.last))
      try await pool.execute("delete from listed where place = \(Int32(lost.partition)) and journal_offset = \(lost.offset)")
      try await pool.execute("update listed set said = 'other' where place = \(Int32(changed.partition)) and journal_offset = \(changed.offset)")
      try await pool.execute("insert into listed values (0, 900, 'a', 't', 'never said')")
      let spoilt = try await listed(pool)
      let found = try #require(try await Replay(Listing(), source: JournalSource(journal), pool: pool).verify().differences.first)
      #expect([found.missing, found.extra, found.differing] == [1, 1, 1])
      #expect(Set(found.examples) == ["\(lost.partition)/\(lost.offset)", "\(changed.partition)/\(changed.offset)", "0/900"])
      #expect(try await identities(of: tables, in: pool) == before)
      #expect(try await listed(pool) == spoilt)
      #expect(try await leftovers(pool) == 0)
    }
  }

  @Test("A verification while events keep coming finds no difference") func verifiesMeanwhile() async throws {
    try await withListing { journal, pool, _ in
      let coming = Task {
        var turn = 0
        while !Task.isCancelled {
          try await journal.note("s\(turn % 3)", .any, "\(turn)")
          turn += 1
        }
      }
      for _ in 0..<3 {
        let found = try await Replay(Listing(), source: JournalSource(journal), pool: pool).verify()
        #expect(found.differences.isEmpty)
      }
      coming.cancel()
      try await coming.value
    }
  }

  @Test("A verification leaves out what is parked and says so; what cannot be taken in any more is told") func verifiesParked() async throws {
    try await withJournal(partitions: 1, size: 8) { journal, pool in
      try await Listing.createTable(pool)
      try await pool.execute("create table refused (said text)")
      try await pool.execute("insert into refused values ('2')")
      let picky = Listing { batch, connection in
        let refused = try connection.query("select said from refused").map { row throws in try row.value(String.self, at: 0) }
        for event in batch where refused.contains(String(decoding: event.event.data, as: UTF8.self)) { throw Refused() }
      }
      let subscription = Subscription(picky, source: JournalSource(journal), pool: pool)
      let running = Task { await subscription.run() }
      for (stream, said) in [("a", "1"), ("b", "2"), ("b", "3"), ("a", "4")] { try await journal.note(stream, .any, said) }
      #expect(try await caughtUp(subscription))
      #expect(try await listed(pool).map(\.said) == ["1", "4"])
      // Whether it would go in now or not: the live tables do not have it, and that is told as what it is.
      for _ in 0..<2 {
        let found = try await Replay(picky, source: JournalSource(journal), pool: pool).verify()
        #expect(found.parked == 2 && found.differences.isEmpty && found.failed.isEmpty)
        try await pool.execute("delete from refused")
      }
      try await pool.execute("insert into refused values ('4')")
      let failed = try await Replay(picky, source: JournalSource(journal), pool: pool).verify()
      #expect(failed.failed.map { String(decoding: $0.event.event.data, as: UTF8.self) } == ["4"])
      #expect(failed.differences.map(\.extra) == [1])
      try await pool.execute("delete from refused")
      let letters = DeadLetters(pool: pool, subscription: Listing.name, topic: journal.topic.name)
      #expect(try await letters.retry(partition: 0, projection: picky).projected == 2)
      let whole = try await Replay(picky, source: JournalSource(journal), pool: pool).verify()
      #expect(whole.parked == 0 && whole.differences.isEmpty)
      running.cancel()
      await running.value
    }
  }

  private struct Refused: Error {}

  @Test("Of two replays of the same projection at once the second is refused; afterwards the next one may") func oneAtATime() async throws {
    try await withListing { journal, pool, _ in
      let pause = Pause()
      let first = Task {
        try await Replay(Listing(), source: PausedSource(source: JournalSource(journal), pause: pause), pool: pool).run()
      }
      #expect(try await eventually { pause.holds })
      for verify in [true, false] {
        await #expect(throws: ReplayRefusal.alreadyRunning(Listing.name)) {
          let second = Replay(Listing(), source: JournalSource(journal), pool: pool)
          if verify { _ = try await second.verify() } else { try await second.run() }
        }
      }
      pause.lift()
      _ = try await first.value
      try await Replay(Listing(), source: JournalSource(journal), pool: pool).run()
      #expect(try await listed(pool) == decided(journal))
    }
  }

  @Test("A replay that is cancelled on its way leaves the live tables untouched and nothing behind") func cancelled() async throws {
    try await withListing { journal, pool, _ in
      let (before, rows) = (try await identities(of: tables, in: pool), try await listed(pool))
      let pause = Pause()
      let replay = Task {
        try await Replay(Listing(), source: PausedSource(source: JournalSource(journal), pause: pause), pool: pool).run()
      }
      #expect(try await eventually { pause.holds })
      #expect(try await leftovers(pool) > 0)
      replay.cancel()
      pause.lift()
      await #expect(throws: (any Error).self) { try await replay.value }
      #expect(try await identities(of: tables, in: pool) == before)
      #expect(try await listed(pool) == rows)
      #expect(try await leftovers(pool) == 0)
    }
  }

  @Test("What a killed replay left behind is cleaned up by the next one") func afterKill() async throws {
    try await withListing { journal, pool, _ in
      try await pool.execute("create schema replay_listing")
      try await pool.execute("create table replay_listing.listed (like listed including all)")
      try await pool.execute("insert into replay_listing.listed values (0, 900, 'a', 't', 'half done')")
      let topic = journal.topic.name
      try await pool.execute("insert into dos_checkpoints (subscription, topic, partition, position) values ('replay:listing', \(topic), 0, 7)")
      try await pool.execute(
        """
        insert into dos_dead_letters (subscription, topic, partition, position, subject, key, type, header_names, header_values, data)
        values ('replay:listing', \(topic), 0, 3, 's0', 's0', 't', '{}', '{}', '')
        """)
      let before = try await text(of: tables[0], in: pool)
      try await Replay(Listing(), source: JournalSource(journal), pool: pool).run()
      #expect(try await text(of: tables[0], in: pool) == before)
      #expect(try await leftovers(pool) == 0)
      #expect(try await DeadLetters(pool: pool, subscription: Listing.name, topic: topic).count() == 0)
    }
  }

  @Test("Who reads while it swaps is waited for, and whoever reads meets one state or the other") func reads() async throws {
    try await withListing { journal, pool, _ in
      let (enough, reads) = (Counter(), Counter())
      let reading = Task<Void, any Error> {
        while enough.value == 0 {
          let rows = try await listed(pool).count
          #expect(rows == 20)
          reads.add(1)
        }
      }
      for _ in 0..<5 { try await Replay(Listing(), source: JournalSource(journal), pool: pool).run() }
      enough.add(1)
      try await reading.value
      #expect(reads.value > 0)
    }
  }

  @Test("Who waits for a position while a replay has moved the checkpoint back looks now and then, and not all the time") func waits() async throws {
    try await withListing { journal, pool, subscription in
      let head = try #require(journal.commits.head(0))
      try await subscription.positions.wait(for: .broker(partition: 0, offset: head), timeout: .seconds(10))
      // Far behind what this process has once heard, and held by nobody who would go on.
      let topic = journal.topic.name
      try await pool.transaction { connection throws in
        try CheckpointTable.place(Checkpoint(position: 1), subscription: Listing.name, topic: topic, partition: 0, on: connection)
        try connection.execute("update dos_checkpoints set holder = 'operator', until = clock_timestamp() + interval '1 hour' where partition = 0")
      }
      let looks = try await Looks(pool)
      let positions = ReadPositions(pool: looks.pool, subscription: Listing.name, topic: topic)
      positions.progressed(0, to: 1_000)
      let began = ContinuousClock.now
      await #expect(throws: ReadPositions.Failure.timeout) {
        try await positions.wait(for: .broker(partition: 0, offset: head), timeout: .milliseconds(500))
      }
      let took = began.duration(to: .now)
      let count = try await looks.count() / 2
      // 5, 10, 20, 40 and then 50 ms apart; a busy machine looks less often and waits longer.
      #expect(count > 0 && count <= 7 + Int64(took / .milliseconds(50)), "looked \(count) times in \(took)")
      await looks.pool.close()
    }
  }

  @Test("Who waits for what this process had written asks the database once a second at most where it is there already, and waits where it is not")
  func ownWrites() async throws {
    try await withListing { journal, pool, subscription in
      let (head, topic) = (try #require(journal.commits.head(0)), journal.topic.name)
      #expect(try await subscription.positions.wait(beyond: head, in: 0, atMost: .seconds(10)))
      #expect(try await !subscription.positions.wait(beyond: head + 1, in: 0, atMost: .milliseconds(20)))
      let looks = try await Looks(pool)
      // Of another process, whose subscription is not this one.
      let positions = ReadPositions(pool: looks.pool, subscription: Listing.name, topic: topic)
      for _ in 0..<1_000 { #expect(try await positions.wait(beyond: head, in: 0, atMost: .seconds(10))) }
      #expect(try await looks.count() < 500)
      // What this process's own subscription has written is known without a look, as long as that is believed: a second, which a busy machine may take.
      var isKnown = false
      for _ in 0..<20 where !isKnown {
        let before = try await looks.count()
        positions.progressed(0, to: head + 10)
        isKnown = try await positions.wait(beyond: head + 9, in: 0, atMost: .zero)
        isKnown = try await looks.count() == before && isKnown
      }
      #expect(isKnown)
      await looks.pool.close()
    }
  }
}

/// A pool whose looks at the checkpoints are counted: what is read is a view that draws a number for each row.
private struct Looks {
  let pool: PostgresPool
  private let outer: PostgresPool

  init(_ outer: PostgresPool) async throws {
    self.outer = outer
    try await outer.execute("create schema counted")
    try await outer.execute("create sequence counted.looks")
    try await outer.execute("create view counted.dos_checkpoints as select *, nextval('counted.looks') as number from public.dos_checkpoints")
    var configuration = outer.configuration
    configuration.settings["search_path"] = "counted"
    pool = PostgresPool(configuration, size: 1)
  }

  /// How many rows were drawn.
  func count() async throws -> Int64 { try await outer.query("select last_value from counted.looks")[0].value(Int64.self, at: 0) }
}
