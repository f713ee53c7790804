import Foundation
import Geo
import Testing

@Suite("Circle")
struct CircleTests {
  @Test("contains what is within its radius over ground")
  func contains() throws {
    let dortmund = try Coordinate(longitude: 7.4653, latitude: 51.5136)
    let schwerte = try Coordinate(longitude: 7.5653, latitude: 51.4444)
    #expect(abs(dortmund.kilometres(to: schwerte) - 10.35) < 0.1)
    #expect(try Circle(center: dortmund, radius: 10.5).contains(schwerte))
    #expect(!(try Circle(center: dortmund, radius: 10).contains(schwerte)))
    #expect(try Circle(center: dortmund, radius: 0).contains(dortmund))
  }

  @Test("has a radius of 0 or more", arguments: [-0.1, .nan, .infinity])
  func radius(kilometres: Double) throws {
    let center = try Coordinate(longitude: 0, latitude: 0)
    #expect(throws: GeoError.self) { try Circle(center: center, radius: kilometres) }
  }
  @Test("reads back from JSON as it was, and is refused there with a radius that is none")
  func json() throws {
    let circle = try Circle(center: try Coordinate(longitude: 7.5, latitude: 51.4), radius: 2.5)
    #expect(try JSONDecoder().decode(Circle.self, from: try JSONEncoder().encode(circle)) == circle)
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(Circle.self, from: Data(#"{"center": [7.5, 51.4], "radius": -1}"#.utf8)) }
  }
}
