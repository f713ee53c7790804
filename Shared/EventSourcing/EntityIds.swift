public import Postgres

/// Integer ids of entities, drawn from a sequence before the append and carried in the event: replay assigns nothing.
///
/// Gaps are normal, repetition is not: a restore raises every sequence by 1,000,000. A service's migration creates each with
/// `select dos_create_entity_ids('datastreams')`.
public struct EntityIds: Sendable {
  private let pool: PostgresPool

  public init(pool: PostgresPool) {
    self.pool = pool
  }

  /// Draws ids that nobody else gets, ascending.
  /// - Throws: `JournalError`; `.refused` when no such sequence was created.
  public func next(_ name: String, count: Int = 1) async throws(JournalError) -> [Int64] {
    do {
      let sequence = "entity_ids_" + name
      let rows = try await pool.query("select nextval(quote_ident(\(sequence))::regclass) from generate_series(1, \(Int64(count)))")
      return try rows.map { try $0.decode(Int64.self) }
    } catch {
      throw JournalError(error)
    }
  }
}
