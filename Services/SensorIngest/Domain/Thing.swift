public import Deciding
public import Time

/// A thing (Messstelle) of OGC SensorThings 1.1, section 8.2.1: what carries datastreams and stands somewhere.
public struct Thing: Hashable, Sendable, Codable {
  public var name: String
  public var description: String
  /// Free JSON of whoever registered it; an object.
  public var properties: FreeValue?
  public var city: City
  public var governance: Governance

  public init(name: String, description: String, properties: FreeValue? = nil, city: City, governance: Governance) {
    self.name = name
    self.description = description
    self.properties = properties
    self.city = city
    self.governance = governance
  }

  func check() throws(RegistryRefusal) {
    var faults = Faults()
    faults.check(name: name)
    faults.check(text: description, at: "description")
    faults.check(properties: properties)
    city.check(&faults)
    governance.check(&faults)
    try faults.refuse()
  }
}

/// What may be changed about a thing; nil leaves as it is. Its city is for life, since streams and rights hang on it.
public struct ThingChange: Hashable, Sendable {
  public var name: String?
  public var description: String?
  public var properties: FreeValue?
  public var governance: Governance?

  public init(name: String? = nil, description: String? = nil, properties: FreeValue? = nil, governance: Governance? = nil) {
    self.name = name
    self.description = description
    self.properties = properties
    self.governance = governance
  }
}

/// Where a thing went: to which locations, since when, and the id of the HistoricalLocation that remembers it (section 8.2.3).
public struct Relocation: Hashable, Sendable, Codable {
  public let locations: [Int64]
  public let historicalLocation: Int64
  public let time: Instant

  public init(locations: [Int64], historicalLocation: Int64, time: Instant) {
    self.locations = locations
    self.historicalLocation = historicalLocation
    self.time = time
  }
}

public enum ThingCommand: Hashable, Sendable {
  case register(id: Int64, Thing, relocation: Relocation?, time: Instant)
  case change(id: Int64, ThingChange)
  case relocate(id: Int64, Relocation)
  case retire(id: Int64, time: Instant)
}

public enum ThingEvent: Hashable, Sendable {
  case registered(ThingRegistered)
  case changed(ThingChanged)
  case relocated(ThingRelocated)
  case retired(ThingRetired)
}

public struct ThingRegistered: Hashable, Sendable, Codable {
  public let id: Int64
  public let thing: Thing
  public let time: Instant

  public init(id: Int64, thing: Thing, time: Instant) {
    self.id = id
    self.thing = thing
    self.time = time
  }
}

/// The whole thing as it is after the change, so that a reader needs no earlier event.
public struct ThingChanged: Hashable, Sendable, Codable {
  public let id: Int64
  public let thing: Thing

  public init(id: Int64, thing: Thing) {
    self.id = id
    self.thing = thing
  }
}

public struct ThingRelocated: Hashable, Sendable, Codable {
  public let id: Int64
  public let relocation: Relocation

  public init(id: Int64, relocation: Relocation) {
    self.id = id
    self.relocation = relocation
  }
}

public struct ThingRetired: Hashable, Sendable, Codable {
  public let id: Int64
  public let time: Instant

  public init(id: Int64, time: Instant) {
    self.id = id
    self.time = time
  }
}

public enum ThingState: Hashable, Sendable {
  case unknown
  case active(Thing, locations: [Int64])
  case retired
}

/// Registers, changes, relocates and retires a thing.
public enum ThingDecider: Decider {
  public static var initial: ThingState { .unknown }

  public static func decide(_ command: ThingCommand, _ state: ThingState) throws(RegistryRefusal) -> [ThingEvent] {
    switch (command, state) {
    case (.register(let id, let thing, let relocation, let time), .unknown):
      try thing.check()
      let registered = ThingEvent.registered(ThingRegistered(id: id, thing: thing, time: time))
      guard let relocation else { return [registered] }
      return [registered] + [try relocated(id, relocation)]
    case (.register(let id, _, _, _), .active):
      throw .taken(.thing, id: id)
    case (.change(let id, let change), .active(let thing, _)):
      let changed = thing.with(change)
      try changed.check()
      return changed == thing ? [] : [.changed(ThingChanged(id: id, thing: changed))]
    case (.relocate(let id, let relocation), .active):
      return [try relocated(id, relocation)]
    case (.retire(let id, let time), .active):
      return [.retired(ThingRetired(id: id, time: time))]
    case (.change(let id, _), .unknown), (.relocate(let id, _), .unknown), (.retire(let id, _), .unknown):
      throw .unknown(.thing, id: id)
    case (.register(let id, _, _, _), .retired), (.change(let id, _), .retired), (.relocate(let id, _), .retired), (.retire(let id, _), .retired):
      throw .ended(.thing, id: id)
    }
  }

  public static func evolve(_ state: ThingState, _ event: ThingEvent) -> ThingState {
    switch (event, state) {
    case (.registered(let registered), _): .active(registered.thing, locations: [])
    case (.changed(let changed), .active(_, let locations)): .active(changed.thing, locations: locations)
    case (.relocated(let relocated), .active(let thing, _)): .active(thing, locations: relocated.relocation.locations)
    case (.changed, _), (.relocated, _): state
    case (.retired, _): .retired
    }
  }

  private static func relocated(_ id: Int64, _ relocation: Relocation) throws(RegistryRefusal) -> ThingEvent {
    var faults = Faults()
    if relocation.locations.isEmpty { faults.add("Locations", "is empty", expected: "at least one location") }
    if Set(relocation.locations).count != relocation.locations.count {
      faults.add("Locations", "names a location twice", expected: "each location once")
    }
    try faults.refuse()
    return .relocated(ThingRelocated(id: id, relocation: relocation))
  }
}

extension Thing {
  fileprivate func with(_ change: ThingChange) -> Thing {
    Thing(
      name: change.name ?? name, description: change.description ?? description, properties: change.properties ?? properties, city: city,
      governance: change.governance ?? governance)
  }
}
