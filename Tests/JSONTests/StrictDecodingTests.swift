import Foundation
import JSON
import Testing
import Time

private struct Unit: Codable, Equatable, KnownFields {
  var name: String
  var symbol: String?
  static let fields = ["name", "symbol"]
}

private struct Stream: Codable, Equatable, KnownFields {
  var name: String
  var units: [Unit]
  var since: Instant?
  var count: Int?
  var properties: JSONValue?
  static let fields = ["name", "units", "since", "count", "properties"]
  static func ignores(_ field: String) -> Bool { field.hasPrefix("@iot.") }
}

@Suite("Strict decoding")
struct StrictDecodingTests {
  @Test("reads a type with everything in it")
  func reads() throws {
    let body =
      #"{"name":"Größe","units":[{"name":"a"},{"name":"b","symbol":"m"}],"since":"2026-01-01T00:00:00Z","count":3.0,"properties":{"a":[1]},"@iot.id":5}"#
    let stream = try decodeStrictly(Stream.self, from: Array(body.utf8))
    #expect(
      stream
        == Stream(
          name: "Größe", units: [Unit(name: "a"), Unit(name: "b", symbol: "m")], since: Instant(milliseconds: 1_767_225_600_000), count: 3,
          properties: ["a": [1]]))
  }

  @Test("refuses an unknown field at any level, with its path and the nearest known name")
  func unknown() {
    #expect(throws: JSONRejection(path: "units/1/symbl", problem: "the field is unknown", expected: "'symbol'")) {
      try decodeStrictly(Stream.self, from: Array(#"{"name":"a","units":[{"name":"a"},{"name":"b","symbl":"m"}]}"#.utf8))
    }
  }

  @Test(
    "says where a value is wrong and what would be right",
    arguments: [
      (#"{"units":[]}"#, "name", "a value"), (#"{"name":1,"units":[]}"#, "name", "a string"),
      (#"{"name":"a","units":[{"name":null}]}"#, "units/0/name", "a string"),
      (#"{"name":"a","units":{}}"#, "units", "an array"), (#"[]"#, "", "an object"),
      (#"{"name":"a","units":[],"count":1.5}"#, "count", "a whole number from -9223372036854775808 to 9223372036854775807"),
    ])
  func wrong(body: String, path: String, expected: String) throws {
    let rejection = #expect(throws: JSONRejection.self) { try decodeStrictly(Stream.self, from: Array(body.utf8)) }
    #expect(rejection?.path == path)
    #expect(rejection?.expected == expected)
  }

  private enum Shade: String, CaseIterable, Decodable { case light, dark }

  @Test("refuses a word that no list has, with the nearest, or with all of them", arguments: [("drak", "'dark'"), ("orange", "one of light, dark")])
  func word(text: String, expected: String) {
    #expect(throws: JSONRejection(path: "1", problem: "is '\(text)'", expected: expected)) {
      try decodeStrictly([Shade].self, from: Array(#"["light","\#(text)"]"#.utf8))
    }
  }

  @Test("says that a time lacks its zone")
  func time() {
    let rejection = #expect(throws: JSONRejection.self) {
      try decodeStrictly(Stream.self, from: Array(#"{"name":"a","units":[],"since":"2026-01-01T00:00:00"}"#.utf8))
    }
    #expect(rejection?.path == "since")
    #expect(rejection?.problem.contains("zone") == true)
  }

  @Test("is Codable with Foundation's coders too")
  func codable() throws {
    let value: JSONValue = ["a": [1, 2.5, "b", true, nil], "c": [:]]
    #expect(try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(value)) == value)
  }
}
