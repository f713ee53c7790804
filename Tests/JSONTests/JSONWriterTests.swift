import Foundation
import JSON
import Testing
import Time

@Suite("The JSON writer")
struct JSONWriterTests {
  @Test("sets commas and colons where they belong")
  func commas() {
    var writer = JSONWriter()
    writer.object { writer in
      writer.key("a")
      writer.array { writer in
        writer.int(1)
        writer.array { _ in }
        writer.object { _ in }
        writer.null()
      }
      writer.key(name: "b\"")
      writer.bool(true)
      writer.key("t")
      writer.instant(Instant(milliseconds: 0))
      writer.key("raw")
      writer.raw(Array("{}".utf8))
    }
    #expect(writer.text == #"{"a":[1,[],{},null],"b\"":true,"t":"1970-01-01T00:00:00.000Z","raw":{}}"#)
  }

  @Test(
    "writes numbers so that they read back the same",
    arguments: [0, 1, -1, 0.1, 21.5, 1e-7, Double.leastNonzeroMagnitude, 1.7976931348623157e308, 9007199254740991, 1e20, -123456.789])
  func numbers(value: Double) throws {
    var writer = JSONWriter()
    writer.double(value)
    #expect(try JSONValue(parsing: writer.bytes).double == value)
  }

  @Test("writes null for a number that JSON does not have")
  func notFinite() {
    var writer = JSONWriter()
    writer.array { writer in
      writer.double(.nan)
      writer.double(.infinity)
      writer.int(Int64.min)
      writer.int(UInt64.max)
    }
    #expect(writer.text == "[null,null,-9223372036854775808,18446744073709551615]")
  }

  @Test("escapes every character that must be", arguments: Array(0..<0x80))
  func escapes(code: Int) throws {
    let text = try "a" + String(#require(Unicode.Scalar(UInt32(code)))) + "ß"
    var writer = JSONWriter()
    writer.string(text)
    #expect(try JSONDecoder().decode(String.self, from: Data(writer.bytes)) == text)
    #expect(try JSONValue(parsing: writer.bytes) == .string(text))
  }
}
