import Broker
import EventSourcing
import Foundation
import Postgres
import TestSupport
import Testing
import Time

struct JournalAppendTests {
  @Test("What was appended is read back, byte for byte and with all it carries") func readsBack() async throws {
    try await withJournal { journal, _ in
      let data = #"{"b": 1.50, "a": "Möhne", "b": [1e3]}"#
      let event = NewEvent(type: "de.dos2030.tests.happened.v1", data: Array(data.utf8))
      let appended = try await journal.append([StreamWrite(stream: "idea-1", expected: .noStream, events: [event])], context: noon)
      let home = journal.partition(of: "idea-1")
      #expect(appended.positions == [JournalPosition(partition: home, epoch: 1, offset: 1)])
      let read = try await journal.read(stream: "idea-1")
      #expect(
        read == [
          RecordedEvent(
            position: appended.positions[0], stream: "idea-1", version: 1, id: event.id, type: event.type, context: noon, data: Array(data.utf8))
        ])
      #expect(try await journal.read(partition: home, after: 0, limit: 10) == read)
    }
  }

  @Test("Offsets of a partition follow one another from 1; before them stands the record that opens the epoch") func gapless() async throws {
    try await withJournal(partitions: 1) { journal, _ in
      try await journal.append([write("a", .any, "1", "2"), write("b", .noStream, "3")], context: noon)
      _ = try? await journal.note("a", .noStream)
      try await journal.note("b", .exactly(1))
      let log = try await journal.read(partition: 0, after: -1, limit: 100)
      #expect(log.map(\.position.offset) == [0, 1, 2, 3, 4])
      #expect(EpochBegan(type: log[0].type, data: log[0].data) == EpochBegan(epoch: 1, keeps: -1))
      #expect(log.dropFirst().map { "\($0.stream)\($0.version)" } == ["a1", "a2", "b1", "b2"])
      #expect(try await journal.end() == [JournalPosition(partition: 0, epoch: 1, offset: 4)])
    }
  }

  @Test("A stream that is not at the expected version is a conflict that says so, and nothing is written") func conflicts() async throws {
    try await withJournal(partitions: 1) { journal, _ in
      await #expect(throws: JournalError.conflict(stream: "a", expected: .exactly(1), actual: 0)) { try await journal.note("a", .exactly(1)) }
      try await journal.note("a", .noStream)
      await #expect(throws: JournalError.conflict(stream: "a", expected: .noStream, actual: 1)) { try await journal.note("a", .noStream) }
      await #expect(throws: JournalError.conflict(stream: "a", expected: .exactly(2), actual: 1)) {
        try await journal.append([write("b", .noStream), write("a", .exactly(2))], context: noon)
      }
      #expect(try await journal.read(stream: "b").isEmpty)
      try await journal.note("a", .exactly(1))
      try await journal.note("a", .any)
      #expect(try await journal.read(stream: "a").count == 3)
    }
  }

  @Test("Of concurrent appends that expect the same version exactly one is accepted; the others' conflicts touch nobody else") func groups() async throws {
    try await withJournal(partitions: 1) { journal, _ in
      let outcomes = await withTaskGroup(of: (Int, Bool).self) { group in
        for writer in 0..<40 {
          group.addTask { (writer % 4, (try? await journal.note("s\(writer % 4)", .noStream)) != nil) }
          group.addTask { (9, (try? await journal.note("own\(writer)", .noStream)) != nil) }
        }
        return await group.reduce(into: [Int: Int]()) { $0[$1.0, default: 0] += $1.1 ? 1 : 0 }
      }
      #expect(outcomes == [0: 1, 1: 1, 2: 1, 3: 1, 9: 40])
      let end = try await journal.end()
      #expect(end[0].offset == 44)
    }
  }

  @Test("Of a group with one refused member the others are appended together and without a gap", .timeLimit(.minutes(5))) func oneRefused() async throws {
    let groups = Counter()
    try await withJournal(partitions: 1, size: 8, observer: JournalObserver(appended: { _, members in if members == 3 { groups.add(1) } })) { journal, pool in
      try await journal.note("known")
      let release = try await holdPartition(0, pool)
      let first = Task { try await journal.note("first") }
      #expect(try await eventually { try await waitingForLocks(pool) == 1 })
      var members: [Task<Appended, any Error>] = []
      for stream in ["a", "known", "b"] {
        members.append(Task { try await journal.note(stream, .noStream) })
        #expect(try await eventually { journal.waiting == members.count })
      }
      try await release()
      #expect(try await first.value.positions.map(\.offset) == [2])
      #expect(try await members[0].value.positions.map(\.offset) == [3])
      await #expect(throws: JournalError.conflict(stream: "known", expected: .noStream, actual: 1)) { try await members[1].value }
      #expect(try await members[2].value.positions.map(\.offset) == [4])
      #expect(groups.value == 1)
    }
  }

  @Test("A member whose data is no JSON is refused alone") func badMember() async throws {
    try await withJournal(partitions: 1) { journal, _ in
      try await withThrowingTaskGroup(of: Bool.self) { group in
        for writer in 0..<20 {
          group.addTask {
            do throws(JournalError) {
              try await journal.note("s\(writer)", .noStream, writer == 7 ? "{" : "{}")
              return true
            } catch {
              guard case .refused("22P02", _) = error, writer == 7 else { throw error }
              return false
            }
          }
        }
        let accepted = try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        #expect(accepted == 19)
      }
    }
  }

  @Test("Two processes appending to the same partitions stay gapless, and each stream's versions too") func twoProcesses() async throws {
    try await withJournal(partitions: 2) { first, pool in
      let (second, secondPool) = another(first, pool)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for writer in 0..<8 {
          let journal = writer % 2 == 0 ? first : second
          group.addTask { for turn in 0..<25 { try await journal.note("s\((writer + turn) % 5)") } }
        }
        try await group.waitForAll()
      }
      var versions: [String: [Int64]] = [:]
      var count = 0
      for partition in 0..<2 {
        let log = try await first.read(partition: partition, after: 0, limit: 1_000)
        #expect(log.map(\.position.offset) == (0..<log.count).map { Int64($0 + 1) })
        for event in log { versions[event.stream, default: []].append(event.version) }
        count += log.count
      }
      #expect(count == 200)
      for (_, seen) in versions { #expect(seen == Array(1...Int64(seen.count))) }
      await second.close()
      await secondPool.close()
    }
  }

  @Test("One append touches one partition") func onePartition() async throws {
    try await withJournal(partitions: 16) { journal, _ in
      let streams = (0..<10).map { "s\($0)" }
      await #expect(throws: JournalError.severalPartitions(streams: streams)) {
        try await journal.append(streams.map { write($0) }, context: noon)
      }
      try await journal.append(streams.map { write($0) }, partition: 3, context: noon)
      let home = journal.partition(of: "s0") == 3 ? 4 : journal.partition(of: "s0")
      await #expect(throws: JournalError.streamElsewhere(stream: "s0", partition: 3)) { try await journal.note("s0", partition: home) }
    }
  }

  @Test("What no log would accept is refused before anybody shares its transaction") func malformed() async throws {
    try await withJournal(partitions: 1) { journal, _ in
      for writes in [[write("")], [write("epoch/0")], [write("a"), write("a")], [write("a", .exactly(-2))], [write("a\0b")], []] {
        do throws(JournalError) {
          _ = try await journal.append(writes, context: noon)
          Issue.record("\(writes) was appended")
        } catch {
          guard case .malformed = error else {
            Issue.record("\(error)")
            continue
          }
        }
      }
    }
  }

  @Test("Once handed over an append is carried out although its caller is cancelled") func shielded() async throws {
    try await withJournal(partitions: 1) { journal, _ in
      let caller = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        return try await journal.note("a", .noStream)
      }
      let appended = try await caller.value
      let read = try await journal.read(stream: "a")
      #expect(read.map(\.position) == appended.positions)
    }
  }

  @Test("Appends that wait, in line or in the database, are carried out although their callers leave meanwhile", .timeLimit(.minutes(5)))
  func leaves() async throws {
    try await withJournal(partitions: 1, size: 8) { journal, pool in
      try await journal.note("warm")
      let release = try await holdPartition(0, pool)
      let first = Task { try await journal.note("a", .noStream) }
      #expect(try await eventually { try await waitingForLocks(pool) == 1 })
      let second = Task { try await journal.note("b", .noStream) }
      #expect(try await eventually { journal.waiting == 1 })
      first.cancel()
      second.cancel()
      try await release()
      #expect(try await first.value.positions.map(\.offset) == [2])
      #expect(try await second.value.positions.map(\.offset) == [3])
      #expect(try await journal.end()[0].offset == 3)
    }
  }

  @Test("An append is committed with synchronous_commit on, also where the connection has it off") func flushed() async throws {
    try await withJournal(partitions: 1) { journal, pool in
      try await pool.execute("create table committed_with (setting text)")
      try await pool.execute(
        """
        create function note_setting() returns trigger language plpgsql as
          $$ begin insert into committed_with values (current_setting('synchronous_commit')); return new; end $$
        """)
      try await pool.execute("create trigger note_setting after insert on journal_events for each row execute function note_setting()")
      var configuration = pool.configuration
      configuration.settings["synchronous_commit"] = "off"
      let careless = PostgresPool(configuration, size: 1)
      let other = Journal(pool: careless, topic: journal.topic, city: journal.city, source: journal.source)
      _ = try await other.end()
      try await pool.execute("delete from committed_with")
      try await other.note("a")
      let settings = try await pool.query("select setting from committed_with").map { row throws in try row.decode(String.self) }
      #expect(settings == ["on"])
      await other.close()
      await careless.close()
    }
  }

  @Test("What waits is bounded; beyond the bound the answer is no, at once") func bounded() async throws {
    try await withJournal(partitions: 1, settings: JournalSettings(waitingLimit: 3)) { journal, pool in
      try await journal.note("warm")
      let release = try await holdPartition(0, pool)
      let first = Task { try await journal.note("first") }
      #expect(try await eventually { try await waitingForLocks(pool) == 1 })
      let full = Counter()
      let rest = (0..<10).map { number in
        Task {
          do throws(JournalError) {
            try await journal.note("s\(number)")
          } catch {
            #expect(error == .full(waiting: 3))
            full.add(1)
          }
        }
      }
      let refused = try await eventually { full.value == 7 }
      #expect(refused)
      try await release()
      for task in rest { await task.value }
      _ = try await first.value
    }
  }

  @Test("A closed Journal has finished what it took and takes nothing more") func closes() async throws {
    try await withJournal(partitions: 1) { journal, _ in
      let open = (0..<10).map { number in Task { try await journal.note("s\(number)") } }
      let begun = try await eventually { try await journal.end()[0].offset > 0 }
      #expect(begun)
      await journal.close()
      await #expect(throws: JournalError.closed) { try await journal.note("late") }
      for task in open { if case .failure(let error) = await task.result { #expect(error as? JournalError == .closed) } }
    }
  }
}
