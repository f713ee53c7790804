/// Why the registry does not do what a command asks. The facts suffice to say what would be right.
public enum RegistryRefusal: Error, Hashable, Sendable {
  /// One or more fields of the command are impossible; all faults found, in the order of the fields.
  case faults([FieldFault])
  /// Nothing of that kind was ever registered under the id.
  case unknown(EntityKind, id: Int64)
  /// The id is taken already.
  case taken(EntityKind, id: Int64)
  /// It is retired, closed or withdrawn, and stays so.
  case ended(EntityKind, id: Int64)
  /// A datastream keeps its visibility, and so its topic, for life: close it and open its successor.
  case visibilityIsForLife(datastream: Int64, visibility: DatastreamVisibility, asked: DatastreamVisibility)
  /// What a datastream's results are does not change, since stored readings would change their meaning: close it and open its successor.
  case observationTypeIsForLife(datastream: Int64, observationType: ObservationType, asked: ObservationType)
}

/// What is wrong with one field, and what would be right.
public struct FieldFault: Hashable, Sendable {
  /// The field below the entity, in the API's words: `unitOfMeasurement/definition`.
  public let path: String
  public let problem: String
  public let expected: String

  public init(_ path: String, _ problem: String, expected: String) {
    self.path = path
    self.problem = problem
    self.expected = expected
  }
}

/// What the registry keeps. The raw value begins the stream's name: `thing-17`.
public enum EntityKind: String, Hashable, Sendable, Codable, CaseIterable {
  case thing
  case location
  case sensor
  case observedProperty = "observed-property"
  case featureOfInterest = "feature-of-interest"
  case datastream

  /// The stream that holds the decisions about one entity.
  public func stream(_ id: Int64) -> String { "\(rawValue)-\(id)" }
}

/// Collects what is wrong with a command's fields, so that the sender learns all of it at once.
struct Faults {
  private(set) var found: [FieldFault] = []

  mutating func add(_ path: String, _ problem: String, expected: String) {
    found.append(FieldFault(path, problem, expected: expected))
  }

  /// A name is what people see in lists and on maps: not blank, one line, at most 255 characters.
  mutating func check(name: String, at path: String = "name") {
    // Unicode's characters, as JSON Schema and PostgreSQL count them.
    let count = name.unicodeScalars.count
    if name.unicodeScalars.allSatisfy(\.properties.isWhitespace) {
      add(path, "is blank", expected: "a name of 1 to 255 characters")
    } else if count > 255 {
      add(path, "has \(count) characters", expected: "a name of 1 to 255 characters")
    } else if name.contains(where: \.isNewline) {
      add(path, "has more than one line", expected: "a name on one line")
    }
  }

  mutating func check(text: String, at path: String, limit: Int = 10_000) {
    let count = text.unicodeScalars.count
    if count > limit { add(path, "has \(count) characters", expected: "at most \(limit) characters") }
  }

  mutating func check(properties: FreeValue?, at path: String = "properties") {
    if let properties, properties.fields == nil { add(path, "is not an object", expected: "a JSON object") }
  }

  func refuse() throws(RegistryRefusal) {
    if !found.isEmpty { throw .faults(found) }
  }
}
