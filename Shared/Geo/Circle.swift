import Foundation

/// An area around a place.
public struct Circle: Hashable, Sendable {
  /// Its middle.
  public let center: Coordinate
  /// Kilometres from the middle to the edge, 0 or more.
  public let radius: Double

  /// Refuses a radius that is none.
  public init(center: Coordinate, radius: Double) throws(GeoError) {
    guard radius.isFinite, radius >= 0 else { throw .radius(radius) }
    self.center = center
    self.radius = radius
  }

  /// Whether a place lies within, on a sphere of 6,371.0088 km (the mean radius of WGS 84), which is right to half a percent.
  public func contains(_ place: Coordinate) -> Bool { center.kilometres(to: place) <= radius }
}

extension Circle: Codable {
  private enum CodingKeys: String, CodingKey { case center, radius }

  /// `{"center": [7.4653, 51.5136], "radius": 2.5}`.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let center = try container.decode(Coordinate.self, forKey: .center)
    let radius = try container.decode(Double.self, forKey: .radius)
    do throws(GeoError) {
      try self.init(center: center, radius: radius)
    } catch {
      throw DecodingError.dataCorruptedError(forKey: .radius, in: container, debugDescription: error.description)
    }
  }
}

extension Coordinate {
  /// The way over ground along a great circle, by the haversine formula on a sphere of 6,371.0088 km: right to half a percent. Altitudes do not count.
  public func kilometres(to other: Coordinate) -> Double {
    func radians(_ degrees: Double) -> Double { degrees * .pi / 180 }
    let north = sin(radians(other.latitude - latitude) / 2)
    let east = sin(radians(other.longitude - longitude) / 2)
    let chord = north * north + cos(radians(latitude)) * cos(radians(other.latitude)) * east * east
    return 2 * 6_371.0088 * asin(min(1, chord.squareRoot()))
  }
}
