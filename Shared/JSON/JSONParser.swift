/// Reads JSON as RFC 8259 writes it and nothing else: UTF-8, one value, no comments, no trailing commas, no `NaN`. Refused besides, since two readers
/// could understand them differently: a name twice in one object, a lone surrogate, a number beyond the range of a double, more than 64 levels.
public struct JSONParser {
  /// How deep arrays and objects may lie in each other.
  public static let depthLimit = 64

  private let bytes: UnsafeBufferPointer<UInt8>
  private var position = 0

  /// The value that the bytes are, or where and why they are none.
  public static func parse(_ bytes: [UInt8]) throws(JSONRejection) -> JSONValue {
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw JSONRejection(path: "", problem: "the text is not UTF-8", expected: "JSON in UTF-8")
    }
    let result: Result<JSONValue, JSONRejection> = bytes.withUnsafeBufferPointer { buffer in
      var parser = JSONParser(bytes: buffer)
      do throws(JSONRejection) { return .success(try parser.whole()) } catch { return .failure(error) }
    }
    return try result.get()
  }

  private init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  private mutating func whole() throws(JSONRejection) -> JSONValue {
    skipBlanks()
    guard position < bytes.count else { throw rejection("the text is empty", "a JSON value") }
    let value = try value(depth: 0)
    skipBlanks()
    guard position == bytes.count else { throw wrong("the end of the text") }
    return value
  }

  private mutating func value(depth: Int) throws(JSONRejection) -> JSONValue {
    guard depth <= Self.depthLimit else { throw rejection("more than \(Self.depthLimit) levels", "a flatter text") }
    guard position < bytes.count else { throw wrong("a value") }
    switch bytes[position] {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw wrong("a value")
    }
  }

  private mutating func object(depth: Int) throws(JSONRejection) -> JSONValue {
    position += 1
    var members: [String: JSONValue] = [:]
    skipBlanks()
    if take("}") { return .object(members) }
    // Most objects have a few members: growing from one to two to four to eight would cost as much as reading them.
    members.reserveCapacity(6)
    while true {
      skipBlanks()
      guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { throw wrong("a name in quotes") }
      let name = try string()
      do throws(JSONRejection) {
        skipBlanks()
        guard take(":") else { throw wrong("':'") }
        skipBlanks()
        let isNew = members.updateValue(try value(depth: depth + 1), forKey: name) == nil
        guard isNew else { throw rejection("the name stands twice in its object", "each name once") }
      } catch {
        throw error.below(name)
      }
      skipBlanks()
      if take("}") { return .object(members) }
      guard take(",") else { throw wrong("',' or '}'") }
    }
  }

  private mutating func array(depth: Int) throws(JSONRejection) -> JSONValue {
    position += 1
    var elements: [JSONValue] = []
    skipBlanks()
    if take("]") { return .array(elements) }
    while true {
      skipBlanks()
      do throws(JSONRejection) {
        elements.append(try value(depth: depth + 1))
      } catch {
        throw error.below(String(elements.count))
      }
      skipBlanks()
      if take("]") { return .array(elements) }
      guard take(",") else { throw wrong("',' or ']'") }
    }
  }

  private mutating func literal(_ text: StaticString, _ value: JSONValue) throws(JSONRejection) -> JSONValue {
    let end = position + text.utf8CodeUnitCount
    let matches = end <= bytes.count && text.withUTF8Buffer { $0.elementsEqual(bytes[position..<end]) }
    guard matches else { throw wrong("a value") }
    position = end
    return value
  }

  private mutating func number() throws(JSONRejection) -> JSONValue {
    let start = position
    let isNegative = take("-")
    // The digits as one number, as long as it surely fits.
    var digits: Int64 = 0
    let first = position
    if !take("0") { try self.digits(&digits) }
    var count = position - first
    var whole = true
    var scale = 0
    if take(".") {
      whole = false
      let point = position
      try self.digits(&digits)
      scale = position - point
      count += scale
    }
    var hasExponent = false
    if take("e") || take("E") {
      whole = false
      hasExponent = true
      if !take("+") { _ = take("-") }
      var exponent: Int64 = 0
      try self.digits(&exponent)
    }
    if whole, count <= 18 { return .int(isNegative ? -digits : digits) }
    // Both are exact as doubles, so that one division rounds as reading the text would (Clinger 1990).
    if !hasExponent, count <= 15 { return .number((isNegative ? -1 : 1) * Double(digits) / Self.powers[scale]) }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if whole, let value = Int64(text) { return .int(value) }
    guard let value = Double(text), value.isFinite else { throw rejection("the number \(text.prefix(40)) is too large", "a number below 1.8e308") }
    return .number(value)
  }

  private static let powers: [Double] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15]

  private mutating func digits(_ value: inout Int64) throws(JSONRejection) {
    let start = position
    while position < bytes.count, bytes[position] >= 48, bytes[position] <= 57 {
      value = value &* 10 &+ Int64(bytes[position] &- 48)
      position += 1
    }
    guard position > start else { throw wrong("a digit") }
  }

  private mutating func string() throws(JSONRejection) -> String {
    position += 1
    var start = position
    var text: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        let rest = UnsafeBufferPointer(rebasing: bytes[start..<position])
        position += 1
        if text.isEmpty { return String(decoding: rest, as: UTF8.self) }
        text.append(contentsOf: rest)
        return String(decoding: text, as: UTF8.self)
      }
      guard byte >= 0x20 else { throw wrong("no control character inside a string") }
      guard byte == UInt8(ascii: "\\") else {
        position += 1
        continue
      }
      text.append(contentsOf: bytes[start..<position])
      position += 1
      text.append(contentsOf: String(try escaped()).utf8)
      start = position
    }
    throw wrong("a closing quote")
  }

  private mutating func escaped() throws(JSONRejection) -> Character {
    guard position < bytes.count else { throw wrong("an escape") }
    position += 1
    switch bytes[position - 1] {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return Character(try scalar())
    default:
      position -= 1
      throw wrong("an escape that JSON has")
    }
  }

  private mutating func scalar() throws(JSONRejection) -> Unicode.Scalar {
    let high = try hexadecimal()
    if let scalar = Unicode.Scalar(high) { return scalar }
    if high < 0xdc00, take("\\"), take("u") {
      let low = try hexadecimal()
      if (0xdc00...0xdfff).contains(low), let scalar = Unicode.Scalar(0x10000 + (high - 0xd800) << 10 + (low - 0xdc00)) { return scalar }
    }
    throw rejection("half of a surrogate pair", "both halves, or the character itself")
  }

  private mutating func hexadecimal() throws(JSONRejection) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard position < bytes.count, let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue, bytes[position] < 0x80 else {
        throw wrong("four hexadecimal digits")
      }
      value = value << 4 + UInt32(digit)
      position += 1
    }
    return value
  }

  private mutating func skipBlanks() {
    while position < bytes.count, bytes[position] == 0x20 || bytes[position] == 0x0a || bytes[position] == 0x0d || bytes[position] == 0x09 { position += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private func wrong(_ expected: String) -> JSONRejection {
    rejection(position < bytes.count ? "not JSON at byte \(position + 1)" : "the text ends in the middle", expected)
  }

  private func rejection(_ problem: String, _ expected: String) -> JSONRejection {
    JSONRejection(path: "", problem: problem, expected: expected)
  }
}

extension JSONRejection {
  /// The same, where what was refused is a member or element of something larger.
  fileprivate func below(_ name: String) -> JSONRejection {
    JSONRejection(path: path.isEmpty ? name : name + "/" + path, problem: problem, expected: expected)
  }
}
