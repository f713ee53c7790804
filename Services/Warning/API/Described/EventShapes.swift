import HTTP
import JSON

/// The shapes of values that events and the API share, from the events' own schemas (`schemas/events`): each is said once.
///
/// What is answered is as events hold it. What requests bring is the same, made strict (``asked(_:)``): unknown members are refused, what may be left out may be
/// null, and a time may have any offset.
struct EventShapes: Sendable {
  static let folder = "Schemas/"
  static let published = EventShapes()

  /// By their names in `$defs`; an event's whole data by the last words of its type, as `alert-published`.
  let definitions: [String: JSONValue]

  init() {
    var definitions: [String: JSONValue] = [:]
    for file in WarningFiles.all where file.name.hasPrefix(Self.folder) {
      guard var data = (try? JSONValue(parsing: file.bytes))?.object else { continue }
      definitions.merge(data["$defs"]?.object ?? [:]) { first, _ in first }
      for keyword in ["$schema", "$id", "$defs", "title"] { data[keyword] = nil }
      let type = file.name.dropFirst(Self.folder.count).split(separator: ".").dropLast(2).last ?? ""
      definitions[String(type)] = .object(data)
    }
    self.definitions = definitions
  }

  /// Components of answers: these and what they are made of, by ``component(_:)``.
  func answered(_ names: [String]) -> [String: String] {
    Dictionary(uniqueKeysWithValues: reach(of: names).map { (Self.component($0), text(references(in: definitions[$0] ?? .null, Self.component))) })
  }

  /// Components of requests: these and what they are made of, by ``asked(component:)`` where they have members.
  func asked(_ names: [String]) -> [String: String] {
    let own = reach(of: names, without: Self.notAsked).filter(hasMembers)
    return Dictionary(uniqueKeysWithValues: own.map { (Self.asked(component: $0), text(asking($0))) })
  }

  /// A definition as requests bring it.
  func asking(_ name: String) -> JSONValue { strict(definitions[name] ?? .null, name) }

  /// `draftContent` is DraftContent.
  static func component(_ name: String) -> String {
    named[name] ?? name.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  }

  /// As a request brings it: `draftContent` is NewContent.
  static func asked(component name: String) -> String { "New" + component(name).trimmingPrefix("Draft") }

  /// Those whose names say too little outside of their event.
  private static let named = [
    "alert-published": "PublishedAlert", "content": "AlertContent", "text": "AlertText", "area": "AlertArea", "mode": "AlertMode", "origin": "AlertOrigin",
    "reference": "MessageReference", "model": "UpstreamModel", "knot": "ModelKnot", "every": "EveryCondition", "some": "AnyCondition",
    "reading": "HintReading", "readings": "HintReadings", "finding": "HintFinding",
  ]

  // MARK: - Requests

  /// What events leave out of a member since it was decided already, by `definition.member`.
  private static let narrower: [String: [String: JSONValue]] = [
    "rule.name": ["pattern": .string(Shape.oneLine)], "rule.district": ["pattern": .string(Shape.oneLine)], "rule.rota": ["pattern": .string(Shape.oneLine)],
    "rule.description": ["pattern": .string(Shape.notBlank)], "rateOfChange.by": ["exclusiveMinimum": 0], "rateOfChange.clearBelow": ["exclusiveMinimum": 0],
    "template.title": ["pattern": .string(Shape.notBlank)], "templateContent.categories": ["minItems": 1], "templateContent.channels": ["minItems": 1],
    "templateContent.texts": ["minItems": 2], "circle.radius": ["exclusiveMinimum": 0, "maximum": .number(AreaResolver.widestCircle)],
  ]

  /// What requests may leave out although events always say it.
  private static let optional: [String: Set<String>] = ["rule": ["staleAfter"], "draftContent": ["responseTypes"]]

  /// What requests say otherwise.
  private static let others = ["draftContent.area": "NamedArea"]
  private static let notAsked: Set = ["draftArea"]

  private func strict(_ schema: JSONValue, _ name: String) -> JSONValue {
    guard var keywords = schema.object else { return schema }
    if let members = keywords["properties"]?.object {
      let left = Self.optional[name] ?? []
      let required = (keywords["required"]?.array ?? []).filter { !left.contains($0.string ?? "") }
      keywords["required"] = required.isEmpty ? nil : .array(required)
      keywords["additionalProperties"] = false
      keywords["properties"] = .object(
        Dictionary(
          uniqueKeysWithValues: members.map { member, schema in
            let narrowed = (schema.object ?? [:]).merging(Self.narrower["\(name).\(member)"] ?? [:]) { _, narrow in narrow }
            let strict = Self.others["\(name).\(member)"].map { Self.reference($0) } ?? strict(.object(narrowed), name)
            return (member, required.contains(.string(member)) ? strict : ["anyOf": [strict, ["type": "null"]]])
          }))
    }
    keywords["uniqueItems"] = nil
    if let items = keywords["items"] { keywords["items"] = strict(items, name) }
    if let choices = keywords["anyOf"]?.array { keywords["anyOf"] = .array(choices.map { strict($0, name) }) }
    if keywords["type"] == "string", keywords["enum"] == nil, keywords["pattern"] == nil { keywords["pattern"] = .string(Shape.withoutNull) }
    if keywords["type"] == "integer", keywords["minimum"] == nil { keywords.merge(Self.integer) { own, _ in own } }
    guard let target = Self.target(of: schema) else { return .object(keywords) }
    if hasMembers(target) {
      keywords["$ref"] = .string(Self.path + Self.asked(component: target))
    } else if target == "instant" {
      keywords["$ref"] = nil
      keywords["type"] = "string"
      keywords["format"] = "date-time"
    } else if let plain = definitions[target]?.object, plain["type"] == "string" || plain["type"] == "integer", plain["enum"] == nil, plain["pattern"] == nil {
      keywords["$ref"] = nil
      return strict(.object(plain.merging(keywords) { _, own in own }), name)
    } else {
      keywords["$ref"] = .string(Self.path + Self.component(target))
    }
    return .object(keywords)
  }

  private static let integer = (try? JSONValue(parsing: Shape.integer))?.object ?? [:]

  /// Whether it is an object, or may hold one.
  private func hasMembers(_ name: String) -> Bool {
    let whole = reach(of: [name])
    return whole.contains { definition in
      let keywords = definitions[definition]?.object
      return keywords?["properties"] != nil || (keywords?["anyOf"]?.array ?? []).contains { $0["properties"] != nil }
    }
  }

  // MARK: - References

  private static let path = "#/components/schemas/"

  private static func reference(_ component: String) -> JSONValue { ["$ref": .string(path + component)] }

  /// The definition that a schema refers to.
  private static func target(of schema: JSONValue) -> String? { schema["$ref"]?.string.map { String($0.trimmingPrefix("#/$defs/")) } }

  /// The names, and those of all that they are made of.
  private func reach(of names: [String], without left: Set<String> = []) -> Set<String> {
    var found = left
    var waiting = names
    while let name = waiting.popLast() {
      guard found.insert(name).inserted, let definition = definitions[name] else { continue }
      waiting += Self.targets(in: definition)
    }
    return found.subtracting(left)
  }

  private static func targets(in value: JSONValue) -> [String] {
    switch value {
    case .object(let members): [target(of: value)].compactMap { $0 } + members.values.flatMap(targets)
    case .array(let items): items.flatMap(targets)
    default: []
    }
  }

  private func references(in value: JSONValue, _ component: (String) -> String) -> JSONValue {
    switch value {
    case .object(var members):
      if let target = Self.target(of: value) { members["$ref"] = .string(Self.path + component(target)) }
      return .object(members.mapValues { references(in: $0, component) })
    case .array(let items): return .array(items.map { references(in: $0, component) })
    default: return value
    }
  }

  private func text(_ schema: JSONValue) -> String { String(decoding: schema.bytes, as: UTF8.self) }
}
