import EventSourcing
import HTTP
import JSON
import SensorDomain
import Time

/// What a request to the registry decides. It reads bodies, draws ids and asks the deciders; what it has gathered is one append.
struct RegistryCommands {
  var unit: RegistryUnit
  let ids: EntityIds
  let time: Instant
  let settings: RegistrySettings
  let caller: Caller?
  /// Readings that came with datastreams that this request opens, to be recorded after the append.
  var readings: [ReadingsOfDatastream] = []

  init(unit: RegistryUnit, ids: EntityIds, time: Instant, settings: RegistrySettings, caller: Caller?) {
    self.unit = unit
    self.ids = ids
    self.time = time
    self.settings = settings
    self.caller = caller
  }

  static let thingFields = ["name", "description", "properties", "Locations", "Datastreams"]
  static let locationFields = ["name", "description", "encodingType", "location", "properties"]
  static let sensorFields = ["name", "description", "encodingType", "metadata", "properties"]
  static let observedPropertyFields = ["name", "definition", "description", "properties"]
  static let featureFields = ["name", "description", "encodingType", "feature", "properties"]
  static let datastreamFields = [
    "name", "description", "unitOfMeasurement", "observationType", "properties", "Sensor", "ObservedProperty", "Thing", "Observations",
  ]

  // MARK: - Things

  mutating func registerThing(_ value: JSONValue, path: String = "") async throws -> Int64 {
    let body = try STABody(value, path: path, known: Self.thingFields)
    let own = try DosProperties(body, known: ShownProperties.thing)
    let city = own.city ?? caller?.city.map(City.init) ?? settings.city
    try check(city, at: body.at("properties/dos:city"))
    let thing = Thing(
      name: try body.text("name"), description: try body.text("description"), properties: own.free, city: city,
      governance: own.governance(over: settings.governance))
    let id = try await draw("things")
    let locations = try await self.locations(body.list("Locations"))
    let relocation = locations.isEmpty ? nil : try await relocation(to: locations)
    try await unit.decide(ThingDecider.self, id, .register(id: id, thing, relocation: relocation, time: time), isNew: true, at: path)
    for (value, path) in try body.list("Datastreams") { _ = try await openDatastream(value, path: path, thing: id) }
    return id
  }

  mutating func changeThing(_ id: Int64, _ value: JSONValue) async throws {
    let body = try STABody(value, path: "", known: Self.thingFields.filter { $0 != "Datastreams" })
    let own = try DosProperties(body, known: ShownProperties.thing)
    let thing = try await activeThing(id)
    if let city = own.city, city != thing.city { throw JSONRejection(path: "properties/dos:city", problem: "cannot change", expected: thing.city.rawValue) }
    let change = ThingChange(
      name: try body.optionalText("name"), description: try body.optionalText("description"), properties: own.free,
      governance: own.governance(over: thing.governance))
    try await unit.decide(ThingDecider.self, id, .change(id: id, change))
    let locations = try await links(Location.self, body, "Locations")
    if !locations.isEmpty { try await relocate(id, to: locations) }
  }

  mutating func relocateThing(_ id: Int64, _ value: JSONValue) async throws -> Int64 {
    _ = try await activeThing(id)
    let location = try await self.location(value, path: "")
    try await relocate(id, to: [location])
    return location
  }

  /// A thing takes its open datastreams with it.
  mutating func retireThing(_ id: Int64, datastreams: [Int64]) async throws {
    _ = try await activeThing(id)
    try await unit.decide(ThingDecider.self, id, .retire(id: id, time: time))
    try await close(datastreams)
  }

  /// A thing takes its datastreams with it, closed ones too.
  mutating func deleteThing(_ id: Int64, datastreams: [Int64]) async throws {
    switch try await unit.state(ThingDecider.self, id) {
    case .active(let thing, _), .retired(let thing): try check(thing.city, at: "Thing")
    case .unknown, .deleted: break
    }
    try await unit.decide(ThingDecider.self, id, .delete(id: id, time: time))
    try await delete(datastreams)
  }

  private mutating func relocate(_ id: Int64, to locations: [Int64]) async throws {
    let relocation = try await relocation(to: locations)
    try await unit.decide(ThingDecider.self, id, .relocate(id: id, relocation))
  }

  private func relocation(to locations: [Int64]) async throws -> Relocation {
    Relocation(locations: locations, historicalLocation: try await draw("historical_locations"), time: time)
  }

  mutating func activeThing(_ id: Int64) async throws -> Thing {
    switch try await unit.state(ThingDecider.self, id) {
    case .active(let thing, _):
      try check(thing.city, at: "Thing")
      return thing
    case .unknown, .deleted: throw RegistryRefusal.unknown(.thing, id: id)
    case .retired: throw RegistryRefusal.ended(.thing, id: id)
    }
  }

  // MARK: - Datastreams

  mutating func openDatastream(_ value: JSONValue, path: String = "", thing given: Int64? = nil) async throws -> Int64 {
    let body = try STABody(value, path: path, known: Self.datastreamFields)
    let own = try DosProperties(body, known: ShownProperties.datastream)
    let thingID = try await thing(body, given)
    let thing = try await activeThing(thingID)
    if let city = own.city, city != thing.city {
      throw JSONRejection(path: body.at("properties/dos:city"), problem: "is not the thing's city", expected: thing.city.rawValue)
    }
    let sensor = try await entry(Sensor.self, body, "Sensor")
    let property = try await entry(ObservedProperty.self, body, "ObservedProperty")
    let datastream = Datastream(
      name: try body.text("name"), description: try body.text("description"), unitOfMeasurement: try unitOfMeasurement(body) ?? UnitOfMeasurement(),
      observationType: try observationType(body), thing: thingID, sensor: sensor, observedProperty: property, plausibleRange: own.plausibleRange,
      visibility: own.visibility ?? .public, reporting: own.reporting ?? .onChange, city: thing.city,
      governance: own.governance(over: thing.governance), properties: own.free)
    let id = try await draw("datastreams")
    try await unit.decide(DatastreamDecider.self, id, .open(id: id, datastream, time: time), isNew: true, at: path)
    let observations = try body.list("Observations")
    if !observations.isEmpty { readings.append(try await self.readings(observations, of: id, datastream)) }
    return id
  }

  mutating func changeDatastream(_ id: Int64, _ value: JSONValue) async throws {
    let body = try STABody(value, path: "", known: ["name", "description", "unitOfMeasurement", "observationType", "properties"])
    let own = try DosProperties(body, known: ShownProperties.datastream)
    let current = try await openedDatastream(id)
    if let city = own.city, city != current.city {
      throw JSONRejection(path: "properties/dos:city", problem: "cannot change", expected: current.city.rawValue)
    }
    let change = DatastreamChange(
      name: try body.optionalText("name"), description: try body.optionalText("description"), unitOfMeasurement: try unitOfMeasurement(body),
      observationType: body.has("observationType") ? try observationType(body) : nil, plausibleRange: own.plausibleRange, visibility: own.visibility,
      reporting: own.reporting, governance: own.governance(over: current.governance), properties: own.free)
    try await unit.decide(DatastreamDecider.self, id, .change(id: id, change))
  }

  mutating func closeDatastream(_ id: Int64) async throws {
    _ = try await openedDatastream(id)
    try await unit.decide(DatastreamDecider.self, id, .close(id: id, time: time))
  }

  /// A datastream takes its readings with it; what was measured stays in the log.
  mutating func deleteDatastream(_ id: Int64) async throws {
    switch try await unit.state(DatastreamDecider.self, id) {
    case .open(let datastream), .closed(let datastream): try check(datastream.city, at: "Datastream")
    case .unknown, .deleted: break
    }
    try await unit.decide(DatastreamDecider.self, id, .delete(id: id, time: time))
  }

  /// Deletes those that are there; one that somebody deleted in between is as it should be.
  private mutating func delete(_ ids: [Int64]) async throws {
    for id in ids {
      switch try await unit.state(DatastreamDecider.self, id) {
      case .open, .closed: try await deleteDatastream(id)
      case .unknown, .deleted: break
      }
    }
  }

  /// Closes those that are open; one that somebody closed in between is as it should be.
  private mutating func close(_ ids: [Int64]) async throws {
    for id in ids {
      if case .open = try await unit.state(DatastreamDecider.self, id) { try await closeDatastream(id) }
    }
  }

  private mutating func openedDatastream(_ id: Int64) async throws -> Datastream {
    switch try await unit.state(DatastreamDecider.self, id) {
    case .open(let datastream):
      try check(datastream.city, at: "Datastream")
      return datastream
    case .unknown, .deleted: throw RegistryRefusal.unknown(.datastream, id: id)
    case .closed: throw RegistryRefusal.ended(.datastream, id: id)
    }
  }

  private mutating func thing(_ body: STABody, _ given: Int64?) async throws -> Int64 {
    guard let value = body["Thing"] else {
      guard let given else {
        throw JSONRejection(path: body.at("Thing"), problem: "the field is missing", expected: "{\"@iot.id\": ...} of a thing, or a thing")
      }
      return given
    }
    if let given { throw JSONRejection(path: body.at("Thing"), problem: "is given twice", expected: "no Thing here, since the address names \(given)") }
    if let link = try STABody.link(value, path: body.at("Thing")) { return link }
    return try await registerThing(value, path: body.at("Thing"))
  }

  private func unitOfMeasurement(_ body: STABody) throws(JSONRejection) -> UnitOfMeasurement? {
    guard let value = body["unitOfMeasurement"] else { return nil }
    let unit = try STABody(value, path: body.at("unitOfMeasurement"), known: ["name", "symbol", "definition"])
    func text(_ name: String) throws(JSONRejection) -> String? { unit[name] == .null ? nil : try unit.optionalText(name) }
    return UnitOfMeasurement(name: try text("name"), symbol: try text("symbol"), definition: try text("definition"))
  }

  private func observationType(_ body: STABody) throws(JSONRejection) -> ObservationType {
    let text = try body.text("observationType")
    guard let type = ObservationType(rawValue: text) else {
      let names = ObservationType.allCases.map(\.rawValue)
      throw JSONRejection(
        path: body.at("observationType"), problem: "is \"\(text.prefix(200))\"",
        expected: nearestName(to: String(text.prefix(100)), among: names) ?? "one of \(names.joined(separator: ", "))")
    }
    return type
  }

  // MARK: - The catalogue

  mutating func register<Entry: STAEntry>(_ type: Entry.Type, _ value: JSONValue, path: String = "") async throws -> Int64 {
    var entry = try Entry(STABody(value, path: path, known: Entry.fields))
    try RegistryUnit.placed(path) { () throws(RegistryRefusal) in try entry.check() }
    try await entry.accompany(in: &self)
    let id = try await draw(Entry.sequence)
    try await unit.decide(CatalogueDecider<Entry>.self, id, .register(id: id, entry), isNew: true, at: path)
    return id
  }

  mutating func change<Entry: STAEntry>(_ type: Entry.Type, _ id: Int64, _ value: JSONValue) async throws {
    let body = try STABody(value, path: "", known: Entry.fields)
    let change = CatalogueChange(
      name: try body.optionalText("name"), description: try body.optionalText("description"), properties: body.optionalFree("properties"),
      definition: try body.optionalText("definition"), encodingType: try body.optionalText("encodingType"),
      content: Entry.content.flatMap { body.optionalFree($0) })
    try await unit.decide(CatalogueDecider<Entry>.self, id, .change(id: id, change))
  }

  /// Registers what is complete already.
  mutating func register(_ feature: FeatureOfInterest) async throws -> Int64 {
    let id = try await draw(FeatureOfInterest.sequence)
    try await unit.decide(CatalogueDecider<FeatureOfInterest>.self, id, .register(id: id, feature), isNew: true)
    return id
  }

  /// The feature of interest that was made from a location goes where the location is corrected to.
  mutating func changeLocation(_ id: Int64, _ value: JSONValue) async throws {
    try await change(Location.self, id, value)
    guard case .listed(let location) = try await unit.state(CatalogueDecider<Location>.self, id), let feature = location.featureOfInterest,
      case .listed = try await unit.state(CatalogueDecider<FeatureOfInterest>.self, feature)
    else { return }
    let change = CatalogueChange(encodingType: location.encodingType, content: location.location)
    try await unit.decide(CatalogueDecider<FeatureOfInterest>.self, feature, .change(id: feature, change))
  }

  /// Withdraws an entry; datastreams cannot be without it and are deleted.
  mutating func withdraw<Entry: STAEntry>(_ type: Entry.Type, _ id: Int64, datastreams: [Int64] = []) async throws {
    try await unit.decide(CatalogueDecider<Entry>.self, id, .withdraw(id: id))
    try await delete(datastreams)
  }

  /// An entity that a body points to or brings along.
  private mutating func entry<Entry: STAEntry>(_ type: Entry.Type, _ body: STABody, _ name: String) async throws -> Int64 {
    guard let value = body[name] else {
      throw JSONRejection(path: body.at(name), problem: "the field is missing", expected: "{\"@iot.id\": ...} of one, or a whole one")
    }
    return try await entry(type, value, path: body.at(name))
  }

  mutating func entry<Entry: STAEntry>(_ type: Entry.Type, _ value: JSONValue, path: String) async throws -> Int64 {
    guard let link = try STABody.link(value, path: path) else { return try await register(type, value, path: path) }
    switch try await unit.state(CatalogueDecider<Entry>.self, link) {
    case .listed: return link
    case .unknown, .withdrawn:
      throw JSONRejection(path: path + "/@iot.id", problem: "there is no \(Entry.kind.rawValue) \(link)", expected: "the id of one that is there")
    }
  }

  /// Entities that a body points to where it may not bring them along.
  mutating func links<Entry: STAEntry>(_ type: Entry.Type, _ body: STABody, _ name: String) async throws -> [Int64] {
    var ids: [Int64] = []
    for (value, path) in try body.list(name) {
      guard try STABody.link(value, path: path) != nil else {
        throw JSONRejection(path: path, problem: "brings an entity along", expected: "{\"@iot.id\": ...} of one that is there; POST it first")
      }
      ids.append(try await entry(type, value, path: path))
    }
    return ids
  }

  private mutating func locations(_ list: [(value: JSONValue, path: String)]) async throws -> [Int64] {
    var ids: [Int64] = []
    for (value, path) in list { ids.append(try await entry(Location.self, value, path: path)) }
    return ids
  }

  private mutating func location(_ value: JSONValue, path: String) async throws -> Int64 { try await entry(Location.self, value, path: path) }

  // MARK: - Who and where

  /// A city that is served, and the caller's own where the caller belongs to one.
  func check(_ city: City, at path: String) throws {
    guard settings.cities.contains(city) else {
      let names = settings.cities.map(\.rawValue).joined(separator: ", ")
      throw JSONRejection(path: path, problem: "is \"\(city.rawValue.prefix(40))\"", expected: "one of \(names)")
    }
    if let own = caller?.city, own != city.rawValue { throw Problem.forbidden("You act for \(own), and this is \(city.rawValue)'s.") }
  }

  func draw(_ name: String) async throws -> Int64 {
    guard let id = try await ids.next(name).first else { throw JournalError.refused(sqlState: nil, message: "no id was drawn for \(name)") }
    return id
  }
}
