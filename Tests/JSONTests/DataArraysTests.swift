import JSON
import Testing
import Time

@Suite("A DataArray")
struct DataArraysTests {
  private func read(_ body: String, rowLimit: Int = DataArrays.rowLimit) throws -> [DataArrayGroup] {
    try DataArrays.read(body: Array(body.utf8), rowLimit: rowLimit)
  }

  private func rows(_ rows: String, components: String = #"["phenomenonTime","result"]"#) throws -> [DataArrayRow] {
    try #require(try read(#"[{"Datastream":{"@iot.id":7},"components":\#(components),"dataArray":\#(rows)}]"#).first).rows
  }

  @Test("is read with every kind of result and component")
  func everything() throws {
    let body = #"""
      [{"Datastream":{"@iot.id":1},"components":["phenomenonTime","result","resultTime","resultQuality","parameters","validTime","FeatureOfInterest/id"],
        "dataArray@iot.count":2,"dataArray":[
        ["1970-01-01T00:00:01Z",20,"1970-01-01T00:00:02Z","good",{"a":1},null,5],
        ["1970-01-01T00:00:01Z/1970-01-01T00:00:03+00:00",{"x":[1, 2]},null,null,null,"1970-01-01T00:00:00Z/1970-01-01T00:00:01Z",null]]},
       {"Datastream":{"@iot.id":2},"components":["result","phenomenonTime"],"dataArray":[[true,"1970-01-01T00:00:00Z"],["ß\u00e4","1970-01-01T00:00:00Z"]]}]
      """#
    let groups = try read(body)
    let first = DataArrayReading(
      phenomenonTime: Instant(milliseconds: 1_000), result: .number(20), resultTime: Instant(milliseconds: 2_000), resultQuality: Array(#""good""#.utf8),
      parameters: Array(#"{"a":1}"#.utf8), feature: 5)
    let second = DataArrayReading(
      phenomenonTime: Instant(milliseconds: 1_000), phenomenonEnd: Instant(milliseconds: 3_000), result: .json(Array(#"{"x":[1,2]}"#.utf8)),
      validTime: "1970-01-01T00:00:00Z/1970-01-01T00:00:01Z")
    let zero = Instant(milliseconds: 0)
    #expect(groups.map(\.datastream) == [1, 2])
    #expect(groups[0].rows == [.reading(first), .reading(second)])
    #expect(groups[1].rows == [.reading(.init(phenomenonTime: zero, result: .bool(true))), .reading(.init(phenomenonTime: zero, result: .text("ßä")))])
  }

  @Test(
    "refuses a row with the reason and keeps its neighbours",
    arguments: [
      (#"["2026-01-01T00:00:00",1]"#, "zone"), (#"["2026-02-30T00:00:00Z",1]"#, "day"), (#"["2026-01-01T00:00:00Z"]"#, "no cell for result"),
      (#"["2026-01-01T00:00:00Z",1,2]"#, "more cells"), (#"["2026-01-01T00:00:00Z",null]"#, "result has a wrong type"),
      (#"[5,1]"#, "phenomenonTime has a wrong type"),
      (#"{}"#, "no array"), (#"["2026-01-02T00:00:00Z/2026-01-01T00:00:00Z",1]"#, "interval"), (#"["",1]"#, "not a time"),
    ])
  func refusedRow(row: String, reason: String) throws {
    let rows = try rows(#"[["1970-01-01T00:00:00Z",1],\#(row),["1970-01-01T00:00:00Z",2]]"#)
    #expect(rows.count == 3)
    #expect(rows[0] == .reading(.init(phenomenonTime: Instant(milliseconds: 0), result: .number(1))))
    #expect(rows[2] == .reading(.init(phenomenonTime: Instant(milliseconds: 0), result: .number(2))))
    guard case .refused(let said) = rows[1] else { return #expect(Bool(false), "the row was taken: \(rows[1])") }
    #expect(said.contains(reason))
  }

  @Test(
    "refuses every row of a group whose components are not understood, and names the component",
    arguments: [
      (#"["phenomenonTime","rsult"]"#, "rsult is unknown; did you mean result?"), (#"["result","x"]"#, "x is unknown"),
      (#"["result"]"#, "phenomenonTime is missing"),
      (#"["phenomenonTime","result","result"]"#, "result is named twice"),
    ])
  func refusedGroup(components: String, reason: String) throws {
    let rows = try rows(#"[["1970-01-01T00:00:00Z",1],["1970-01-01T00:00:00Z",2]]"#, components: components)
    #expect(rows == Array(repeating: .refused("the component \(reason)"), count: 2))
  }

  @Test(
    "is refused as a whole where it cannot be understood",
    arguments: [
      ("", ""), ("{}", ""), ("[{}]", "0/Datastream"), ("[5]", "0"),
      (#"[{"Datastream":{"@iot.id":"1"},"components":[],"dataArray":[]}]"#, "0/Datastream/@iot.id"),
      (#"[{"Datastream":{"id":1},"components":[],"dataArray":[]}]"#, "0/Datastream/id"), (#"[{"Datastreem":1}]"#, "0/Datastreem"),
      (#"[{"Datastream":{"@iot.id":1},"components":[],"dataArray":[],"dataArray":[]}]"#, "0/dataArray"),
      (#"[{"Datastream":{"@iot.id":1},"components":[],"dataArray":[],"dataArray@iot.count":1}]"#, "0/dataArray@iot.count"),
      (#"[{"Datastream":{"@iot.id":1},"components":["result"],"dataArray":[[NaN]]}]"#, ""),
      (#"[{"Datastream":{"@iot.id":1},"components":["result"],"dataArray":[[1e999]]}]"#, ""),
      (#"[{"Datastream":{"@iot.id":1},"components":["result"],"dataArray":[["\ud800"]]}]"#, ""), ("[] []", ""), (String(repeating: "[", count: 5_000), ""),
    ])
  func refusedWhole(body: String, path: String) {
    let rejection = #expect(throws: JSONRejection.self) { try read(body) }
    #expect(rejection?.path == path)
  }

  @Test("has a limit of rows")
  func limit() throws {
    let row = #"["1970-01-01T00:00:00Z",1]"#
    #expect(try rows("[" + Array(repeating: row, count: 10_000).joined(separator: ",") + "]").count == 10_000)
    let rejection = #expect(throws: JSONRejection.self) { try rows("[" + Array(repeating: row, count: 10_001).joined(separator: ",") + "]") }
    #expect(rejection?.problem.contains("10000") == true)
  }

  @Test("never crashes on noise")
  func noise() {
    var random = SystemRandomNumberGenerator()
    let seed = Array(
      #"[{"Datastream":{"@iot.id":1},"components":["phenomenonTime","result"],"dataArray":[["1970-01-01T00:00:00Z",1.5],["1970-01-01T00:00:00Z",{"a":"\u00e4"}]]}]"#
        .utf8)
    for _ in 0..<5_000 {
      var text = seed
      for _ in 0..<Int.random(in: 1...4, using: &random) { text[Int.random(in: 0..<text.count, using: &random)] = UInt8.random(in: 0...255, using: &random) }
      _ = try? DataArrays.read(body: text)
    }
  }
}
