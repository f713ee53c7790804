import Foundation
import JSON
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
  init?(type: String, data: [UInt8]) throws(JSONRejection) {
    guard type.hasPrefix(Self.prefix), type.hasSuffix(".v1") else { return nil }
    let name = Substring(type.utf8.dropFirst(Self.prefix.utf8.count).dropLast(3))
    func members() throws(JSONRejection) -> EventMembers { try EventMembers(JSONValue(parsing: data)) }
    func entry<Entry: CatalogueEntry>(
      _ read: (EventMembers) -> () throws(JSONRejection) -> Entry
    ) throws(JSONRejection) -> CatalogueEvent<Entry>? {
      switch name.dropFirst(Entry.kind.rawValue.count) {
      case "-registered": return .registered(try members().record(read))
      case "-changed": return .changed(try members().record(read))
      case "-withdrawn": return .withdrawn(CatalogueWithdrawn(id: try members().int("id")))
      default: return nil
      }
    }
    let event: RegistryEvent?
    switch name {
    case "thing-registered": event = .thing(.registered(try members().registered()))
    case "thing-changed": event = .thing(.changed(try members().changed()))
    case "thing-relocated": event = .thing(.relocated(try members().relocated()))
    case "thing-retired": event = .thing(.retired(try members().retired()))
    case "thing-deleted": event = .thing(.deleted(try members().deleted()))
    case "historical-location-noted": event = .thing(.historyNoted(try members().noted()))
    case "historical-location-withdrawn": event = .thing(.historyWithdrawn(try members().historyWithdrawn()))
    case "datastream-opened": event = .datastream(.opened(try members().opened()))
    case "datastream-changed": event = .datastream(.changed(try members().changed()))
    case "datastream-closed": event = .datastream(.closed(try members().closed()))
    case "datastream-deleted": event = .datastream(.deleted(try members().deleted()))
    case _ where name.hasPrefix(EntityKind.location.rawValue): event = try entry(EventMembers.location).map(RegistryEvent.location)
    case _ where name.hasPrefix(EntityKind.sensor.rawValue): event = try entry(EventMembers.sensor).map(RegistryEvent.sensor)
    case _ where name.hasPrefix(EntityKind.observedProperty.rawValue):
      event = try entry(EventMembers.observedProperty).map(RegistryEvent.observedProperty)
    case _ where name.hasPrefix(EntityKind.featureOfInterest.rawValue):
      event = try entry(EventMembers.featureOfInterest).map(RegistryEvent.featureOfInterest)
    default: event = nil
    }
    guard let event else { return nil }
    self = event
  }
}

extension EventMembers {
  fileprivate func record<Entry>(_ read: (EventMembers) -> () throws(JSONRejection) -> Entry) throws(JSONRejection) -> CatalogueRecord<Entry> {
    CatalogueRecord(id: try int("id"), entry: try read(object("entry"))())
  }

  fileprivate func registered() throws(JSONRejection) -> ThingRegistered {
    ThingRegistered(id: try int("id"), thing: try object("thing").thing(), time: try instant("time"))
  }
  fileprivate func changed() throws(JSONRejection) -> ThingChanged { ThingChanged(id: try int("id"), thing: try object("thing").thing()) }
  fileprivate func relocated() throws(JSONRejection) -> ThingRelocated {
    ThingRelocated(id: try int("id"), relocation: try object("relocation").relocation())
  }
  fileprivate func retired() throws(JSONRejection) -> ThingRetired { ThingRetired(id: try int("id"), time: try instant("time")) }
  fileprivate func deleted() throws(JSONRejection) -> ThingDeleted { ThingDeleted(id: try int("id"), time: try instant("time")) }
  fileprivate func noted() throws(JSONRejection) -> HistoricalLocationNoted {
    HistoricalLocationNoted(thing: try int("thing"), relocation: try object("relocation").relocation())
  }
  fileprivate func historyWithdrawn() throws(JSONRejection) -> HistoricalLocationWithdrawn {
    HistoricalLocationWithdrawn(thing: try int("thing"), historicalLocation: try int("historicalLocation"))
  }

  fileprivate func opened() throws(JSONRejection) -> DatastreamOpened {
    DatastreamOpened(id: try int("id"), datastream: try object("datastream").datastream(), time: try instant("time"))
  }
  fileprivate func changed() throws(JSONRejection) -> DatastreamChanged {
    DatastreamChanged(id: try int("id"), datastream: try object("datastream").datastream())
  }
  fileprivate func closed() throws(JSONRejection) -> DatastreamClosed { DatastreamClosed(id: try int("id"), time: try instant("time")) }
  fileprivate func deleted() throws(JSONRejection) -> DatastreamDeleted { DatastreamDeleted(id: try int("id"), time: try instant("time")) }
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
