import JSON
import SensorDomain
import Time

/// A JSON object of a request, read field by field. What is not known is refused with the nearest known name; unknown `@iot.*` are ignored, as the standard says.
struct STABody {
  let path: String
  private let fields: [String: JSONValue]

  init(_ bytes: [UInt8], known: [String]) throws(JSONRejection) {
    try self.init(JSONValue(parsing: bytes), path: "", known: known)
  }

  init(_ value: JSONValue, path: String, known: [String]) throws(JSONRejection) {
    guard let object = value.object else {
      throw JSONRejection(path: path, problem: "is \(value.kind)", expected: "a JSON object")
    }
    self.path = path
    fields = object
    for name in object.keys.sorted() where !known.contains(name) && !Self.isAnnotation(name) {
      let near = nearestName(to: name, among: known)
      throw JSONRejection(path: Self.join(path, name), problem: "is not known", expected: near ?? "one of \(known.joined(separator: ", "))")
    }
  }

  /// Whether a member is one of SensorThings' own annotations, as `@iot.selfLink` or `Thing@iot.navigationLink`. Looked for among the bytes: what follows the
  /// dot may be one character with it.
  static func isAnnotation(_ name: String) -> Bool { name.utf8.contains("@iot.".utf8) }

  /// The id where the object only points to an entity: `{"@iot.id": 5}`.
  static func link(_ value: JSONValue, path: String) throws(JSONRejection) -> Int64? {
    guard let id = value["@iot.id"] else { return nil }
    guard case .int(let number) = id, number > 0, number < 1 << 53 else {
      throw JSONRejection(path: join(path, "@iot.id"), problem: "is \(id.kind) that is no id", expected: "the whole number of an entity")
    }
    return number
  }

  func at(_ name: String) -> String { Self.join(path, name) }

  static func join(_ path: String, _ name: String) -> String { path.isEmpty ? name : "\(path)/\(name)" }

  func has(_ name: String) -> Bool { fields[name] != nil }

  subscript(_ name: String) -> JSONValue? { fields[name] }

  func text(_ name: String) throws(JSONRejection) -> String {
    guard let text = try optionalText(name) else { throw JSONRejection(path: at(name), problem: "the field is missing", expected: "a text") }
    return text
  }

  func optionalText(_ name: String) throws(JSONRejection) -> String? {
    guard let value = fields[name] else { return nil }
    guard let text = value.string else { throw JSONRejection(path: at(name), problem: "is \(value.kind)", expected: "a text") }
    return text
  }

  func free(_ name: String) throws(JSONRejection) -> FreeValue {
    guard let value = fields[name] else { throw JSONRejection(path: at(name), problem: "the field is missing", expected: "a value") }
    return FreeValue(value)
  }

  func optionalFree(_ name: String) -> FreeValue? { fields[name].map(FreeValue.init) }

  /// A list of entities, empty where absent; a single object counts as a list of one, as clients of version 1.0 send it.
  func list(_ name: String) throws(JSONRejection) -> [(value: JSONValue, path: String)] {
    guard let value = fields[name] else { return [] }
    if case .object = value { return [(value, at(name))] }
    guard let array = value.array else { throw JSONRejection(path: at(name), problem: "is \(value.kind)", expected: "an array of entities") }
    guard array.count <= 1_000 else { throw JSONRejection(path: at(name), problem: "has \(array.count) entities", expected: "at most 1000") }
    return array.enumerated().map { ($0.element, "\(at(name))/\($0.offset)") }
  }
}

extension FreeValue {
  init(_ value: JSONValue) {
    self =
      switch value {
      case .null: .null
      case .bool(let value): .bool(value)
      case .int(let value): .int(value)
      case .number(let value): .number(value)
      case .string(let value): .string(value)
      case .array(let values): .array(values.map(FreeValue.init))
      case .object(let members): .object(members.mapValues(FreeValue.init))
      }
  }

  var json: JSONValue {
    switch self {
    case .null: .null
    case .bool(let value): .bool(value)
    case .int(let value): .int(value)
    case .number(let value): .number(value)
    case .string(let value): .string(value)
    case .array(let values): .array(values.map(\.json))
    case .object(let members): .object(members.mapValues(\.json))
    }
  }
}
