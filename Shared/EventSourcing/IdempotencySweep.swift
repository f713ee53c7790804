public import Postgres
public import Time

/// Forgets idempotency keys that are older than a command is repeated.
public enum IdempotencySweep {
  /// Deletes keys stored before `instant`, in bites that hold no lock for long.
  /// - Returns: how many.
  @discardableResult
  public static func forget(before instant: Instant, on pool: PostgresPool, bite: Int = 1_000) async throws(JournalError) -> Int {
    var forgotten = 0
    do {
      while true {
        let count = try await pool.execute(
          """
          delete from journal_idempotency_keys where scope in (
            select scope from journal_idempotency_keys where stored < \(instant) order by stored limit \(Int64(bite)))
          """)
        forgotten += count
        if count < bite { return forgotten }
      }
    } catch {
      throw JournalError(error)
    }
  }
}
