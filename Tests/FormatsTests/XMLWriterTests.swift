import Formats
import Testing
import TestSupport

@Suite("XML out")
struct XMLWriterTests {
  @Test("is indented by two, escaped, and the same bytes each time")
  func bytes() {
    func write() -> String {
      var writer = XMLWriter()
      writer.element("feed", ["xmlns": "urn:a", "note": "\"a\" < 'b'\n\t& c"]) { writer in
        writer.element("title", text: "Pegel < 5 & > 3, \"hoch\"\r\nö]]>")
        writer.element("link", ["href": "https://example.org/?a=1&b=2"], text: "")
        writer.element("entry") { writer in writer.element("id", text: "1") }
        writer.element("none") { _ in }
      }
      return String(decoding: writer.bytes, as: UTF8.self)
    }
    #expect(
      write() == """
        <?xml version="1.0" encoding="UTF-8"?>
        <feed xmlns="urn:a" note="&quot;a&quot; &lt; 'b'&#10;&#9;&amp; c">
          <title>Pegel &lt; 5 &amp; &gt; 3, "hoch"&#13;
        ö]]&gt;</title>
          <link href="https://example.org/?a=1&amp;b=2"/>
          <entry>
            <id>1</id>
          </entry>
          <none>
          </none>
        </feed>

        """)
    #expect(write() == write())
  }

  @Test("has U+FFFD for what XML cannot hold", arguments: ["\0", "\u{1}", "\u{b}", "\u{1f}", "\u{fffe}", "\u{ffff}"])
  func forbidden(character: String) throws {
    #expect(!XMLWriter.holds("a\(character)"))
    var writer = XMLWriter()
    writer.element("a", ["b": "x\(character)"], text: "\(character)y")
    let read = try XMLReader.read(writer.bytes)
    #expect(read.attributes["b"] == "x\u{fffd}")
    #expect(read.text == "\u{fffd}y")
  }

  @Test("reads back as what was written, whatever text it was", arguments: 1...20)
  func roundTrip(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let special = Array("<>&\"'\r\n\t ]-!?[;#xäß🌊\u{85}\u{2028}\u{7f}\u{10ffff}\u{301}".unicodeScalars)
    for _ in 0..<50 {
      func text() -> String {
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...20, using: &random) {
          if random.oneIn(3), let scalar = Unicode.Scalar(UInt32.random(in: 0x20...0xfffd, using: &random)) {
            text.append(scalar)
          } else if let scalar = special.randomElement(using: &random) {
            text.append(scalar)
          }
        }
        return String(text)
      }
      let (inside, value) = (text(), text())
      var writer = XMLWriter()
      writer.element("a", ["b": value], text: inside)
      let read = try XMLReader.read(writer.bytes)
      #expect(Array(read.text.unicodeScalars) == Array(inside.unicodeScalars))
      #expect(read.attributes["b"].map { Array($0.unicodeScalars) } == Array(value.unicodeScalars))
    }
  }
}
