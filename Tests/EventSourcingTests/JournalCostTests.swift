import EventSourcing
import Postgres
import Testing

struct JournalCostTests {
  @Test("An append reads a few rows, however long log and stream have become since its connection planned it") func bounded() async throws {
    try await withJournal(partitions: 1, size: 1) { journal, pool in
      // The connection keeps what it planned for an all but empty table that nobody has analysed.
      for _ in 0..<20 { try await journal.note("a") }
      let many = StreamWrite(stream: "a", expected: .any, events: (0..<3_000).map { _ in NewEvent(type: "de.dos2030.tests.happened.v1", data: [0x31]) })
      try await journal.append([many], context: noon)
      let before = try await rowsRead(pool)
      for _ in 0..<50 { try await journal.note("a") }
      let read = try await rowsRead(pool) - before
      #expect(read < 50 * 20, "\(read) rows for 50 appends")
    }
  }

  private func rowsRead(_ pool: PostgresPool) async throws -> Int64 {
    _ = try await pool.query("select pg_stat_force_next_flush()")
    let rows = try await pool.query(
      """
      select (select seq_tup_read from pg_stat_user_tables where relname = 'journal_events')
        + (select sum(idx_tup_read)::bigint from pg_stat_user_indexes where relname = 'journal_events')
      """)
    return try rows.first?.decode(Int64.self) ?? 0
  }
}
