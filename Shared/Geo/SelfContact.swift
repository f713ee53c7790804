/// Whether a ring keeps clear of itself.
public enum SelfContact: Hashable, Sendable {
  /// It is simple: its edges meet at their common ends alone (OGC 06-103r4, section 6.1.11).
  case none
  /// Two edges cross or touch; each begins at the position of this index.
  case edges(Int, Int)
  /// It takes more comparisons to tell than were allowed.
  case undecided
}

extension Polygon {
  /// Looks for edges of a ring that cross or touch. A position that is repeated at once counts as one.
  ///
  /// Edges are compared with those beside them alone, so outlines of districts and weather cost little; `comparisons` bounds what a hostile ring costs, and
  /// is what is left of it afterwards.
  public static func selfContact(of ring: [Coordinate], comparisons: inout Int) -> SelfContact {
    let edges = self.edges(of: ring)
    var near: [Int] = []
    for index in edges.indices.sorted(by: { edges[$0].west < edges[$1].west }) {
      let edge = edges[index]
      comparisons -= near.count
      guard comparisons >= 0 else { return .undecided }
      near.removeAll { edges[$0].east < edge.west }
      for other in near where edges[other].south <= edge.north && edge.south <= edges[other].north {
        let (first, second) = index < other ? (index, other) : (other, index)
        let meet: Bool
        if second == first + 1 {
          meet = edges[first].foldsBack(into: edges[second])
        } else if first == 0 && second == edges.count - 1 {
          meet = edges[second].foldsBack(into: edges[first])
        } else {
          meet = edges[first].touches(edges[second])
        }
        if meet { return .edges(edges[first].start, edges[second].start) }
      }
      near.append(index)
    }
    return .none
  }

  private static func edges(of ring: [Coordinate]) -> [Edge] {
    zip(ring.indices, zip(ring, ring.dropFirst())).compactMap { index, ends in
      ends.0.longitude == ends.1.longitude && ends.0.latitude == ends.1.latitude ? nil : Edge(start: index, from: ends.0, to: ends.1)
    }
  }
}

private struct Edge {
  let start: Int
  let from: Coordinate
  let to: Coordinate

  var west: Double { min(from.longitude, to.longitude) }
  var east: Double { max(from.longitude, to.longitude) }
  var south: Double { min(from.latitude, to.latitude) }
  var north: Double { max(from.latitude, to.latitude) }

  func touches(_ other: Edge) -> Bool {
    let (a, b) = (side(of: other.from), side(of: other.to))
    let (c, d) = (other.side(of: from), other.side(of: to))
    if a * b < 0 && c * d < 0 { return true }
    return (a == 0 && spans(other.from)) || (b == 0 && spans(other.to)) || (c == 0 && other.spans(from)) || (d == 0 && other.spans(to))
  }

  /// Of an edge and the next, which have one end in common anyway.
  func foldsBack(into next: Edge) -> Bool {
    guard side(of: next.to) == 0 else { return false }
    let ahead =
      (to.longitude - from.longitude) * (next.to.longitude - next.from.longitude) + (to.latitude - from.latitude) * (next.to.latitude - next.from.latitude)
    return ahead < 0
  }

  /// 1 left of the edge, -1 right of it, 0 on its line.
  private func side(of place: Coordinate) -> Double {
    let turn =
      (to.longitude - from.longitude) * (place.latitude - from.latitude) - (to.latitude - from.latitude) * (place.longitude - from.longitude)
    return turn > 0 ? 1 : turn < 0 ? -1 : 0
  }

  /// Whether a place on its line is between its ends.
  private func spans(_ place: Coordinate) -> Bool {
    west <= place.longitude && place.longitude <= east && south <= place.latitude && place.latitude <= north
  }
}
