import EventSourcing
import Postgres
import TestSupport
import Testing

@Suite("Appends to several partitions", .timeLimit(.minutes(5))) struct SharedAppendTests {
  @Test("share a transaction, each keeping its place, its answer and its refusal") func together() async throws {
    try await withJournal(partitions: 8, size: 4) { journal, pool in
      try await journal.note("there", partition: 5)
      // While two partitions are held up, their appends gather.
      let release = try await [0, 1].asyncMap { try await holdPartition($0, pool) }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for turn in 0..<40 {
          for partition in 0..<8 {
            group.addTask {
              let appended = try await journal.note("\(partition)-\(turn)", .noStream, partition: partition)
              #expect(appended.positions.map(\.partition) == [partition])
            }
          }
          group.addTask {
            await #expect(throws: JournalError.conflict(stream: "there", expected: .noStream, actual: 1)) {
              try await journal.note("there", .noStream, partition: 5)
            }
          }
        }
        for release in release { try await release() }
        try await group.waitForAll()
      }
      for partition in 0..<8 {
        let log = try await journal.read(partition: partition, after: 0, limit: 1_000)
        #expect(log.map(\.position.offset) == Array(1...(partition == 5 ? 41 : 40)))
      }
      let together = try await pool.query("select 1 from journal_events where log_offset > 0 group by xmin::text having count(distinct partition) > 1")
      #expect(!together.isEmpty)
    }
  }

  @Test("wait for nobody who has another partition, however many are held") func held() async throws {
    try await withJournal(partitions: 8, size: 12) { journal, pool in
      let held = Array(0..<4)
      // The topic is declared, which takes every partition's lock.
      _ = try await journal.end()
      let release = try await held.asyncMap { try await holdPartition($0, pool) }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for partition in held { group.addTask { try await journal.note("held-\(partition)", partition: partition) } }
        #expect(try await eventually { try await waitingForLocks(pool) == held.count })
        for turn in 0..<5 {
          for partition in 4..<8 { try await journal.note("free-\(partition)-\(turn)", partition: partition) }
        }
        #expect(try await journal.end().map(\.offset) == [0, 0, 0, 0, 5, 5, 5, 5])
        for release in release { try await release() }
        try await group.waitForAll()
      }
      #expect(try await journal.end().map(\.offset) == [1, 1, 1, 1, 5, 5, 5, 5])
    }
  }

  @Test("fail alone when the database refuses what one of them brings") func refused() async throws {
    try await withJournal(partitions: 4, size: 8) { journal, pool in
      _ = try await journal.end()
      let release = try await [0, 1].asyncMap { try await holdPartition($0, pool) }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for turn in 0..<10 {
          for partition in 0..<4 { group.addTask { try await journal.note("\(partition)-\(turn)", partition: partition) } }
          group.addTask {
            await #expect(throws: JournalError.self) { try await journal.note("bad-\(turn)", .any, "no JSON", partition: turn % 4) }
          }
        }
        for release in release { try await release() }
        try await group.waitForAll()
      }
      #expect(try await journal.end().map(\.offset) == [10, 10, 10, 10])
    }
  }
}

extension Array {
  fileprivate func asyncMap<Mapped>(_ transform: (Element) async throws -> Mapped) async rethrows -> [Mapped] {
    var mapped: [Mapped] = []
    for element in self { mapped.append(try await transform(element)) }
    return mapped
  }
}
