import HTTP
import JSON
import Testing

@testable import SensorIngest

@Suite("Reading the registry")
struct STAReadTests {
  private func names(_ city: RegistryHarness, _ path: String) async throws -> [String] {
    try await city.get(path)["value"]?.array?.compactMap { $0["name"]?.string } ?? []
  }

  private func fill(_ city: RegistryHarness) async throws {
    for (index, name) in ["Alpha", "Beta", "Gamma", "Delta's"].enumerated() {
      _ = try await city.post(
        "/Things",
        Body.thing(name, properties: ["capacity": .int(Int64(index * 100)), "open": .bool(index > 1)], datastreams: [Body.datastream("frei \(name)")]))
    }
  }

  @Test("pages without overlap and says where it goes on")
  func pages() async throws {
    try await RegistryHarness.run { city in
      try await fill(city)
      let first = try await city.get("/Things?$top=3&$count=true&$orderby=name&$filter=name ne 'x'")
      #expect(first["@iot.count"]?.int == 4)
      #expect(first["value"]?.array?.count == 3)
      let next = try #require(first["@iot.nextLink"]?.string)
      #expect(next.hasPrefix("http://city.example/sensors/v1.1/Things?"))
      let second = try await city.get(String(next.dropFirst("http://city.example/sensors/v1.1".count)))
      #expect(second["value"]?.array?.compactMap { $0["name"]?.string } == ["Gamma"])
      #expect(second["@iot.nextLink"] == nil)
      let none = try await city.get("/Things?$top=0&$count=true")
      #expect(none["value"]?.array?.isEmpty == true && none["@iot.count"]?.int == 4)
    }
  }

  @Test(
    "finds what a filter wants",
    arguments: [
      ("name eq 'Beta'", ["Beta"]), ("name eq 'Delta''s'", ["Delta's"]), ("properties/capacity gt 100", ["Gamma", "Delta's"]),
      ("properties/capacity add 50 ge 250 and not (name eq 'Gamma')", ["Delta's"]), ("properties/open eq true", ["Gamma", "Delta's"]),
      ("properties/dos:city eq 'dortmund' and id gt 0", ["Alpha", "Beta", "Gamma", "Delta's"]),
      ("properties/nothing eq null", ["Alpha", "Beta", "Gamma", "Delta's"]),
      ("substringof('lph', name) or startswith(tolower(name), 'gam')", ["Alpha", "Gamma"]), ("Datastreams/name eq 'frei Beta'", ["Beta"]),
      ("endswith(Datastreams/name, 'Gamma')", ["Gamma"]), ("length(name) lt 5", ["Beta"]),
      ("Datastreams/Sensor/name eq 'Schranke' and name eq 'Alpha'", ["Alpha"]),
      ("properties/capacity eq 'text'", []), ("properties/capacity div 0 eq 1", []), ("properties/capacity mod 200 eq 100", ["Beta", "Delta's"]),
      ("HistoricalLocations/time lt 2021-01-01T00:00:00Z and name eq 'Beta'", ["Beta"]), ("name eq '''; drop table things; --'", []),
    ] as [(String, [String])])
  func filters(filter: String, expected: [String]) async throws {
    try await RegistryHarness.run { city in
      try await fill(city)
      #expect(try await names(city, "/Things?$filter=\(filter)&$orderby=id") == expected)
    }
  }

  @Test(
    "refuses a query it cannot answer, with the place and the nearest name",
    arguments: [
      ("$filter=nme eq 'x'", "$filter", "name"), ("$filter=name gt 5", "$filter", "a text"),
      ("$filter=name", "$filter", "something true or false, as name eq 'x'"),
      ("$filter=Datastreams/nam eq 'x'", "$filter", "name"), ("$orderby=nme", "$orderby", "name"), ("$select=nme", "$select", "name"),
      ("$expand=Datastream", "$expand", "Datastreams"), ("$filter=substringov('a', name)", "$filter", "substringof"),
      ("$top=-1", "$top", "a whole number from 0 to 9007199254740991"),
      ("$filter=contains(name)", "$filter", "2 of them"), ("$top=1&$top=2", "$top", "the option once"), ("top=1", "top", "$top"),
    ])
  func refused(query: String, path: String, expected: String) async throws {
    try await RegistryHarness.run { city in
      let answer = try await city.send(.get, "/Things?\(query)", as: nil)
      #expect(answer.status == 400)
      let error = answer.json["errors"]?.array?.first
      #expect(error?["path"]?.string == path)
      #expect(error?["expected"]?.string == expected)
    }
  }

  @Test("shows only what is selected")
  func selects() async throws {
    try await RegistryHarness.run { city in
      try await fill(city)
      let thing = try await city.get("/Things?$select=name,Datastreams&$top=1")["value"]?.array?.first?.object ?? [:]
      #expect(Set(thing.keys) == ["name", "Datastreams@iot.navigationLink"])
      let id = try await city.get("/Things?$select=id&$top=1")["value"]?.array?.first?.object ?? [:]
      #expect(Set(id.keys) == ["@iot.id", "@iot.selfLink"])
    }
  }

  @Test("goes along navigations and properties")
  func paths() async throws {
    try await RegistryHarness.run { city in
      let thing = try await city.post("/Things", Body.thing(datastreams: [Body.datastream()]))
      let datastream = try #require(try await city.get("/Things(\(thing))/Datastreams")["value"]?.array?.first?["@iot.id"]?.int)
      #expect(try await city.get("/Datastreams(\(datastream))/Thing")["@iot.id"]?.int == thing)
      #expect(try await city.get("/Datastreams(\(datastream))/Thing/name") == ["name": "Parkhaus Kampstraße"])
      #expect(try await city.send(.get, "/Datastreams(\(datastream))/Sensor/name/$value").text == "Schranke")
      #expect(try await city.get("/Things(\(thing))/Datastreams(\(datastream))/ObservedProperty")["name"]?.string == "Freie Plätze")
      #expect(try await city.get("/Things(\(thing))/Locations")["value"]?.array?.count == 1)
      #expect(try await city.send(.get, "/Things(\(thing + 1))/Datastreams(\(datastream))").status == 404)
      #expect(try await city.send(.get, "/Things(\(thing + 1))/Datastreams").status == 404)
      #expect(try await city.send(.get, "/Things(\(thing))/nme").status == 404)
      #expect(try await city.send(.get, "/Things(x)").status == 404)
      #expect(try await city.get("/Datastreams(\(datastream))/Observations")["value"] == [])
    }
  }

  @Test("expands observations to the latest of each datastream, in one statement")
  func latest() async throws {
    try await RegistryHarness.run { city in
      try await fill(city)
      let all = try await city.get("/Datastreams?$expand=Observations($orderby=phenomenonTime desc;$top=1),ObservedProperty&$top=1000")
      #expect(all["value"]?.array?.count == 4)
      #expect(all["value"]?.array?.first?["Observations"] == [])
    }
  }

  @Test("begins with a landing page of entity sets and conformance")
  func landing() async throws {
    try await RegistryHarness.run { city in
      let page = try await city.get("")
      let sets = page["value"]?.array?.compactMap { $0["name"]?.string } ?? []
      #expect(Set(sets).isSuperset(of: ["Things", "Locations", "HistoricalLocations", "Datastreams", "Sensors", "ObservedProperties", "FeaturesOfInterest"]))
      #expect(page["serverSettings"]?["conformance"]?.array?.isEmpty == false)
    }
  }
}
