import Foundation
import SensorDomain

/// A decision of the registry as the Journal keeps it: a type's name and JSON.
enum RegistryEvent: Hashable, Sendable {
  case thing(ThingEvent)
  case location(CatalogueEvent<Location>)
  case sensor(CatalogueEvent<Sensor>)
  case observedProperty(CatalogueEvent<ObservedProperty>)
  case featureOfInterest(CatalogueEvent<FeatureOfInterest>)
  case datastream(DatastreamEvent)

  static let prefix = "de.dos2030.sensors."

  /// The type without prefix and version, `thing-registered`, and what is encoded.
  private var content: (name: String, payload: any Encodable) {
    switch self {
    case .thing(.registered(let event)): ("thing-registered", event)
    case .thing(.changed(let event)): ("thing-changed", event)
    case .thing(.relocated(let event)): ("thing-relocated", event)
    case .thing(.historyNoted(let event)): ("historical-location-noted", event)
    case .thing(.historyWithdrawn(let event)): ("historical-location-withdrawn", event)
    case .thing(.retired(let event)): ("thing-retired", event)
    case .thing(.deleted(let event)): ("thing-deleted", event)
    case .location(let event): event.content
    case .sensor(let event): event.content
    case .observedProperty(let event): event.content
    case .featureOfInterest(let event): event.content
    case .datastream(.opened(let event)): ("datastream-opened", event)
    case .datastream(.changed(let event)): ("datastream-changed", event)
    case .datastream(.closed(let event)): ("datastream-closed", event)
    case .datastream(.deleted(let event)): ("datastream-deleted", event)
    }
  }

  /// `de.dos2030.sensors.thing-registered.v1`
  var type: String { Self.prefix + content.name + ".v1" }

  /// JSON with its members in the order of their names, so that equal events are equal bytes.
  func data() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(content.payload))
  }

  /// Reads what the Journal kept; unknown fields are ignored, so that old readers live.
  /// - Returns: nil for a type that is not the registry's.
  init?(type: String, data: [UInt8]) throws {
    guard type.hasPrefix(Self.prefix), type.hasSuffix(".v1") else { return nil }
    let name = type.dropFirst(Self.prefix.count).dropLast(3)
    func read<Payload: Decodable>(_ payload: Payload.Type) throws -> Payload { try JSONDecoder().decode(payload, from: Data(data)) }
    func entry<Entry>(_ kind: Entry.Type) throws -> CatalogueEvent<Entry>? {
      switch name.dropFirst(Entry.kind.rawValue.count) {
      case "-registered": .registered(try read(CatalogueRecord<Entry>.self))
      case "-changed": .changed(try read(CatalogueRecord<Entry>.self))
      case "-withdrawn": .withdrawn(try read(CatalogueWithdrawn.self))
      default: nil
      }
    }
    let event: RegistryEvent?
    switch name {
    case "thing-registered": event = .thing(.registered(try read(ThingRegistered.self)))
    case "thing-changed": event = .thing(.changed(try read(ThingChanged.self)))
    case "thing-relocated": event = .thing(.relocated(try read(ThingRelocated.self)))
    case "thing-retired": event = .thing(.retired(try read(ThingRetired.self)))
    case "thing-deleted": event = .thing(.deleted(try read(ThingDeleted.self)))
    case "historical-location-noted": event = .thing(.historyNoted(try read(HistoricalLocationNoted.self)))
    case "historical-location-withdrawn": event = .thing(.historyWithdrawn(try read(HistoricalLocationWithdrawn.self)))
    case "datastream-opened": event = .datastream(.opened(try read(DatastreamOpened.self)))
    case "datastream-changed": event = .datastream(.changed(try read(DatastreamChanged.self)))
    case "datastream-closed": event = .datastream(.closed(try read(DatastreamClosed.self)))
    case "datastream-deleted": event = .datastream(.deleted(try read(DatastreamDeleted.self)))
    case _ where name.hasPrefix(EntityKind.location.rawValue): event = try entry(Location.self).map(RegistryEvent.location)
    case _ where name.hasPrefix(EntityKind.sensor.rawValue): event = try entry(Sensor.self).map(RegistryEvent.sensor)
    case _ where name.hasPrefix(EntityKind.observedProperty.rawValue): event = try entry(ObservedProperty.self).map(RegistryEvent.observedProperty)
    case _ where name.hasPrefix(EntityKind.featureOfInterest.rawValue): event = try entry(FeatureOfInterest.self).map(RegistryEvent.featureOfInterest)
    default: event = nil
    }
    guard let event else { return nil }
    self = event
  }
}

extension CatalogueEvent {
  fileprivate var content: (name: String, payload: any Encodable) {
    let kind = Entry.kind.rawValue
    switch self {
    case .registered(let record): return ("\(kind)-registered", record)
    case .changed(let record): return ("\(kind)-changed", record)
    case .withdrawn(let withdrawn): return ("\(kind)-withdrawn", withdrawn)
    }
  }
}
