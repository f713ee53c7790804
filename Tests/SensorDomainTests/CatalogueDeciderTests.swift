import DecidingTesting
import SensorDomain
import Testing

@Suite("An entry of the catalogue")
struct CatalogueDeciderTests {
  typealias Decider = CatalogueDecider<Location>

  @Test("is registered, changed and withdrawn")
  func life() {
    var moved = market
    moved.description = "am Markt"
    given(Decider.self).when(.register(id: 7, market)).then(.registered(CatalogueRecord(id: 7, entry: market)))
    given(Decider.self, .registered(CatalogueRecord(id: 7, entry: market)))
      .when(.change(id: 7, CatalogueChange(description: "am Markt")))
      .then(.changed(CatalogueRecord(id: 7, entry: moved)))
    given(Decider.self, .registered(CatalogueRecord(id: 7, entry: market)), .changed(CatalogueRecord(id: 7, entry: moved)))
      .when(.withdraw(id: 7))
      .then(.withdrawn(CatalogueWithdrawn(id: 7)))
  }

  @Test("that is withdrawn stays so")
  func withdrawn() {
    given(Decider.self, .registered(CatalogueRecord(id: 7, entry: market)), .withdrawn(CatalogueWithdrawn(id: 7)))
      .when(.change(id: 7, CatalogueChange(name: "x")))
      .thenRefused(.ended(.location, id: 7))
  }

  @Test("needs a definition without blanks, where it is an observed property")
  func definition() {
    given(CatalogueDecider<ObservedProperty>.self)
      .when(.register(id: 3, ObservedProperty(name: "Freie Plätze", definition: "not a uri", description: "")))
      .thenRefused(.faults([FieldFault("definition", "is \"not a uri\"", expected: "a URI without blanks that defines the property")]))
  }

  @Test("needs metadata and what they are written in, where it is a sensor")
  func metadata() {
    given(CatalogueDecider<Sensor>.self)
      .when(.register(id: 2, Sensor(name: "Zähler", description: "", encodingType: "", metadata: .null)))
      .thenRefused(
        .faults([
          FieldFault("encodingType", "is blank", expected: "what the metadata is written in, as application/pdf"),
          FieldFault("metadata", "is null", expected: "a description of the sensor or a link to one"),
        ]))
  }

  @Test(
    "is refused where its geometry is no place on Earth",
    arguments: [
      (#"{"type":"Point","coordinates":[7.4,95]}"#, "location/coordinates", "has latitude 95.0"),
      (#"{"type":"Point","coordinates":[7.4]}"#, "location/coordinates", "has a position of 1 numbers"),
      (#"{"type":"Polygon","coordinates":[[7.4,51]]}"#, "location/coordinates", "is no array"),
      (#"{"type":"Pint","coordinates":[7.4,51]}"#, "location/type", "is \"Pint\""),
      (#"{"type":"Feature","geometry":null}"#, "location/geometry", "is no GeoJSON object"),
      (
        #"{"type":"Feature","geometry":{"type":"Feature","geometry":{"type":"Point","coordinates":[7,51]}}}"#, "location/geometry/type", "is \"Feature\""
      ),
      (#"{"type":"Point","coordinates":["7.4",51]}"#, "location/coordinates", "has a position with something else than numbers"),
    ])
  func geometry(json: String, path: String, problem: String) throws {
    var location = market
    location.location = try FreeValue.read(json)
    let refusal = #expect(throws: RegistryRefusal.self) { try location.check() }
    guard case .faults(let faults)? = refusal else { return }
    #expect(faults.map(\.path) == [path])
    #expect(faults.map(\.problem) == [problem])
  }

  @Test("of more than a thousand geometries is refused, and not looked at only in part")
  func manyGeometries() {
    let point = FreeValue.object(["type": .string("Point"), "coordinates": .array([.int(7), .int(51)])])
    var location = market
    location.location = .object(["type": .string("GeometryCollection"), "geometries": .array(Array(repeating: point, count: 1_001))])
    #expect(throws: RegistryRefusal.self) { try location.check() }
  }

  @Test("has a name of at most 255 characters, counted as Unicode counts")
  func names() throws {
    var location = market
    location.name = String(repeating: "e\u{301}", count: 127) + "e"
    try location.check()
    location.name += "\u{301}"
    #expect(throws: RegistryRefusal.self) { try location.check() }
  }

  @Test(
    "may lie anywhere GeoJSON can say",
    arguments: [
      #"{"type":"Point","coordinates":[7,51,100.5]}"#, #"{"type":"LineString","coordinates":[[7,51],[7.1,51]]}"#,
      #"{"type":"Polygon","coordinates":[[[7,51],[7.1,51],[7.1,51.1],[7,51]]]}"#,
      #"{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[7,51]}}"#,
      #"{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[7,51]}]}"#,
    ])
  func places(json: String) throws {
    var location = market
    location.location = try FreeValue.read(json)
    try location.check()
  }
}
