/// Writes an XML 1.0 document in UTF-8: two blanks of indentation per level, elements and attributes in the order they come, so the same calls give the
/// same bytes.
///
/// Names are literals of the program, so that nothing from outside can become one. Texts may be anything: `&`, `<` and `>` are escaped, and what a parser
/// would normalise is written as a reference. A character that XML 1.0 cannot hold (section 2.2: most control characters, U+FFFE, U+FFFF) becomes U+FFFD:
/// a warning must not fail for a control character that somebody pasted. Who would rather refuse it, naming the field, asks `holds` before.
public struct XMLWriter: Sendable {
  /// The document so far.
  public private(set) var bytes = Array("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".utf8)
  private var depth = 0

  /// A document with nothing but its declaration.
  public init() {}

  /// An element with text; without a text it is an empty tag.
  public mutating func element(_ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:], text: String) {
    begin(name, attributes)
    if text.isEmpty {
      bytes += "/>\n".utf8
    } else {
      bytes.append(UInt8(ascii: ">"))
      append(text, inAttribute: false)
      end(name)
    }
  }

  /// An element with what the body writes.
  public mutating func element(_ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:], _ body: (inout XMLWriter) -> Void) {
    begin(name, attributes)
    bytes += ">\n".utf8
    depth += 1
    body(&self)
    depth -= 1
    indent()
    end(name)
  }

  /// Whether XML 1.0 has every character of a text.
  public static func holds(_ text: String) -> Bool { text.unicodeScalars.allSatisfy(holds) }

  private static func holds(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09, 0x0a, 0x0d: true
    case 0..<0x20, 0xfffe, 0xffff: false
    default: true
    }
  }

  private mutating func begin(_ name: StaticString, _ attributes: KeyValuePairs<StaticString, String>) {
    indent()
    bytes.append(UInt8(ascii: "<"))
    append(name)
    for (name, value) in attributes {
      bytes.append(UInt8(ascii: " "))
      append(name)
      bytes += "=\"".utf8
      append(value, inAttribute: true)
      bytes.append(UInt8(ascii: "\""))
    }
  }

  private mutating func end(_ name: StaticString) {
    bytes += "</".utf8
    append(name)
    bytes += ">\n".utf8
  }

  private mutating func indent() { bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * depth)) }

  private mutating func append(_ name: StaticString) { name.withUTF8Buffer { bytes.append(contentsOf: $0) } }

  private mutating func append(_ text: String, inAttribute: Bool) {
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": bytes += "&amp;".utf8
      case "<": bytes += "&lt;".utf8
      case ">": bytes += "&gt;".utf8
      case "\r": bytes += "&#13;".utf8
      case "\"" where inAttribute: bytes += "&quot;".utf8
      case "\n" where inAttribute: bytes += "&#10;".utf8
      case "\t" where inAttribute: bytes += "&#9;".utf8
      default: bytes += UTF8.encode(Self.holds(scalar) ? scalar : "\u{fffd}") ?? UTF8.encodedReplacementCharacter
      }
    }
  }
}
