import EventSourcing
import Foundation
import JSON
import Postgres
import WarningDomain

/// The read models of everything this service decides, and what is due.
struct WarningProjection: Projection {
  static let name = "warnings"
  static let deadlines = DeadlineTable("warning_deadlines")

  let tables = [
    ProjectionTable(name: "alerts", key: ["alert"]), ProjectionTable(name: "issued_messages", key: ["message"]),
    ProjectionTable(name: "hints", key: ["hint"]), ProjectionTable(name: "deliveries", key: ["stream", "message"]),
    ProjectionTable(name: "releases", key: ["release"]), ProjectionTable(name: "rules", key: ["rule"]),
    ProjectionTable(name: "foreign_messages", key: ["stream"]), ProjectionTable(name: "templates", key: ["name"]),
    deadlines.table,
  ]

  /// What an event says, where it is one of ours.
  private enum Decision {
    case alert(AlertEvent)
    case hint(HintEvent)
    case delivery(DeliveryEvent)
    case release(ReleaseEvent)
    case rule(RuleEvent)
    case foreign(ForeignReceived)
    case template(TemplateEvent)
  }

  func check(_ event: ProjectedEvent) throws { _ = try Self.read(event) }

  func project(_ batch: [ProjectedEvent], on connection: isolated PostgresConnection, tables: TableNames) throws {
    for event in batch {
      let stream = event.event.subject
      switch try Self.read(event) {
      case .alert(let decision): try AlertRows(stream: stream, tables: tables).apply(decision, on: connection)
      case .hint(let decision): try HintRows(stream: stream, tables: tables).apply(decision, on: connection)
      case .delivery(let decision): try DeliveryRows(stream: stream, tables: tables).apply(decision, on: connection)
      case .release(let decision): try ReleaseRows(tables: tables).apply(decision, on: connection)
      case .rule(let decision):
        try RuleRows(stream: stream, place: Self.place(of: event), tables: tables).apply(decision, on: connection)
      case .foreign(let received): try ForeignRows(stream: stream, place: Self.place(of: event), tables: tables).apply(received, on: connection)
      case .template(let decision): try TemplateRows(tables: tables).apply(decision, on: connection)
      case nil: break
      }
    }
  }

  private static func place(of event: ProjectedEvent) -> Int64 { event.event.journal?.offset ?? event.position.offset }

  private static func read(_ event: ProjectedEvent) throws -> Decision? {
    let (type, data) = (event.event.type, event.event.data)
    if type == ForeignReceived.type { return .foreign(try JSONDecoder().decode(ForeignReceived.self, from: Data(data))) }
    if let decision = try WarningCoding.deliveries.decode(type: type, data: data) { return .delivery(decision) }
    if let decision = try WarningCoding.alerts.decode(type: type, data: data) { return .alert(decision) }
    if let decision = try WarningCoding.hints.decode(type: type, data: data) { return .hint(decision) }
    if let decision = try WarningCoding.rules.decode(type: type, data: data) { return .rule(decision) }
    if let decision = try WarningCoding.templates.decode(type: type, data: data) { return .template(decision) }
    return try WarningCoding.releases.decode(type: type, data: data).map(Decision.release)
  }
}

/// What is due of which stream.
enum DeadlineKind: String {
  /// An alert's or an unconfirmed parcel's time is over.
  case expire
  /// A request or hint that nobody answers goes on to somebody else.
  case escalate
  /// A parcel is to be sent.
  case attempt
  /// An attempt that nothing was heard of is over.
  case lose
}
