public import JSON

/// A JSON Schema (draft 2020-12, json-schema.org) of the few keywords that this platform's schemas use.
///
/// A keyword it does not know is a fault of the schema and thrown, so that no constraint is skipped in silence.
public struct JSONSchema: Sendable {
  private let document: JSONValue
  private let root: JSONValue
  private let closed: Bool

  private static let annotations: Set = ["$schema", "$id", "$defs", "title", "description", "format", "examples"]
  private static let assertions: Set = [
    "$ref", "type", "enum", "anyOf", "required", "properties", "patternProperties", "additionalProperties", "items", "prefixItems", "minItems", "maxItems",
    "uniqueItems", "minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum",
  ]

  /// - Parameter closed: refuses members that `properties` does not name where the schema leaves `additionalProperties` out. Published schemas are open, so that
  ///   old readers live; a writer must write nothing they do not describe.
  /// - Parameter root: the schema, where it is only a part of the document that its references are looked up in.
  public init(_ document: JSONValue, root: JSONValue? = nil, closed: Bool = false) {
    self.document = document
    self.root = root ?? document
    self.closed = closed
  }

  /// What is wrong with the value, each with its path; empty where it is valid.
  /// - Throws: `JSONSchemaError` where the schema itself is at fault.
  public func faults(in value: JSONValue) throws -> [String] { try faults(value, root, "") }

  private func faults(_ value: JSONValue, _ schema: JSONValue, _ path: String) throws -> [String] {
    if let any = schema.bool { return any ? [] : ["\(path): nothing is allowed here"] }
    guard let keywords = schema.object else { throw JSONSchemaError(problem: "the schema at \(path) is \(schema.kind)") }
    let known = Self.annotations.union(Self.assertions)
    if let unknown = keywords.keys.first(where: { !known.contains($0) }) {
      throw JSONSchemaError(problem: "\(unknown) is a keyword this checker does not know")
    }
    var found: [String] = []
    if let reference = keywords["$ref"] { found += try faults(value, definition(reference), path) }
    if let type = keywords["type"] { found += Self.type(value, type, path) }
    if let allowed = keywords["enum"]?.array, !allowed.contains(value) { found.append("\(path): is none of the values allowed") }
    if let choices = keywords["anyOf"]?.array {
      let failed = try choices.map { try faults(value, $0, path) }
      if failed.allSatisfy({ !$0.isEmpty }) { found += ["\(path): fits none of anyOf"] + failed.flatMap { $0 } }
    }
    switch value {
    case .object(let members): found += try object(members, keywords, path)
    case .array(let items): found += try array(items, keywords, path)
    case .string(let text): found += try self.text(text, keywords, path)
    case .int, .number: found += number(value.double ?? 0, keywords, path)
    case .null, .bool: break
    }
    return found
  }

  /// The part of this file that a reference names; others are not followed.
  private func definition(_ reference: JSONValue) throws -> JSONValue {
    guard let text = reference.string, text.hasPrefix("#/") else { throw JSONSchemaError(problem: "a $ref that leaves the file") }
    var place = document
    for step in text.dropFirst(2).split(separator: "/") {
      guard let next = place[String(step)] else { throw JSONSchemaError(problem: "\(text) does not exist") }
      place = next
    }
    return place
  }

  private static func type(_ value: JSONValue, _ type: JSONValue, _ path: String) -> [String] {
    let names = (type.array ?? [type]).compactMap(\.string)
    let fits = names.contains { name in
      switch (name, value) {
      case ("null", .null), ("boolean", .bool), ("number", .int), ("number", .number), ("string", .string), ("array", .array), ("object", .object): true
      case ("integer", _): value.int != nil
      default: false
      }
    }
    return fits ? [] : ["\(path): is \(value.kind), not \(names.joined(separator: " or "))"]
  }

  private func object(_ members: [String: JSONValue], _ keywords: [String: JSONValue], _ path: String) throws -> [String] {
    var found: [String] = []
    for name in keywords["required"]?.array ?? [] {
      if let name = name.string, members[name] == nil { found.append("\(path)/\(name): is absent") }
    }
    let described = keywords["properties"]?.object
    let rest = keywords["additionalProperties"] ?? .bool(!closed || described == nil)
    let patterns = try (keywords["patternProperties"]?.object ?? [:]).map { (pattern: try Regex($0.key).matchingSemantics(.unicodeScalar), schema: $0.value) }
    for (name, member) in members {
      let matching = try patterns.filter { try $0.pattern.firstMatch(in: name) != nil }.map(\.schema)
      let schemas = matching + (described?[name].map { [$0] } ?? (matching.isEmpty ? [rest] : []))
      for schema in schemas { found += try faults(member, schema, "\(path)/\(name)") }
    }
    return found
  }

  private func array(_ items: [JSONValue], _ keywords: [String: JSONValue], _ path: String) throws -> [String] {
    var found: [String] = []
    if let least = keywords["minItems"]?.int, items.count < least { found.append("\(path): has fewer than \(least) items") }
    if let most = keywords["maxItems"]?.int, items.count > most { found.append("\(path): has more than \(most) items") }
    if keywords["uniqueItems"]?.bool == true, items.indices.contains(where: { items[..<$0].contains(items[$0]) }) { found.append("\(path): repeats an item") }
    let first = keywords["prefixItems"]?.array ?? []
    for (index, item) in items.enumerated() {
      guard let schema = index < first.count ? first[index] : keywords["items"] else { continue }
      found += try faults(item, schema, "\(path)/\(index)")
    }
    return found
  }

  private func text(_ text: String, _ keywords: [String: JSONValue], _ path: String) throws -> [String] {
    var found: [String] = []
    if let least = keywords["minLength"]?.int, text.unicodeScalars.count < least { found.append("\(path): has fewer than \(least) characters") }
    if let most = keywords["maxLength"]?.int, text.unicodeScalars.count > most { found.append("\(path): has more than \(most) characters") }
    if let pattern = keywords["pattern"]?.string, try Regex(pattern).matchingSemantics(.unicodeScalar).firstMatch(in: text) == nil {
      found.append("\(path): \"\(text)\" does not match \(pattern)")
    }
    return found
  }

  private func number(_ number: Double, _ keywords: [String: JSONValue], _ path: String) -> [String] {
    var found: [String] = []
    if let least = keywords["minimum"]?.double, number < least { found.append("\(path): \(number) is below \(least)") }
    if let least = keywords["exclusiveMinimum"]?.double, number <= least { found.append("\(path): \(number) is not above \(least)") }
    if let most = keywords["maximum"]?.double, number > most { found.append("\(path): \(number) is above \(most)") }
    return found
  }
}

/// A schema that cannot be checked with.
public struct JSONSchemaError: Error, Sendable, CustomStringConvertible {
  public let problem: String

  public var description: String { problem }
}
