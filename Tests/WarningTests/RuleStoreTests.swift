import Postgres
import TestSupport
import Testing
import Time

@testable import Warning

@Suite("The readings kept for rules", .timeLimit(.minutes(5))) struct RuleStoreTests {
  @Test("are those of each datastream's horizon and its newest in any case; of what nobody watches nothing is kept") func trimming() async throws {
    try await withTestDatabase(migrate: WholeWarnings.schema(), size: 2) { pool in
      let now = Instant(milliseconds: 1_900_000_000_000)
      for (datastream, ages) in [(1, [0, 50, 150]), (2, [300, 400]), (3, [0, 10]), (250, [99, 101])] as [(Int64, [Int])] {
        for age in ages {
          try await pool.execute(
            "insert into rule_readings (datastream, time, result, plausible, place) values (\(datastream), \(now - .seconds(age)), 1, true, 1)")
        }
      }
      var horizons: [Int64: Int] = [1: 100, 2: 100, 250: 100]
      for datastream in 1_000..<1_500 as Range<Int64> { horizons[datastream] = 10 }
      try await RuleStore(pool: pool).trim(horizons, at: now)
      let kept = try await pool.query("select datastream, time from rule_readings order by datastream, time desc").map { row throws in
        let (datastream, time) = try row.decode(Int64.self, Instant.self)
        return "\(datastream): \((now - time) / .seconds(1))"
      }
      #expect(kept == ["1: 0.0", "1: 50.0", "2: 300.0", "250: 99.0"])
    }
  }
}
