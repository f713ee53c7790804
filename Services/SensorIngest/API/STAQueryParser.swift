import Time

/// Reads query options into an `STAQuery` by recursive descent, bounded in depth and size. It knows the grammar of OGC 18-088, section 9.3.3,
/// and nothing about which properties exist: `STAEntityType` does.
public struct STAQueryParser {
  private var tokens: [STALocatedToken]
  private var index = 0
  private let option: String
  private var depth = 0
  private var terms = 0

  /// How deep parentheses, `not` and `$expand` may nest.
  public static let maximumDepth = 32
  /// How many comparisons, calls and operators one option may hold.
  public static let maximumTerms = 200

  private init(_ text: String, option: String) throws(STAQueryError) {
    self.option = option
    tokens = try STATokenizer.tokens(text, option: option)
  }

  /// Reads all options of a request, in any order.
  /// - Parameter options: decoded names and values.
  /// - Throws: which option is wrong, where, and what would be right. An option that does not exist is wrong too, or that stands there twice.
  public static func parse(_ options: [(name: String, value: String)]) throws(STAQueryError) -> STAQuery {
    var query = STAQuery()
    var seen: Set<String> = []
    for (name, value) in options {
      guard seen.insert(name).inserted else { throw STAQueryError(option: name, position: 1, problem: "is given more than once", expected: "the option once") }
      var parser = try STAQueryParser(value, option: name)
      try parser.option(name, at: 1, into: &query)
      try parser.finish()
    }
    return query
  }

  /// Reads a `$filter` alone.
  public static func filter(_ text: String) throws(STAQueryError) -> STAExpression {
    var parser = try STAQueryParser(text, option: "$filter")
    let expression = try parser.expression()
    try parser.finish()
    return expression
  }

  static let options = ["$filter", "$orderby", "$top", "$skip", "$count", "$select", "$expand", "$resultFormat"]

  // MARK: - Options

  private mutating func option(_ name: String, at position: Int, into query: inout STAQuery) throws(STAQueryError) {
    switch name {
    case "$filter": query.filter = try expression()
    case "$orderby": query.orderBy = try orders()
    case "$top": query.top = try natural()
    case "$skip": query.skip = try natural()
    case "$count": query.count = try bool()
    case "$select": query.select = try names()
    case "$expand": query.expand = try expands()
    case "$resultFormat":
      guard depth == 0 else { throw STAQueryError(option: option, position: position, problem: "expands rows", expected: "$resultFormat beside $expand") }
      let format = try word("dataArray")
      guard format.text == "dataArray" else {
        throw STAQueryError(option: option, position: format.position, problem: "has \"\(format.text)\"", expected: "dataArray")
      }
      query.isDataArray = true
    default:
      let near = Self.options.first { $0.lowercased() == name.lowercased() || $0.dropFirst().lowercased() == name.lowercased() }
      let expected = near.map { "\($0)" } ?? "one of \(Self.options.joined(separator: ", "))"
      throw STAQueryError(option: name, position: position, problem: "is no query option", expected: expected)
    }
  }

  private mutating func natural() throws(STAQueryError) -> Int {
    let current = tokens[index]
    // What is added to it must not leave the range of numbers.
    guard case .literal(.int(let value)) = current.token, (0..<1 << 53).contains(value) else {
      throw error(current, "is \(describe(current.token))", "a whole number from 0 to 9007199254740991")
    }
    index += 1
    return Int(value)
  }

  private mutating func bool() throws(STAQueryError) -> Bool {
    let current = tokens[index]
    guard case .literal(.bool(let value)) = current.token else { throw error(current, "is \(describe(current.token))", "true or false") }
    index += 1
    return value
  }

  private mutating func word(_ expected: String) throws(STAQueryError) -> STAName {
    let current = tokens[index]
    guard case .word(let text) = current.token else { throw error(current, "has \(describe(current.token))", expected) }
    index += 1
    return STAName(text, position: current.position)
  }

  private mutating func names() throws(STAQueryError) -> [STAName]? {
    if tokens[index].token == .star {
      index += 1
      return nil
    }
    var names = [try word("a property's name")]
    while accept(.comma) { names.append(try word("a property's name")) }
    return names
  }

  private mutating func orders() throws(STAQueryError) -> [STAOrder] {
    var orders: [STAOrder] = []
    repeat {
      let expression = try sum()
      var descending = false
      if case .word(let direction) = tokens[index].token {
        guard direction == "asc" || direction == "desc" else { throw error(tokens[index], "has \"\(direction)\"", "asc, desc or a comma") }
        descending = direction == "desc"
        index += 1
      }
      orders.append(STAOrder(expression, descending: descending))
    } while accept(.comma)
    return orders
  }

  private mutating func expands() throws(STAQueryError) -> [STAExpand] {
    try enter()
    defer { depth -= 1 }
    var expands: [STAExpand] = []
    repeat {
      let path = try word("a navigation's name, as Datastreams")
      var query = STAQuery()
      if accept(.open) {
        repeat {
          if tokens[index].token == .close { break }
          let name = try word("an option of the expanded entities, as $top=1")
          guard accept(.equals) else { throw error(tokens[index], "has \(describe(tokens[index].token))", "= after \(name.text)") }
          try option(name.text, at: name.position, into: &query)
        } while accept(.semicolon)
        guard accept(.close) else { throw error(tokens[index], "has \(describe(tokens[index].token))", "; or ) after an option of \(path.text)") }
      }
      Self.add(path, query, to: &expands)
    } while accept(.comma)
    return expands
  }

  /// `A/B` expands A and within it B, as `A($expand=B)` does.
  private static func add(_ path: STAName, _ query: STAQuery, to expands: inout [STAExpand]) {
    guard let slash = path.text.firstIndex(of: "/") else { return expands.append(STAExpand(path, query: query)) }
    let first = String(path.text[..<slash])
    let rest = STAName(String(path.text[path.text.index(after: slash)...]), position: path.position + first.count + 1)
    let known = expands.firstIndex { $0.navigation.text == first }
    var outer = known.map { expands[$0].query } ?? STAQuery()
    add(rest, query, to: &outer.expand)
    let expand = STAExpand(STAName(first, position: path.position), query: outer)
    if let known { expands[known] = expand } else { expands.append(expand) }
  }

  // MARK: - Expressions, from the loosest binding to the tightest (OData 4.0, 5.1.1.9)

  private mutating func expression() throws(STAQueryError) -> STAExpression {
    try enter()
    defer { depth -= 1 }
    var left = try conjunction()
    while acceptWord("or") {
      try count()
      left = .or(left, try conjunction())
    }
    return left
  }

  private mutating func conjunction() throws(STAQueryError) -> STAExpression {
    var left = try comparison()
    while acceptWord("and") {
      try count()
      left = .and(left, try comparison())
    }
    return left
  }

  private mutating func comparison() throws(STAQueryError) -> STAExpression {
    if acceptWord("not") {
      try enter()
      defer { depth -= 1 }
      return .not(try comparison())
    }
    let left = try sum()
    guard case .word(let word) = tokens[index].token, let comparison = STAComparison(rawValue: word) else { return left }
    index += 1
    try count()
    return .comparison(comparison, left, try sum())
  }

  private mutating func sum() throws(STAQueryError) -> STAExpression {
    var left = try product()
    while let operation = arithmetic([.add, .sub]) {
      try count()
      left = .arithmetic(operation, left, try product())
    }
    return left
  }

  private mutating func product() throws(STAQueryError) -> STAExpression {
    var left = try primary()
    while let operation = arithmetic([.mul, .div, .mod]) {
      try count()
      left = .arithmetic(operation, left, try primary())
    }
    return left
  }

  private mutating func arithmetic(_ operations: [STAArithmetic]) -> STAArithmetic? {
    guard case .word(let word) = tokens[index].token, let operation = STAArithmetic(rawValue: word), operations.contains(operation) else { return nil }
    index += 1
    return operation
  }

  private mutating func primary() throws(STAQueryError) -> STAExpression {
    let current = tokens[index]
    switch current.token {
    case .literal(let literal):
      index += 1
      return .literal(literal)
    case .open:
      index += 1
      let inner = try expression()
      guard accept(.close) else { throw error(tokens[index], "has \(describe(tokens[index].token))", "a closing parenthesis") }
      return inner
    case .word(let word):
      guard !Self.reserved.contains(word) else { throw error(current, "has \"\(word)\"", Self.operandExpected) }
      index += 1
      if accept(.open) { return try call(word, at: current.position) }
      let path = word.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
      guard !path.contains("") else { throw error(current, "has \"\(word)\"", "a path without empty parts, as Datastream/name") }
      return .path(path, position: current.position)
    default:
      throw error(current, "has \(describe(current.token))", Self.operandExpected)
    }
  }

  private mutating func call(_ name: String, at position: Int) throws(STAQueryError) -> STAExpression {
    try count()
    var arguments: [STAExpression] = []
    if !accept(.close) {
      repeat { arguments.append(try expression()) } while accept(.comma)
      guard accept(.close) else { throw error(tokens[index], "has \(describe(tokens[index].token))", "a comma or ) in \(name)(...)") }
    }
    return .call(name, arguments, position: position)
  }

  private static let operandExpected = "a property, a number, a time, a text in single quotes, or ("
  private static let reserved: Set<String> = Set(["and", "or", "not"] + STAComparison.allCases.map(\.rawValue) + STAArithmetic.allCases.map(\.rawValue))

  // MARK: - Steps

  private mutating func accept(_ token: STAToken) -> Bool {
    guard tokens[index].token == token else { return false }
    index += 1
    return true
  }

  private mutating func acceptWord(_ word: String) -> Bool { accept(.word(word)) }

  private mutating func enter() throws(STAQueryError) {
    depth += 1
    if depth > Self.maximumDepth { throw error(tokens[index], "nests deeper than \(Self.maximumDepth)", "a flatter expression") }
  }

  private mutating func count() throws(STAQueryError) {
    terms += 1
    if terms > Self.maximumTerms { throw error(tokens[index], "has more than \(Self.maximumTerms) terms", "a shorter expression") }
  }

  private func finish() throws(STAQueryError) {
    if tokens[index].token != .end { throw error(tokens[index], "has \(describe(tokens[index].token)) after its end", "and, or, an operator, or nothing") }
  }

  private func error(_ at: STALocatedToken, _ problem: String, _ expected: String) -> STAQueryError {
    STAQueryError(option: option, position: at.position, problem: problem, expected: expected)
  }

  private func describe(_ token: STAToken) -> String {
    switch token {
    case .word(let word): "\"\(word.prefix(80))\""
    case .literal(.int(let value)): "\(value)"
    case .literal(.string(let text)): "'\(text.prefix(80))'"
    case .literal(.number(let value)): "\(value)"
    case .literal: "a literal"
    case .open: "("
    case .close: ")"
    case .comma: "a comma"
    case .semicolon: ";"
    case .equals: "="
    case .star: "*"
    case .end: "nothing more"
    }
  }
}
