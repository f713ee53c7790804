import Foundation

/// An area around a place.
public struct Circle: Hashable, Sendable {
  /// Its middle.
  public let center: Coordinate
  /// From the middle to the edge, 0 or more.
  public let kilometres: Double

  /// Refuses a radius that is none.
  public init(center: Coordinate, kilometres: Double) throws(GeoError) {
    guard kilometres.isFinite, kilometres >= 0 else { throw .radius(kilometres) }
    self.center = center
    self.kilometres = kilometres
  }

  /// Whether a place lies within, on a sphere of 6,371.0088 km (the mean radius of WGS 84), which is right to half a percent.
  public func contains(_ place: Coordinate) -> Bool { center.kilometres(to: place) <= kilometres }
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
