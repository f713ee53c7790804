/// Where a thing is or was (SensorThings 1.1, section 8.2.2).
public struct Location: CatalogueEntry {
  public static var kind: EntityKind { .location }
  public var name: String
  public var description: String
  /// How `location` is written; `application/geo+json` or the older `application/vnd.geo+json`.
  public var encodingType: String
  public var location: FreeValue
  public var properties: FreeValue?
  /// The feature of interest that was made from it: what readings of things that stand here are about where they name none.
  public var featureOfInterest: Int64?

  public init(
    name: String, description: String, encodingType: String, location: FreeValue, properties: FreeValue? = nil, featureOfInterest: Int64? = nil
  ) {
    self.name = name
    self.description = description
    self.encodingType = encodingType
    self.location = location
    self.properties = properties
    self.featureOfInterest = featureOfInterest
  }

  public func check() throws(RegistryRefusal) {
    var faults = Faults()
    faults.check(name: name)
    faults.check(text: description, at: "description")
    faults.checkGeometry(location, encodingType: encodingType, at: "location")
    faults.check(properties: properties)
    try faults.refuse()
  }

  public func with(_ change: CatalogueChange) -> Location {
    Location(
      name: change.name ?? name, description: change.description ?? description, encodingType: change.encodingType ?? encodingType,
      location: change.content ?? location, properties: change.properties ?? properties, featureOfInterest: featureOfInterest)
  }
}

/// What measures (SensorThings 1.1, section 8.2.5): a make of instrument or a procedure, described by its metadata.
public struct Sensor: CatalogueEntry {
  public static var kind: EntityKind { .sensor }
  public var name: String
  public var description: String
  /// What `metadata` is written in: `application/pdf`, a SensorML namespace, `text/html`, ...
  public var encodingType: String
  public var metadata: FreeValue
  public var properties: FreeValue?

  public init(name: String, description: String, encodingType: String, metadata: FreeValue, properties: FreeValue? = nil) {
    self.name = name
    self.description = description
    self.encodingType = encodingType
    self.metadata = metadata
    self.properties = properties
  }

  public func check() throws(RegistryRefusal) {
    var faults = Faults()
    faults.check(name: name)
    faults.check(text: description, at: "description")
    if encodingType.allSatisfy(\.isWhitespace) {
      faults.add("encodingType", "is blank", expected: "what the metadata is written in, as application/pdf")
    }
    if metadata == .null { faults.add("metadata", "is null", expected: "a description of the sensor or a link to one") }
    faults.check(properties: properties)
    try faults.refuse()
  }

  public func with(_ change: CatalogueChange) -> Sensor {
    Sensor(
      name: change.name ?? name, description: change.description ?? description, encodingType: change.encodingType ?? encodingType,
      metadata: change.content ?? metadata, properties: change.properties ?? properties)
  }
}

/// What is measured (SensorThings 1.1, section 8.2.6), defined by a URI.
public struct ObservedProperty: CatalogueEntry {
  public static var kind: EntityKind { .observedProperty }
  public var name: String
  public var definition: String
  public var description: String
  public var properties: FreeValue?

  public init(name: String, definition: String, description: String, properties: FreeValue? = nil) {
    self.name = name
    self.definition = definition
    self.description = description
    self.properties = properties
  }

  public func check() throws(RegistryRefusal) {
    var faults = Faults()
    faults.check(name: name)
    if definition.isEmpty || definition.contains(where: \.isWhitespace) || definition.count > 2_000 {
      faults.add("definition", "is \"\(definition.prefix(100))\"", expected: "a URI without blanks that defines the property")
    }
    faults.check(text: description, at: "description")
    faults.check(properties: properties)
    try faults.refuse()
  }

  public func with(_ change: CatalogueChange) -> ObservedProperty {
    ObservedProperty(
      name: change.name ?? name, definition: change.definition ?? definition, description: change.description ?? description,
      properties: change.properties ?? properties)
  }
}

/// What an observation is about (SensorThings 1.1, section 8.2.8); where none is given, the thing's place.
public struct FeatureOfInterest: CatalogueEntry {
  public static var kind: EntityKind { .featureOfInterest }
  public var name: String
  public var description: String
  /// How `feature` is written, as a location's.
  public var encodingType: String
  public var feature: FreeValue
  public var properties: FreeValue?

  public init(name: String, description: String, encodingType: String, feature: FreeValue, properties: FreeValue? = nil) {
    self.name = name
    self.description = description
    self.encodingType = encodingType
    self.feature = feature
    self.properties = properties
  }

  public func check() throws(RegistryRefusal) {
    var faults = Faults()
    faults.check(name: name)
    faults.check(text: description, at: "description")
    faults.checkGeometry(feature, encodingType: encodingType, at: "feature")
    faults.check(properties: properties)
    try faults.refuse()
  }

  public func with(_ change: CatalogueChange) -> FeatureOfInterest {
    FeatureOfInterest(
      name: change.name ?? name, description: change.description ?? description, encodingType: change.encodingType ?? encodingType,
      feature: change.content ?? feature, properties: change.properties ?? properties)
  }
}

extension Faults {
  /// GeoJSON (RFC 7946) in WGS 84: a geometry or a Feature, every position longitude, latitude and perhaps height.
  mutating func checkGeometry(_ value: FreeValue, encodingType: String, at path: String, isWhole: Bool = true) {
    guard ["application/geo+json", "application/vnd.geo+json"].contains(encodingType) else {
      return add("encodingType", "is \"\(encodingType.prefix(100))\"", expected: "application/geo+json")
    }
    guard let fields = value.fields, let type = fields["type"]?.text else {
      return add(path, "is no GeoJSON object", expected: "a GeoJSON geometry with type and coordinates")
    }
    switch type {
    // Only the whole may be one (RFC 7946, section 3.2).
    case "Feature" where isWhole:
      checkGeometry(fields["geometry"] ?? .null, encodingType: encodingType, at: "\(path)/geometry", isWhole: false)
    case "GeometryCollection":
      guard case .array(let geometries)? = fields["geometries"] else { return add("\(path)/geometries", "is absent", expected: "an array of geometries") }
      guard geometries.count <= 1_000 else { return add("\(path)/geometries", "has \(geometries.count) geometries", expected: "at most 1000") }
      for (index, geometry) in geometries.enumerated() {
        // A collection within a collection is allowed by RFC 7946 and of no use here; refusing it bounds the depth.
        if geometry.fields?["type"]?.text == "GeometryCollection" {
          add("\(path)/geometries/\(index)", "is a collection again", expected: "a simple geometry")
        } else {
          checkGeometry(geometry, encodingType: encodingType, at: "\(path)/geometries/\(index)", isWhole: false)
        }
      }
    default:
      guard let depth = Self.depths[type] else {
        return add("\(path)/type", "is \"\(type.prefix(100))\"", expected: "Point, LineString, Polygon, their Multi forms, GeometryCollection or Feature")
      }
      if let problem = Self.problem(fields["coordinates"] ?? .null, depth: depth) {
        add("\(path)/coordinates", problem, expected: "for \(type) positions of longitude (-180 to 180) and latitude (-90 to 90)")
      }
    }
  }

  /// How many arrays lie around a position.
  private static var depths: [String: Int] {
    ["Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3]
  }

  private static func problem(_ value: FreeValue, depth: Int) -> String? {
    guard case .array(let items) = value else { return "is no array" }
    if depth > 0 {
      if items.isEmpty { return "is empty" }
      for item in items { if let problem = problem(item, depth: depth - 1) { return problem } }
      return nil
    }
    guard items.count == 2 || items.count == 3 else { return "has a position of \(items.count) numbers" }
    var numbers: [Double] = []
    for item in items {
      switch item {
      case .int(let int): numbers.append(Double(int))
      case .number(let number): numbers.append(number)
      default: return "has a position with something else than numbers"
      }
    }
    if abs(numbers[0]) > 180 { return "has longitude \(numbers[0])" }
    if abs(numbers[1]) > 90 { return "has latitude \(numbers[1])" }
    return nil
  }
}
