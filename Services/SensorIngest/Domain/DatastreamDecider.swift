public import Deciding
public import Time

/// What may be changed about a datastream; nil leaves as it is. Visibility and observation type are named here so that a refusal can say why not.
public struct DatastreamChange: Hashable, Sendable {
  public var name: String?
  public var description: String?
  public var unitOfMeasurement: UnitOfMeasurement?
  public var observationType: ObservationType?
  public var plausibleRange: PlausibleRange?
  public var visibility: DatastreamVisibility?
  public var reporting: Reporting?
  public var governance: Governance?
  public var properties: FreeValue?

  public init(
    name: String? = nil, description: String? = nil, unitOfMeasurement: UnitOfMeasurement? = nil, observationType: ObservationType? = nil,
    plausibleRange: PlausibleRange? = nil, visibility: DatastreamVisibility? = nil, reporting: Reporting? = nil, governance: Governance? = nil,
    properties: FreeValue? = nil
  ) {
    self.name = name
    self.description = description
    self.unitOfMeasurement = unitOfMeasurement
    self.observationType = observationType
    self.plausibleRange = plausibleRange
    self.visibility = visibility
    self.reporting = reporting
    self.governance = governance
    self.properties = properties
  }
}

public enum DatastreamCommand: Hashable, Sendable {
  case open(id: Int64, Datastream, time: Instant)
  case change(id: Int64, DatastreamChange)
  /// Its end: it takes no more readings, and those it has stay readable.
  case close(id: Int64, time: Instant)
  /// Its end, and nobody sees it and its readings any more (SensorThings 1.1, section 10.4).
  case delete(id: Int64, time: Instant)
}

public enum DatastreamEvent: Hashable, Sendable {
  case opened(DatastreamOpened)
  case changed(DatastreamChanged)
  case closed(DatastreamClosed)
  case deleted(DatastreamDeleted)
}

public struct DatastreamOpened: Hashable, Sendable, Codable {
  public let id: Int64
  public let datastream: Datastream
  public let time: Instant

  public init(id: Int64, datastream: Datastream, time: Instant) {
    self.id = id
    self.datastream = datastream
    self.time = time
  }
}

/// The whole datastream as it is after the change, so that a reader needs no earlier event.
public struct DatastreamChanged: Hashable, Sendable, Codable {
  public let id: Int64
  public let datastream: Datastream

  public init(id: Int64, datastream: Datastream) {
    self.id = id
    self.datastream = datastream
  }
}

public struct DatastreamClosed: Hashable, Sendable, Codable {
  public let id: Int64
  public let time: Instant

  public init(id: Int64, time: Instant) {
    self.id = id
    self.time = time
  }
}

/// A datastream is closed before it is deleted, so that who knows no deletion sees its end.
public struct DatastreamDeleted: Hashable, Sendable, Codable {
  public let id: Int64
  public let time: Instant

  public init(id: Int64, time: Instant) {
    self.id = id
    self.time = time
  }
}

public enum DatastreamState: Hashable, Sendable {
  case unknown
  case open(Datastream)
  case closed(Datastream)
  case deleted
}

/// Opens, changes, closes and deletes a datastream.
public enum DatastreamDecider: Decider {
  public static var initial: DatastreamState { .unknown }

  public static func decide(_ command: DatastreamCommand, _ state: DatastreamState) throws(RegistryRefusal) -> [DatastreamEvent] {
    switch (command, state) {
    case (.open(let id, let datastream, let time), .unknown):
      try datastream.check()
      return [.opened(DatastreamOpened(id: id, datastream: datastream, time: time))]
    case (.open(let id, _, _), .open):
      throw .taken(.datastream, id: id)
    case (.change(let id, let change), .open(let datastream)):
      let changed = try datastream.with(change, id: id)
      try changed.check()
      return changed == datastream ? [] : [.changed(DatastreamChanged(id: id, datastream: changed))]
    case (.close(let id, let time), .open):
      return [.closed(DatastreamClosed(id: id, time: time))]
    case (.delete(let id, let time), .open):
      return [.closed(DatastreamClosed(id: id, time: time)), .deleted(DatastreamDeleted(id: id, time: time))]
    case (.delete(let id, let time), .closed):
      return [.deleted(DatastreamDeleted(id: id, time: time))]
    case (.change(let id, _), .unknown), (.close(let id, _), .unknown), (.delete(let id, _), .unknown),
      (.change(let id, _), .deleted), (.close(let id, _), .deleted), (.delete(let id, _), .deleted):
      throw .unknown(.datastream, id: id)
    case (.open(let id, _, _), .closed), (.change(let id, _), .closed), (.close(let id, _), .closed), (.open(let id, _, _), .deleted):
      throw .ended(.datastream, id: id)
    }
  }

  public static func evolve(_ state: DatastreamState, _ event: DatastreamEvent) -> DatastreamState {
    switch (event, state) {
    case (.opened(let opened), _): .open(opened.datastream)
    case (.changed(let changed), _): .open(changed.datastream)
    case (.closed, .open(let datastream)), (.closed, .closed(let datastream)): .closed(datastream)
    case (.deleted, _): .deleted
    case (.closed, .unknown), (.closed, .deleted): state
    }
  }
}

extension Datastream {
  fileprivate func with(_ change: DatastreamChange, id: Int64) throws(RegistryRefusal) -> Datastream {
    if let asked = change.visibility, asked != visibility {
      throw .visibilityIsForLife(datastream: id, visibility: visibility, asked: asked)
    }
    if let asked = change.observationType, asked != observationType {
      throw .observationTypeIsForLife(datastream: id, observationType: observationType, asked: asked)
    }
    var changed = self
    changed.name = change.name ?? name
    changed.description = change.description ?? description
    changed.unitOfMeasurement = change.unitOfMeasurement ?? unitOfMeasurement
    changed.plausibleRange = change.plausibleRange ?? plausibleRange
    changed.reporting = change.reporting ?? reporting
    changed.governance = change.governance ?? governance
    changed.properties = change.properties ?? properties
    return changed
  }
}
