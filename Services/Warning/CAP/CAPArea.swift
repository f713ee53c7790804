import Geo

/// Where an info holds: `area` (CAP 1.2, section 3.2.4), all its polygons, circles and geocodes together.
public struct CAPArea: Hashable, Sendable {
  /// `areaDesc`: the area in words (section 3.2.4).
  public var areaDesc: String
  /// `polygon`: outlines in WGS 84 (sections 3.2.4 and 3.3.1). The standard has no holes and no heights, so each has one ring.
  public var polygons: [Polygon]
  /// `circle` (section 3.2.4).
  public var circles: [Circle]
  /// `geocode`: the area in codes (section 3.2.4).
  public var geocodes: [CAPValue]
  /// `altitude`: feet above mean sea level, the lower end where there is a ceiling (section 3.2.4).
  public var altitude: Double?
  /// `ceiling`: feet above mean sea level; with an altitude only (section 3.2.4).
  public var ceiling: Double?

  /// An area of these parts, unchecked.
  public init(
    areaDesc: String, polygons: [Polygon] = [], circles: [Circle] = [], geocodes: [CAPValue] = [], altitude: Double? = nil, ceiling: Double? = nil
  ) {
    self.areaDesc = areaDesc
    self.polygons = polygons
    self.circles = circles
    self.geocodes = geocodes
    self.altitude = altitude
    self.ceiling = ceiling
  }
}

/// A file that belongs to an info: `resource` (CAP 1.2, section 3.2.3).
public struct CAPResource: Hashable, Sendable {
  /// `resourceDesc`: what it is, in words (section 3.2.3).
  public var resourceDesc: String
  /// `mimeType`: RFC 2046 (section 3.2.3).
  public var mimeType: String
  /// `size`: bytes, about (section 3.2.3).
  public var size: Int?
  /// `uri`: where it is; relative where the content is in `derefUri` (section 3.2.3).
  public var uri: String?
  /// `derefUri`: the content itself, in Base64 (section 3.2.3).
  public var derefUri: String?
  /// `digest`: its SHA-1 (section 3.2.3).
  public var digest: String?

  /// A resource of these parts, unchecked.
  public init(resourceDesc: String, mimeType: String, size: Int? = nil, uri: String? = nil, derefUri: String? = nil, digest: String? = nil) {
    self.resourceDesc = resourceDesc
    self.mimeType = mimeType
    self.size = size
    self.uri = uri
    self.derefUri = derefUri
    self.digest = digest
  }
}
