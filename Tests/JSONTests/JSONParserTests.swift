import JSON
import Testing

@Suite("The JSON parser")
struct JSONParserTests {
  @Test("reads every kind of value")
  func reads() throws {
    let value = try JSONValue(parsing: #" {"a":[1,-2.5e3,true,false,null],"b":{"c":"Gr\u00f6\u00dfe \ud83d\ude80\n"},"big":9223372036854775808} "#)
    #expect(value == ["a": [1, -2500.0, true, false, nil], "b": ["c": "Größe 🚀\n"], "big": 9223372036854775808.0])
    #expect(value["b"]?["c"]?.string == "Größe 🚀\n")
  }

  @Test(
    "refuses what is not JSON, or could be read in two ways",
    arguments: [
      "", " ", "{", "[1,]", "[1 2]", "{\"a\":1,}", "{\"a\"}", "{a:1}", "NaN", "Infinity", "-", "01", "1.", ".5", "1e", "+1", "1e999", "\"a", "\"\\x\"",
      "\"\\ud800\"", "\"\\udc00\"",
      "\"\\ud800\\u0041\"", "\"\t\"", "tru", "nullx", "1 2", "// a\n1", "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "'a'", "\u{feff}1",
    ])
  func refuses(text: String) {
    #expect(throws: JSONRejection.self) { try JSONValue(parsing: text) }
  }

  @Test("refuses bytes that are not UTF-8")
  func notUTF8() {
    #expect(throws: JSONRejection.self) { try JSONValue(parsing: [0x22, 0xc3, 0x28, 0x22]) }
  }

  @Test("takes 64 levels and not a hundred thousand")
  func depth() throws {
    _ = try JSONValue(parsing: String(repeating: "[", count: 64) + String(repeating: "]", count: 64))
    #expect(throws: JSONRejection.self) { try JSONValue(parsing: String(repeating: "[", count: 100_000)) }
  }

  @Test("says where it went wrong")
  func path() {
    #expect(throws: JSONRejection(path: "value/1/name", problem: "the name stands twice in its object", expected: "each name once")) {
      try JSONValue(parsing: #"{"value":[{},{"name":1,"name":2}]}"#)
    }
  }

  @Test("reads every number as the nearest double, and whole ones exactly")
  func numbers() throws {
    func sound(_ text: String) throws {
      let value = try JSONValue(parsing: text)
      if !text.contains(where: { ".eE".contains($0) }), let whole = Int64(text) {
        #expect(value.int == whole, "\(text)")
      } else {
        #expect(value.double?.bitPattern == Double(text)?.bitPattern, "\(text)")
      }
    }
    for text in [
      "0", "-0", "-0.0", "0.1", "9007199254740993.0", "999999999999999", "0.000000000000001", "123456789012345678", "1234567890123456789",
      "9223372036854775807", "-9223372036854775808", "9223372036854775808", "99999999999999999999", "1.7976931348623157e308", "5e-324", "2.5E+3",
      "100000.00000000001",
    ] {
      try sound(text)
    }
    for _ in 0..<5_000 {
      let digits = String(UInt64.random(in: 0...(.max)).description.prefix(Int.random(in: 1...20)))
      let whole = digits.first == "0" ? "0" : digits
      try sound(whole)
      try sound("-\(whole).\(UInt64.random(in: 0...(.max)).description.prefix(Int.random(in: 1...18)))")
    }
  }

  @Test("never crashes on noise, and what it takes it writes back as the same value")
  func noise() {
    var random = SystemRandomNumberGenerator()
    let seed = Array(#"{"a":[1,-2.5e3,true,null],"b":{"c":"Gr\u00f6\ud83d\ude80"}}"#.utf8)
    for _ in 0..<5_000 {
      var text = seed
      for _ in 0..<Int.random(in: 1...4, using: &random) { text[Int.random(in: 0..<text.count, using: &random)] = UInt8.random(in: 0...255, using: &random) }
      guard let value = try? JSONValue(parsing: text) else { continue }
      // A whole number may be written without its fraction, so the bytes are compared.
      #expect((try? JSONValue(parsing: value.bytes))?.bytes == value.bytes)
    }
  }
}
