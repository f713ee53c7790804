import EventSourcing
import Foundation
import Postgres
import Testing

struct JournalAppendOnlyTests {
  @Test("Events can be neither updated, deleted nor truncated, not even by their owner or a replicating session", arguments: ["origin", "replica"])
  func triggers(role: String) async throws {
    try await withJournal(partitions: 1) { journal, pool in
      try await journal.note("a")
      for statement in ["update journal_events set type = 'x'", "delete from journal_events", "truncate journal_events", "truncate journal_events cascade"] {
        do {
          try await pool.transaction { connection throws in
            _ = try connection.query("select set_config('session_replication_role', \(role), true)")
            try connection.execute(SQL(unsafe: statement))
          }
          Issue.record("\(statement) passed")
        } catch let error as PostgresError {
          #expect(error.sqlState == "23001", "\(statement): \(error)")
        }
      }
    }
  }

  @Test("The role a service runs as appends and reads, and may do nothing else to what happened") func grants() async throws {
    try await withJournal(partitions: 1) { journal, pool in
      try await journal.note("before")
      try await pool.execute("select dos_create_entity_ids('things')")
      let role = "dos_test_role_\(UUID.v7().uuidString.lowercased().replacing("-", with: "_"))"
      try await pool.execute("create role \(identifier: role) login")
      try await pool.execute("select dos_restrict_journal_to(\(role))")
      var configuration = pool.configuration
      configuration.conninfo += " user=\(role)"
      let service = PostgresPool(configuration, size: 2)
      let journalOfService = Journal(pool: service, topic: journal.topic, city: "dortmund", source: "/dortmund/tests")
      let key = IdempotencyKey(caller: "c", method: "POST", path: "/", key: "k", body: [])
      try await journalOfService.append([write("a", .noStream)], idempotency: key, context: noon)
      let read = try await journalOfService.read(stream: "a")
      #expect(read.count == 1)
      let drawn = try await EntityIds(pool: service).next("things")
      #expect(drawn == [1])
      for statement in [
        "update journal_events set type = 'x'", "delete from journal_events", "truncate journal_events", "drop table journal_events",
        "alter table journal_events disable trigger all", "set session_replication_role = replica", "select dos_after_restore()",
        "insert into journal_epochs (epoch) values (99)", "update journal_idempotency_keys set outcome = ''", "delete from journal_topics",
      ] {
        do {
          try await service.execute(SQL(unsafe: statement))
          Issue.record("\(statement) passed")
        } catch let error as PostgresError {
          #expect(error.sqlState == "42501", "\(statement): \(error)")
        }
      }
      await journalOfService.close()
      await service.close()
      try await pool.execute("drop owned by \(identifier: role)")
      try await pool.execute("drop role \(identifier: role)")
    }
  }
}
