import Foundation
import Geo
import JSON
import Postgres
import WarningDomain

/// Where somebody is competent and what districts are called, as the cities configure it.
struct AreaDirectory: Codable, Sendable {
  struct District: Codable, Sendable {
    let name: String
    let city: String
    let outline: [Polygon]
  }

  struct Competence: Codable, Sendable {
    let authority: Authority
    let outline: [Polygon]
  }

  let districts: [District]
  let authorities: [Competence]

  func authority(_ id: String) -> Authority? { authorities.first { $0.authority.id == id }?.authority }

  /// Writes it where PostGIS can reckon with it, in place of what stood there.
  func write(to pool: PostgresPool) async throws {
    var rows: [(kind: String, id: String, name: String, city: String?, outline: String)] = []
    for entry in districts {
      rows.append(("district", entry.name, entry.name, entry.city, try WarningJSON.text(Geometry.multiPolygon(entry.outline))))
    }
    for entry in authorities {
      rows.append(("authority", entry.authority.id, entry.authority.name, nil, try WarningJSON.text(Geometry.multiPolygon(entry.outline))))
    }
    let (kinds, ids, names, cities, outlines) = (rows.map(\.kind), rows.map(\.id), rows.map(\.name), rows.map { $0.city ?? "" }, rows.map(\.outline))
    try await pool.transaction { connection throws in
      try connection.execute("delete from areas")
      try connection.execute(
        """
        insert into areas (kind, id, name, city, outline)
        select kind, id, name, nullif(city, ''), ST_Multi(ST_CollectionExtract(ST_MakeValid(ST_SetSRID(ST_GeomFromGeoJSON(outline), 4326)), 3))
        from unnest(\(kinds), \(ids), \(names), \(cities), \(outlines)) as given (kind, id, name, city, outline)
        """)
    }
  }
}

/// What somebody names as an area, before it is known where that is.
struct NamedArea: Codable, Sendable, KnownFields {
  let description: String
  let districts: [String]?
  let circles: [Circle]?
  /// Each the coordinates of a GeoJSON polygon.
  let polygons: [Polygon]?

  static let fields = ["description", "districts", "circles", "polygons"]
}

/// Finds out where a named area is, and who is competent there.
struct AreaResolver: Sendable {
  let pool: PostgresPool
  let directory: AreaDirectory

  /// Points of a simplified area.
  static let fewPoints = 100
  /// Kilometres from the middle of a circle.
  static let widestCircle = 100.0

  /// - Throws: `JSONRejection` for a district that nobody knows and for what encloses nothing.
  func resolve(_ named: NamedArea) async throws -> AlertArea {
    let known = Set(directory.districts.map(\.name))
    for (index, name) in (named.districts ?? []).enumerated() where !known.contains(name) {
      let near = nearestName(to: name, among: known.sorted()).map { "'\($0)'" } ?? "one of \(known.sorted().joined(separator: ", "))"
      throw JSONRejection(path: "area/districts/\(index)", problem: "'\(name.prefix(80))' is no district", expected: near)
    }
    for (index, circle) in (named.circles ?? []).enumerated() where !(circle.radius > 0 && circle.radius <= Self.widestCircle) {
      throw JSONRejection(
        path: "area/circles/\(index)/radius", problem: "\(circle.radius) km is no radius here", expected: "more than 0, at most \(Int(Self.widestCircle)) (km)")
    }
    try await checkPolygons(named.polygons ?? [])
    let (outline, simplified) = try await outline(of: named)
    return AlertArea(
      description: named.description, districts: named.districts ?? [], circles: named.circles ?? [], polygons: named.polygons ?? [], outline: outline,
      simplified: simplified)
  }

  private func checkPolygons(_ polygons: [Polygon]) async throws {
    guard !polygons.isEmpty else { return }
    let texts = try polygons.map { try WarningJSON.text(Geometry.polygon($0)) }
    let rows = try await pool.query(
      """
      select number, ST_IsValidReason(ST_GeomFromGeoJSON(text)) from unnest(\(texts)) with ordinality as given (text, number)
      where not ST_IsValid(ST_GeomFromGeoJSON(text)) order by number limit 1
      """)
    guard let row = rows.first else { return }
    let (number, reason) = try row.decode(Int64.self, String.self)
    throw JSONRejection(path: "area/polygons/\(number - 1)", problem: reason, expected: "rings that do not cross themselves or each other")
  }

  /// All of it as one area, exact and of few points. What is simplified is widened by as much as simplifying may have cut off, and then held against the exact
  /// one: it is taken only where it covers that.
  private func outline(of named: NamedArea) async throws -> (exact: [Polygon], simplified: [Polygon]) {
    let polygons = try (named.polygons ?? []).map { try WarningJSON.text(Geometry.polygon($0)) }
    let circles = named.circles ?? []
    let (longitudes, latitudes) = (circles.map(\.center.longitude), circles.map(\.center.latitude))
    // A polygon of 64 corners around a circle, and not within it.
    let metres = circles.map { $0.radius * 1_000 / 0.998_795_456 }
    let rows = try await pool.query(
      """
      with parts as (
        select outline as part from areas where kind = 'district' and name = any (\(named.districts ?? []))
        union all select ST_Buffer(ST_MakePoint(longitude, latitude)::geography, metres, 16)::geometry
          from unnest(\(longitudes), \(latitudes), \(metres)) as given (longitude, latitude, metres)
        union all select ST_SetSRID(ST_GeomFromGeoJSON(text), 4326) from unnest(\(polygons)) as given (text)
      ), whole as (select ST_Multi(ST_CollectionExtract(ST_MakeValid(ST_Union(part)), 3)) as exact from parts),
      coarser as (
        select step, ST_Multi(ST_Buffer(ST_SimplifyPreserveTopology(exact, width), width * 1.1, 'join=mitre mitre_limit=2')) as part
        from whole, (select step, 0.00001 * 2 ^ step as width from generate_series(0, 14) as step) as widths
        where ST_NPoints(exact) > \(Int32(Self.fewPoints))
      )
      select ST_AsGeoJSON(exact, 15), ST_AsGeoJSON(coalesce(
        case when ST_NPoints(exact) <= \(Int32(Self.fewPoints)) then exact end,
        (select part from coarser where ST_NPoints(part) <= \(Int32(Self.fewPoints)) and ST_Covers(part, exact) order by step limit 1),
        ST_Multi(ST_Expand(ST_Envelope(exact), 0.00001))), 15)
      from whole where exact is not null and not ST_IsEmpty(exact)
      """)
    guard let row = rows.first else { return ([], []) }
    let (exact, simplified) = try row.decode(String.self, String.self)
    return (try Self.polygons(exact), try Self.polygons(simplified))
  }

  private static func polygons(_ text: String) throws -> [Polygon] {
    guard case .multiPolygon(let polygons) = try JSONDecoder().decode(Geometry.self, from: Data(text.utf8)) else { return [] }
    return polygons
  }

  /// Who is competent in an area. A sliver (a thousandth of it) beyond a border counts for nothing: borders are drawn by hand.
  /// - Throws: `Problem`-able `CompetenceError`.
  func authority(for area: AlertArea) async throws -> Authority {
    let text = try WarningJSON.text(Geometry.multiPolygon(area.outline))
    let rows = try await pool.query(
      """
      with alert as (select ST_MakeValid(ST_SetSRID(ST_GeomFromGeoJSON(\(text)), 4326)) as outline)
      select id, ST_Area(ST_Intersection(areas.outline, alert.outline)) / nullif(ST_Area(alert.outline), 0)
      from areas, alert where kind = 'authority' and ST_Intersects(areas.outline, alert.outline) order by 2 desc
      """)
    let shares = try rows.map { row throws in try row.decode(String.self, Double?.self) }.map { (id: $0.0, share: $0.1 ?? 1) }.filter { $0.share > 0.001 }
    guard let first = shares.first, let authority = directory.authority(first.id) else { throw CompetenceError.nobody }
    guard shares.count == 1 else { throw CompetenceError.several(shares.compactMap { directory.authority($0.id) }) }
    guard first.share > 0.999 else { throw CompetenceError.partly(authority) }
    return authority
  }
}

/// Why nobody alone can warn in an area.
enum CompetenceError: Error, Hashable {
  case nobody
  /// An alert has one authority: one is drafted for each.
  case several([Authority])
  /// Part of it lies where nobody is known to be competent.
  case partly(Authority)
}
