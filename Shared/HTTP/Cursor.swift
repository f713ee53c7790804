/// Where the next page of a list begins: the sort key of the last thing shown, as text that callers hand back unread.
public struct Cursor: Sendable, Equatable {
  public enum Value: Sendable, Equatable {
    case integer(Int64)
    case text(String)
  }

  public enum Kind: Sendable, Equatable { case integer, text }

  public let values: [Value]

  public init(_ values: [Value]) { self.values = values }

  /// Base64url without padding. `list` names the list and its order; a cursor of another list is refused.
  public func encoded(for list: String) -> String {
    var bytes: [UInt8] = [Cursor.version]
    for value in values {
      switch value {
      case .integer(let number):
        bytes.append(1)
        withUnsafeBytes(of: number.bigEndian) { bytes += $0 }
      case .text(let text):
        bytes.append(2)
        let utf8 = Array(text.utf8.prefix(Int(UInt16.max)))
        withUnsafeBytes(of: UInt16(utf8.count).bigEndian) { bytes += $0 }
        bytes += utf8
      }
    }
    withUnsafeBytes(of: Cursor.check(bytes, list).bigEndian) { bytes += $0 }
    return Base64URL.encode(bytes)
  }

  /// Reads what `encoded(for:)` wrote. 400 under `path` for anything else, and for values of other kinds than `kinds`.
  public init(_ text: String, for list: String, kinds: [Kind], path: String = "cursor") throws(Problem) {
    guard let values = Cursor.read(text, list), values.map(Cursor.kind) == kinds else {
      throw .badRequest(path: path, problem: "no cursor of this list", expected: "the cursor of an earlier page, unchanged, or none for the first page")
    }
    self.values = values
  }

  private static let version: UInt8 = 1
  private static let longest = 2048

  private static func kind(_ value: Value) -> Kind {
    switch value {
    case .integer: .integer
    case .text: .text
    }
  }

  /// Against slips, not against attackers: a cursor opens nothing that a filter would not.
  private static func check(_ bytes: [UInt8], _ list: String) -> UInt32 {
    var hash: UInt32 = 0x811c_9dc5
    for byte in bytes { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
    for byte in list.utf8 { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
    return hash
  }

  private static func read(_ text: String, _ list: String) -> [Value]? {
    guard text.utf8.count <= longest, let bytes = Base64URL.decode(text), bytes.count >= 5, bytes[0] == version else { return nil }
    let content = Array(bytes.dropLast(4))
    guard bytes.suffix(4).reduce(UInt32(0), { $0 << 8 | UInt32($1) }) == check(content, list) else { return nil }
    var values: [Value] = []
    var rest = content.dropFirst()
    while let kind = rest.popFirst() {
      switch kind {
      case 1:
        guard rest.count >= 8 else { return nil }
        values.append(.integer(Int64(bitPattern: rest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) })))
        rest = rest.dropFirst(8)
      case 2:
        guard rest.count >= 2 else { return nil }
        let count = rest.prefix(2).reduce(0) { $0 << 8 | Int($1) }
        rest = rest.dropFirst(2)
        guard rest.count >= count, let text = String(validating: rest.prefix(count), as: UTF8.self) else { return nil }
        values.append(.text(text))
        rest = rest.dropFirst(count)
      default: return nil
      }
    }
    return values
  }
}

/// Which page of a list a request asks for.
public struct PageRequest: Sendable, Equatable {
  /// How many things, at most.
  public let limit: Int
  /// Nil for the first page.
  public let after: Cursor?
}

extension Query {
  /// Reads `limit` (1 to `maximum`) and `cursor`. 400 for a negative or zero limit, one beyond the maximum, no number, or a foreign cursor.
  public func page(of list: String, kinds: [Cursor.Kind], limit standard: Int = 50, maximum: Int = 1000) throws(Problem) -> PageRequest {
    let limit = try integer("limit", in: 1...maximum) ?? min(standard, maximum)
    guard let text = try value("cursor") else { return PageRequest(limit: limit, after: nil) }
    return PageRequest(limit: limit, after: try Cursor(text, for: list, kinds: kinds))
  }
}
