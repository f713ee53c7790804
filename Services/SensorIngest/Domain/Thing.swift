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
  /// Says where the thing was at some time, and moves it nowhere; what was noted under the same HistoricalLocation is replaced.
  case noteHistory(id: Int64, Relocation)
  case withdrawHistory(id: Int64, historicalLocation: Int64)
  /// Its end: it stays readable with everything it has.
  case retire(id: Int64, time: Instant)
  /// Its end, and nobody sees it any more (SensorThings 1.1, section 10.4).
  case delete(id: Int64, time: Instant)
}

public enum ThingEvent: Hashable, Sendable {
  case registered(ThingRegistered)
  case changed(ThingChanged)
  case relocated(ThingRelocated)
  case historyNoted(HistoricalLocationNoted)
  case historyWithdrawn(HistoricalLocationWithdrawn)
  case retired(ThingRetired)
  case deleted(ThingDeleted)
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

/// Where a thing was, as somebody says afterwards. The thing's place does not change by it.
public struct HistoricalLocationNoted: Hashable, Sendable, Codable {
  public let thing: Int64
  public let relocation: Relocation

  public init(thing: Int64, relocation: Relocation) {
    self.thing = thing
    self.relocation = relocation
  }
}

public struct HistoricalLocationWithdrawn: Hashable, Sendable, Codable {
  public let thing: Int64
  public let historicalLocation: Int64

  public init(thing: Int64, historicalLocation: Int64) {
    self.thing = thing
    self.historicalLocation = historicalLocation
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

/// A thing is retired before it is deleted, so that who knows no deletion sees its end.
public struct ThingDeleted: Hashable, Sendable, Codable {
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
  case retired(Thing)
  case deleted
}

/// Registers, changes, relocates, retires and deletes a thing.
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
    case (.noteHistory(let id, let relocation), .active):
      try check(relocation)
      return [.historyNoted(HistoricalLocationNoted(thing: id, relocation: relocation))]
    case (.withdrawHistory(let id, let historicalLocation), .active), (.withdrawHistory(let id, let historicalLocation), .retired):
      return [.historyWithdrawn(HistoricalLocationWithdrawn(thing: id, historicalLocation: historicalLocation))]
    case (.retire(let id, let time), .active):
      return [.retired(ThingRetired(id: id, time: time))]
    case (.delete(let id, let time), .active):
      return [.retired(ThingRetired(id: id, time: time)), .deleted(ThingDeleted(id: id, time: time))]
    case (.delete(let id, let time), .retired):
      return [.deleted(ThingDeleted(id: id, time: time))]
    case (.register(let id, _, _, _), .retired), (.register(let id, _, _, _), .deleted):
      throw .ended(.thing, id: id)
    case (_, .retired):
      throw .ended(.thing, id: command.thing)
    case (_, .unknown), (_, .deleted):
      throw .unknown(.thing, id: command.thing)
    }
  }

  public static func evolve(_ state: ThingState, _ event: ThingEvent) -> ThingState {
    switch (event, state) {
    case (.registered(let registered), _): .active(registered.thing, locations: [])
    case (.changed(let changed), .active(_, let locations)): .active(changed.thing, locations: locations)
    case (.relocated(let relocated), .active(let thing, _)): .active(thing, locations: relocated.relocation.locations)
    case (.retired, .active(let thing, _)): .retired(thing)
    case (.deleted, _): .deleted
    case (.changed, _), (.relocated, _), (.historyNoted, _), (.historyWithdrawn, _), (.retired, _): state
    }
  }

  private static func relocated(_ id: Int64, _ relocation: Relocation) throws(RegistryRefusal) -> ThingEvent {
    try check(relocation)
    return .relocated(ThingRelocated(id: id, relocation: relocation))
  }

  private static func check(_ relocation: Relocation) throws(RegistryRefusal) {
    var faults = Faults()
    if relocation.locations.isEmpty { faults.add("Locations", "is empty", expected: "at least one location") }
    if Set(relocation.locations).count != relocation.locations.count {
      faults.add("Locations", "names a location twice", expected: "each location once")
    }
    try faults.refuse()
  }
}

extension ThingCommand {
  fileprivate var thing: Int64 {
    switch self {
    case .register(let id, _, _, _), .change(let id, _), .relocate(let id, _), .noteHistory(let id, _), .withdrawHistory(let id, _), .retire(let id, _),
      .delete(let id, _):
      id
    }
  }
}

extension Thing {
  fileprivate func with(_ change: ThingChange) -> Thing {
    Thing(
      name: change.name ?? name, description: change.description ?? description, properties: change.properties ?? properties, city: city,
      governance: change.governance ?? governance)
  }
}
