import SensorDomain
import Time

/// What a batch of decisions makes of the registry's rows, computed before anything is written: pure, and the same whether events come one by one or by
/// thousands.
struct RegistryFolding {
  private(set) var things = LifeFolding<Thing>()
  private(set) var datastreams = LifeFolding<Datastream>()
  private(set) var places = PlaceFolding()
  /// Entries of the catalogue as they are after the batch, nil where they are withdrawn.
  private(set) var locations: [Int64: Location?] = [:]
  private(set) var sensors: [Int64: Sensor?] = [:]
  private(set) var observedProperties: [Int64: ObservedProperty?] = [:]
  private(set) var features: [Int64: FeatureOfInterest?] = [:]

  /// - Throws: `BegunTwice`.
  init(_ events: [RegistryEvent]) throws(BegunTwice) {
    for event in events {
      switch event {
      case .thing(let event): try apply(event)
      case .datastream(.opened(let event)): try datastreams.begin(event.id, event.datastream, at: event.time)
      case .datastream(.changed(let event)): datastreams.change(event.id, to: event.datastream)
      case .datastream(.closed(let event)): datastreams.end(event.id, at: event.time)
      case .datastream(.deleted(let event)): datastreams.remove(event.id)
      case .location(.withdrawn(let withdrawn)):
        locations.updateValue(nil, forKey: withdrawn.id)
        places.withdraw(location: withdrawn.id)
      case .location(.registered(let record)), .location(.changed(let record)): locations.updateValue(record.entry, forKey: record.id)
      case .sensor(let event): Self.apply(event, to: &sensors)
      case .observedProperty(let event): Self.apply(event, to: &observedProperties)
      case .featureOfInterest(let event): Self.apply(event, to: &features)
      }
    }
  }

  private mutating func apply(_ event: ThingEvent) throws(BegunTwice) {
    switch event {
    case .registered(let event): try things.begin(event.id, event.thing, at: event.time)
    case .changed(let event): things.change(event.id, to: event.thing)
    case .relocated(let event): places.move(thing: event.id, event.relocation)
    case .historyNoted(let event): places.note(event.relocation, of: event.thing)
    case .historyWithdrawn(let event): places.withdraw(history: event.historicalLocation)
    case .retired(let event): things.end(event.id, at: event.time)
    case .deleted(let event):
      things.remove(event.id)
      places.remove(thing: event.id)
    }
  }

  private static func apply<Entry>(_ event: CatalogueEvent<Entry>, to entries: inout [Int64: Entry?]) {
    switch event {
    case .registered(let record), .changed(let record): entries.updateValue(record.entry, forKey: record.id)
    case .withdrawn(let withdrawn): entries.updateValue(nil, forKey: withdrawn.id)
    }
  }
}

/// Two events of one batch begin the same thing or datastream; the second is at fault.
struct BegunTwice: Error, Hashable, CustomStringConvertible {
  let id: Int64
  var description: String { "\(id) has begun already; each thing and datastream begins once" }
}

/// Rows that begin, change, end and go: things and datastreams.
struct LifeFolding<Content: Hashable & Sendable> {
  struct Row: Hashable, Sendable {
    var content: Content
    let began: Instant
    var ended: Instant?
  }

  /// Whole rows that are new.
  private(set) var begun: [Int64: Row] = [:]
  /// What becomes of rows from before the batch.
  private(set) var changed: [Int64: Content] = [:]
  private(set) var ended: [Int64: Instant] = [:]
  private(set) var gone: Set<Int64> = []

  mutating func begin(_ id: Int64, _ content: Content, at time: Instant) throws(BegunTwice) {
    guard begun.updateValue(Row(content: content, began: time), forKey: id) == nil else { throw BegunTwice(id: id) }
  }

  mutating func change(_ id: Int64, to content: Content) {
    if (begun[id]?.content = content) == nil, !gone.contains(id) { changed[id] = content }
  }

  mutating func end(_ id: Int64, at time: Instant) {
    if (begun[id]?.ended = time) == nil, !gone.contains(id) { ended[id] = time }
  }

  mutating func remove(_ id: Int64) {
    if begun.removeValue(forKey: id) != nil { return }
    changed[id] = nil
    ended[id] = nil
    gone.insert(id)
  }
}

/// Where things stand and stood. A location that is withdrawn and a thing that is deleted take rows with them that other events of the batch may just have
/// made: each remembers when it happened, and what is older goes.
struct PlaceFolding {
  struct Standing: Hashable, Sendable {
    let thing: Int64
    let location: Int64
  }
  struct History: Hashable, Sendable {
    let id: Int64
    let thing: Int64
    let time: Instant
    let locations: [Int64]
  }

  /// Things whose places are written anew, and histories that are.
  private var moved: [Int64: (locations: [Int64], step: Int)] = [:]
  private var noted: [Int64: (history: History, step: Int)] = [:]
  private var removedThings: [Int64: Int] = [:]
  private var withdrawnLocations: [Int64: Int] = [:]
  private var withdrawnHistories: Set<Int64> = []
  private var step = 0

  mutating func move(thing: Int64, _ relocation: Relocation) {
    note(relocation, of: thing)
    moved[thing] = (relocation.locations, step)
  }

  mutating func note(_ relocation: Relocation, of thing: Int64) {
    step += 1
    let id = relocation.historicalLocation
    // What is noted anew stays with its thing.
    let thing = noted[id]?.history.thing ?? thing
    noted[id] = (History(id: id, thing: thing, time: relocation.time, locations: relocation.locations), step)
  }

  mutating func withdraw(history: Int64) {
    noted[history] = nil
    withdrawnHistories.insert(history)
  }

  mutating func withdraw(location: Int64) {
    step += 1
    withdrawnLocations[location] = step
  }

  mutating func remove(thing: Int64) {
    step += 1
    moved[thing] = nil
    removedThings[thing] = step
  }

  /// Of these nothing stays that was there before the batch.
  var things: [Int64] { Array(moved.keys) + removed }
  var removed: [Int64] { Array(removedThings.keys) }
  var locations: [Int64] { Array(withdrawnLocations.keys) }
  /// Histories whose places are written anew or gone.
  var histories: [Int64] { Array(noted.keys) + withdrawnHistories }
  /// Histories that are gone.
  var withdrawn: [Int64] { Array(withdrawnHistories) + noted.keys.filter { standing(of: $0) == nil } }

  /// The rows that hold after the batch.
  var standing: [Standing] {
    moved.sorted { $0.key < $1.key }.flatMap { thing, place in left(place.locations, place.step).map { Standing(thing: thing, location: $0) } }
  }

  var noting: [History] { noted.keys.sorted().compactMap(standing(of:)) }

  private func left(_ locations: [Int64], _ step: Int) -> [Int64] {
    withdrawnLocations.isEmpty ? locations : locations.filter { withdrawnLocations[$0] ?? 0 < step }
  }

  /// A place in the past that is no place any more says nothing.
  private func standing(of id: Int64) -> History? {
    guard let (history, step) = noted[id], removedThings[history.thing] ?? 0 < step else { return nil }
    let locations = left(history.locations, step)
    if locations.isEmpty, !history.locations.isEmpty { return nil }
    return History(id: id, thing: history.thing, time: history.time, locations: locations)
  }
}
