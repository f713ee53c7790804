import JSON
import SensorDomain

/// An entry of the catalogue as SensorThings writes it.
protocol STAEntry: RegistryEntry {
  static var type: STAEntityType { get }
  static var fields: [String] { get }
  /// The field that `CatalogueChange.content` is, where the kind has one.
  static var content: String? { get }
  static var sequence: String { get }
  init(_ body: STABody) throws(JSONRejection)
  /// Registers what belongs to a new one.
  mutating func accompany(in commands: inout RegistryCommands) async throws
  /// The fields as an answer shows them.
  var shown: [(String, FreeValue?)] { get }
}

extension STAEntry {
  func accompany(in commands: inout RegistryCommands) async throws {}
}

extension Location: STAEntry {
  /// What stands at a place measures what is there: the place is a feature of interest as well (OGC 18-088, section 8.2.8). One for each place, so that
  /// things at the same one share it.
  mutating func accompany(in commands: inout RegistryCommands) async throws {
    featureOfInterest = try await commands.register(
      FeatureOfInterest(name: name, description: description, encodingType: encodingType, feature: location))
  }

  static var type: STAEntityType { .location }
  static var fields: [String] { RegistryCommands.locationFields }
  static var content: String? { "location" }
  static var sequence: String { "locations" }

  init(_ body: STABody) throws(JSONRejection) {
    self.init(
      name: try body.text("name"), description: try body.text("description"), encodingType: try body.text("encodingType"),
      location: try body.free("location"), properties: body.optionalFree("properties"))
  }

  var shown: [(String, FreeValue?)] {
    [
      ("name", .string(name)), ("description", .string(description)), ("encodingType", .string(encodingType)), ("location", location),
      ("properties", properties),
    ]
  }
}

extension Sensor: STAEntry {
  static var type: STAEntityType { .sensor }
  static var fields: [String] { RegistryCommands.sensorFields }
  static var content: String? { "metadata" }
  static var sequence: String { "sensors" }

  init(_ body: STABody) throws(JSONRejection) {
    self.init(
      name: try body.text("name"), description: try body.text("description"), encodingType: try body.text("encodingType"),
      metadata: try body.free("metadata"), properties: body.optionalFree("properties"))
  }

  var shown: [(String, FreeValue?)] {
    [
      ("name", .string(name)), ("description", .string(description)), ("encodingType", .string(encodingType)), ("metadata", metadata),
      ("properties", properties),
    ]
  }
}

extension ObservedProperty: STAEntry {
  static var type: STAEntityType { .observedProperty }
  static var fields: [String] { RegistryCommands.observedPropertyFields }
  static var content: String? { nil }
  static var sequence: String { "observed_properties" }

  init(_ body: STABody) throws(JSONRejection) {
    self.init(
      name: try body.text("name"), definition: try body.text("definition"), description: try body.text("description"),
      properties: body.optionalFree("properties"))
  }

  var shown: [(String, FreeValue?)] {
    [("name", .string(name)), ("definition", .string(definition)), ("description", .string(description)), ("properties", properties)]
  }
}

extension FeatureOfInterest: STAEntry {
  static var type: STAEntityType { .featureOfInterest }
  static var fields: [String] { RegistryCommands.featureFields }
  static var content: String? { "feature" }
  static var sequence: String { "features_of_interest" }

  init(_ body: STABody) throws(JSONRejection) {
    self.init(
      name: try body.text("name"), description: try body.text("description"), encodingType: try body.text("encodingType"),
      feature: try body.free("feature"), properties: body.optionalFree("properties"))
  }

  var shown: [(String, FreeValue?)] {
    [
      ("name", .string(name)), ("description", .string(description)), ("encodingType", .string(encodingType)), ("feature", feature),
      ("properties", properties),
    ]
  }
}
