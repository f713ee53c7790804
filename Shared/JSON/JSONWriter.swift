import Time

/// Writes JSON into bytes, with nothing in between: no tree, no strings. Commas are set by the writer; that keys stand in objects and that what is
/// opened is closed is up to the caller, which `object { }` and `array { }` make easy.
public struct JSONWriter: Sendable {
  /// What has been written so far.
  public private(set) var bytes: [UInt8] = []
  private var needsComma = false

  /// An empty writer that expects to write about that many bytes.
  public init(capacity: Int = 256) { bytes.reserveCapacity(capacity) }

  /// The text written so far.
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  /// `{`, what `body` writes, `}`.
  public mutating func object<E: Error>(_ body: (inout JSONWriter) throws(E) -> Void) throws(E) {
    beginObject()
    try body(&self)
    endObject()
  }

  /// `[`, what `body` writes, `]`.
  public mutating func array<E: Error>(_ body: (inout JSONWriter) throws(E) -> Void) throws(E) {
    beginArray()
    try body(&self)
    endArray()
  }

  public mutating func beginObject() { begin(UInt8(ascii: "{")) }
  public mutating func endObject() { end(UInt8(ascii: "}")) }
  public mutating func beginArray() { begin(UInt8(ascii: "[")) }
  public mutating func endArray() { end(UInt8(ascii: "]")) }

  /// A member's name; its value comes next.
  public mutating func key(_ name: StaticString) {
    comma()
    bytes.append(UInt8(ascii: "\""))
    name.withUTF8Buffer { bytes.append(contentsOf: $0) }
    bytes.append(UInt8(ascii: "\""))
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  /// A member's name that is only known at run time, escaped; its value comes next.
  public mutating func key(name: String) {
    string(name)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  /// A member's name that was escaped before; its value comes next.
  public mutating func key(_ key: JSONKey) {
    let member = key.member
    member.withUnsafeBufferPointer { member in
      bytes.append(contentsOf: needsComma ? member : UnsafeBufferPointer(rebasing: member.dropFirst()))
    }
    needsComma = false
  }

  public mutating func string(_ value: String) {
    comma()
    bytes.append(UInt8(ascii: "\""))
    var copy = value
    copy.withUTF8 { escape($0) }
    bytes.append(UInt8(ascii: "\""))
    needsComma = true
  }

  /// A string whose bytes are UTF-8 already, as a database gave them.
  public mutating func string(utf8 value: Span<UInt8>) {
    comma()
    bytes.append(UInt8(ascii: "\""))
    value.withUnsafeBufferPointer { escape($0) }
    bytes.append(UInt8(ascii: "\""))
    needsComma = true
  }

  /// A string with a number in its middle.
  public mutating func string(_ frame: JSONFrame, around number: Int64) {
    comma()
    bytes.append(contentsOf: frame.before)
    append(isNegative: number < 0, number.magnitude)
    bytes.append(contentsOf: frame.after)
    needsComma = true
  }

  // Generic code of another module is not specialised unless it is handed on: it would go digit by digit, byte by byte, through witness tables.
  @inlinable
  public mutating func int(_ value: some BinaryInteger) { whole(isNegative: value < 0, UInt64(value.magnitude)) }

  @usableFromInline
  mutating func whole(isNegative: Bool, _ magnitude: UInt64) {
    comma()
    append(isNegative: isNegative, magnitude)
    needsComma = true
  }

  /// The shortest digits that read back as the same number; whole numbers below 2^53 without a fraction. What is not finite becomes `null`.
  public mutating func double(_ value: Double) {
    guard value.isFinite else { return null() }
    if let whole = Int64(exactly: value), whole.magnitude < 1 << 53 { return int(whole) }
    comma()
    var text = value.description
    text.withUTF8 { bytes.append(contentsOf: $0) }
    needsComma = true
  }

  public mutating func bool(_ value: Bool) { literal(value ? "true" : "false") }
  public mutating func null() { literal("null") }

  /// The moment as an RFC 3339 string.
  public mutating func instant(_ value: Instant) {
    comma()
    bytes.append(UInt8(ascii: "\""))
    value.writeRFC3339(into: &bytes)
    bytes.append(UInt8(ascii: "\""))
    needsComma = true
  }

  /// A value that is JSON already; it is not looked at.
  public mutating func raw(_ json: some Sequence<UInt8>) { raw(Array(json)) }

  /// The same, for what is bytes already.
  public mutating func raw(_ json: [UInt8]) {
    comma()
    bytes.append(contentsOf: json)
    needsComma = true
  }

  /// The same, for what belongs to somebody else.
  public mutating func raw(_ json: Span<UInt8>) {
    comma()
    json.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
    needsComma = true
  }

  /// A value of any kind.
  public mutating func value(_ value: JSONValue) { value.write(to: &self) }

  private mutating func begin(_ bracket: UInt8) {
    comma()
    bytes.append(bracket)
    needsComma = false
  }

  private mutating func end(_ bracket: UInt8) {
    bytes.append(bracket)
    needsComma = true
  }

  private mutating func comma() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
  }

  private mutating func literal(_ text: StaticString) {
    comma()
    text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    needsComma = true
  }

  private mutating func append(isNegative: Bool, _ magnitude: UInt64) {
    if isNegative { bytes.append(UInt8(ascii: "-")) }
    var rest = magnitude
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
      var first = 20
      repeat {
        first -= 1
        digits[first] = UInt8(48 + rest % 10)
        rest /= 10
      } while rest > 0
      bytes.append(contentsOf: UnsafeMutableBufferPointer(rebasing: digits[first..<20]))
    }
  }

  /// Where the next byte stands that must be escaped, or the end.
  private static func plain(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    var index = start
    // Eight at once: a byte of the sum's high bits is set where the text has a control character, a quote or a backslash, and nowhere before the first of
    // them (Henry S. Warren, Hacker's Delight, section 6-1: borrows only reach further bytes).
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highs = ones << 7
    while index + 8 <= text.count {
      let word = UInt64(littleEndian: UnsafeRawPointer(text.baseAddress.unsafelyUnwrapped + index).loadUnaligned(as: UInt64.self))
      let quotes = word ^ (ones * 0x22)
      let backslashes = word ^ (ones * 0x5c)
      let found = (((word &- ones * 0x20) & ~word) | ((quotes &- ones) & ~quotes) | ((backslashes &- ones) & ~backslashes)) & highs
      if found != 0 { return index + found.trailingZeroBitCount / 8 }
      index += 8
    }
    while index < text.count, text[index] >= 0x20, text[index] != UInt8(ascii: "\""), text[index] != UInt8(ascii: "\\") { index += 1 }
    return index
  }

  private mutating func escape(_ text: UnsafeBufferPointer<UInt8>) {
    var start = 0
    var index = Self.plain(text, from: 0)
    while index < text.count {
      defer { index = Self.plain(text, from: index + 1) }
      let byte = text[index]
      bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<index]))
      start = index + 1
      bytes.append(UInt8(ascii: "\\"))
      switch byte {
      case 0x0a: bytes.append(UInt8(ascii: "n"))
      case 0x0d: bytes.append(UInt8(ascii: "r"))
      case 0x09: bytes.append(UInt8(ascii: "t"))
      case ..<0x20:
        bytes.append(contentsOf: [UInt8(ascii: "u"), 48, 48, 48 + (byte >> 4)])
        bytes.append(byte & 15 < 10 ? 48 + (byte & 15) : 87 + (byte & 15))
      default: bytes.append(byte)
      }
    }
    bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<text.count]))
  }
}
