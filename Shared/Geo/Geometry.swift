/// A GeoJSON geometry (RFC 7946 section 3.1), checked when it is made or decoded.
public enum Geometry: Hashable, Sendable {
  case point(Coordinate)
  case multiPoint([Coordinate])
  case lineString([Coordinate])
  case multiLineString([[Coordinate]])
  case polygon(Polygon)
  case multiPolygon([Polygon])

  /// The name that GeoJSON gives it.
  public var type: String {
    switch self {
    case .point: "Point"
    case .multiPoint: "MultiPoint"
    case .lineString: "LineString"
    case .multiLineString: "MultiLineString"
    case .polygon: "Polygon"
    case .multiPolygon: "MultiPolygon"
    }
  }

  /// All its positions, in the order they are written.
  public var positions: [Coordinate] {
    switch self {
    case .point(let place): [place]
    case .multiPoint(let places), .lineString(let places): places
    case .multiLineString(let lines): lines.flatMap { $0 }
    case .polygon(let polygon): polygon.rings.flatMap { $0 }
    case .multiPolygon(let polygons): polygons.flatMap { $0.rings.flatMap { $0 } }
    }
  }

  /// Whether a place lies within one of its areas; points and lines contain nothing.
  public func contains(_ place: Coordinate) -> Bool {
    switch self {
    case .polygon(let polygon): polygon.contains(place)
    case .multiPolygon(let polygons): polygons.contains { $0.contains(place) }
    default: false
    }
  }
}

extension Geometry: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable { case type, coordinates }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let type = try container.decode(String.self, forKey: .type)
    do {
      switch type {
      case "Point": self = .point(try container.decode(Coordinate.self, forKey: .coordinates))
      case "MultiPoint": self = .multiPoint(try container.decode([Coordinate].self, forKey: .coordinates))
      case "LineString": self = .lineString(try Self.line(try container.decode([Coordinate].self, forKey: .coordinates)))
      case "MultiLineString":
        self = .multiLineString(try container.decode([[Coordinate]].self, forKey: .coordinates).map { (line) throws(GeoError) in try Self.line(line) })
      case "Polygon": self = .polygon(try container.decode(Polygon.self, forKey: .coordinates))
      case "MultiPolygon": self = .multiPolygon(try container.decode([Polygon].self, forKey: .coordinates))
      default: throw GeoError.type(type)
      }
    } catch let error as GeoError {
      let key: CodingKeys = if case .type = error { .type } else { .coordinates }
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath + [key], debugDescription: error.description))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(type, forKey: .type)
    switch self {
    case .point(let place): try container.encode(place, forKey: .coordinates)
    case .multiPoint(let places), .lineString(let places): try container.encode(places, forKey: .coordinates)
    case .multiLineString(let lines): try container.encode(lines, forKey: .coordinates)
    case .polygon(let polygon): try container.encode(polygon, forKey: .coordinates)
    case .multiPolygon(let polygons): try container.encode(polygons, forKey: .coordinates)
    }
  }

  private static func line(_ positions: [Coordinate]) throws(GeoError) -> [Coordinate] {
    guard positions.count >= 2 else { throw .lineTooShort(positions: positions.count) }
    return positions
  }
}
