import Broker

/// What this service decides, and what it tells everybody.
enum WarningTopics {
  /// Rules, hints, alerts and their deliveries. One partition, so that whoever asks why finds everything in one order.
  static let decisions = Topic(
    name: "dos.warnings.decisions", partitions: 1, visibility: .internal,
    governance: Governance(
      owner: "the cities' duty officers", purpose: "who warned whom of what, and why", legalBasis: "§ 2 and § 4 BHKG NRW; officers by their subject alone",
      retention: .forever, successor: "the cities' fire brigades"))

  /// Alerts as they were published: issued, updated, called off, expired.
  static let alerts = Topic(
    name: "dos.warnings.alerts", partitions: 1, visibility: .public,
    governance: Governance(
      owner: "the cities' duty officers", purpose: "official alerts for everybody", legalBasis: "§ 2 and § 4 BHKG NRW; no personal data",
      retention: .forever, successor: "the cities' fire brigades"))
}

/// The names of streams.
enum WarningStreams {
  static func alert(_ id: some CustomStringConvertible) -> String { "alert-\(id.description.lowercased())" }
  static func hint(_ id: some CustomStringConvertible) -> String { "hint-\(id.description.lowercased())" }
  static func rule(_ id: some CustomStringConvertible) -> String { "rule-\(id.description.lowercased())" }
  static func template(_ name: String) -> String { "template-\(name)" }
  static func release(_ id: some CustomStringConvertible) -> String { "release-\(id.description.lowercased())" }
}
