import JSON
import SensorDomain
import Time

/// The members of an object in an event of the registry. Unknown ones are ignored and null counts as absent, so that old readers live.
///
/// Read by hand: a replay reads hundreds of thousands of events, and `Codable` took four times as long for one as everything else that is done with it here.
struct EventMembers {
  private let members: [String: JSONValue]

  init(_ value: JSONValue) throws(JSONRejection) {
    guard case .object(let members) = value else { throw JSONRejection(path: "", problem: "is \(value.kind)", expected: "an object") }
    self.members = members
  }

  func text(_ name: String) throws(JSONRejection) -> String {
    guard let text = members[name]?.string else { throw wrong(name, "a string") }
    return text
  }

  func int(_ name: String) throws(JSONRejection) -> Int64 {
    guard let int = members[name]?.int else { throw wrong(name, "a whole number") }
    return int
  }

  func ints(_ name: String) throws(JSONRejection) -> [Int64] {
    guard let array = members[name]?.array else { throw wrong(name, "an array of whole numbers") }
    let ints = array.compactMap(\.int)
    guard ints.count == array.count else { throw wrong(name, "an array of whole numbers") }
    return ints
  }

  func instant(_ name: String) throws(JSONRejection) -> Instant {
    guard let instant = members[name]?.string.flatMap({ Instant(rfc3339: $0) }) else { throw wrong(name, "a moment as 2030-06-15T12:00:00.000Z") }
    return instant
  }

  func value(_ name: String) throws(JSONRejection) -> FreeValue {
    guard let value = members[name] else { throw wrong(name, "a value") }
    return FreeValue(value)
  }

  /// One of the texts that a type knows.
  func word<Word: RawRepresentable>(_ name: String) throws(JSONRejection) -> Word where Word.RawValue == String {
    guard let word = Word(rawValue: try text(name)) else { throw wrong(name, "a \(Word.self)") }
    return word
  }

  func object(_ name: String) throws(JSONRejection) -> EventMembers {
    do throws(JSONRejection) {
      return try EventMembers(members[name] ?? .null)
    } catch {
      throw wrong(name, error.expected)
    }
  }

  /// What another reading makes of the member, nil where it is absent.
  func optional<Value>(_ name: String, _ read: (EventMembers) -> (String) throws(JSONRejection) -> Value) throws(JSONRejection) -> Value? {
    switch members[name] {
    case nil, .null: nil
    default: try read(self)(name)
    }
  }

  func wrong(_ name: String, _ expected: String) -> JSONRejection {
    JSONRejection(path: name, problem: members[name].map { "is \($0.kind)" } ?? "the field is missing", expected: expected)
  }
}

extension EventMembers {
  func thing() throws(JSONRejection) -> Thing {
    Thing(
      name: try text("name"), description: try text("description"), properties: try optional("properties", EventMembers.value),
      city: try word("city"), governance: try governance("governance"))
  }

  func relocation() throws(JSONRejection) -> Relocation {
    Relocation(locations: try ints("locations"), historicalLocation: try int("historicalLocation"), time: try instant("time"))
  }

  func datastream() throws(JSONRejection) -> Datastream {
    Datastream(
      name: try text("name"), description: try text("description"), unitOfMeasurement: try unit("unitOfMeasurement"),
      observationType: try word("observationType"), thing: try int("thing"), sensor: try int("sensor"), observedProperty: try int("observedProperty"),
      plausibleRange: try optional("plausibleRange", EventMembers.range), visibility: try word("visibility"), reporting: try reporting("reporting"),
      city: try word("city"), governance: try governance("governance"), properties: try optional("properties", EventMembers.value))
  }

  func location() throws(JSONRejection) -> Location {
    Location(
      name: try text("name"), description: try text("description"), encodingType: try text("encodingType"), location: try value("location"),
      properties: try optional("properties", EventMembers.value), featureOfInterest: try optional("featureOfInterest", EventMembers.int))
  }

  func sensor() throws(JSONRejection) -> Sensor {
    Sensor(
      name: try text("name"), description: try text("description"), encodingType: try text("encodingType"), metadata: try value("metadata"),
      properties: try optional("properties", EventMembers.value))
  }

  func observedProperty() throws(JSONRejection) -> ObservedProperty {
    ObservedProperty(
      name: try text("name"), definition: try text("definition"), description: try text("description"),
      properties: try optional("properties", EventMembers.value))
  }

  func featureOfInterest() throws(JSONRejection) -> FeatureOfInterest {
    FeatureOfInterest(
      name: try text("name"), description: try text("description"), encodingType: try text("encodingType"), feature: try value("feature"),
      properties: try optional("properties", EventMembers.value))
  }

  private func governance(_ name: String) throws(JSONRejection) -> SensorDomain.Governance {
    let members = try object(name)
    return Governance(
      owner: try members.text("owner"), purpose: try members.text("purpose"), legalBasis: try members.text("legalBasis"),
      retention: try members.retention("retention"), successor: try members.optional("successor", EventMembers.text))
  }

  private func retention(_ name: String) throws(JSONRejection) -> Retention {
    switch members[name] {
    case .string("forever"): return .forever
    case .int(let days): return .days(Int(days))
    default: throw wrong(name, #""forever" or a number of days"#)
    }
  }

  private func unit(_ name: String) throws(JSONRejection) -> UnitOfMeasurement {
    let members = try object(name)
    return UnitOfMeasurement(
      name: try members.optional("name", EventMembers.text), symbol: try members.optional("symbol", EventMembers.text),
      definition: try members.optional("definition", EventMembers.text))
  }

  private func range(_ name: String) throws(JSONRejection) -> PlausibleRange {
    let members = try object(name)
    return PlausibleRange(min: try members.optional("min", EventMembers.number), max: try members.optional("max", EventMembers.number))
  }

  private func number(_ name: String) throws(JSONRejection) -> Double {
    guard let number = members[name]?.double else { throw wrong(name, "a number") }
    return number
  }

  private func reporting(_ name: String) throws(JSONRejection) -> Reporting {
    let members = try object(name)
    switch try members.text("kind") {
    case "periodic": return .periodic(interval: Int(try members.int("interval")))
    case "onChange": return try members.optional("heartbeat", EventMembers.int).map { .onChangeWithHeartbeat(Int($0)) } ?? .onChange
    default: throw members.wrong("kind", "periodic or onChange")
    }
  }
}
