/// An area in degrees: an outer ring and holes in it, each closed (RFC 7946 section 3.1.6). Edges are straight lines in longitude and latitude,
/// which at a city's size is right to centimetres; areas across the antimeridian are not meant.
public struct Polygon: Hashable, Sendable {
  /// The outer ring first, then the holes.
  public let rings: [[Coordinate]]

  /// Refuses rings that are open or too short.
  public init(rings: [[Coordinate]]) throws(GeoError) {
    guard !rings.isEmpty else { throw .noRing }
    for ring in rings {
      guard ring.count >= 4 else { throw .ringTooShort(positions: ring.count) }
      guard let first = ring.first, let last = ring.last, first.longitude == last.longitude, first.latitude == last.latitude else { throw .ringOpen }
    }
    self.rings = rings
  }

  /// Whether a place lies within, not in a hole. Of two areas that share an edge exactly one has each place on it, unless it is a corner of the outline.
  public func contains(_ place: Coordinate) -> Bool {
    // Even-odd over all rings at once: what is in a hole is crossed once more.
    rings.reduce(false) { inside, ring in inside != Self.crosses(ring, place) }
  }

  private static func crosses(_ ring: [Coordinate], _ place: Coordinate) -> Bool {
    var inside = false
    for (from, to) in zip(ring, ring.dropFirst()) where (from.latitude > place.latitude) != (to.latitude > place.latitude) {
      let share = (place.latitude - from.latitude) / (to.latitude - from.latitude)
      if place.longitude < from.longitude + share * (to.longitude - from.longitude) { inside.toggle() }
    }
    return inside
  }
}

extension Polygon: Codable {
  /// The coordinates of a GeoJSON polygon: its rings.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let rings = try container.decode([[Coordinate]].self)
    do throws(GeoError) {
      try self.init(rings: rings)
    } catch {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: error.description)
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(rings)
  }
}
