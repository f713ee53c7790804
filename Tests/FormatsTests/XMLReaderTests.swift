import Formats
import Testing

@Suite("XML in")
struct XMLReaderTests {
  private func read(_ text: String, limits: XMLLimits = XMLLimits()) throws -> XMLTree { try XMLReader.read(Array(text.utf8), limits: limits) }

  @Test("is a tree of names without prefixes, namespaces, attributes, text and lines")
  func tree() throws {
    let root = try read(
      """
      \u{feff}<?xml version="1.0" encoding="utf-8" standalone='yes'?>
      <?style sheet?><!-- <!DOCTYPE in a comment> -->
      <c:alert xmlns:c="urn:c" xmlns="urn:d" c:id="1 &amp; &#228;" id='2'>
        <c:text>Größe &lt; 5<![CDATA[ <b>&amp;<!ENTITY]]> &#x1F30A;</c:text>
        <inner/><inner xmlns="">last</inner>
      </c:alert>

      """)
    #expect(root.name == "alert")
    #expect(root.namespace == "urn:c")
    #expect(root.attributes == ["c:id": "1 & ä", "id": "2"])
    #expect(root.line == 3)
    #expect(root.text.isEmpty)
    #expect(root.children.map(\.name) == ["text", "inner", "inner"])
    #expect(root.first("text")?.text == "Größe < 5 <b>&amp;<!ENTITY 🌊")
    #expect(root.all("inner").map(\.namespace) == ["urn:d", ""])
    #expect(root.all("inner").map(\.text) == ["", "last"])
    #expect(root.all("inner").map(\.line) == [5, 5])
  }

  @Test("keeps blanks that are the text, and text between elements")
  func blanks() throws {
    let root = try read("<a> <b> </b> x\r\ny <c/></a>")
    #expect(root.text == "  x\ny ")
    #expect(root.first("b")?.text == " ")
  }

  @Test(
    "is refused with a declaration, wherever it stands",
    arguments: [
      ("<!DOCTYPE a><a/>", 1), ("<?xml version='1.0'?>\n<!DOCTYPE a SYSTEM 'http://127.0.0.1:9/a.dtd'>\n<a/>", 2), ("<!-- x -->\n\n<!DOCTYPE a []><a/>", 3),
      ("<a>\n<!ENTITY b 'c'></a>", 2), ("<a><![cdata[x]]></a>", 1), ("<a/><!doctype a>", 1), ("<a>\n<!></a>", 2), ("<!--><!DOCTYPE a>--><!DOCTYPE a><a/>", 1),
    ])
  func declarations(text: String, line: Int) {
    #expect(throws: XMLError.declaration(line: line)) { try read(text) }
  }

  @Test("never expands an entity of its own: a billion laughs are refused before a parser sees them")
  func laughs() {
    var text = "<?xml version=\"1.0\"?>\n<!DOCTYPE lolz [<!ENTITY lol \"lol\">"
    for level in 1...9 { text += "<!ENTITY lol\(level) \"" + String(repeating: "&lol\(level == 1 ? "" : "\(level - 1)");", count: 10) + "\">" }
    #expect(throws: XMLError.declaration(line: 2)) { try read(text + "]><lolz>&lol9;</lolz>") }
    #expect(throws: XMLError.self) { try read("<lolz>&lol9;</lolz>") }
  }

  @Test("never fetches a file")
  func external() {
    #expect(throws: XMLError.declaration(line: 1)) { try read("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>") }
    #expect(throws: XMLError.declaration(line: 1)) { try read("<!DOCTYPE a [<!ENTITY % x SYSTEM \"http://127.0.0.1:9/\"> %x;]><a/>") }
    let included = try? read("<a xmlns:xi='http://www.w3.org/2001/XInclude'><xi:include href='file:///etc/passwd'/></a>")
    #expect(included?.first("include")?.text == "")
  }

  @Test("is refused in another encoding than UTF-8, declared or not")
  func encodings() throws {
    #expect(throws: XMLError.encoding("ISO-8859-1", line: 1)) { try read("<?xml version='1.0' encoding='ISO-8859-1'?><a/>") }
    #expect(throws: XMLError.encoding("utf8", line: 1)) { try read("<?xml version='1.0' encoding = \"utf8\" ?><a/>") }
    #expect(throws: XMLError.encoding("UTF-16", line: 1)) { try read("\u{feff}<?xml version='1.0'\nencoding='UTF-16'?><a/>") }
    let wide = "<a/>".utf16.flatMap { [UInt8($0 & 255), 0] }
    let name = "UTF-16 or UTF-32"
    for document in [[0xff, 0xfe] + wide, wide, [0] + wide, [0xfe, 0xff, 0, 0x3c]] {
      #expect(throws: XMLError.encoding(name, line: 1)) { try XMLReader.read(document) }
    }
    #expect(throws: XMLError.notUTF8(line: 3)) { try XMLReader.read(Array("<a>ä\n\n".utf8) + [0xe4] + Array("</a>".utf8)) }
    #expect(throws: XMLError.notUTF8(line: 1)) { try XMLReader.read(Array("<a>".utf8) + [0xc0, 0xbc] + Array("</a>".utf8)) }
    #expect(throws: XMLError.malformed(line: 2, reason: "a zero byte")) { try read("<a>\n\0</a>") }
    #expect(try read("<?xml version='1.0' encoding='Utf-8'?><a/>").name == "a")
  }

  @Test(
    "is refused with the line where it is not well-formed",
    arguments: [
      ("<a>\n<b></a>", 2), ("<a>\n<b:c/></a>", 2), ("<a>\n", 1), ("<a><b></b>", 1), ("<a/>\n<b/>", 2), ("<a/>\njunk", 2), ("<a>\n<b c='1' c='2'/></a>", 2),
      ("<a>&foo;</a>", 1), ("<a>\u{1}</a>", 1), ("<a>\n&#1;</a>", 2), ("<a>]]></a>", 1), ("<a><!-- a -- b --></a>", 1), ("<a b='<'/>", 1), ("<a b=c/>", 1),
      ("<a b/>", 1), ("<a & b/>", 1), ("<a>a & b</a>", 1), ("\n<?xml version='1.0'?><a/>", 2), ("<a b='x", 1), ("<a><![CDATA[x</a>", 1), ("<a><!-- x</a>", 1),
      ("a<b/>", 1), ("<a xmlns:b='u' xmlns:c='u' b:d='' c:d=''/>", 1), ("</a>", 1), ("<a></a", 1), ("</></></><a/>", 1),
    ])
  func malformed(text: String, line: Int) {
    let error = #expect(throws: XMLError.self) { try read(text) }
    guard case .malformed(let found, let reason) = error else {
      Issue.record("\(text) is \(String(describing: error))")
      return
    }
    #expect(found == line, "\(text): \(reason)")
  }

  @Test("is refused where there is no element", arguments: ["", " \n", "\u{feff}", "<?xml version='1.0'?>", "<!-- x -->", "<", "<a", "<a b=''"])
  func empty(text: String) {
    #expect(throws: XMLError.self) { try read(text) }
  }

  @Test("is refused beyond its limits, with the line")
  func limits() throws {
    let limits = XMLLimits(bytes: 100, depth: 3, elements: 4, attributes: 2)
    #expect(throws: XMLError.tooLong(bytes: 101, limit: 100)) { try read("<a>\(String(repeating: "x", count: 94))</a>", limits: limits) }
    #expect(try read("<a><b><c></c></b><b/></a>", limits: limits).children.count == 2)
    #expect(throws: XMLError.tooDeep(line: 2, limit: 3)) { try read("<a><b><c>\n<d/></c></b></a>", limits: limits) }
    #expect(throws: XMLError.tooManyElements(line: 2, limit: 4)) { try read("<a><b/><b/><b/>\n<b/></a>", limits: limits) }
    #expect(try read("<a b='>' c=\"'\"/>", limits: limits).attributes == ["b": ">", "c": "'"])
    #expect(throws: XMLError.tooManyAttributes(line: 2, limit: 2)) { try read("<a>\n<a b=''\nc='' d=''/></a>", limits: limits) }
  }

  @Test("that goes deep, has a huge attribute or a great many of everything stalls nobody")
  func hostile() throws {
    #expect(throws: XMLError.tooDeep(line: 1, limit: 64)) { try read(String(repeating: "<a>", count: 1_000_000)) }
    #expect(throws: XMLError.tooDeep(line: 1, limit: 64)) {
      try read(String(repeating: "<a b='c'>", count: 500_000) + String(repeating: "</a>", count: 500_000))
    }
    #expect(throws: XMLError.tooManyAttributes(line: 1, limit: 64)) { try read("<a " + (0..<200_000).map { "a\($0)='' " }.joined() + "/>") }
    let long = String(repeating: "x", count: 1 << 20)
    #expect(try read("<a b='\(long)'>\(long)</a>").attributes["b"] == long)
    #expect(try read("<a>" + String(repeating: "<b/>", count: 50_000) + "</a>").children.count == 50_000)
    #expect(throws: XMLError.tooLong(bytes: (8 << 20) + 1, limit: 8 << 20)) { try XMLReader.read(Array(repeating: 0x20, count: (8 << 20) + 1)) }
  }

  @Test("that is cut off anywhere is refused or, behind its end, the same")
  func truncated() throws {
    let whole = Array("<?xml version='1.0' encoding='UTF-8'?><!-- c --><a b='ä'><![CDATA[x]]><c d=\"e\"/>&amp;<f>ö</f></a> \n".utf8)
    let tree = try XMLReader.read(whole)
    for length in 0..<whole.count {
      if let read = try? XMLReader.read(Array(whole[..<length])) { #expect(read == tree && length >= whole.count - 2, "the first \(length) bytes") }
    }
  }
}
