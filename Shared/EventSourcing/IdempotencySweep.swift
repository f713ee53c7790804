import Broker
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

extension Journal {
  /// What a command with this key came to the first time; nil where it is not known. A command that would be refused on the state it made itself asks
  /// here first.
  /// - Throws: `.keyReused` where the key was used with another body.
  public func remembered(_ key: IdempotencyKey) async throws(JournalError) -> Appended? {
    do {
      let rows = try await pool.query(
        "select body_hash, outcome, partition, epoch, first_offset, events from journal_idempotency_keys where scope = \(key.scope)")
      guard let row = rows.first else { return nil }
      let (hash, outcome, partition, epoch, first, events) = try row.decode([UInt8].self, [UInt8].self, Int16.self, Int64.self, Int64.self, Int32.self)
      guard hash == key.bodyHash else { throw JournalError.keyReused }
      let positions = (first..<first + Int64(events)).map { JournalPosition(partition: Int(partition), epoch: epoch, offset: $0) }
      return Appended(positions: positions, repeated: true, outcome: outcome)
    } catch {
      throw JournalError(error)
    }
  }
}
