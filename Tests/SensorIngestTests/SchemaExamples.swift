import EventSourcing
import SensorDomain
import Time

@testable import SensorIngest

/// One event of each type that this service writes, by the type's name, as the code writes it.
///
/// The switches are exhaustive and lead from each kind of event to the next: an event added to the code does not compile here until it has its example.
enum SchemaExamples {
  struct Written: Sendable {
    let type: String
    let data: [UInt8]
  }

  static func all() throws -> [Written] {
    var written: [Written] = []
    for event in sequence(first: RegistryEvent.thing(.registered(ThingRegistered(id: 17, thing: thing, time: time))), next: following) {
      written.append(Written(type: event.type, data: try event.data()))
    }
    for fact in sequence(first: ObservationFact.recorded(recorded), next: following) { written.append(Written(type: type(of: fact), data: fact.data)) }
    return written
  }

  private static func following(_ event: RegistryEvent) -> RegistryEvent? {
    switch event {
    case .thing(.registered): .thing(.changed(ThingChanged(id: 17, thing: bareThing)))
    case .thing(.changed): .thing(.relocated(ThingRelocated(id: 17, relocation: Relocation(locations: [4, 5], historicalLocation: 9, time: time))))
    case .thing(.relocated):
      .thing(.historyNoted(HistoricalLocationNoted(thing: 17, relocation: Relocation(locations: [4], historicalLocation: 10, time: time))))
    case .thing(.historyNoted): .thing(.historyWithdrawn(HistoricalLocationWithdrawn(thing: 17, historicalLocation: 10)))
    case .thing(.historyWithdrawn): .thing(.retired(ThingRetired(id: 17, time: time)))
    case .thing(.retired): .thing(.deleted(ThingDeleted(id: 17, time: time)))
    case .thing(.deleted): .location(.registered(CatalogueRecord(id: 4, entry: location)))
    case .location(let event): following(event).map(RegistryEvent.location) ?? .sensor(.registered(CatalogueRecord(id: 5, entry: sensor)))
    case .sensor(let event): following(event).map(RegistryEvent.sensor) ?? .observedProperty(.registered(CatalogueRecord(id: 6, entry: property)))
    case .observedProperty(let event):
      following(event).map(RegistryEvent.observedProperty) ?? .featureOfInterest(.registered(CatalogueRecord(id: 7, entry: feature)))
    case .featureOfInterest(let event):
      following(event).map(RegistryEvent.featureOfInterest) ?? .datastream(.opened(DatastreamOpened(id: 8, datastream: datastream, time: time)))
    case .datastream(.opened): .datastream(.changed(DatastreamChanged(id: 8, datastream: bareDatastream)))
    case .datastream(.changed): .datastream(.closed(DatastreamClosed(id: 8, time: time)))
    case .datastream(.closed): .datastream(.deleted(DatastreamDeleted(id: 8, time: time)))
    case .datastream(.deleted): nil
    }
  }

  private static func following<Entry>(_ event: CatalogueEvent<Entry>) -> CatalogueEvent<Entry>? {
    switch event {
    case .registered(let record): .changed(CatalogueRecord(id: record.id, entry: record.entry.with(CatalogueChange(name: "Anders"))))
    case .changed(let record): .withdrawn(CatalogueWithdrawn(id: record.id))
    case .withdrawn: nil
    }
  }

  private static func following(_ fact: ObservationFact) -> ObservationFact? {
    switch fact {
    case .recorded: .withdrawn(ObservationWithdrawn(datastream: 8, phenomenonTime: time))
    case .withdrawn: nil
    }
  }

  private static func type(of fact: ObservationFact) -> String {
    switch fact {
    case .recorded: ObservationsRecorded.type
    case .withdrawn: ObservationWithdrawn.type
    }
  }

  private static let time = Instant(milliseconds: 1_907_755_200_123)
  private static let city = City(rawValue: "schwerte")
  private static let free = FreeValue.object(["a": .array([.int(1), .null]), "b": .number(0.5)])
  private static let governance = Governance(owner: "Amt", purpose: "Pegel", legalBasis: "§ 3", retention: .days(30), successor: "Stadt")
  private static let bareGovernance = Governance(owner: "Amt", purpose: "Pegel", legalBasis: "§ 3", retention: .forever)
  private static let thing = Thing(name: "Pegel", description: "", properties: free, city: city, governance: governance)
  private static let bareThing = Thing(name: "Pegel", description: "", city: city, governance: bareGovernance)
  private static let point = FreeValue.object(["type": .string("Point"), "coordinates": .array([.number(7.5), .int(51)])])
  private static let location = Location(
    name: "Ufer", description: "", encodingType: "application/geo+json", location: point, properties: free, featureOfInterest: 7)
  private static let sensor = Sensor(name: "R20", description: "", encodingType: "application/pdf", metadata: .string("https://example.org"), properties: free)
  private static let property = ObservedProperty(name: "Stand", definition: "https://example.org/stand", description: "", properties: free)
  private static let feature = FeatureOfInterest(name: "Fluss", description: "", encodingType: "application/geo+json", feature: point, properties: free)
  private static let datastream = Datastream(
    name: "Stand", description: "", unitOfMeasurement: UnitOfMeasurement(name: "Zentimeter", symbol: "cm", definition: "ucum:cm"),
    observationType: .measurement,
    thing: 17, sensor: 5, observedProperty: 6, plausibleRange: PlausibleRange(min: 0, max: nil), visibility: .restricted, reporting: .onChangeWithHeartbeat(60),
    city: city, governance: governance, properties: free)
  private static let bareDatastream = Datastream(
    name: "Stand", description: "", unitOfMeasurement: UnitOfMeasurement(), observationType: .any, thing: 17, sensor: 5, observedProperty: 6,
    visibility: .public, reporting: .onChange, city: city, governance: bareGovernance)
  private static let recorded = ObservationsRecorded(
    datastream: 8, feature: 7,
    readings: [
      reading(1, .number(182.5)), reading(2, .number(4_000)), reading(3, .truth(true)), reading(4, .text("steigend")), reading(5, .json(Array("[1]".utf8))),
      RecordedReading(
        id: 6,
        observation: Observation(
          phenomenonTime: time, phenomenonEnd: time, result: .number(-1), resultTime: time, validTime: "2030-06-15T12:00:00Z/2030-06-15T13:00:00Z",
          resultQuality: Array(#""gut""#.utf8), parameters: Array(#"{"a":1}"#.utf8), feature: 12),
        verdict: .implausible, revises: true),
    ])

  private static func reading(_ id: Int64, _ result: ObservedResult) -> RecordedReading {
    RecordedReading(id: id, observation: Observation(phenomenonTime: time, result: result), verdict: .plausible)
  }
}
