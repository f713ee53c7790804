import Foundation
import Geo
import Testing

@Suite("Geometry")
struct GeometryTests {
  private func place(_ longitude: Double, _ latitude: Double) throws -> Coordinate { try Coordinate(longitude: longitude, latitude: latitude) }

  @Test("a place is within the ranges of WGS 84", arguments: [(181.0, 0.0), (-180.1, 0), (0, 90.1), (.nan, 0), (0, .infinity)])
  func ranges(longitude: Double, latitude: Double) {
    #expect(throws: GeoError.self) { try place(longitude, latitude) }
  }

  @Test("a polygon contains what is inside, not what is in its hole or outside")
  func contains() throws {
    let outer = [try place(0, 0), try place(10, 0), try place(10, 10), try place(0, 10), try place(0, 0)]
    let hole = [try place(4, 4), try place(6, 4), try place(6, 6), try place(4, 6), try place(4, 4)]
    let polygon = try Polygon(rings: [outer, hole])
    #expect(polygon.contains(try place(1, 1)))
    #expect(!polygon.contains(try place(5, 5)))
    #expect(!polygon.contains(try place(11, 5)))
    #expect(!polygon.contains(try place(-1, 10)))
    #expect(Geometry.multiPolygon([polygon]).contains(try place(9, 9)))
  }

  @Test("of two neighbours exactly one has a place on their common edge")
  func edge() throws {
    let left = try Polygon(rings: [[try place(0, 0), try place(1, 0), try place(1, 1), try place(0, 1), try place(0, 0)]])
    let right = try Polygon(rings: [[try place(1, 0), try place(2, 0), try place(2, 1), try place(1, 1), try place(1, 0)]])
    let edge = try place(1, 0.5)
    #expect(left.contains(edge) != right.contains(edge))
  }

  @Test(
    "is read from GeoJSON and written as the same",
    arguments: [
      #"{"coordinates":[7.46,51.51],"type":"Point"}"#, #"{"coordinates":[7.46,51.51,86.5],"type":"Point"}"#,
      #"{"coordinates":[[7.46,51.51],[7.5,51.5]],"type":"LineString"}"#,
      #"{"coordinates":[[[0,0],[1,0],[1,1],[0,0]]],"type":"Polygon"}"#, #"{"coordinates":[[[[0,0],[1,0],[1,1],[0,0]]]],"type":"MultiPolygon"}"#,
      #"{"coordinates":[[0,0]],"type":"MultiPoint"}"#, #"{"coordinates":[[[0,0],[1,1]]],"type":"MultiLineString"}"#,
    ])
  func roundTrip(text: String) throws {
    let geometry = try JSONDecoder().decode(Geometry.self, from: Data(text.utf8))
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    #expect(String(decoding: try encoder.encode(geometry), as: UTF8.self) == text)
  }

  @Test(
    "is refused where it is no shape",
    arguments: [
      #"{"type":"Point","coordinates":[200,51]}"#, #"{"type":"Point","coordinates":[7]}"#, #"{"type":"Point","coordinates":[7,51,1,2]}"#, #"{"type":"Point"}"#,
      #"{"type":"Polygon","coordinates":[[[0,0],[1,0],[0,0]]]}"#, #"{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1]]]}"#,
      #"{"type":"Polygon","coordinates":[]}"#,
      #"{"type":"LineString","coordinates":[[0,0]]}"#, #"{"type":"Circle","coordinates":[0,0]}"#, #"{"type":"Point","coordinates":["7","51"]}"#,
    ])
  func refused(text: String) {
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(Geometry.self, from: Data(text.utf8)) }
  }
}
