import Deciding
import EventSourcing
import SensorDomain

/// A decider whose streams lie in the registry.
protocol RegistryDecider: Decider where Refusal == RegistryRefusal, State: Equatable {
  static var kind: EntityKind { get }
  static func record(_ event: Event) -> RegistryEvent
  /// Nil where the event is of another kind.
  static func event(_ record: RegistryEvent) -> Event?
}

/// Everything one request decides, over as many streams as it takes: one append in the end, so that all of it happens or nothing.
struct RegistryUnit {
  private struct Stream {
    let version: Int64
    let state: any Sendable
    var events: [RegistryEvent] = []
  }

  private let journal: Journal
  private var streams: [String: Stream] = [:]
  private var order: [String] = []

  init(_ journal: Journal) { self.journal = journal }

  /// All events decided so far, stream by stream.
  var events: [RegistryEvent] { order.flatMap { streams[$0]?.events ?? [] } }

  /// Every stream that was looked at stays as it was seen: what was decided by it holds when it is written.
  func writes() throws -> [StreamWrite] {
    try order.compactMap { name in
      guard let stream = streams[name] else { return nil }
      let events = try stream.events.map { NewEvent(type: $0.type, data: try $0.data()) }
      return StreamWrite(stream: name, expected: stream.version == 0 ? .noStream : .exactly(stream.version), events: events)
    }
  }

  /// The state of an entity with what this request has decided already.
  mutating func state<D: RegistryDecider>(_ decider: D.Type, _ id: Int64) async throws -> D.State {
    let name = D.kind.stream(id)
    if let known = streams[name]?.state as? D.State { return known }
    let recorded = try await journal.read(stream: name)
    let state = try recorded.reduce(D.initial) { state, event in
      guard let record = try RegistryEvent(type: event.type, data: event.data), let own = D.event(record) else { return state }
      return D.evolve(state, own)
    }
    streams[name] = Stream(version: recorded.last?.version ?? 0, state: state)
    order.append(name)
    return state
  }

  /// The state of an entity that this request has looked at or decided about; nil for any other.
  func known<D: RegistryDecider>(_ decider: D.Type, _ id: Int64) -> D.State? { streams[D.kind.stream(id)]?.state as? D.State }

  /// - Parameters:
  ///   - isNew: the id was just drawn, so there is nothing to read.
  ///   - path: where the entity stands in the body, for faults.
  mutating func decide<D: RegistryDecider>(_ decider: D.Type, _ id: Int64, _ command: D.Command, isNew: Bool = false, at path: String = "") async throws {
    let name = D.kind.stream(id)
    if isNew, streams[name] == nil {
      streams[name] = Stream(version: 0, state: D.initial)
      order.append(name)
    }
    let state = try await self.state(decider, id)
    let decided = try Self.placed(path) { () throws(RegistryRefusal) in try D.decide(command, state) }
    let next = decided.reduce(state, D.evolve)
    guard let stream = streams[name] else { return }
    streams[name] = Stream(version: stream.version, state: next, events: stream.events + decided.map(D.record))
  }
}

extension RegistryUnit {
  /// Runs a check of an entity that stands at a path in the body: faults name their fields from the body's beginning.
  static func placed<Answer>(_ path: String, _ check: () throws(RegistryRefusal) -> Answer) throws(RegistryRefusal) -> Answer {
    do throws(RegistryRefusal) {
      return try check()
    } catch {
      guard case .faults(let faults) = error else { throw error }
      throw .faults(faults.map { FieldFault(STABody.join(path, $0.path), $0.problem, expected: $0.expected) })
    }
  }
}

extension ThingDecider: RegistryDecider {
  static var kind: EntityKind { .thing }
  static func record(_ event: ThingEvent) -> RegistryEvent { .thing(event) }
  static func event(_ record: RegistryEvent) -> ThingEvent? { if case .thing(let event) = record { event } else { nil } }
}

extension DatastreamDecider: RegistryDecider {
  static var kind: EntityKind { .datastream }
  static func record(_ event: DatastreamEvent) -> RegistryEvent { .datastream(event) }
  static func event(_ record: RegistryEvent) -> DatastreamEvent? { if case .datastream(let event) = record { event } else { nil } }
}

/// An entry of the catalogue that the registry knows how to write and read.
protocol RegistryEntry: CatalogueEntry {
  static func record(_ event: CatalogueEvent<Self>) -> RegistryEvent
  static func event(_ record: RegistryEvent) -> CatalogueEvent<Self>?
}

extension CatalogueDecider: RegistryDecider where Entry: RegistryEntry {
  static var kind: EntityKind { Entry.kind }
  static func record(_ event: CatalogueEvent<Entry>) -> RegistryEvent { Entry.record(event) }
  static func event(_ record: RegistryEvent) -> CatalogueEvent<Entry>? { Entry.event(record) }
}

extension Location: RegistryEntry {
  static func record(_ event: CatalogueEvent<Location>) -> RegistryEvent { .location(event) }
  static func event(_ record: RegistryEvent) -> CatalogueEvent<Location>? { if case .location(let event) = record { event } else { nil } }
}

extension Sensor: RegistryEntry {
  static func record(_ event: CatalogueEvent<Sensor>) -> RegistryEvent { .sensor(event) }
  static func event(_ record: RegistryEvent) -> CatalogueEvent<Sensor>? { if case .sensor(let event) = record { event } else { nil } }
}

extension ObservedProperty: RegistryEntry {
  static func record(_ event: CatalogueEvent<ObservedProperty>) -> RegistryEvent { .observedProperty(event) }
  static func event(_ record: RegistryEvent) -> CatalogueEvent<ObservedProperty>? {
    if case .observedProperty(let event) = record { event } else { nil }
  }
}

extension FeatureOfInterest: RegistryEntry {
  static func record(_ event: CatalogueEvent<FeatureOfInterest>) -> RegistryEvent { .featureOfInterest(event) }
  static func event(_ record: RegistryEvent) -> CatalogueEvent<FeatureOfInterest>? {
    if case .featureOfInterest(let event) = record { event } else { nil }
  }
}
