/// Header fields in the order they came; names compare without regard to case (RFC 9110, section 5.1).
public struct Headers: Sendable, Equatable, ExpressibleByDictionaryLiteral {
  public struct Field: Sendable, Equatable {
    /// In lower case.
    public let name: String
    /// Without CR, LF or NUL.
    public let value: String
  }

  public private(set) var fields: [Field] = []

  public init() {}

  public init(dictionaryLiteral elements: (String, String)...) {
    for (name, value) in elements { add(name, value) }
  }

  public init(_ pairs: [(String, String)]) {
    for (name, value) in pairs { add(name, value) }
  }

  /// The first value of that name; setting replaces every value of that name, nil removes them.
  public subscript(name: String) -> String? {
    get { fields.first { Headers.same($0.name, name) }?.value }
    set {
      fields.removeAll { Headers.same($0.name, name) }
      if let newValue { add(name, newValue) }
    }
  }

  /// Every value of that name, in order.
  public func all(_ name: String) -> [String] {
    fields.filter { Headers.same($0.name, name) }.map(\.value)
  }

  /// Appends a field. A name that is no token is dropped; CR, LF and NUL in a value become blanks,
  /// so that no value can end its line and begin another (RFC 9110, section 5.5).
  public mutating func add(_ name: String, _ value: String) {
    guard Headers.isToken(name) else { return }
    let isLower = !name.utf8.contains { (0x41...0x5a).contains($0) }
    fields.append(Field(name: isLower ? name : name.lowercased(), value: Headers.inOneLine(value)))
  }

  /// RFC 9110, section 5.6.2.
  static func isToken(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy(isTokenByte)
  }

  private static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
    case 0x21, 0x23...0x27, 0x2a, 0x2b, 0x2d, 0x2e, 0x5e, 0x5f, 0x60, 0x7c, 0x7e: true
    default: false
    }
  }

  /// Compares without making a lower-case copy: every request looks several fields up.
  private static func same(_ lower: String, _ other: String) -> Bool {
    lower.utf8.count == other.utf8.count && zip(lower.utf8, other.utf8).allSatisfy { $0 == ($1 &- 0x41 < 26 ? $1 | 0x20 : $1) }
  }

  static func inOneLine(_ value: String) -> String {
    guard value.utf8.contains(where: { $0 == 13 || $0 == 10 || $0 == 0 }) else { return value }
    return String(decoding: value.utf8.map { $0 == 13 || $0 == 10 || $0 == 0 ? 32 : $0 }, as: UTF8.self)
  }
}
