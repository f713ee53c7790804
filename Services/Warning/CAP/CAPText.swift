import Geo
import Time

/// How CAP 1.2 writes values that are texts with rules of their own.
enum CAPText {
  /// `51.5142273,7.4652789`: latitude first (section 3.2.4).
  static func pair(_ place: Coordinate) -> String { "\(decimal(place.latitude)),\(decimal(place.longitude))" }

  /// `51.5,7.4 51.6,7.4 51.6,7.5 51.5,7.4` (section 3.2.4).
  static func polygon(_ polygon: Polygon) -> String { (polygon.rings.first ?? []).map(pair).joined(separator: " ") }

  /// `51.5,7.4 2.5`, kilometres (section 3.2.4).
  static func circle(_ circle: Circle) -> String { "\(pair(circle.center)) \(decimal(circle.radius))" }

  /// `sender,identifier,sent` (section 3.2.1).
  static func reference(_ reference: CAPReference) -> String { "\(reference.sender),\(reference.identifier),\(reference.sent.cityTime)" }

  /// Names with blanks between them, those that contain one in quotes (addresses and incidents, section 3.2.1).
  static func list(_ names: [String]) -> String {
    names.map { $0.unicodeScalars.contains(where: \.properties.isWhitespace) ? "\"\($0)\"" : $0 }.joined(separator: " ")
  }

  /// The names of such a list.
  static func names(_ list: String) -> [String] {
    var names: [String] = []
    var name = String.UnicodeScalarView()
    var quoted = false
    for scalar in list.unicodeScalars {
      if scalar == "\"" {
        quoted.toggle()
      } else if scalar.properties.isWhitespace && !quoted {
        if !name.isEmpty { names.append(String(name)) }
        name = String.UnicodeScalarView()
      } else {
        name.append(scalar)
      }
    }
    return name.isEmpty ? names : names + [String(name)]
  }

  /// The parts between blanks.
  static func words(_ text: some StringProtocol) -> [Substring] {
    String(text).unicodeScalars.split(whereSeparator: \.properties.isWhitespace).map(Substring.init)
  }

  /// Without blanks at either end.
  static func trimmed(_ text: String) -> String {
    let scalars = text.unicodeScalars
    guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }), let last = scalars.lastIndex(where: { !$0.properties.isWhitespace }) else {
      return ""
    }
    return String(scalars[first...last])
  }

  /// The shortest decimal that reads back equal, without an exponent, which `xs:decimal` does not have.
  static func decimal(_ value: Double) -> String {
    let text = value.description
    guard let mark = text.firstIndex(of: "e"), let exponent = Int(text[text.index(after: mark)...]) else { return text }
    let negative = text.hasPrefix("-")
    let parts = text[..<mark].drop { $0 == "-" }.split(separator: ".", omittingEmptySubsequences: false)
    let whole = String(parts.first ?? "")
    let fraction = parts.count > 1 && parts[1] != "0" ? String(parts[1]) : ""
    let digits = whole + fraction
    let point = whole.count + exponent
    let plain =
      if point <= 0 { "0." + String(repeating: "0", count: -point) + digits } else if point >= digits.count {
        digits + String(repeating: "0", count: point - digits.count) + ".0"
      } else { String(digits.prefix(point)) + "." + String(digits.dropFirst(point)) }
    return (negative ? "-" : "") + plain
  }

  /// A finite number in decimal digits; nothing else that a `Double` could be read from, such as `nan` or `0x1p3`.
  static func number(_ text: some StringProtocol) -> Double? {
    guard text.utf8.allSatisfy({ (48...57).contains($0) || "+-.eE".utf8.contains($0) }), let value = Double(String(text)), value.isFinite else { return nil }
    return value
  }

  /// Whether a text has tags, comments or entities of HTML in it.
  static func containsHTML(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    for (index, byte) in bytes.enumerated() {
      let rest = bytes[(index + 1)...]
      if byte == UInt8(ascii: "<"), isTag(rest) || rest.starts(with: "!--".utf8) { return true }
      if byte == UInt8(ascii: "&"), isEntity(rest) { return true }
    }
    return false
  }

  /// What is behind a `<`: a name, and then attributes up to a `>`. So `Pegel <5 m` and `a < b` are none.
  private static func isTag(_ rest: ArraySlice<UInt8>) -> Bool {
    let named = rest.first == UInt8(ascii: "/") ? rest.dropFirst() : rest
    guard let first = named.first, isLetter(first) else { return false }
    let behind = named.drop { isLetter($0) || isDigit($0) }
    guard let next = behind.first, " \t\r\n/>".utf8.contains(next) else { return false }
    return behind.first { $0 == UInt8(ascii: "<") || $0 == UInt8(ascii: ">") } == UInt8(ascii: ">")
  }

  private static func isEntity(_ rest: ArraySlice<UInt8>) -> Bool {
    let name = rest.prefix(32).prefix { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "#") }
    return !name.isEmpty && rest.dropFirst(name.count).first == UInt8(ascii: ";")
  }

  private static func isLetter(_ byte: UInt8) -> Bool { (97...122).contains(byte | 0x20) }

  private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
}
