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

  @Test("escapes wherever in a text the character stands, and leaves the rest as it is", arguments: ["\"", "\\", "\u{1}", "\n", "\u{1f}"])
  func places(character: String) throws {
    for length in 0..<20 {
      for place in 0...length {
        let text = String(repeating: "ä", count: place) + character + String(repeating: "z", count: length - place) + character + "\u{7f}"
        for start in 0...3 {
          // Shifted, since eight bytes are looked at together.
          let shifted = String(repeating: "!", count: start) + text
          var (whole, bytes) = (JSONWriter(), JSONWriter())
          whole.string(shifted)
          bytes.string(utf8: Array(shifted.utf8).span)
          let read = try JSONDecoder().decode(String.self, from: Data(whole.bytes))
          #expect(read == shifted)
          #expect(bytes.bytes == whole.bytes)
        }
      }
    }
  }

  @Test("writes what was escaped before as it writes it otherwise")
  func constants() {
    let (key, frame) = (JSONKey("a\"b"), JSONFrame(before: "x\\(", after: ")\n"))
    var (once, each) = (JSONWriter(), JSONWriter())
    for writes in [true, false] {
      var writer = JSONWriter()
      writer.beginArray()
      for number in [Int64.min, -1, 0, 7, .max] {
        writer.beginObject()
        for _ in 0..<2 {
          if writes { writer.key(key) } else { writer.key(name: "a\"b") }
          if writes { writer.string(frame, around: number) } else { writer.string("x\\(\(number))\n") }
        }
        writer.endObject()
        writer.raw(Array("[1]".utf8).span)
      }
      writer.endArray()
      if writes { once = writer } else { each = writer }
    }
    #expect(once.text == each.text)
  }
}
