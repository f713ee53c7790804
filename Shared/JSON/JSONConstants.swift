/// A member's name that is escaped once and written often.
public struct JSONKey: Sendable, Hashable {
  /// `,"name":`
  let member: [UInt8]

  public init(_ name: String) {
    var writer = JSONWriter()
    writer.string(name)
    member = [UInt8(ascii: ",")] + writer.bytes + [UInt8(ascii: ":")]
  }
}

/// A string that is written often, each time with another number in its middle, as the links of a page are. Escaped once.
public struct JSONFrame: Sendable, Hashable {
  /// What is before the number, with the opening quote.
  let before: [UInt8]
  /// What follows it, with the closing quote.
  let after: [UInt8]

  public init(before: String, after: String) {
    self.before = Self.string(before).dropLast()
    self.after = Array(Self.string(after).dropFirst())
  }

  private static func string(_ text: String) -> [UInt8] {
    var writer = JSONWriter()
    writer.string(text)
    return writer.bytes
  }
}
