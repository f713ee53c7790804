/// A datastream (Datenstrom) of OGC SensorThings 1.1, section 8.2.4: readings of one property by one sensor at one thing.
public struct Datastream: Hashable, Sendable, Codable {
  public var name: String
  public var description: String
  public var unitOfMeasurement: UnitOfMeasurement
  public let observationType: ObservationType
  public let thing: Int64
  public let sensor: Int64
  public let observedProperty: Int64
  /// Outside of it a reading is kept and flagged; nil where everything is plausible.
  public var plausibleRange: PlausibleRange?
  /// Chooses the topic of its readings, and so is fixed for life.
  public let visibility: DatastreamVisibility
  public var reporting: Reporting
  public let city: City
  public var governance: Governance
  /// Free JSON of whoever opened it; an object.
  public var properties: FreeValue?

  public init(
    name: String, description: String, unitOfMeasurement: UnitOfMeasurement, observationType: ObservationType, thing: Int64, sensor: Int64,
    observedProperty: Int64, plausibleRange: PlausibleRange? = nil, visibility: DatastreamVisibility, reporting: Reporting, city: City,
    governance: Governance, properties: FreeValue? = nil
  ) {
    self.name = name
    self.description = description
    self.unitOfMeasurement = unitOfMeasurement
    self.observationType = observationType
    self.thing = thing
    self.sensor = sensor
    self.observedProperty = observedProperty
    self.plausibleRange = plausibleRange
    self.visibility = visibility
    self.reporting = reporting
    self.city = city
    self.governance = governance
    self.properties = properties
  }

  func check() throws(RegistryRefusal) {
    var faults = Faults()
    faults.check(name: name)
    faults.check(text: description, at: "description")
    unitOfMeasurement.check(&faults, for: observationType)
    plausibleRange?.check(&faults, for: observationType)
    reporting.check(&faults)
    city.check(&faults)
    governance.check(&faults)
    faults.check(properties: properties)
    try faults.refuse()
  }
}

/// Who may read a datastream's readings.
public enum DatastreamVisibility: String, Hashable, Sendable, Codable, CaseIterable {
  case `public`
  case partner
  case `internal`
  case restricted
}

/// What a datastream's results are (SensorThings 1.1, table 12). As JSON the standard's URI.
public enum ObservationType: String, Hashable, Sendable, Codable, CaseIterable {
  case measurement = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
  case count = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_CountObservation"
  case truth = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_TruthObservation"
  case category = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_CategoryObservation"
  /// Any JSON value.
  case any = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Observation"

  /// Whether a result can be a number, and so can have a plausible range.
  public var isNumeric: Bool {
    switch self {
    case .measurement, .count, .any: true
    case .truth, .category: false
    }
  }
}

/// A unit as SensorThings writes it; `definition` is a UCUM code as `ucum:Cel` or a URI. All nil where the result has no unit.
public struct UnitOfMeasurement: Hashable, Sendable, Codable {
  public var name: String?
  public var symbol: String?
  public var definition: String?

  public init(name: String? = nil, symbol: String? = nil, definition: String? = nil) {
    self.name = name
    self.symbol = symbol
    self.definition = definition
  }

  func check(_ faults: inout Faults, for type: ObservationType) {
    faults.check(text: name ?? "", at: "unitOfMeasurement/name", limit: 255)
    faults.check(text: symbol ?? "", at: "unitOfMeasurement/symbol", limit: 50)
    guard let definition else {
      if type == .measurement {
        faults.add("unitOfMeasurement/definition", "is absent", expected: "a UCUM code as ucum:Cel (ucum:1 for a plain number), or a URI")
      }
      return
    }
    if !Self.isDefinition(definition) {
      faults.add("unitOfMeasurement/definition", "is \"\(definition.prefix(100))\"", expected: "a UCUM code as ucum:Cel, or a URI")
    }
  }

  /// UCUM (section 2.1) allows the visible characters of ASCII; square and curly brackets come in pairs, the curly ones unnested.
  private static func isDefinition(_ definition: String) -> Bool {
    let visible = definition.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
    guard !definition.isEmpty, definition.utf8.count <= 500, visible, definition.contains(":") else { return false }
    guard definition.hasPrefix("ucum:") else { return true }
    let code = definition.dropFirst(5)
    var open: Character?
    for character in code {
      switch (character, open) {
      case ("[", nil), ("{", nil): open = character
      case ("]", "["), ("}", "{"): open = nil
      case ("[", _), ("{", _), ("]", _), ("}", _): return false
      default: break
      }
    }
    return !code.isEmpty && open == nil
  }
}

/// The values a sound sensor can report, both ends included; an open end is nil.
public struct PlausibleRange: Hashable, Sendable, Codable {
  public let min: Double?
  public let max: Double?

  public init(min: Double?, max: Double?) {
    self.min = min
    self.max = max
  }

  public func contains(_ value: Double) -> Bool {
    value >= (min ?? -.infinity) && value <= (max ?? .infinity)
  }

  func check(_ faults: inout Faults, for type: ObservationType) {
    let path = "properties/dos:plausibleRange"
    if !type.isNumeric { faults.add(path, "is given for results that are no numbers", expected: "none for this observationType") }
    if let min, let max, min > max { faults.add(path, "has min \(min) above max \(max)", expected: "min at most max") }
    if min == nil, max == nil { faults.add(path, "has neither min nor max", expected: "min, max or both") }
    if [min, max].contains(where: { $0.map { !$0.isFinite } ?? false }) { faults.add(path, "is not finite", expected: "finite numbers") }
  }
}
