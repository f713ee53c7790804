extension JSONValue {
  /// Refuses U+0000 in a text or a name: PostgreSQL keeps it in no text, and an event with it would be written and never be read.
  public func refuseNullCharacter() throws(JSONRejection) {
    if let path = nullCharacter() {
      throw JSONRejection(path: path.joined(separator: "/"), problem: "holds the character U+0000", expected: "a text without it")
    }
  }

  /// Where it is; nil where it is nowhere.
  private func nullCharacter() -> [String]? {
    switch self {
    case .string(let text): return text.utf8.contains(0) ? [] : nil
    case .array(let items):
      for (index, item) in items.enumerated() { if let path = item.nullCharacter() { return [String(index)] + path } }
      return nil
    case .object(let members):
      for (name, value) in members.sorted(by: { $0.key < $1.key }) {
        if name.utf8.contains(0) { return [name.replacing("\u{0}", with: "\\u0000")] }
        if let path = value.nullCharacter() { return [name] + path }
      }
      return nil
    case .null, .bool, .int, .number: return nil
    }
  }
}
