import Postgres

/// Ids that were answered for readings that turned out to be known, or that hold no longer.
enum ObservationAliases {
  /// The id of the observation that holds for an id; the id itself where it is no alias.
  static func holding(_ id: Int64, in pool: PostgresPool) async throws -> Int64 {
    let rows = try await pool.query(
      """
      select o.id from observation_aliases a join observations o on o.datastream_id = a.datastream_id and o.phenomenon_time = a.phenomenon_time
      where a.id = \(id)
      """)
    return try rows.first.map { try $0.value(Int64.self, at: 0) } ?? id
  }
}
