import HTTP
import JSON
import SensorDomain
import Testing

@testable import SensorIngest

@Suite("The registry over HTTP")
struct RegistryTests {
  @Test("registers a thing with everything in it as one append")
  func deepInsert() async throws {
    try await RegistryHarness.run { city in
      let answer = try await city.send(.post, "/Things", Body.thing(datastreams: [Body.datastream("A"), Body.datastream("B")]))
      #expect(answer.status == 201, "\(answer.text)")
      let id = try #require(answer.json["@iot.id"]?.int)
      #expect(answer.response.headers["Location"] == "http://city.example/sensors/v1.1/Things(\(id))")
      #expect(answer.json["@iot.selfLink"]?.string == "http://city.example/sensors/v1.1/Things(\(id))")
      let events = try await city.journal.read(partition: 0, after: 0, limit: 100)
      #expect(
        events.map { $0.type.dropFirst(19).dropLast(3) } == [
          "feature-of-interest-registered", "location-registered", "thing-registered", "thing-relocated", "sensor-registered", "observed-property-registered",
          "datastream-opened",
          "sensor-registered", "observed-property-registered", "datastream-opened",
        ])
      let thing = try await city.get("/Things(\(id))?$expand=Datastreams($expand=Sensor,ObservedProperty;$orderby=name desc),Locations,HistoricalLocations")
      #expect(thing["Datastreams"]?.array?.compactMap { $0["name"]?.string } == ["B", "A"])
      #expect(thing["Datastreams"]?.array?.first?["Sensor"]?["name"]?.string == "Schranke")
      #expect(thing["Locations"]?.array?.count == 1)
      #expect(thing["HistoricalLocations"]?.array?.count == 1)
      #expect(thing["properties"]?["capacity"]?.int == 400)
      #expect(thing["properties"]?["dos:city"]?.string == "dortmund")
    }
  }

  @Test("answers a write with what a read answers then")
  func sameEntity() async throws {
    try await RegistryHarness.run { city in
      let written = try await city.send(.post, "/Things", Body.thing(datastreams: [Body.datastream()]))
      let id = try #require(written.json["@iot.id"]?.int)
      #expect(try await city.get("/Things(\(id))") == written.json)
      let opened = try await city.send(
        .post, "/Things(\(id))/Datastreams", Body.datastream(properties: ["dos:reporting": ["kind": "periodic", "interval": "PT5M"]]))
      let datastream = try #require(opened.json["@iot.id"]?.int)
      #expect(opened.json["properties"]?["dos:reporting"] == ["kind": "periodic", "interval": 300])
      #expect(try await city.get("/Datastreams(\(datastream))") == opened.json)
      let sensor = try await city.send(.post, "/Sensors", Body.sensor)
      #expect(try await city.get("/Sensors(\(try #require(sensor.json["@iot.id"]?.int)))") == sensor.json)
    }
  }

  @Test("registers nothing at all where one part is wrong")
  func allOrNothing() async throws {
    try await RegistryHarness.run { city in
      let answer = try await city.send(.post, "/Things", Body.thing(datastreams: [Body.datastream(), ["name": "ohne alles"]]))
      #expect(answer.status == 400)
      #expect(answer.json["errors"]?.array?.first?["path"]?.string == "Datastreams/1/Sensor")
      #expect(try await city.get("/Things?$count=true")["@iot.count"]?.int == 0)
      #expect(try await city.get("/Locations?$count=true")["@iot.count"]?.int == 0)
    }
  }

  @Test("refuses an unknown field with its path and the nearest known name, and ignores unknown @iot fields")
  func unknownField() async throws {
    try await RegistryHarness.run { city in
      let thing: JSONValue = ["name": "x", "description": "", "@iot.whatever": 1, "Locations": [["nme": "y"]]]
      let answer = try await city.send(.post, "/Things", thing)
      #expect(answer.status == 400)
      let error = answer.json["errors"]?.array?.first
      #expect(error?["path"]?.string == "Locations/0/nme")
      #expect(error?["expected"]?.string == "name")
      let misspelt = try await city.send(.post, "/Things", ["name": "x", "description": "", "properties": ["dos:ownr": "y"]])
      #expect(misspelt.json["errors"]?.array?.first?["expected"]?.string == "dos:owner")
      #expect(try await city.send(.post, "/Things", ["name": "x", "description": "", "@iot.whatever": 1, "@iot.\u{1F3FB}": 1]).status == 201)
    }
  }

  @Test("repeats the first answer, byte for byte, where the key is known, and refuses another body")
  func idempotency() async throws {
    try await RegistryHarness.run { city in
      let first = try await city.send(.post, "/Things", Body.thing(), key: "k1")
      let second = try await city.send(.post, "/Things", Body.thing(), key: "k1")
      #expect(second.status == 201)
      #expect(second.response.bytes == first.response.bytes)
      #expect(second.response.headers["Location"] == first.response.headers["Location"])
      #expect(try await city.get("/Things?$count=true")["@iot.count"]?.int == 1)
    }
  }

  @Test("relocates a thing, and remembers where it was")
  func relocates() async throws {
    try await RegistryHarness.run { city in
      let id = try await city.post("/Things", Body.thing())
      let other = try await city.send(.post, "/Things(\(id))/Locations", Body.location)
      #expect(other.status == 201)
      let location = try #require(other.json["@iot.id"]?.int)
      #expect(try await city.get("/Things(\(id))/Locations")["value"]?.array?.compactMap { $0["@iot.id"]?.int } == [location])
      #expect(try await city.get("/Things(\(id))/HistoricalLocations?$count=true")["@iot.count"]?.int == 2)
      #expect(try await city.get("/Locations(\(location))/Things")["value"]?.array?.count == 1)
    }
  }

  @Test("changes what a PATCH names and keeps the rest")
  func patches() async throws {
    try await RegistryHarness.run { city in
      let id = try await city.post("/Things", Body.thing(datastreams: [Body.datastream()]))
      let changed = try await city.send(.patch, "/Things(\(id))", ["name": "Neu", "properties": ["dos:owner": "Umweltamt"]])
      #expect(changed.status == 200, "\(changed.text)")
      let thing = try await city.get("/Things(\(id))")
      #expect(thing == changed.json)
      #expect(thing["name"]?.string == "Neu")
      #expect(thing["description"]?.string == "Parkhaus")
      #expect(thing["properties"]?["capacity"]?.int == 400)
      #expect(thing["properties"]?["dos:owner"]?.string == "Umweltamt")
      let datastream = try #require(try await city.get("/Things(\(id))/Datastreams")["value"]?.array?.first?["@iot.id"]?.int)
      let refused = try await city.send(.patch, "/Datastreams(\(datastream))", ["properties": ["dos:visibility": "restricted"]])
      #expect(refused.status == 409)
    }
  }

  @Test("deletes a thing with its datastreams, so that nobody sees them any more")
  func deletes() async throws {
    try await RegistryHarness.run { city in
      let id = try await city.post("/Things", Body.thing(datastreams: [Body.datastream()]))
      let datastream = try #require(try await city.get("/Things(\(id))/Datastreams")["value"]?.array?.first?["@iot.id"]?.int)
      #expect(try await city.send(.delete, "/Things(\(id))").status == 200)
      #expect(try await city.send(.get, "/Things(\(id))").status == 404)
      #expect(try await city.send(.get, "/Datastreams(\(datastream))").status == 404)
      #expect(try await city.get("/HistoricalLocations?$count=true")["@iot.count"]?.int == 0)
      #expect(try await city.get("/Locations?$count=true")["@iot.count"]?.int == 1)
      #expect(try await city.send(.delete, "/Things(\(id))").status == 404)
      #expect(try await city.service.registry.find(datastream) == nil)
    }
  }

  @Test("keeps what is retired or closed readable, with its end, and changes it no more")
  func retires() async throws {
    try await RegistryHarness.run { city in
      let id = try await city.post("/Things", Body.thing(datastreams: [Body.datastream("A"), Body.datastream("B")]))
      let datastreams = try await city.get("/Things(\(id))/Datastreams")["value"]?.array?.compactMap { $0["@iot.id"]?.int } ?? []
      let first = try #require(datastreams.first)
      #expect(try await city.own("datastreams/\(first)/close").status == 204)
      #expect(try await city.own("datastreams/\(first)/close").status == 409)
      #expect(try await city.get("/Datastreams(\(first))")["properties"]?["dos:closedAt"] == "2020-06-15T11:20:00.000Z")
      #expect(try await city.own("things/\(id)/retire").status == 204)
      let thing = try await city.get("/Things(\(id))?$expand=Datastreams")
      #expect(thing["properties"]?["dos:retiredAt"] == "2020-06-15T11:20:00.000Z")
      #expect(thing["properties"]?["capacity"]?.int == 400)
      #expect(thing["Datastreams"]?.array?.allSatisfy { $0["properties"]?["dos:closedAt"] != nil } == true)
      #expect(try await city.get("/Things?$filter=properties/dos:retiredAt ne null")["value"]?.array?.count == 1)
      #expect(try await city.send(.patch, "/Things(\(id))", ["name": "Neu"]).status == 409)
      #expect(try await city.send(.patch, "/Datastreams(\(first))", ["name": "Neu"]).status == 409)
      #expect(try await city.service.registry.find(first)?.isOpen == false)
      #expect(try await city.send(.delete, "/Things(\(id))").status == 200)
      #expect(try await city.send(.get, "/Datastreams(\(first))").status == 404)
    }
  }

  @Test("repeats the first outcome of a deletion, and decides anew only for another key")
  func repeatedDelete() async throws {
    try await RegistryHarness.run { city in
      let id = try await city.post("/Things", Body.thing())
      for _ in 1...3 { #expect(try await city.send(.delete, "/Things(\(id))", key: "d1").status == 200) }
      #expect(try await city.send(.delete, "/Things(\(id))", key: "d2").status == 404)
      // A refusal is not remembered: what becomes possible is done.
      #expect(try await city.send(.patch, "/Sensors(1)", ["name": "x"], key: "p1").status == 404)
      #expect(try await city.post("/Sensors", Body.sensor) == 1)
      #expect(try await city.send(.patch, "/Sensors(1)", ["name": "x"], key: "p1").status == 200)
      #expect(try await city.get("/Sensors(1)")["name"]?.string == "x")
    }
  }

  @Test("draws no ids for a command that is repeated, one after the other or all at once")
  func repeatedPost() async throws {
    try await RegistryHarness.run { city in
      let answers = try await withThrowingTaskGroup(of: RegistryHarness.Answer.self) { group in
        for _ in 0..<8 { group.addTask { try await city.send(.post, "/Sensors", Body.sensor, key: "k") } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(Set(answers.map(\.status)) == [201])
      #expect(Set(answers.map(\.text)).count == 1)
      // Whichever of them came first: at once, several may have drawn one.
      let id = try #require(answers.first?.json["@iot.id"]?.int)
      let before = try await city.pool.query("select last_value from entity_ids_sensors")
      #expect(try await city.send(.post, "/Sensors", Body.sensor, key: "k").text == answers.first?.text)
      #expect(try await city.send(.post, "/Sensors", Body.sensor, key: "k").status == 201)
      let after = try await city.pool.query("select last_value from entity_ids_sensors")
      #expect(try before[0].value(Int64.self, at: 0) == after[0].value(Int64.self, at: 0))
      #expect(try await city.get("/Sensors?$count=true")["@iot.count"]?.int == 1)
      // A decision about the same entity with a key of its own meets the state that the first one made.
      let gone = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<8 { group.addTask { try await city.send(.delete, "/Sensors(\(id))", key: "gone").status } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(Set(gone) == [200])
    }
  }

  @Test("gives each place one feature of interest, which goes where the place is corrected to")
  func features() async throws {
    try await RegistryHarness.run { city in
      let id = try await city.post("/Things", Body.thing())
      let location = try #require(try await city.get("/Things(\(id))/Locations")["value"]?.array?.first?["@iot.id"]?.int)
      _ = try await city.send(.patch, "/Things(\(id))", ["Locations": [["@iot.id": .int(location)]]])
      let features = try await city.get("/FeaturesOfInterest")["value"]?.array ?? []
      #expect(features.count == 1)
      #expect(features.first?["feature"] == Body.location["location"])
      let moved: JSONValue = ["type": "Point", "coordinates": [7.5, 51.5]]
      #expect(try await city.send(.patch, "/Locations(\(location))", ["location": moved]).status == 200)
      #expect(try await city.get("/FeaturesOfInterest")["value"]?.array?.first?["feature"] == moved)
    }
  }

  @Test("notes, corrects and withdraws where a thing was, and moves it nowhere")
  func history() async throws {
    try await RegistryHarness.run { city in
      let id = try await city.post("/Things", Body.thing())
      let location = try await city.post("/Locations", Body.location)
      let place: JSONValue = [["@iot.id": .int(location)]]
      let noted = try await city.send(
        .post, "/HistoricalLocations", ["time": "2015-03-01T00:40:00.000Z", "Thing": ["@iot.id": .int(id)], "Locations": place])
      #expect(noted.status == 201, "\(noted.text)")
      let history = try #require(noted.json["@iot.id"]?.int)
      #expect(try await city.get("/HistoricalLocations(\(history))") == noted.json)
      #expect(try await city.get("/HistoricalLocations(\(history))/Locations")["value"]?.array?.first?["@iot.id"]?.int == location)
      let corrected = try await city.send(.patch, "/HistoricalLocations(\(history))", ["time": "2015-07-01T00:00:00.000Z"])
      #expect(corrected.json["time"] == "2015-07-01T00:00:00.000Z")
      #expect(try await city.get("/HistoricalLocations(\(history))/Locations")["value"]?.array?.count == 1)
      #expect(try await city.get("/Things(\(id))/Locations")["value"]?.array?.first?["@iot.id"]?.int != location)
      #expect(try await city.send(.delete, "/HistoricalLocations(\(history))").status == 200)
      #expect(try await city.send(.get, "/HistoricalLocations(\(history))").status == 404)
      #expect(try await city.send(.delete, "/HistoricalLocations(\(history))").status == 404)
    }
  }

  @Test("takes links in a PATCH, and nothing that would have to be registered first")
  func patchLinks() async throws {
    try await RegistryHarness.run { city in
      let id = try await city.post("/Things", Body.thing())
      let refused = try await city.send(.patch, "/Things(\(id))", ["Locations": [Body.location]])
      #expect(refused.status == 400)
      #expect(refused.json["errors"]?.array?.first?["path"]?.string == "Locations/0")
      #expect(try await city.get("/Locations?$count=true")["@iot.count"]?.int == 1)
    }
  }

  @Test("shows the links of entities alone after $ref")
  func references() async throws {
    try await RegistryHarness.run { city in
      let id = try await city.post("/Things", Body.thing(datastreams: [Body.datastream()]))
      let root = "http://city.example/sensors/v1.1"
      #expect(try await city.get("/Things/$ref") == ["value": [["@iot.selfLink": .string("\(root)/Things(\(id))")]]])
      let streams = try await city.get("/Things(\(id))/Datastreams/$ref")["value"]?.array ?? []
      #expect(streams.count == 1)
      let link = try #require(streams.first?["@iot.selfLink"]?.string).replacing(root, with: "")
      #expect(try await city.get(link + "/Thing/$ref") == ["@iot.selfLink": .string("\(root)/Things(\(id))")])
      #expect(try await city.send(.get, "/Things(\(id))/$ref/name").status == 404)
    }
  }

  @Test("names the sequence of observations' ids as those of all entities, which a restore raises and grants reach")
  func sequences() async throws {
    try await RegistryHarness.run { city in
      let others = try await city.pool.query(
        "select sequencename::text from pg_sequences where sequencename not like 'entity\\_ids\\_%' and sequencename like '%observation%'")
      #expect(others.isEmpty)
      let ids = ObservationIds(pool: city.pool)
      let before = try #require(try await ids.draw(1).first)
      _ = try await city.pool.query("select dos_after_restore(0)")
      let after = try #require(try await ObservationIds(pool: city.pool).draw(1).first)
      #expect(after >= before + 1_000_000 * ObservationIds.block)
    }
  }

  @Test("lets nobody write without the role, nor for another city")
  func access() async throws {
    try await RegistryHarness.run { city in
      #expect(try await city.send(.post, "/Things", Body.thing(), as: nil).status == 401)
      #expect(try await city.send(.post, "/Things", Body.thing(), as: Caller(id: "d", roles: ["device"], kind: .device)).status == 403)
      let schwerte = Caller(id: "b", roles: ["sensor-operator"], city: "schwerte", kind: .person)
      let own = try await city.send(.post, "/Things", Body.thing(), as: schwerte)
      #expect(own.json["properties"]?["dos:city"]?.string == "schwerte")
      let dortmunds = try await city.post("/Things", Body.thing())
      #expect(try await city.send(.delete, "/Things(\(dortmunds))", as: schwerte).status == 403)
      #expect(try await city.send(.post, "/Things(\(dortmunds))/Datastreams", Body.datastream(), as: schwerte).status == 403)
      let elsewhere = try await city.send(.post, "/Things", Body.thing(properties: ["dos:city": "hagen"]))
      #expect(elsewhere.status == 400)
    }
  }

  @Test("shows what is not public to those it is for, whatever way they ask")
  func visibility() async throws {
    try await RegistryHarness.run { city in
      let id = try await city.post(
        "/Things", Body.thing(datastreams: [Body.datastream("offen"), Body.datastream("intern", properties: ["dos:visibility": "internal"])]))
      let reader = Caller(id: "r", roles: ["reader"], kind: .person)
      let stranger = Caller(id: "s", roles: ["reader"], city: "schwerte", kind: .person)
      let all = try await city.get("/Datastreams?$orderby=name", as: reader)["value"]?.array ?? []
      #expect(all.compactMap { $0["name"]?.string } == ["intern", "offen"])
      let hidden = try #require(all.first?["@iot.id"]?.int)
      let observedProperty = try #require(try await city.get("/Datastreams(\(hidden))/ObservedProperty", as: reader)["@iot.id"]?.int)
      for caller in [nil, stranger] {
        #expect(try await city.get("/Datastreams", as: caller)["value"]?.array?.count == 1)
        #expect(try await city.send(.get, "/Datastreams(\(hidden))", as: caller).status == 404)
        #expect(try await city.send(.get, "/Datastreams(\(hidden))/name", as: caller).status == 404)
        #expect(try await city.send(.get, "/Datastreams(\(hidden))/Thing", as: caller).status == 404)
        #expect(try await city.get("/Things(\(id))/Datastreams?$count=true", as: caller)["@iot.count"]?.int == 1)
        #expect(try await city.get("/Things?$expand=Datastreams($count=true)", as: caller)["value"]?.array?.first?["Datastreams"]?.array?.count == 1)
        #expect(try await city.get("/Things?$filter=Datastreams/name eq 'intern'", as: caller)["value"]?.array?.isEmpty == true)
        #expect(try await city.get("/ObservedProperties(\(observedProperty))/Datastreams", as: caller)["value"]?.array?.isEmpty == true)
      }
      #expect(try await city.get("/Things?$filter=Datastreams/name eq 'intern'", as: reader)["value"]?.array?.count == 1)
    }
  }

  @Test("decides anew when others change the same thing, so that no change is lost")
  func concurrent() async throws {
    try await RegistryHarness.run { city in
      let id = try await city.post("/Things", Body.thing())
      let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
        group.addTask { try await city.send(.patch, "/Things(\(id))", ["name": "Neu"]).status }
        group.addTask { try await city.send(.patch, "/Things(\(id))", ["description": "anders"]).status }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(statuses == [200, 200])
      let thing = try await city.get("/Things(\(id))")
      #expect(thing["name"]?.string == "Neu")
      #expect(thing["description"]?.string == "anders")
    }
  }

  @Test("looks datastreams up for the intake, and forgets what was just changed")
  func lookUp() async throws {
    try await RegistryHarness.run { city in
      let id = try await city.post("/Things", Body.thing(datastreams: [Body.datastream(properties: ["dos:plausibleRange": ["min": 0, "max": 400]])]))
      let datastream = try #require(try await city.get("/Things(\(id))/Datastreams")["value"]?.array?.first?["@iot.id"]?.int)
      let found = try #require(try await city.service.registry.find(datastream))
      #expect(found.isOpen && found.plausibleRange == PlausibleRange(min: 0, max: 400) && found.visibility == .public)
      #expect(try await city.service.registry.find(datastream + 1) == nil)
      #expect(try await city.own("datastreams/\(datastream)/close").status == 204)
      try await city.service.caughtUp([])
      #expect(try await city.service.registry.find(datastream)?.isOpen == false)
      #expect(found.isPlaced)
      #expect(found.feature != nil)
      try await city.send(.delete, "/Datastreams(\(datastream))")
      try await city.service.caughtUp([])
      #expect(try await city.service.registry.find(datastream) == nil)
    }
  }
}
