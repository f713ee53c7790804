import Broker
@testable import EventSourcing
import Foundation
import Postgres
import Synchronization
import TestSupport
import Testing

struct JournalLostAnswerTests {
  /// A Journal whose answers get lost where `losing` says so, by their number from 1.
  private func forgetful(_ journal: Journal, _ settings: JournalSettings = JournalSettings(), losing: @escaping @Sendable (Int) -> Bool) -> Journal {
    let answers = Counter()
    return Journal(
      pool: journal.pool, topic: journal.topic, city: journal.city, source: journal.source, settings: settings, observer: JournalObserver(),
      losesAnswer: {
        answers.add(1)
        return losing(answers.value)
      })
  }

  @Test("When the answer to a commit is lost, the Journal finds out that it happened, and says so once") func committed() async throws {
    try await withJournal(partitions: 1) { plain, _ in
      let journal = forgetful(plain) { $0 % 2 == 1 }
      for version in Int64(0)..<4 {
        let appended = try await journal.append([write("a", version == 0 ? .noStream : .exactly(version), "1")], context: noon)
        #expect(appended.positions == [JournalPosition(partition: 0, epoch: 1, offset: version + 1)])
      }
      let read = try await journal.read(stream: "a")
      #expect(read.map(\.version) == [1, 2, 3, 4])
    }
  }

  @Test("Whoever looks for an append whose answer was lost waits for the partition: a transaction without a connection may still be committing it")
  func stillCommitting() async throws {
    try await withJournal(partitions: 1, size: 8) { plain, pool in
      let (lost, held) = (Counter(), Counter())
      let journal = forgetful(plain) { number in
        guard number == 1 else { return false }
        lost.add(1)
        // On a thread that is the Journal's own for this moment: nothing else says when it is about to look.
        while held.value == 0 { usleep(1_000) }
        return true
      }
      let append = Task { try await journal.note("a", .noStream) }
      #expect(try await eventually { lost.value == 1 })
      let release = try await holdPartition(0, pool)
      held.add(1)
      #expect(try await eventually { try await waitingForLocks(pool) == 1 })
      try await release()
      #expect(try await append.value.positions.map(\.offset) == [1])
      #expect(try await journal.read(stream: "a").count == 1)
    }
  }

  @Test("A lost answer to a group is resolved member by member: accepted, conflicting and repeated ones get their own") func group() async throws {
    try await withJournal(partitions: 1, size: 8) { plain, pool in
      let journal = forgetful(plain) { $0 == 2 }
      try await journal.note("a", .noStream)
      let key = IdempotencyKey(caller: "c", method: "POST", path: "/", key: "k", body: [])
      let release = try await holdPartition(0, pool)
      let first = Task { try await journal.note("first") }
      let waits = try await eventually { try await waitingForLocks(pool) == 1 }
      #expect(waits)
      // These wait behind the first and share the next transaction with one another.
      let fine = Task { try await journal.append([write("b", .noStream)], idempotency: key, outcome: [1], context: noon) }
      let clash = Task { try await journal.note("a", .noStream) }
      let empty = Task {
        try await journal.append([StreamWrite(stream: "c", expected: .noStream, events: [])], idempotency: nil, outcome: [3], context: noon)
      }
      try await release()
      _ = try await first.value
      let (accepted, nothing) = (try await fine.value, try await empty.value)
      #expect(accepted.outcome == [1] && !accepted.repeated && accepted.positions.count == 1)
      #expect(nothing.positions.isEmpty)
      await #expect(throws: JournalError.conflict(stream: "a", expected: .noStream, actual: 1)) { try await clash.value }
      let read = try await journal.read(stream: "b")
      #expect(read.map(\.position) == accepted.positions)
    }
  }

  @Test("A keyed append without events whose answer was lost is not taken for a repeat of itself") func keyed() async throws {
    try await withJournal(partitions: 1) { plain, _ in
      let journal = forgetful(plain) { $0 == 1 }
      let key = IdempotencyKey(caller: "c", method: "POST", path: "/", key: "k", body: [])
      let nothing = StreamWrite(stream: "c", expected: .noStream, events: [])
      let appended = try await journal.append([nothing], idempotency: key, outcome: [3], context: noon)
      #expect(appended == Appended(positions: [], repeated: false, outcome: [3]))
    }
  }

  @Test("When the server ends the connection before the commit, the append is carried out on another, once") func terminated() async throws {
    try await withJournal(partitions: 1) { journal, pool in
      try await journal.note("a", .noStream)
      let release = try await holdPartition(0, pool)
      let append = Task { try await journal.note("a", .exactly(1)) }
      let other = PostgresPool(pool.configuration, size: 1)
      for _ in 0..<2 {
        let killed = try await eventually {
          let rows = try await other.query(
            """
            select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and not granted
            and database = (select oid from pg_database where datname = current_database())
            """)
          return !rows.isEmpty
        }
        #expect(killed)
      }
      try await release()
      let appended = try await append.value
      #expect(appended.positions.map(\.offset) == [2])
      let read = try await journal.read(stream: "a")
      #expect(read.count == 2)
      await other.close()
    }
  }

  @Test("Without an answer until the end of its patience the Journal says that it may have happened; what never left may be repeated blindly")
  func gaveUp() async throws {
    try await withJournal(partitions: 1) { plain, pool in
      let journal = forgetful(plain, JournalSettings(patience: .milliseconds(300))) { _ in true }
      try await plain.note("a")
      let release = try await holdPartition(0, pool)
      do throws(JournalError) {
        try await journal.note("b")
        Issue.record("appended while another held the partition")
      } catch {
        guard case .unavailable(_, mayHaveHappened: true) = error else {
          Issue.record("\(error)")
          return
        }
      }
      try await release()
      let nowhere = PostgresPool(PostgresConfiguration(conninfo: "host=/nonexistent dbname=x"), size: 1)
      let unreachable = Journal(
        pool: nowhere, topic: plain.topic, city: "dortmund", source: "/dortmund/tests", settings: JournalSettings(patience: .milliseconds(100)))
      do throws(JournalError) {
        try await unreachable.note("b")
        Issue.record("appended nowhere")
      } catch {
        guard case .unavailable(_, mayHaveHappened: false) = error else {
          Issue.record("\(error)")
          return
        }
      }
      await unreachable.close()
      await nowhere.close()
    }
  }
}
