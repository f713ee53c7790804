/// Looks over a document before a parser does, and refuses what a parser may not see: declarations, other encodings, and more of anything than the limits.
///
/// It finds the same tags, comments and CDATA sections as a parser up to the first fault in the document, where the parser ends too.
struct XMLScan {
  private let bytes: [UInt8]
  private let limits: XMLLimits
  private var position = 0
  private var depth = 0
  private var elements = 0

  static func check(_ bytes: [UInt8], limits: XMLLimits) throws(XMLError) {
    guard bytes.count <= limits.bytes else { throw .tooLong(bytes: bytes.count, limit: limits.bytes) }
    var scan = XMLScan(bytes: bytes, limits: limits)
    try scan.checkEncoding()
    try scan.checkElements()
  }

  private init(bytes: [UInt8], limits: XMLLimits) {
    self.bytes = bytes
    self.limits = limits
  }

  // MARK: - Encoding

  private mutating func checkEncoding() throws(XMLError) {
    // UTF-16 of plain letters is valid UTF-8 with zero bytes in between, which a parser would recognise and read as what it is.
    if bytes.starts(with: [0xfe, 0xff]) || bytes.starts(with: [0xff, 0xfe]) { throw .encoding("UTF-16 or UTF-32", line: 1) }
    if let zero = bytes.firstIndex(of: 0) { throw zero < 4 ? .encoding("UTF-16 or UTF-32", line: 1) : .malformed(line: line(of: zero), reason: "a zero byte") }
    guard String(validating: bytes, as: UTF8.self) != nil else { throw .notUTF8(line: firstLineThatIsNotUTF8) }
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
    guard sees("<?xml"), let end = past("?>", from: position) else { return }
    let declaration = String(decoding: bytes[position..<end], as: UTF8.self)
    if let name = Self.declaredEncoding(declaration), name.uppercased() != "UTF-8" { throw .encoding(name, line: 1) }
  }

  /// A parser looks for the word and takes what stands in the quotes behind it; so nothing that it could take is overlooked.
  private static func declaredEncoding(_ declaration: String) -> String? {
    guard let word = declaration.firstRange(of: "encoding") else { return nil }
    let value = declaration[word.upperBound...].drop { " \t\r\n=".contains($0) }
    guard let quote = value.first, quote == "\"" || quote == "'" else { return "an encoding without quotes" }
    return String(value.dropFirst().prefix { $0 != quote })
  }

  private var firstLineThatIsNotUTF8: Int {
    let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
    return (lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0) + 1
  }

  // MARK: - Elements

  private mutating func checkElements() throws(XMLError) {
    while let open = bytes[position...].firstIndex(of: UInt8(ascii: "<")) {
      position = open
      if sees("<!--") {
        guard skip(past: "-->", from: open + 4) else { return }
      } else if sees("<![CDATA[") {
        guard skip(past: "]]>", from: open + 9) else { return }
      } else if sees("<?") {
        guard skip(past: "?>", from: open + 2) else { return }
      } else if sees("<!") {
        throw .declaration(line: line(of: open))
      } else if sees("</") {
        depth -= 1
        guard skip(past: ">", from: open + 2) else { return }
      } else {
        guard try startTag() else { return }
      }
    }
  }

  /// False where the document ends within the tag.
  private mutating func startTag() throws(XMLError) -> Bool {
    elements += 1
    depth += 1
    guard elements <= limits.elements else { throw .tooManyElements(line: line(of: position), limit: limits.elements) }
    guard depth <= limits.depth else { throw .tooDeep(line: line(of: position), limit: limits.depth) }
    let start = position
    var attributes = 0
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
        attributes += 1
        guard attributes <= limits.attributes else { throw .tooManyAttributes(line: line(of: start), limit: limits.attributes) }
        guard let close = bytes[position...].firstIndex(of: byte) else { return false }
        position = close + 1
      } else if byte == UInt8(ascii: ">") {
        if bytes[position - 2] == UInt8(ascii: "/") { depth -= 1 }
        return true
      }
    }
    return false
  }

  // MARK: - Bytes

  private func sees(_ text: StaticString) -> Bool {
    guard position + text.utf8CodeUnitCount <= bytes.count else { return false }
    return text.withUTF8Buffer { bytes[position...].starts(with: $0) }
  }

  private mutating func skip(past text: StaticString, from start: Int) -> Bool {
    guard let end = past(text, from: start) else { return false }
    position = end
    return true
  }

  private func past(_ text: StaticString, from start: Int) -> Int? {
    text.withUTF8Buffer { wanted in
      var index = start
      while index + wanted.count <= bytes.count {
        if bytes[index] == wanted[0], bytes[index...].starts(with: wanted) { return index + wanted.count }
        index += 1
      }
      return nil
    }
  }

  private func line(of index: Int) -> Int { bytes[..<index].reduce(1) { $0 + ($1 == 0x0a ? 1 : 0) } }
}
