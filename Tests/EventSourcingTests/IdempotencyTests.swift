import Broker
import EventSourcing
import Foundation
import Postgres
import Testing
import Time

struct IdempotencyTests {
  private func key(_ name: String, caller: String = "fire-1", method: String = "POST", path: String = "/ideas", body: String = "{}") -> IdempotencyKey {
    IdempotencyKey(caller: caller, method: method, path: path, key: name, body: Array(body.utf8))
  }

  @Test("A repeat gets the first outcome and its positions, and writes nothing") func repeats() async throws {
    try await withJournal(partitions: 1) { journal, _ in
      let first = try await journal.append([write("a", .noStream, "1", "2")], idempotency: key("k"), outcome: [1], context: noon)
      let again = try await journal.append([write("a", .noStream, "1", "2")], idempotency: key("k"), outcome: [2], context: noon)
      #expect(again == Appended(positions: first.positions, repeated: true, outcome: [1]))
      #expect(!first.repeated && first.outcome == [1])
      let end = try await journal.end()
      #expect(end[0].offset == 2)
    }
  }

  @Test("The same key with another body is refused") func reused() async throws {
    try await withJournal(partitions: 1) { journal, _ in
      try await journal.append([write("a")], idempotency: key("k"), context: noon)
      await #expect(throws: JournalError.keyReused) {
        try await journal.append([write("a")], idempotency: key("k", body: "[]"), context: noon)
      }
    }
  }

  @Test("A key belongs to who calls what: another caller, method or path has its own") func scoped() async throws {
    try await withJournal(partitions: 1) { journal, _ in
      let keys = [key("k"), key("k", caller: "fire-2"), key("k", method: "PUT"), key("k", path: "/ideas/1"), key("l"), key("", caller: "x", path: "")]
      for key in keys.dropLast() {
        let appended = try await journal.append([write("a")], idempotency: key, context: noon)
        #expect(!appended.repeated)
      }
      await #expect(throws: JournalError.malformed("an empty idempotency key")) {
        try await journal.append([write("a")], idempotency: keys[5], context: noon)
      }
      #expect(Set(keys.map(\.derivedID)).count == 6)
      // What is shifted between the parts is another scope.
      #expect(key("k", caller: "ab", method: "c").derivedID != key("k", caller: "a", method: "bc").derivedID)
    }
  }

  @Test("A refusal is not stored: a repeat decides anew") func refusals() async throws {
    try await withJournal(partitions: 1) { journal, _ in
      try await journal.note("a", .noStream)
      await #expect(throws: JournalError.self) { try await journal.append([write("a", .noStream)], idempotency: key("k"), context: noon) }
      let second = try await journal.append([write("a", .exactly(1))], idempotency: key("k"), context: noon)
      #expect(!second.repeated)
    }
  }

  @Test("A command that led to no event is remembered too") func empty() async throws {
    try await withJournal(partitions: 1) { journal, _ in
      let nothing = StreamWrite(stream: "a", expected: .noStream, events: [])
      let first = try await journal.append([nothing], idempotency: key("k"), outcome: [7], context: noon)
      #expect(first == Appended(positions: [], repeated: false, outcome: [7]))
      let again = try await journal.append([write("a", .noStream)], idempotency: key("k"), outcome: [8], context: noon)
      #expect(again == Appended(positions: [], repeated: true, outcome: [7]))
    }
  }

  @Test("Of concurrent appends with one key one is written, also across partitions and processes") func concurrent() async throws {
    try await withJournal(partitions: 4) { first, pool in
      let (second, secondPool) = another(first, pool)
      // The first to store the key takes its time over it, so that the others meet it.
      try await pool.execute(
        "create function linger() returns trigger language plpgsql as $$ begin perform pg_sleep(0.2); return null; end $$")
      try await pool.execute("create trigger linger after insert on journal_idempotency_keys for each row execute function linger()")
      // Four at once go one by one, sixteen share transactions.
      for count in [4, 16] {
        let outcomes = try await withThrowingTaskGroup(of: Appended.self) { group in
          for turn in 0..<count {
            let journal = turn % 2 == 0 ? first : second
            group.addTask {
              try await journal.append([write("s\(turn)")], partition: turn % 4, idempotency: key("k\(count)"), outcome: [UInt8(turn)], context: noon)
            }
          }
          return try await group.reduce(into: [Appended]()) { $0.append($1) }
        }
        #expect(outcomes.filter { !$0.repeated }.count == 1)
        #expect(Set(outcomes.map(\.outcome)).count == 1 && Set(outcomes.map(\.positions)).count == 1)
      }
      await second.close()
      await secondPool.close()
    }
  }

  @Test("Groups whose keys cross between partitions wait for one another and do not deadlock", .timeLimit(.minutes(5))) func crossed() async throws {
    try await withJournal(partitions: 2, size: 8) { first, pool in
      let (second, secondPool) = another(first, pool)
      try await first.note("warm", partition: 0)
      try await second.note("warm1", partition: 1)
      let names = (0..<40).map { "k\($0)" }
      for _ in 0..<5 {
        try await withThrowingTaskGroup(of: Void.self) { group in
          for name in names { group.addTask { try await first.append([write("a")], partition: 0, idempotency: key(name), context: noon) } }
          for name in names.reversed() { group.addTask { try await second.append([write("b")], partition: 1, idempotency: key(name), context: noon) } }
          try await group.waitForAll()
        }
      }
      let deadlocks = try await pool.query("select deadlocks from pg_stat_database where datname = current_database()").first?.decode(Int64.self)
      #expect(deadlocks == 0)
      let heads = try await first.end()
      #expect(heads.map(\.offset).reduce(0, +) == 2 + 40)
      await second.close()
      await secondPool.close()
    }
  }

  @Test("Keys older than the sweep's limit are forgotten, younger ones stay") func sweep() async throws {
    try await withJournal(partitions: 1) { journal, pool in
      for name in ["a", "b", "c"] { try await journal.append([write("s")], idempotency: key(name), context: noon) }
      try await pool.execute("update journal_idempotency_keys set stored = now() - interval '8 days' where first_offset < 3")
      let forgotten = try await IdempotencySweep.forget(before: Instant.now() + .seconds(-7 * 86_400), on: pool, bite: 1)
      #expect(forgotten == 2)
      let (old, young) = (try await journal.remembered(key("a")), try await journal.remembered(key("c")))
      #expect(old == nil && young?.repeated == true)
    }
  }

  @Test("Ids from names are the same always, differ by content, and say what they are; drawn ids only rise") func ids() {
    #expect(UUID.nameBased("reading", "7") == UUID.nameBased("reading", "7"))
    #expect(UUID.nameBased("reading", "7") != UUID.nameBased("reading7", ""))
    #expect(UUID.nameBased("x").uuidString.dropFirst(14).first == "8")
    let drawn = (0..<10_000).map { _ in UUID.v7().uuidString }
    #expect(drawn == drawn.sorted() && Set(drawn).count == drawn.count)
    #expect(drawn.allSatisfy { $0.dropFirst(14).first == "7" && "89AB".contains($0.dropFirst(19).first ?? "0") })
  }
}
