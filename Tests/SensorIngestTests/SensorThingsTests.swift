import HTTP
import JSON
import SensorDomain
import Testing
import Time

@testable import SensorIngest

/// What registry and readings promise together, over HTTP with everything running.
@Suite("SensorThings")
struct SensorThingsTests {
  private func datastream(_ observations: JSONValue) -> JSONValue {
    guard case .object(var fields) = Body.datastream() else { return .null }
    fields["Observations"] = observations
    return .object(fields)
  }

  private static let place: JSONValue = [
    "name": "Ruhr", "description": "", "encodingType": "application/geo+json", "feature": ["type": "Point", "coordinates": [7.57, 51.44]],
  ]

  @Test("observations come as rows of data arrays where that is asked for, those of a datastream together")
  func dataArrays() async throws {
    try await WholeService.run { service in
      let (first, second) = (try await service.registerDatastream(), try await service.registerDatastream())
      for (datastream, minute, result) in [(first, 0, "1.5"), (second, 1, "2"), (first, 2, "-3"), (second, 3, "4e3")] {
        let body = #"{"phenomenonTime":"2026-01-01T00:0\#(minute):00Z","result":\#(result)}"#
        #expect(try await service.send(.post, "/Datastreams(\(datastream))/Observations", Array(body.utf8)).status == 201)
      }
      _ = try await service.get("/Observations") { $0["value"]?.array?.count == 4 }

      let page = try await service.get("/Observations?$resultFormat=dataArray&$select=phenomenonTime,result&$orderby=phenomenonTime&$top=3&$count=true")
      let time = "2026-01-01T00:0"
      #expect(
        page["value"] == [
          [
            "Datastream@iot.navigationLink": .string("\(service.url)/Datastreams(\(first))"), "components": ["phenomenonTime", "result"],
            "dataArray@iot.count": 2, "dataArray": [[.string("\(time)0:00.000Z"), 1.5], [.string("\(time)2:00.000Z"), -3]],
          ],
          [
            "Datastream@iot.navigationLink": .string("\(service.url)/Datastreams(\(second))"), "components": ["phenomenonTime", "result"],
            "dataArray@iot.count": 1, "dataArray": [[.string("\(time)1:00.000Z"), 2]],
          ],
        ])
      #expect(page["@iot.count"]?.int == 4)
      let next = try #require(page["@iot.nextLink"]?.string)
      let rest = try await service.get(String(next.dropFirst(service.url.count)))
      #expect(rest["value"]?.array?.first?["dataArray"] == [[.string("\(time)3:00.000Z"), 4_000]])

      // What a reading does not have is null in its row.
      let whole = try await service.get("/Datastreams(\(first))/Observations?$resultFormat=dataArray&$orderby=phenomenonTime")
      let array = try #require(whole["value"]?.array?.first)
      let names = array["components"]?.array?.compactMap(\.string) ?? []
      #expect(names.first == "id" && Set(names).isSuperset(of: ["phenomenonTime", "resultTime", "result", "resultQuality", "validTime", "parameters"]))
      let rows = array["dataArray"]?.array?.compactMap(\.array) ?? []
      #expect(rows.count == 2 && rows.allSatisfy { $0.count == names.count })
      let parameters = try #require(names.firstIndex(of: "parameters"))
      #expect(rows.first?[parameters] == .null)

      for (address, problem) in [
        ("/Things?$resultFormat=dataArray", "dataArray is for rows of observations"), ("/Observations(1)?$resultFormat=dataArray", "rows of observations"),
        ("/Observations?$resultFormat=dataArray&$expand=Datastream", "rows of observations"), ("/Observations?$resultFormat=csv", "dataArray"),
        ("/Observations/$ref?$resultFormat=dataArray", "rows of observations"),
        ("/Datastreams?$expand=Observations($resultFormat=dataArray)", "expands rows"),
      ] {
        let answer = try await service.send(.get, address)
        #expect(answer.status == 400 && answer.text.contains(problem), "\(address): \(answer.status) \(answer.text)")
      }
    }
  }

  @Test("readings that come with their datastream are recorded with it, and a repeat neither doubles them nor undoes a correction")
  func deepInsert() async throws {
    try await WholeService.run { service in
      let observations: JSONValue = [
        ["phenomenonTime": "2026-01-01T00:00:00Z", "result": 1], ["result": 2, "FeatureOfInterest": Self.place],
      ]
      let thing = Body.thing(datastreams: [datastream(observations)])
      let first = try await service.post("/Things", thing, key: "k")
      #expect(first.status == 201, "\(first.text)")
      let page = try await service.get("/Observations?$orderby=result&$expand=FeatureOfInterest") { $0["value"]?.array?.count == 2 }
      #expect(page["value"]?.array?.map { $0["result"]?.double } == [1, 2])
      #expect(page["value"]?.array?.map { $0["FeatureOfInterest"]?["name"]?.string } == ["Hansaplatz", "Ruhr"])
      let id = try #require(page["value"]?.array?.first?["@iot.id"]?.int)
      #expect(try await service.send(.patch, "/Observations(\(id))", Array(#"{"result":5}"#.utf8)).status == 200)
      _ = try await service.get("/Observations(\(id))") { $0["result"]?.double == 5 }
      let again = try await service.post("/Things", thing, key: "k")
      #expect(again.status == 201 && again.body == first.body)
      #expect(try await service.post("/Things", Body.thing(), key: "k").status == 422)
      // What is posted after it is stored after it.
      let last = try await service.send(.patch, "/Observations(\(id))", Array(#"{"parameters":{"checked":true}}"#.utf8))
      #expect(last.status == 200)
      let checked = try await service.get("/Observations(\(id))") { $0["parameters"] != nil }
      #expect(checked["result"]?.double == 5)
      #expect(try await service.count("Observations") == 2)
      #expect(try await service.count("Things") == 1)
    }
  }

  @Test("a datastream's readings go with it when it is deleted, and stay when it is closed")
  func ends() async throws {
    try await WholeService.run { service in
      let id = try await service.registerDatastream()
      #expect(try await service.post("/Datastreams(\(id))/Observations", ["result": 1]).status == 201)
      _ = try await service.get("/Observations") { $0["value"]?.array?.count == 1 }
      let own = service.url.replacing("/v1.1", with: "/v1")
      let closing = ClientRequest(.post, own + "/datastreams/\(id)/close", headers: ["Authorization": "Bearer sensor-operator"])
      #expect(try await service.client.send(closing).status == 204)
      let refused = try await service.post("/Datastreams(\(id))/Observations", ["result": 2])
      #expect(refused.status == 409, "\(refused.text)")
      let closed = try await service.get("/Datastreams(\(id))?$expand=Observations")
      #expect(closed["properties"]?["dos:closedAt"]?.string != nil)
      #expect(closed["Observations"]?.array?.count == 1)
      #expect(try await service.send(.delete, "/Datastreams(\(id))").status == 200)
      let gone = try await service.get("/Observations?$count=true") { $0["value"]?.array?.isEmpty == true }
      #expect(gone == ["@iot.count": 0, "value": []])
      #expect(try await service.post("/Datastreams(\(id))/Observations", ["result": 3]).status == 404)
    }
  }

  @Test("a feature of interest that goes takes the readings about it along, and leaves the others")
  func features() async throws {
    try await WholeService.run { service in
      let id = try await service.registerDatastream()
      #expect(try await service.post("/Datastreams(\(id))/Observations", ["phenomenonTime": "2026-01-01T00:00:00Z", "result": 1]).status == 201)
      let body: JSONValue = ["phenomenonTime": "2026-01-01T00:01:00Z", "result": 2, "FeatureOfInterest": Self.place]
      let created = try await service.post("/Datastreams(\(id))/Observations", body)
      #expect(created.status == 201, "\(created.text)")
      let two = try #require(try JSONValue(parsing: created.body)["@iot.id"]?.int)
      _ = try await service.get("/Observations") { $0["value"]?.array?.count == 2 }
      let feature = try await service.get("/Observations(\(two))/FeatureOfInterest")
      #expect(feature["feature"] == Self.place["feature"])
      let river = try #require(feature["@iot.id"]?.int)
      #expect(try await service.get("/FeaturesOfInterest(\(river))/Observations?$count=true")["@iot.count"]?.int == 1)
      #expect(try await service.send(.delete, "/FeaturesOfInterest(\(river))").status == 200)
      // The rows and their number are two statements: either may be the first to see the change.
      let left = try await service.get("/Observations?$count=true") { $0["@iot.count"]?.int == 1 && $0["value"]?.array?.count == 1 }
      #expect(left["value"]?.array?.map { $0["result"]?.double } == [1])
      #expect(try await service.send(.get, "/Observations(\(two))").status == 404)
      #expect(try await service.send(.get, "/FeaturesOfInterest(\(river))").status == 404)
      // A device sends readings; it registers nothing.
      let device = try await service.send(.post, "/Datastreams(\(id))/Observations", body.bytes, role: "device")
      #expect(device.status == 403)
    }
  }

  @Test("a thing without a place takes readings that say what they are about, and no others")
  func unplaced() async throws {
    try await WholeService.run { service in
      let thing: JSONValue = ["name": "Bus", "description": "", "Datastreams": [Body.datastream()]]
      #expect(try await service.post("/Things", thing).status == 201)
      let streams = try await service.get("/Datastreams") { $0["value"]?.array?.isEmpty == false }
      let id = try #require(streams["value"]?.array?.first?["@iot.id"]?.int)
      let refused = try await service.post("/Datastreams(\(id))/Observations", ["result": 1])
      #expect(refused.status == 400)
      #expect(try JSONValue(parsing: refused.body)["errors"]?.array?.first?["path"]?.string == "FeatureOfInterest")
      #expect(try await service.post("/Datastreams(\(id))/Observations", ["result": 1, "FeatureOfInterest": Self.place]).status == 201)
      let things = try await service.get("/Things")
      let bus = try #require(things["value"]?.array?.first?["@iot.id"]?.int)
      #expect(try await service.post("/Things(\(bus))/Locations", Body.location).status == 201)
      let taken = try await service.post("/Datastreams(\(id))/Observations", ["result": 3])
      #expect(taken.status == 201, "\(taken.text)")
    }
  }

  @Test("the latest of each datastream are the same whether it has readings of these days, of last year, of both or none")
  func latest() async throws {
    try await WholeService.run { service in
      let now = Instant.now()
      // Days ago, latest first.
      let ages = [[0, 1, 2, 3, 400, 401], [0, 400, 401, 402, 800], [400, 500, 600], [39, 41], []]
      var ids: [Int64] = []
      for ages in ages {
        let id = try await service.registerDatastream()
        ids.append(id)
        for age in ages {
          let body: JSONValue = ["phenomenonTime": .string("\(now - .seconds(age * 86_400 + 60))"), "result": .int(Int64(age))]
          #expect(try await service.post("/Datastreams(\(id))/Observations", body).status == 201)
        }
      }
      _ = try await service.get("/Observations?$top=0&$count=true") { $0["@iot.count"]?.int == Int64(ages.reduce(0) { $0 + $1.count }) }
      func results(_ page: JSONValue?) -> [Int]? { page?.array?.compactMap { $0["result"]?.int.map { Int($0) } } }
      for (top, skip) in [(1, 0), (2, 0), (3, 1), (4, 0), (6, 0), (100, 0), (2, 3), (0, 0)] {
        let options = ["$orderby=phenomenonTime desc", "$top=\(top)", "$skip=\(skip)"]
        let expand = "Observations(\(options.joined(separator: ";")))"
        let all = try await service.get("/Datastreams?$orderby=id&$expand=\(expand)")["value"]?.array ?? []
        for (index, ages) in ages.enumerated() {
          let wanted = Array(ages.dropFirst(skip).prefix(top))
          let goesOn = ages.count > skip + top
          #expect(results(all[index]["Observations"]) == wanted, "\(ages), $top=\(top)")
          #expect((all[index]["Observations@iot.nextLink"] != nil) == goesOn, "\(ages), $top=\(top)")
          let page = try await service.get("/Datastreams(\(ids[index]))/Observations?\(options.joined(separator: "&"))")
          #expect(results(page["value"]) == wanted, "\(ages), $top=\(top)")
          #expect((page["@iot.nextLink"] != nil) == (goesOn && top > 0), "\(ages), $top=\(top)")
        }
      }
    }
  }
}
