import EventSourcing
import Foundation
import JSON
import Postgres
import SensorDomain
import TestSupport
import Testing
import Time

@testable import SensorIngest

@Suite("The registry's read models", .timeLimit(.minutes(5)))
struct RegistryProjectionTests {
  @Test("come to the same rows in batches of any size")
  func batches() async throws {
    try await withTestDatabase(migrate: RegistryHarness.schema()) { pool in
      var filled: Set<Int> = []
      for seed in UInt64(1)...4 {
        var history = InventedRegistry(seed: seed)
        let events = (0..<250).map { _ in history.next() }
        let one = try await rows(after: events, by: 1, in: pool)
        filled.formUnion(one.indices.filter { !one[$0].isEmpty })
        for size in [2, 7, 60, 250] { #expect(try await rows(after: events, by: size, in: pool) == one, "seed \(seed), batches of \(size)") }
      }
      #expect(filled.count == RegistryTables.keys.count)
    }
  }

  private func rows(after events: [RegistryEvent], by size: Int, in pool: PostgresPool) async throws -> [[String]] {
    let tables = RegistryProjection().tables
    for table in tables { try await pool.execute("truncate \(identifier: table.name)") }
    for start in stride(from: 0, to: events.count, by: size) {
      let batch = try RegistryFolding(Array(events[start..<min(start + size, events.count)]))
      try await pool.transaction { connection throws in try RegistryTables(tables: TableNames()).write(batch, on: connection) }
    }
    var rows: [[String]] = []
    for table in tables { rows.append(try await text(of: table, in: pool)) }
    return rows
  }

  @Test("park what cannot be taken in, alone, and the rest of its batch stands")
  func poison() async throws {
    try await RegistryHarness.run { city in
      func write(_ stream: String, _ event: RegistryEvent, data: [UInt8]? = nil) async throws {
        let new = NewEvent(type: event.type, data: try data ?? event.data())
        try await city.journal.append(
          [StreamWrite(stream: stream, expected: .any, events: [new])], context: EventContext(time: Instant(milliseconds: 0)))
      }
      var history = InventedRegistry(seed: 1)
      let first = history.register(thing: 1)
      try await write("a", first)
      try await write("twice", first)
      try await write("broken", first, data: Array(#"{"id":3}"#.utf8))
      try await write("b", history.register(thing: 2))
      try await Replay(RegistryProjection(), source: JournalSource(city.journal), pool: city.pool).run()
      let things = try await city.pool.query("select id from things order by id").map { try $0.decode(Int64.self) }
      #expect(things == [1, 2])
      let letters = try await DeadLetters(pool: city.pool, subscription: RegistryProjection.name, topic: city.journal.topic.name).list()
      #expect(letters.map(\.event.event.subject) == ["twice", "broken"])
    }
  }

  @Test("refuse what begins twice in one batch, and let what went begin anew")
  func twice() throws {
    var history = InventedRegistry(seed: 1)
    let registered = history.register(thing: 1)
    let deleted = RegistryEvent.thing(.deleted(ThingDeleted(id: 1, time: Instant(milliseconds: 0))))
    #expect(throws: BegunTwice(id: 1)) { try RegistryFolding([registered, registered]) }
    #expect(try RegistryFolding([registered, deleted, registered]).things.begun.keys.sorted() == [1])
    #expect(try RegistryFolding([deleted, registered]).things.gone == [1])
  }

  @Test("read each event as it was written")
  func reading() throws {
    var read = 0
    for written in try SchemaExamples.all() {
      guard let event = try RegistryEvent(type: written.type, data: written.data) else { continue }
      #expect(try event.data() == written.data, "\(written.type)")
      #expect(event.type == written.type)
      read += 1
    }
    #expect(read >= 23)
  }

  @Test("say what is wrong with an event that cannot be read")
  func unreadable() throws {
    let type = "de.dos2030.sensors.thing-retired.v1"
    #expect(throws: JSONRejection(path: "time", problem: "the field is missing", expected: "a moment as 2030-06-15T12:00:00.000Z")) {
      try RegistryEvent(type: type, data: Array(#"{"id":3}"#.utf8))
    }
    #expect(throws: JSONRejection(path: "id", problem: "is a string", expected: "a whole number")) {
      try RegistryEvent(type: type, data: Array(#"{"id":"3","time":"2030-06-15T12:00:00.000Z"}"#.utf8))
    }
  }

  @Test("have the JSON that the values are encoded as")
  func columns() throws {
    func encoded(_ value: some Encodable & JSONColumn) throws {
      #expect(try JSONValue(parsing: value.column.bytes) == JSONValue(parsing: Array(JSONEncoder().encode(value))))
    }
    for retention in [Retention.forever, .days(30)] {
      try encoded(SensorDomain.Governance(owner: "A\"mt", purpose: "", legalBasis: "§ 3", retention: retention))
      try encoded(SensorDomain.Governance(owner: "Amt", purpose: "Pegel", legalBasis: "§ 3\n", retention: retention, successor: "Stadt"))
    }
    for reporting in [Reporting.periodic(interval: 60), .onChange, .onChangeWithHeartbeat(3_600)] { try encoded(reporting) }
    let numbers: [FreeValue] = [.int(.max), .int(-1), .number(0.1), .number(-2.5e-30), .number(1e22), .number(7), .number(1.7976931348623157e308)]
    try encoded(FreeValue.object(["a": .array(numbers + [.null, .bool(true), .string("ä\u{1}\\")]), "": .object([:])]))
  }
}

/// Decisions of a small registry in which much happens to few: always ones that its deciders would have made.
private struct InventedRegistry {
  private var random: SeededRandom
  private var things: Set<Int64> = []
  private var retired: Set<Int64> = []
  private var locations: Set<Int64> = []
  private var datastreams: Set<Int64> = []
  private var closed: Set<Int64> = []
  private var catalogue: Set<Int64> = []
  private var histories: [Int64: Int64] = [:]
  private var last: Int64 = 0

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  mutating func next() -> RegistryEvent {
    while true {
      if let event = attempt() { return event }
    }
  }

  private var time: Instant { Instant(milliseconds: 1_900_000_000_000 + last) }

  private mutating func fresh() -> Int64 {
    last += 1
    return last
  }

  mutating func register(thing id: Int64) -> RegistryEvent {
    things.insert(id)
    return .thing(.registered(ThingRegistered(id: id, thing: thing(), time: time)))
  }

  private mutating func attempt() -> RegistryEvent? {
    let kind = Int.random(in: 0..<25, using: &random)
    switch kind {
    case 0, 1: return register(thing: fresh())
    case 2: return pick(things.subtracting(retired)).map { .thing(.changed(ThingChanged(id: $0, thing: thing()))) }
    case 3...6: return pick(things.subtracting(retired)).flatMap { id in relocation(nil).map { .thing(.relocated(ThingRelocated(id: id, relocation: $0))) } }
    case 7, 8:
      guard let id = pick(things.subtracting(retired)) else { return nil }
      let known = histories.filter { $0.value == id }.keys.sorted().randomElement(using: &random)
      guard let noted = relocation(known) else { return nil }
      histories[noted.historicalLocation] = id
      return .thing(.historyNoted(HistoricalLocationNoted(thing: id, relocation: noted)))
    case 9:
      guard let id = histories.keys.sorted().randomElement(using: &random), let thing = histories.removeValue(forKey: id) else { return nil }
      return .thing(.historyWithdrawn(HistoricalLocationWithdrawn(thing: thing, historicalLocation: id)))
    case 10: return pick(things.subtracting(retired)).map { retire($0) }
    case 11:
      guard let id = pick(retired) else { return nil }
      retired.remove(id)
      things.remove(id)
      histories = histories.filter { $0.value != id }
      return .thing(.deleted(ThingDeleted(id: id, time: time)))
    case 12...14:
      let id = fresh()
      locations.insert(id)
      return .location(.registered(CatalogueRecord(id: id, entry: location())))
    case 15: return pick(locations).map { .location(.changed(CatalogueRecord(id: $0, entry: location()))) }
    case 16:
      guard let id = pick(locations) else { return nil }
      locations.remove(id)
      return .location(.withdrawn(CatalogueWithdrawn(id: id)))
    case 17, 18:
      let id = fresh()
      datastreams.insert(id)
      return .datastream(.opened(DatastreamOpened(id: id, datastream: datastream(), time: time)))
    case 19: return pick(datastreams.subtracting(closed)).map { .datastream(.changed(DatastreamChanged(id: $0, datastream: datastream()))) }
    case 20:
      guard let id = pick(datastreams.subtracting(closed)) else { return nil }
      closed.insert(id)
      return .datastream(.closed(DatastreamClosed(id: id, time: time)))
    case 21:
      guard let id = pick(closed) else { return nil }
      closed.remove(id)
      datastreams.remove(id)
      return .datastream(.deleted(DatastreamDeleted(id: id, time: time)))
    case 22:
      guard let id = pick(catalogue) else { return nil }
      catalogue.remove(id)
      return [
        RegistryEvent.sensor(.withdrawn(CatalogueWithdrawn(id: id))), .observedProperty(.withdrawn(CatalogueWithdrawn(id: id))),
        .featureOfInterest(.withdrawn(CatalogueWithdrawn(id: id))),
      ][Int(id % 3)]
    default:
      let known = Bool.random(using: &random) ? pick(catalogue) : nil
      let id = known ?? fresh()
      catalogue.insert(id)
      let name = text()
      switch id % 3 {
      case 0: return .sensor(.registered(CatalogueRecord(id: id, entry: Sensor(name: name, description: "", encodingType: "x", metadata: .string(name)))))
      case 1:
        return .observedProperty(.registered(CatalogueRecord(id: id, entry: ObservedProperty(name: name, definition: "d", description: "", properties: free))))
      default:
        return .featureOfInterest(
          .changed(CatalogueRecord(id: id, entry: FeatureOfInterest(name: name, description: "", encodingType: "x", feature: free, properties: free))))
      }
    }
  }

  private mutating func retire(_ id: Int64) -> RegistryEvent {
    retired.insert(id)
    return .thing(.retired(ThingRetired(id: id, time: time)))
  }

  private mutating func pick(_ ids: Set<Int64>) -> Int64? { ids.sorted().randomElement(using: &random) }

  private mutating func text() -> String { "n\(fresh())" }

  private var free: FreeValue { .object(["a": .number(Double(last) / 3), "b": .array([.null, .bool(last % 2 == 0)])]) }

  private mutating func relocation(_ known: Int64?) -> Relocation? {
    let places = locations.sorted().shuffled(using: &random).prefix(Int.random(in: 1...3, using: &random))
    return places.isEmpty ? nil : Relocation(locations: Array(places), historicalLocation: known ?? fresh(), time: time)
  }

  private mutating func governance() -> SensorDomain.Governance {
    SensorDomain.Governance(owner: text(), purpose: "p", legalBasis: "l", retention: last % 2 == 0 ? .forever : .days(Int(last)), successor: nil)
  }

  private mutating func thing() -> Thing {
    Thing(name: text(), description: text(), properties: last % 2 == 0 ? free : nil, city: City(rawValue: "dortmund"), governance: governance())
  }

  private mutating func location() -> Location {
    Location(
      name: text(), description: "", encodingType: "x", location: free, properties: last % 2 == 0 ? free : nil, featureOfInterest: last % 3 == 0 ? last : nil)
  }

  private mutating func datastream() -> Datastream {
    Datastream(
      name: text(), description: "", unitOfMeasurement: UnitOfMeasurement(name: text()), observationType: .measurement, thing: 1, sensor: 2,
      observedProperty: 3,
      plausibleRange: last % 2 == 0 ? PlausibleRange(min: nil, max: Double(last)) : nil, visibility: .public, reporting: .periodic(interval: Int(last)),
      city: City(rawValue: "dortmund"), governance: governance(), properties: last % 3 == 0 ? free : nil)
  }
}
