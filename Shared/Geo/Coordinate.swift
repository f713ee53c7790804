/// A position in WGS 84: degrees of longitude and latitude, and metres above the ellipsoid where known.
public struct Coordinate: Hashable, Sendable {
  /// -180 to 180, east positive.
  public let longitude: Double
  /// -90 to 90, north positive.
  public let latitude: Double
  /// Metres.
  public let altitude: Double?

  /// Refuses what is not on earth.
  public init(longitude: Double, latitude: Double, altitude: Double? = nil) throws(GeoError) {
    guard longitude.isFinite, (-180...180).contains(longitude) else { throw .longitude(longitude) }
    guard latitude.isFinite, (-90...90).contains(latitude) else { throw .latitude(latitude) }
    if let altitude, !altitude.isFinite { throw .altitude(altitude) }
    self.longitude = longitude
    self.latitude = latitude
    self.altitude = altitude
  }
}

extension Coordinate: Codable {
  /// A GeoJSON position: `[longitude, latitude]` or with an altitude behind (RFC 7946 section 3.1.1).
  public init(from decoder: any Decoder) throws {
    var container = try decoder.unkeyedContainer()
    let longitude = try container.decode(Double.self)
    let latitude = try container.decode(Double.self)
    let altitude = container.isAtEnd ? nil : try container.decode(Double.self)
    do throws(GeoError) {
      guard container.isAtEnd else { throw .positionLength }
      try self.init(longitude: longitude, latitude: latitude, altitude: altitude)
    } catch {
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: error.description))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.unkeyedContainer()
    try container.encode(longitude)
    try container.encode(latitude)
    if let altitude { try container.encode(altitude) }
  }
}

/// Why numbers are no place or shape.
public enum GeoError: Error, Equatable, Sendable {
  case longitude(Double)
  case latitude(Double)
  case altitude(Double)
  case radius(Double)
  case positionLength
  case ringTooShort(positions: Int)
  case ringOpen
  case lineTooShort(positions: Int)
  case noRing
  case type(String)
}

extension GeoError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .longitude(let value): "the longitude \(value) is not within -180 to 180"
    case .latitude(let value): "the latitude \(value) is not within -90 to 90 (longitude comes first)"
    case .altitude(let value): "the altitude \(value) is no number of metres"
    case .radius(let value): "the radius \(value) is not 0 or more kilometres"
    case .positionLength: "a position has two or three numbers: longitude, latitude, altitude"
    case .ringTooShort(let positions): "a ring of \(positions) positions encloses nothing; four are the least, the last being the first again"
    case .ringOpen: "a ring's last position must be its first"
    case .lineTooShort(let positions): "a line of \(positions) positions; two are the least"
    case .noRing: "a polygon without a ring"
    case .type(let name): "the geometry '\(name)' is unknown; known are Point, MultiPoint, LineString, MultiLineString, Polygon, MultiPolygon"
    }
  }
}
