public import Deciding

/// What is described once and referred to by things and datastreams: locations, sensors, observed properties, features of interest.
/// They share one life: registered, changed, withdrawn.
public protocol CatalogueEntry: Hashable, Sendable, Codable {
  static var kind: EntityKind { get }
  var name: String { get }
  var description: String { get }
  var properties: FreeValue? { get }
  /// Refuses an entry with impossible fields, naming all of them.
  func check() throws(RegistryRefusal)
  func with(_ change: CatalogueChange) -> Self
}

/// What may be changed about an entry; nil leaves as it is, and a field that the kind does not have is ignored.
public struct CatalogueChange: Hashable, Sendable {
  public var name: String?
  public var description: String?
  public var properties: FreeValue?
  /// Of an observed property.
  public var definition: String?
  /// Of a location, a sensor or a feature of interest: what `content` is written in.
  public var encodingType: String?
  /// A location's `location`, a sensor's `metadata`, a feature of interest's `feature`.
  public var content: FreeValue?

  public init(
    name: String? = nil, description: String? = nil, properties: FreeValue? = nil, definition: String? = nil, encodingType: String? = nil,
    content: FreeValue? = nil
  ) {
    self.name = name
    self.description = description
    self.properties = properties
    self.definition = definition
    self.encodingType = encodingType
    self.content = content
  }
}

public enum CatalogueCommand<Entry: CatalogueEntry>: Hashable, Sendable {
  case register(id: Int64, Entry)
  case change(id: Int64, CatalogueChange)
  case withdraw(id: Int64)
}

public enum CatalogueEvent<Entry: CatalogueEntry>: Hashable, Sendable {
  case registered(CatalogueRecord<Entry>)
  case changed(CatalogueRecord<Entry>)
  case withdrawn(CatalogueWithdrawn)
}

/// The whole entry as it is from now on, so that a reader needs no earlier event.
public struct CatalogueRecord<Entry: CatalogueEntry>: Hashable, Sendable, Codable {
  public let id: Int64
  public let entry: Entry

  public init(id: Int64, entry: Entry) {
    self.id = id
    self.entry = entry
  }
}

public struct CatalogueWithdrawn: Hashable, Sendable, Codable {
  public let id: Int64

  public init(id: Int64) { self.id = id }
}

public enum CatalogueState<Entry: CatalogueEntry>: Hashable, Sendable {
  case unknown
  case listed(Entry)
  case withdrawn
}

/// Registers, changes and withdraws one entry of the catalogue.
public enum CatalogueDecider<Entry: CatalogueEntry>: Decider {
  public static var initial: CatalogueState<Entry> { .unknown }

  public static func decide(_ command: CatalogueCommand<Entry>, _ state: CatalogueState<Entry>) throws(RegistryRefusal) -> [CatalogueEvent<Entry>] {
    switch (command, state) {
    case (.register(let id, let entry), .unknown):
      try entry.check()
      return [.registered(CatalogueRecord(id: id, entry: entry))]
    case (.register(let id, _), .listed):
      throw .taken(Entry.kind, id: id)
    case (.change(let id, let change), .listed(let entry)):
      let changed = entry.with(change)
      try changed.check()
      return changed == entry ? [] : [.changed(CatalogueRecord(id: id, entry: changed))]
    case (.withdraw(let id), .listed):
      return [.withdrawn(CatalogueWithdrawn(id: id))]
    case (.change(let id, _), .unknown), (.withdraw(let id), .unknown):
      throw .unknown(Entry.kind, id: id)
    case (.register(let id, _), .withdrawn), (.change(let id, _), .withdrawn), (.withdraw(let id), .withdrawn):
      throw .ended(Entry.kind, id: id)
    }
  }

  public static func evolve(_ state: CatalogueState<Entry>, _ event: CatalogueEvent<Entry>) -> CatalogueState<Entry> {
    switch event {
    case .registered(let record), .changed(let record): .listed(record.entry)
    case .withdrawn: .withdrawn
    }
  }
}
