import HTTP

/// GeoJSON (RFC 7946) as this service takes it: WGS 84, a geometry or a Feature with one.
enum GeometrySchemas {
  static var all: [String: String] {
    let feature = Shape.object([("type", Shape.one(of: ["Feature"])), ("geometry", Shape.named("Geometry"))], required: ["type", "geometry"], others: .taken)
    let collection = Shape.object(
      [("type", Shape.one(of: ["GeometryCollection"])), ("geometries", Shape.list(of: Shape.named("SimpleGeometry"), most: 1_000))],
      required: ["type", "geometries"], others: .taken)
    return [
      "GeoJSON": Shape.either(Shape.named("Geometry"), feature), "Geometry": Shape.either(Shape.named("SimpleGeometry"), collection),
      "SimpleGeometry": Shape.either(
        kinds.map { kind in
          Shape.object([("type", Shape.one(of: [kind.name])), ("coordinates", kind.coordinates)], required: ["type", "coordinates"], others: .taken)
        }),
      "Position": position,
    ]
  }

  private static let kinds: [(name: String, coordinates: String)] = [
    ("Point", Shape.named("Position")), ("MultiPoint", several(Shape.named("Position"))), ("LineString", several(Shape.named("Position"))),
    ("MultiLineString", several(several(Shape.named("Position")))), ("Polygon", several(several(Shape.named("Position")))),
    ("MultiPolygon", several(several(several(Shape.named("Position"))))),
  ]

  /// Longitude, latitude and perhaps height.
  private static let position = """
    {"type":"array","minItems":2,"maxItems":3,"prefixItems":[{"type":"number","minimum":-180,"maximum":180},\
    {"type":"number","minimum":-90,"maximum":90},{"type":"number"}]}
    """

  private static func several(_ schema: String) -> String { #"{"type":"array","minItems":1,"items":\#(schema)}"# }
}
