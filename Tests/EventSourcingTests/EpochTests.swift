import Broker
import EventSourcing
import Foundation
import Postgres
import Testing

struct EpochTests {
  @Test("A restore raises the epoch, and the first record of it in each partition says what is kept") func began() async throws {
    try await withJournal(partitions: 2) { journal, pool in
      try await journal.append([write("a", .noStream, "1", "2")], partition: 1, context: noon)
      let epoch = try await pool.query("select dos_after_restore()").first?.decode(Int64.self)
      #expect(epoch == 2)
      let appended = try await journal.append([write("a", .exactly(2))], partition: 1, context: noon)
      #expect(appended.positions == [JournalPosition(partition: 1, epoch: 2, offset: 4)])
      let log = try await journal.read(partition: 1, after: 2, limit: 10)
      #expect(log.map(\.position.offset) == [3, 4] && log.allSatisfy { $0.position.epoch == 2 })
      #expect(EpochBegan(type: log[0].type, data: log[0].data) == EpochBegan(epoch: 2, keeps: 2))
      let epochs = try await journal.epochs(partition: 0)
      #expect(epochs == [EpochBegan(epoch: 1, keeps: -1), EpochBegan(epoch: 2, keeps: 0)])
    }
  }

  @Test("A consumer at or below what is kept goes on; one beyond learns which events are gone") func loss() async throws {
    try await withJournal(partitions: 1) { journal, pool in
      try await journal.append([write("a", .noStream, "1", "2")], context: noon)
      try await pool.execute("select dos_after_restore()")
      try await journal.append([write("a", .any, "3", "4", "5")], context: noon)
      try await pool.execute("select dos_after_restore()")
      func loss(_ epoch: Int64, _ offset: Int64) async throws -> EpochLoss? {
        try await journal.loss(for: JournalPosition(partition: 0, epoch: epoch, offset: offset))
      }
      let kept = [try await loss(1, 0), try await loss(1, 2), try await loss(2, 6), try await loss(3, 7)]
      #expect(kept == [nil, nil, nil, nil])
      let (old, recent) = (try await loss(1, 5), try await loss(2, 9))
      #expect(old == EpochLoss(partition: 0, epoch: 2, gone: 3...5))
      #expect(recent == EpochLoss(partition: 0, epoch: 3, gone: 7...9))
    }
  }

  @Test("A topic that is declared after a restore begins with the epoch of the restore") func declaredLater() async throws {
    try await withJournal(partitions: 1) { journal, pool in
      try await pool.execute("select dos_after_restore()")
      let end = try await journal.end()
      #expect(end == [JournalPosition(partition: 0, epoch: 2, offset: 0)])
    }
  }

  @Test("A restore from a backup that was restored before can name the epoch it must exceed") func beyond() async throws {
    try await withJournal(partitions: 1) { _, pool in
      let epoch = try await pool.query("select dos_after_restore(6)").first?.decode(Int64.self)
      #expect(epoch == 7)
    }
  }

  @Test("Appends that run while the epoch is raised lie wholly before or wholly after it") func concurrent() async throws {
    try await withJournal(partitions: 2) { journal, pool in
      // A topic is declared at its first use; one that a restore overtakes begins with the raised epoch and has no record of the first.
      _ = try await journal.end()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for turn in 0..<100 { group.addTask { try await journal.note("s\(turn)", partition: turn % 2) } }
        group.addTask { try await pool.execute("select dos_after_restore()") }
        try await group.waitForAll()
      }
      for partition in 0..<2 {
        let log = try await journal.read(partition: partition, after: -1, limit: 1_000)
        #expect(log.map(\.position.offset) == (0..<52).map(Int64.init))
        #expect(log.map(\.position.epoch) == log.map(\.position.epoch).sorted())
        let opening = log.first { $0.position.epoch == 2 }
        #expect(opening?.type == EpochBegan.type)
      }
    }
  }

  @Test("Entity ids are drawn once, ascending, and a restore raises every sequence by a million") func entityIds() async throws {
    try await withJournal(partitions: 1) { _, pool in
      try await pool.execute("select dos_create_entity_ids('datastreams')")
      try await pool.execute("create sequence other")
      let ids = EntityIds(pool: pool)
      let first = try await ids.next("datastreams", count: 3)
      #expect(first == [1, 2, 3])
      try await pool.execute("select dos_after_restore()")
      let second = try await ids.next("datastreams")
      #expect(second == [1_000_004])
      let other = try await pool.query("select nextval('other')").first?.decode(Int64.self)
      #expect(other ?? 0 > 1_000_000)
      await #expect(throws: JournalError.self) { try await ids.next("unheard_of") }
    }
  }

  @Test("A sequence that hands out blocks is raised by a million blocks, so that a day of readings after the backup is not handed out again")
  func blocks() async throws {
    try await withJournal(partitions: 1) { _, pool in
      try await pool.execute("create sequence entity_ids_readings increment by 1000 minvalue 1")
      func draw() async throws -> Int64? { try await pool.query("select nextval('entity_ids_readings')").first?.decode(Int64.self) }
      let before = try await draw()
      try await pool.execute("select dos_after_restore()")
      let after = try await draw()
      #expect(before == 1 && after == 1_000_001_001)
    }
  }
}
