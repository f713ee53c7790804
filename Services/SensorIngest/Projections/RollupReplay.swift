import Postgres

/// Builds hours and days anew from the stored rows, compares them with the live tables, and puts them in their place in one transaction. Writers wait
/// meanwhile, readers do not.
struct RollupReplay: Sendable {
  let pool: PostgresPool

  /// What differed, in words; empty when nothing did.
  /// - Parameter verify: compares only and changes nothing.
  func run(verify: Bool) async throws -> [String] {
    try await pool.transaction { connection in
      try connection.execute(script: "lock table observations, observation_hours, observation_days in share row exclusive mode")
      try connection.execute(
        script: """
          create temporary table rebuilt_hours (like observation_hours) on commit drop;
          create temporary table rebuilt_days (like observation_days) on commit drop
          """)
      try HourlyRollups.rebuild(into: "rebuilt_hours", on: connection)
      try DailyRollups.rebuild(into: "rebuilt_days", from: "rebuilt_hours", on: connection)
      var differences: [String] = []
      for (live, rebuilt) in [("observation_hours", "rebuilt_hours"), ("observation_days", "rebuilt_days")] {
        let gone = try Self.count(in: live, notIn: rebuilt, on: connection)
        let new = try Self.count(in: rebuilt, notIn: live, on: connection)
        if gone + new > 0 { differences.append("\(live): \(gone) rows are not as the observations say, \(new) rows should be there") }
        guard !verify, gone + new > 0 else { continue }
        _ = try connection.execute("delete from \(identifier: live)")
        _ = try connection.execute("insert into \(identifier: live) select * from \(identifier: rebuilt)")
      }
      return differences
    }
  }

  /// As text, so that sums that are equal but written differently count as different.
  private static func count(in left: String, notIn right: String, on connection: isolated PostgresConnection) throws -> Int64 {
    let rows = try connection.query(
      "select count(*) from (select l::text from \(identifier: left) l except all select r::text from \(identifier: right) r) differing")
    return try rows[0].value(Int64.self, at: 0)
  }
}
