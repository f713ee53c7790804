public import Broker
public import Postgres

/// A read model: its tables, and how events change them.
///
/// A row is written from one partition only, or by updates that commute (sums as `numeric`). No arrival time and no serial stands in it: a replay must
/// arrive at the same bytes.
public protocol Projection: Sendable {
  /// The subscription's name, for life.
  static var name: String { get }
  /// The tables a replay builds beside and swaps. What is not named here is never touched by a replay.
  var tables: [ProjectionTable] { get }
  /// How many rows an event changes at most, for the size of a batch.
  func rows(for event: ProjectedEvent) -> Int
  /// Throws where the event cannot be read, whatever is stored. Asked of the events of a batch that could not be projected, so that those at fault are known
  /// without projecting the others again and again.
  func check(_ event: ProjectedEvent) throws
  /// Writes what the events change, in their order, in the batch's transaction.
  ///
  /// What is thrown rolls back. A failure that would happen again (everything but trouble of database and network) parks the event at fault.
  /// - Parameter tables: what the tables are called this time; a replay builds beside them.
  func project(_ batch: [ProjectedEvent], on connection: isolated PostgresConnection, tables: TableNames) throws
}

extension Projection {
  public func rows(for event: ProjectedEvent) -> Int { 1 }
  public func check(_ event: ProjectedEvent) throws {}
}

/// A table of a read model, and what orders its rows when it is compared.
public struct ProjectionTable: Sendable, Hashable {
  public let name: String
  public let key: [String]

  public init(name: String, key: [String]) {
    self.name = name
    self.key = key
  }
}

/// What a projection's tables are called: themselves, or those that a replay builds.
public struct TableNames: Sendable, Hashable {
  /// nil for the live tables.
  public let schema: String?

  public init(schema: String? = nil) {
    self.schema = schema
  }

  /// For COPY: `name` or `schema.name`.
  public func name(_ table: String) -> String {
    schema.map { "\($0).\(table)" } ?? table
  }

  /// For a statement: `"insert into \(tables["things"]) ..."`.
  public subscript(table: String) -> SQL {
    "\(identifier: name(table))"
  }
}

/// An event as a projection gets it.
public struct ProjectedEvent: Sendable, Hashable {
  /// Where it stands in the source: the broker's offset, or the Journal's.
  public let position: BrokerPosition
  public let key: String
  public let event: CloudEvent

  public init(position: BrokerPosition, key: String, event: CloudEvent) {
    self.position = position
    self.key = key
    self.event = event
  }

  public init(_ consumed: ConsumedEvent) {
    self.init(position: consumed.position, key: consumed.key, event: consumed.event)
  }
}
