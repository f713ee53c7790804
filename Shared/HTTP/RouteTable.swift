/// Two routes that answer the same requests, or a pattern that cannot be read: a mistake in a service's table.
public struct RouteConflict: Error, Sendable, CustomStringConvertible {
  public let description: String
}

/// The routes as a tree of segments. Literal segments win over those with a parameter.
struct RouteTable: Sendable {
  /// One pattern's place with the routes that live there.
  struct Found {
    let pattern: String
    /// Method to index in the list of routes.
    let routes: [Method: Int]
    let allow: [String]
    fileprivate let captured: [String]
    fileprivate let names: [Int: [String]]

    func parameters(of route: Int) -> [String: String] {
      guard !captured.isEmpty else { return [:] }
      return Dictionary(zip(names[route] ?? [], captured), uniquingKeysWith: { first, _ in first })
    }
  }

  private struct Leaf: Sendable {
    var pattern: String
    var routes: [Method: Int] = [:]
    var names: [Int: [String]] = [:]
    var allow: [String] = []
  }

  private struct Node: Sendable {
    var literals: [String: Int] = [:]
    /// Segments with a parameter, longest literal part first.
    var shapes: [(shape: Segment, node: Int)] = []
    var leaf: Leaf?
  }

  private var nodes = [Node()]

  init(_ routes: [Route]) throws(RouteConflict) {
    for (index, route) in routes.enumerated() { try insert(route, index) }
  }

  private mutating func insert(_ route: Route, _ index: Int) throws(RouteConflict) {
    guard route.pattern.hasPrefix("/") else { throw RouteConflict(description: "\(route.pattern) does not begin with a slash") }
    var node = 0
    var names: [String] = []
    for text in route.pattern.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
      let segment = try Segment(String(text), of: route.pattern)
      names += segment.names
      node = child(of: node, segment)
    }
    guard Set(names).count == names.count else { throw RouteConflict(description: "\(route.pattern) names a parameter twice") }
    var leaf = nodes[node].leaf ?? Leaf(pattern: route.pattern)
    if let other = leaf.routes[route.method] {
      throw RouteConflict(description: "\(route.method.rawValue) \(route.pattern) is there twice (routes \(other) and \(index))")
    }
    leaf.routes[route.method] = index
    leaf.names[index] = names
    leaf.allow = RouteTable.allow(Set(leaf.routes.keys))
    nodes[node].leaf = leaf
  }

  private static func allow(_ given: Set<Method>) -> [String] {
    var methods = given
    if methods.contains(.get) { methods.insert(.head) }
    methods.insert(.options)
    return Method.allCases.filter(methods.contains).map(\.rawValue)
  }

  private mutating func child(of node: Int, _ segment: Segment) -> Int {
    let next = nodes.count
    if segment.names.isEmpty {
      let literal = String(decoding: segment.literals[0], as: UTF8.self)
      if let known = nodes[node].literals[literal] { return known }
      nodes[node].literals[literal] = next
    } else {
      if let known = nodes[node].shapes.first(where: { $0.shape.literals == segment.literals }) { return known.node }
      nodes[node].shapes.append((segment, next))
      nodes[node].shapes.sort { $0.shape.weight > $1.shape.weight }
    }
    nodes.append(Node())
    return next
  }

  /// Nil where no pattern fits.
  func find(_ segments: [Substring.UTF8View]) -> Found? {
    var captured: [String] = []
    guard let leaf = search(0, segments[...], &captured) else { return nil }
    return Found(pattern: leaf.pattern, routes: leaf.routes, allow: leaf.allow, captured: captured, names: leaf.names)
  }

  private func search(_ index: Int, _ rest: ArraySlice<Substring.UTF8View>, _ captured: inout [String]) -> Leaf? {
    let node = nodes[index]
    guard let first = rest.first else { return node.leaf }
    guard let decoded = Percent.decode(first) else { return nil }
    if let next = node.literals[decoded], let leaf = search(next, rest.dropFirst(), &captured) { return leaf }
    guard !node.shapes.isEmpty else { return nil }
    let bytes = Array(decoded.utf8)
    for (shape, next) in node.shapes {
      guard let values = shape.match(bytes) else { continue }
      let before = captured.count
      captured += values
      if let leaf = search(next, rest.dropFirst(), &captured) { return leaf }
      captured.removeLast(captured.count - before)
    }
    return nil
  }
}

/// One segment of a pattern: literals around parameters, one more literal than names.
struct Segment: Sendable {
  var literals: [[UInt8]] = [[]]
  var names: [String] = []

  init(_ text: String, of pattern: String) throws(RouteConflict) {
    var rest = text[...]
    while let open = rest.firstIndex(of: "{") {
      guard let close = rest[open...].firstIndex(of: "}") else { throw RouteConflict(description: "\(pattern): a brace stays open") }
      let name = rest[rest.index(after: open)..<close]
      guard !name.isEmpty else { throw RouteConflict(description: "\(pattern): a parameter has no name") }
      literals[literals.count - 1] += rest[..<open].utf8
      if !names.isEmpty, literals[literals.count - 1].isEmpty { throw RouteConflict(description: "\(pattern): nothing divides two parameters") }
      names.append(String(name))
      literals.append([])
      rest = rest[rest.index(after: close)...]
    }
    literals[literals.count - 1] += rest.utf8
  }

  /// More literal bytes fit more narrowly.
  var weight: Int { literals.reduce(0) { $0 + $1.count } }

  /// The parameters' values, none of them empty; nil where the segment does not fit.
  func match(_ text: [UInt8]) -> [String]? {
    guard let first = literals.first, let last = literals.last, text.starts(with: first) else { return nil }
    var values: [String] = []
    var at = first.count
    for (number, literal) in literals.enumerated().dropFirst() {
      let isLast = number == literals.count - 1
      let end: Int
      if isLast {
        end = text.count - last.count
        guard end > at, text[end...].elementsEqual(last) else { return nil }
      } else {
        guard let found = Segment.firstIndex(of: literal, in: text, after: at) else { return nil }
        end = found
      }
      values.append(String(decoding: text[at..<end], as: UTF8.self))
      at = end + literal.count
    }
    return values
  }

  private static func firstIndex(of part: [UInt8], in text: [UInt8], after start: Int) -> Int? {
    guard start + 1 + part.count <= text.count else { return nil }
    return (start + 1...text.count - part.count).first { text[$0...].starts(with: part) }
  }
}
