import Postgres

/// Ids for observations, drawn from the sequence in blocks of 1,000 so that a reading costs no statement. What a stopped process had left is never used.
actor ObservationIds {
  static let block: Int64 = 1_000

  private let pool: PostgresPool
  private var ranges: [Range<Int64>] = []

  init(pool: PostgresPool) { self.pool = pool }

  /// That many ids which nobody else gets, ascending within each block.
  func draw(_ count: Int) async throws -> [Int64] {
    // Others may draw while this one waits for the database, so it looks again.
    while ranges.reduce(0, { $0 + $1.count }) < count {
      let missing = Int64(count - ranges.reduce(0) { $0 + $1.count })
      let blocks = (missing + Self.block - 1) / Self.block
      let rows = try await pool.query("select nextval('entity_ids_observations') from generate_series(1, \(blocks))")
      for row in rows {
        let first = try row.value(Int64.self, at: 0)
        ranges.append(first..<first + Self.block)
      }
    }
    var ids: [Int64] = []
    ids.reserveCapacity(count)
    while ids.count < count, let range = ranges.first {
      let taken = range.prefix(count - ids.count)
      ids.append(contentsOf: taken)
      if taken.endIndex == range.endIndex { ranges.removeFirst() } else { ranges[0] = taken.endIndex..<range.endIndex }
    }
    return ids
  }
}
