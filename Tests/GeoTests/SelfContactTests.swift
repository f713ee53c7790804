import Geo
import Testing

@Suite("A ring that meets itself")
struct SelfContactTests {
  private func contact(_ places: [(Double, Double)], comparisons: Int = 1_000_000) throws -> SelfContact {
    var comparisons = comparisons
    return Polygon.selfContact(of: try places.map { try Coordinate(longitude: $0.0, latitude: $0.1) }, comparisons: &comparisons)
  }

  @Test("is none where its edges meet at their common ends alone")
  func simple() throws {
    #expect(try contact([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]) == .none)
    #expect(try contact([(0, 0), (4, 0), (4, 3), (3, 3), (3, 1), (1, 1), (1, 3), (0, 3), (0, 0)]) == .none)
    // On along a line, and a position repeated.
    #expect(try contact([(0, 0), (1, 0), (2, 0), (2, 0), (2, 1), (0, 0), (0, 0)]) == .none)
  }

  @Test("is found where edges cross, touch, lie on one another or go back")
  func meets() throws {
    #expect(try contact([(0, 0), (1, 1), (1, 0), (0, 1), (0, 0)]) == .edges(0, 2))
    #expect(try contact([(0, 0), (2, 0), (2, 2), (1, 0), (0, 2), (0, 0)]) != .none)
    #expect(try contact([(0, 0), (4, 0), (4, 1), (3, 0), (1, 0), (0, 1), (0, 0)]) != .none)
    #expect(try contact([(0, 0), (1, 0), (2, 0), (1, 0), (0, 1), (0, 0)]) != .none)
    #expect(try contact([(0, 0), (1, 1), (0, 0)]) != .none)
    // The two loops of an eight have a corner in common.
    #expect(try contact([(0, 0), (1, 1), (2, 2), (2, 0), (1, 1), (0, 2), (0, 0)]) != .none)
    #expect(try contact([(0, 0), (0, 1), (0, 2), (1, 2), (0, 1), (1, 0), (0, 0)]) != .none)
  }

  @Test("is said to be undecided, quickly, where it would take too long")
  func hostile() throws {
    let spikes = (0..<20_000).flatMap { [(-100.0, Double($0) / 1_000), (100.0, Double($0) / 1_000 + 0.0005)] }
    #expect(try contact(spikes + [(-101, 20), (-101, 0), (-100, 0)], comparisons: 100_000) == .undecided)
  }

  @Test("is none in an outline as long as a river's, within a few comparisons per edge")
  func long() throws {
    let there = (0..<6_000).map { (Double($0) / 1_000, $0 % 2 == 0 ? 0.0 : 0.001) }
    let back = there.reversed().map { ($0.0, $0.1 + 0.01) }
    #expect(try contact(there + back + [there[0]], comparisons: 100_000) == .none)
  }
}
