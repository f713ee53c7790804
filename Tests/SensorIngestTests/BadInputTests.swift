import Foundation
import HTTP
import JSON
import Testing

@testable import SensorIngest

/// Whatever is sent, the answer says what was wrong and what would be right, and nothing is half-stored.
@Suite("Bad input")
struct BadInputTests {
  struct Case: Sendable, CustomStringConvertible {
    let method: HTTP.Method
    let path: String
    let body: [UInt8]?
    let type: String
    let status: Int
    /// The field that the answer names, where it names one.
    let field: String?
    /// Words of what the answer says.
    let says: String

    init(_ method: HTTP.Method, _ path: String, _ status: Int, _ field: String?, says: String = "") {
      self.init(method, path, bytes: nil, status, field, says: says)
    }

    init(_ method: HTTP.Method, _ path: String, _ body: String?, type: String = "application/json", _ status: Int, _ field: String?, says: String = "") {
      self.init(method, path, bytes: body.map { Array($0.utf8) }, type: type, status, field, says: says)
    }

    init(
      _ method: HTTP.Method, _ path: String, bytes: [UInt8]?, type: String = "application/json", _ status: Int, _ field: String?, says: String = ""
    ) {
      self.method = method
      self.path = path
      self.body = bytes
      self.type = type
      self.status = status
      self.field = field
      self.says = says
    }

    var description: String { "\(method.rawValue) \(path.prefix(120)) \(String(decoding: (body ?? []).prefix(120), as: UTF8.self))" }
  }

  /// `{d}` stands for a datastream that is there.
  static let readings: [Case] = {
    let one = "/Datastreams({d})/Observations"
    let feature = #"{"name":"x","description":"","encodingType":"application/geo+json","feature":{"type":"Point","coordinates":[7,51]}}"#
    let nested = String(repeating: #"{"a":"#, count: 2_000) + "1" + String(repeating: "}", count: 2_000)
    let tooMany = Array(repeating: #"["2026-01-01T00:00:00Z",1]"#, count: 10_001).joined(separator: ",")
    func array(_ rows: String, components: String = #"["phenomenonTime","result"]"#) -> String {
      #"[{"Datastream":{"@iot.id":{d}},"components":\#(components),"dataArray":\#(rows)}]"#
    }
    return [
      Case(.post, one, #"{"result":"#, 400, "result", says: "ends in the middle"),
      Case(.post, one, "", 400, "body"), Case(.patch, "/Datastreams({d})", "", 400, "body"), Case(.patch, "/Datastreams({d})", nil, 400, "body"),
      Case(.get, "/Datastreams({d})/name?$top=x", 400, "$top"), Case(.get, "/Datastreams({d})/name/$value?$filter=", 400, "$filter"),
      Case(.post, one, "[]", 400, "body"),
      Case(.post, one, "null", 400, "body"),
      Case(.post, one, #"{"result":1} x"#, 400, "body"), Case(.post, one, #"{"result":1}"#, type: "text/plain", 415, nil, says: "application/json"),
      Case(.post, one, #"{"result":1}"#, type: "application/xml", 415, nil, says: "application/json"),
      Case(.post, one, bytes: Array(#"{"result":""#.utf8) + [0xFF, 0xFE] + Array(#""}"#.utf8), 400, "body", says: "UTF-8"),
      Case(.post, one, bytes: [0xEF, 0xBB, 0xBF] + Array(#"{"result":1}"#.utf8), 400, "body"),
      Case(.post, one, #"{"reslt":1}"#, 400, "reslt", says: "result"), Case(.post, one, #"{"phenomenonTime":"2026-01-01T00:00:00Z"}"#, 400, "result"),
      Case(.post, one, #"{"result":1,"result":2}"#, 400, "result", says: "twice"), Case(.post, one, #"{"result":NaN}"#, 400, "result"),
      Case(.post, one, #"{"result":Infinity}"#, 400, "result"), Case(.post, one, #"{"result":1e400}"#, 400, "result"),
      Case(.post, one, #"{"result":null}"#, 400, "result"), Case(.post, one, #"{"result":"warm"}"#, 400, "result", says: "a number"),
      Case(.post, one, #"{"result":1,"phenomenonTime":"2026-01-01T00:00:00"}"#, 400, "phenomenonTime", says: "zone"),
      Case(.post, one, #"{"result":1,"phenomenonTime":"2026-02-30T00:00:00Z"}"#, 400, "phenomenonTime"),
      Case(.post, one, #"{"result":1,"phenomenonTime":17}"#, 400, "phenomenonTime"),
      Case(.post, one, #"{"result":1,"phenomenonTime":"2199-01-01T00:00:00Z"}"#, 400, "phenomenonTime", says: "ahead"),
      Case(.post, one, #"{"result":1,"phenomenonTime":"1969-12-31T23:59:59Z"}"#, 400, "phenomenonTime"),
      Case(.post, one, #"{"result":1,"parameters":[1]}"#, 400, "parameters"), Case(.post, one, #"{"result":1,"parameters":"a"}"#, 400, "parameters"),
      Case(.post, one, #"{"result":1,"Datastream":{"@iot.id":99999}}"#, 400, "Datastream/@iot.id"),
      Case(.post, one, #"{"result":1,"FeatureOfInterest":{"@iot.id":99999}}"#, 400, "FeatureOfInterest/@iot.id"),
      Case(.post, one, #"{"result":1,"FeatureOfInterest":{"@iot.id":"1; drop table things"}}"#, 400, "FeatureOfInterest/@iot.id"),
      Case(.post, one, #"{"result":1,"FeatureOfInterest":{"name":"x"}}"#, 400, "FeatureOfInterest/description"),
      Case(.post, one, #"{"result":"x","FeatureOfInterest":\#(feature)}"#, 400, "result"),
      Case(.post, one, #"{"result":\#(String(repeating: "[", count: 100_000))}"#, 400, nil, says: "more than 64 levels"),
      Case(.post, one, #"{"result":1,"parameters":\#(nested)}"#, 400, nil, says: "more than 64 levels"),
      Case(.post, one, bytes: Array(#"{"result":1,"validTime":""#.utf8) + Array(repeating: 0x61, count: 2 << 20) + Array(#""}"#.utf8), 413, nil),
      Case(.post, "/Observations", #"{"result":1}"#, 400, "Datastream"),
      Case(.post, "/Observations", #"{"result":1,"Datastream":{"@iot.id":{d}.5}}"#, 400, "Datastream/@iot.id"),
      Case(.post, "/Datastreams(99999)/Observations", #"{"result":1}"#, 404, nil, says: "99999"),
      Case(.post, "/Datastreams(0)/Observations", #"{"result":1}"#, 404, nil, says: "whole numbers"),
      Case(.post, "/Datastreams(-1)/Observations", #"{"result":1}"#, 404, nil), Case(.post, "/Datastreams(1.0)/Observations", #"{"result":1}"#, 404, nil),
      Case(.post, "/Datastreams(01)/Observations", #"{"result":1}"#, 404, nil),
      Case(.post, "/Datastreams(99999999999999999999)/Observations", #"{"result":1}"#, 404, nil),
      Case(.post, "/Datastreams(1%20or%201=1)/Observations", #"{"result":1}"#, 404, nil),
      Case(.post, "/Datastreams(1);drop%20table%20things)/Observations", #"{"result":1}"#, 404, nil),
      Case(.post, "/CreateObservations", "{}", 400, "body"), Case(.post, "/CreateObservations", "[{]", 400, "body"),
      Case(.post, "/CreateObservations", "[5]", 400, "0"), Case(.post, "/CreateObservations", #"[{"components":[],"dataArray":[]}]"#, 400, "0/Datastream"),
      Case(.post, "/CreateObservations", #"[{"Datastream":{"@iot.id":{d}},"components":[],"dataArry":[]}]"#, 400, "0/dataArry", says: "dataArray"),
      Case(.post, "/CreateObservations", array(#"[["2026-01-01T00:00:00Z",NaN]]"#), 400, "body"),
      Case(.post, "/CreateObservations", array(#"[["2026-01-01T00:00:00Z",1e400]]"#), 400, "body"),
      Case(.post, "/CreateObservations", array(#"[["2026-01-01T00:00:00Z",5],["2026-01-01T00:01:00Z","#), 400, "body"),
      Case(.post, "/CreateObservations", array("5"), 400, "0/dataArray"), Case(.post, "/CreateObservations", array("[]", components: "5"), 400, "0/components"),
      Case(.post, "/CreateObservations", array("[\(tooMany)]"), 400, "0/dataArray", says: "10000"),
      Case(.post, "/CreateObservations", bytes: Array(repeating: 0x20, count: 9 << 20), 413, nil),
    ]
  }()

  static let registry: [Case] = {
    func thing(_ extra: String) -> String { #"{"name":"x","description":""\#(extra)}"# }
    let place = #"{"name":"l","description":"","encodingType":"application/geo+json","location":{"type":"Point","coordinates":[200,51]}}"#
    let stream = #"{"name":"d","description":"","observationType":"OM_Measurment","Sensor":{"@iot.id":1},"ObservedProperty":{"@iot.id":1}}"#
    return [
      Case(.post, "/Things", #"{"name":"x""#, 400, "body"), Case(.post, "/Things", "5", 400, "body"), Case(.post, "/Things", "", 400, "body"),
      Case(.post, "/Things", #"{"description":""}"#, 400, "name"), Case(.post, "/Things", #"{"name":7,"description":""}"#, 400, "name"),
      Case(.post, "/Things", #"{"name":"  ","description":""}"#, 400, "name"),
      Case(.post, "/Things", #"{"nam":"x","description":""}"#, 400, "nam", says: "name"),
      Case(.post, "/Things", thing(#","name":"y""#), 400, "name", says: "twice"),
      Case(.post, "/Things", thing(#","properties":[]"#), 400, "properties"),
      Case(.post, "/Things", thing(#","properties":{"dos:ownr":"x"}"#), 400, "properties/dos:ownr", says: "dos:owner"),
      Case(.post, "/Things", thing(#","properties":{"dos:city":"'; drop table things; --"}"#), 400, "properties/dos:city"),
      Case(.post, "/Things", thing(#","Locations":[{"@iot.id":99999}]"#), 400, "Locations/0/@iot.id"),
      Case(.post, "/Things", thing(#","Locations":[{"@iot.id":-1}]"#), 400, "Locations/0/@iot.id"),
      Case(.post, "/Things", thing(##","Locations":[\##(place)]"##), 400, "Locations/0/location/coordinates"),
      Case(.post, "/Things", thing(#","properties":{"a":"\u0000"}"#), 400, nil),
      Case(.post, "/Things", bytes: Array(#"{"name":""#.utf8) + [0xC3, 0x28] + Array(#"","description":""}"#.utf8), 400, "body", says: "UTF-8"),
      Case(.post, "/Things", thing(#","properties":{"a":1e400}"#), 400, "properties/a"),
      Case(.post, "/Things", thing(##","Datastreams":[\##(stream)]"##), 400, "Datastreams/0/observationType"),
      Case(.post, "/Datastreams", #"{"name":"d","description":""}"#, 400, "Thing"),
      Case(.post, "/Things({t})/Datastreams", deep(#"{"phenomenonTime":"2026-01-01T00:00","result":1}"#), 400, "Observations/1/phenomenonTime"),
      Case(.post, "/Things({t})/Datastreams", deep(#"{"phenomenonTime":"2026-01-01T00:00:00Z","result":"x"}"#), 400, "Observations/1", says: "a number"),
      Case(.post, "/Things({t})/Datastreams", deep(#"{"phenomenonTime":"2026-01-01T00:00:00Z","reslt":1}"#), 400, "Observations/1/reslt", says: "result"),
      Case(.patch, "/Things({t})", #"{"name":null}"#, 400, "name"), Case(.patch, "/Things(99999)", #"{"name":"x"}"#, 404, nil),
      Case(.patch, "/Things(abc)", #"{"name":"x"}"#, 404, nil),
      Case(.delete, "/Things(1'or'1'='1)", nil, 404, nil),
      Case(.delete, "/Things(99999)", nil, 404, nil),
      Case(.post, "/HistoricalLocations", #"{"time":"2026-01-01T00:00:00","Thing":{"@iot.id":{t}},"Locations":[{"@iot.id":1}]}"#, 400, "time", says: "zone"),
      Case(.post, "/HistoricalLocations", #"{"time":"2026-01-01T00:00:00Z","Thing":{"@iot.id":{t}}}"#, 400, "Locations"),
    ]
  }()

  private static func deep(_ reading: String) -> String {
    let sensor = String(decoding: Body.sensor.bytes, as: UTF8.self)
    let property = String(decoding: Body.property.bytes, as: UTF8.self)
    return #"""
      {"name":"d","description":"","observationType":"http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
       "unitOfMeasurement":{"name":"1","symbol":"","definition":"ucum:1"},"Sensor":\#(sensor),"ObservedProperty":\#(property),
       "Observations":[{"phenomenonTime":"2025-01-01T00:00:00Z","result":1},\#(reading)]}
      """#
  }

  private static let tooDeep =
    String(repeating: "Datastreams($expand=Thing($expand=", count: 11) + "Datastreams" + String(repeating: "))", count: 11)

  static let queries: [Case] = [
    Case(.get, "/Things?$top=-1", 400, "$top"), Case(.get, "/Things?$skip=-1", 400, "$skip"), Case(.get, "/Things?$top=x", 400, "$top"),
    Case(.get, "/Things?$top=99999999999999999999", 400, "$top"), Case(.get, "/Things?$skip=99999999999999999999", 400, "$skip"),
    Case(.get, "/Things?$count=maybe", 400, "$count"), Case(.get, "/Things?$tpo=1", 400, "$tpo", says: "$top"),
    Case(.get, "/Things?$top=1&$top=2", 400, "$top", says: "more than once"), Case(.get, "/Things?$filter=", 400, "$filter"),
    Case(.get, "/Things?$filter=name%20eq", 400, "$filter"), Case(.get, "/Things?$filter=nam%20eq%20'x'", 400, "$filter", says: "name"),
    Case(.get, "/Things?$filter=((((", 400, "$filter"), Case(.get, "/Things?$filter=name%20eq%20'x", 400, "$filter", says: "closing"),
    Case(.get, "/Things?$filter=1;drop%20table%20things", 400, "$filter"), Case(.get, "/Things?$filter=name%20gt%205", 400, "$filter"),
    Case(.get, "/Things?$filter=\(String(repeating: "(", count: 3_000))1\(String(repeating: ")", count: 3_000))", 400, "$filter"),
    Case(.get, "/Things?$filter=\(String(repeating: "not%20", count: 1_000))true", 400, "$filter"),
    Case(.get, "/Observations?$filter=phenomenonTime%20gt%202026-01-01T00:00:00", 400, "$filter"),
    Case(.get, "/Observations?$filter=result%20eq%201e400", 400, "$filter"),
    Case(.get, "/Things?$orderby=name%20sideways", 400, "$orderby"), Case(.get, "/Things?$select=nme", 400, "$select", says: "name"),
    Case(.get, "/Things?$expand=Datastream", 400, "$expand", says: "Datastreams"),
    Case(.get, "/Things?$expand=" + tooDeep, 400, "$expand"),
    Case(.get, "/Things(1)/nme", 404, nil, says: "name"), Case(.get, "/Things(x)", 404, nil), Case(.get, "/Thingz", 404, nil),
    Case(.get, "/Things(1)/Datastreams(x)", 404, nil), Case(.get, "/Things%00", 400, nil), Case(.get, "/Things?$filter=name%20eq%20'%FF'", 400, nil),
    Case(.put, "/Things(1)", "{}", 405, nil), Case(.delete, "/Things", nil, 405, nil),
  ]

  @Test("is answered with its field and what would be right, and leaves nothing behind")
  func refused() async throws {
    try await WholeService.run { service in
      let datastream = try await service.registerDatastream()
      let thing = try #require(try await service.get("/Things")["value"]?.array?.first?["@iot.id"]?.int)
      let sets = ["Things", "Locations", "HistoricalLocations", "Sensors", "ObservedProperties", "FeaturesOfInterest", "Datastreams", "Observations"]
      func counts() async throws -> [Int64?] {
        var counts: [Int64?] = []
        for set in sets { counts.append(try await service.count(set)) }
        return counts
      }
      let before = try await counts()
      for bad in Self.readings + Self.registry + Self.queries {
        func filled(_ text: String) -> String { text.replacing("{d}", with: String(datastream)).replacing("{t}", with: String(thing)) }
        let body = bad.body.map { bytes in
          guard bytes.count < 1 << 20, let text = String(validating: bytes, as: UTF8.self) else { return bytes }
          return Array(filled(text).utf8)
        }
        let answer = try await service.send(bad.method, filled(bad.path), body, type: bad.type)
        #expect(answer.status == bad.status, "\(bad): \(answer.text)")
        #expect(answer.headers["Content-Type"] == "application/problem+json", "\(bad)")
        let problem = try JSONValue(parsing: answer.body)
        #expect(problem["status"]?.int == Int64(bad.status) && problem["detail"]?.string?.isEmpty == false, "\(bad): \(answer.text)")
        if let field = bad.field { #expect(problem["errors"]?.array?.first?["path"]?.string == field, "\(bad): \(answer.text)") }
        #expect(bad.says.isEmpty || answer.text.contains(bad.says), "\(bad): \(answer.text)")
      }
      #expect(try await counts() == before)
      let logged = try await service.pool.query("select count(*) from journal_events where type like '%thing-%'")
      #expect(try logged[0].value(Int64.self, at: 0) == 2)
    }
  }

  @Test("rows that cannot be taken are answered one by one, and only the others are stored")
  func rows() async throws {
    try await WholeService.run { service in
      let datastream = try await service.registerDatastream()
      func send(_ rows: String, _ components: String = #"["phenomenonTime","result"]"#) async throws -> [String] {
        let body = #"[{"Datastream":{"@iot.id":\#(datastream)},"components":\#(components),"dataArray":\#(rows)}]"#
        let answer = try await service.send(.post, "/CreateObservations", Array(body.utf8))
        #expect(answer.status == 201, "\(answer.text)")
        return try JSONValue(parsing: answer.body).array?.compactMap(\.string) ?? []
      }
      #expect(try await send("[]").isEmpty)
      let misspelt = try await send(#"[["2026-01-01T00:00:00Z",1]]"#, #"["phenomenonTime","reslt"]"#)
      #expect(misspelt == ["error: the component reslt is unknown; did you mean result?"])
      #expect(try await send(#"[["2026-01-01T00:00:00Z",1,"a"]]"#, #"["phenomenonTime","result","parameters"]"#) == ["error: parameters has a wrong type"])
      #expect(try await send(#"[["2026-01-01T00:00:00Z",1,[1]]]"#, #"["phenomenonTime","result","parameters"]"#) == ["error: parameters has a wrong type"])
      let nothing = try await send(#"[["2026-01-01T00:00:00Z",1,0]]"#, #"["phenomenonTime","result","FeatureOfInterest/id"]"#)
      #expect(nothing == ["error: FeatureOfInterest/id has a wrong type"])
      #expect(try await service.count("Observations") == 0)
      let most = (0..<10_000).map { #"["2026-01-01T\#(Self.time($0))Z",\#($0)]"# }.joined(separator: ",")
      let answers = try await send("[\(most)]")
      #expect(answers.count == 10_000 && answers.allSatisfy { $0.hasPrefix(service.url) })
      let all = try await service.get("/Observations?$count=true&$top=1000000000") { $0["value"]?.array?.count == 10_000 }
      #expect(all["@iot.count"]?.int == 10_000)
      #expect(all["value"]?.array?.count == 10_000)
      #expect(try await service.get("/Observations?$skip=9007199254740991")["value"]?.array?.isEmpty == true)
    }
  }

  private static func time(_ second: Int) -> String {
    [second / 3_600, second / 60 % 60, second % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
  }
}
