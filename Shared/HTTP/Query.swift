/// The query's parameters, decoded once; `+` is a blank (WHATWG URL, section 5.1).
public struct Query: Sendable, Equatable {
  public struct Item: Sendable, Equatable {
    public let name: String
    public let value: String
  }

  public let items: [Item]

  /// Throws 400 for a bad percent, NUL, or what is no UTF-8.
  public init(_ raw: some StringProtocol) throws(Problem) {
    var items: [Item] = []
    for part in raw.utf8.split(separator: UInt8(ascii: "&")) {
      let sides = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = Percent.decode(sides[0], plusIsBlank: true) else { throw Query.undecodable }
      guard let value = sides.count == 2 ? Percent.decode(sides[1], plusIsBlank: true) : "" else { throw Query.undecodable }
      items.append(Item(name: name, value: value))
    }
    self.items = items
  }

  public init() { items = [] }

  /// The value of a parameter that may be there once; 400 where it is repeated.
  public func value(_ name: String) throws(Problem) -> String? {
    let found = values(name)
    guard found.count <= 1 else {
      throw .badRequest(path: name, problem: "given \(found.count) times", expected: "the parameter once")
    }
    return found.first
  }

  /// Every value of a parameter that may be repeated.
  public func values(_ name: String) -> [String] {
    items.filter { $0.name == name }.map(\.value)
  }

  public func required(_ name: String) throws(Problem) -> String {
    guard let value = try value(name), !value.isEmpty else {
      throw .badRequest(path: name, problem: "missing", expected: "a value")
    }
    return value
  }

  /// A whole number within bounds; nil where the parameter is absent.
  public func integer(_ name: String, in bounds: ClosedRange<Int>) throws(Problem) -> Int? {
    guard let text = try value(name) else { return nil }
    guard let number = Int(text), bounds.contains(number) else {
      throw .badRequest(
        path: name, problem: "\"\(text.prefix(40))\" is not possible", expected: "a whole number from \(bounds.lowerBound) to \(bounds.upperBound)")
    }
    return number
  }

  /// `true` or `false`; nil where the parameter is absent.
  public func truth(_ name: String) throws(Problem) -> Bool? {
    guard let text = try value(name) else { return nil }
    guard let truth = Bool(text) else { throw .badRequest(path: name, problem: "\"\(text.prefix(40))\" is not possible", expected: "true or false") }
    return truth
  }

  /// 400 for a parameter that is none of these.
  public func allowing(_ names: Set<String>) throws(Problem) {
    for item in items where !names.contains(item.name) {
      let known = names.sorted().joined(separator: ", ")
      throw .badRequest(path: item.name, problem: "unknown parameter", expected: names.isEmpty ? "no parameters" : "one of \(known)")
    }
  }

  private static var undecodable: Problem {
    .badRequest("The query cannot be decoded: percent-encode it as UTF-8, without NUL.")
  }
}
