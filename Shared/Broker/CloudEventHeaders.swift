import Foundation
import Time

/// CloudEvents in Kafka's binary mode: every attribute a header `ce_<name>`, the value the data as it is
/// (CloudEvents Kafka protocol binding 1.0.2, section 3.2).
extension CloudEvent {
  /// The headers in a fixed order. Attributes that are absent have none.
  public var headers: [(name: String, value: String)] {
    [("content-type", "application/json")] + attributes.map { (name: "ce_" + $0.name, value: $0.value) }
  }

  /// Reads an event from its headers and value. Names are compared as they are, unknown ones are ignored.
  public init(headers: some Sequence<(name: String, value: String)>, data: [UInt8]) throws(CloudEventError) {
    var attributes: [String: String] = [:]
    for header in headers where header.name.hasPrefix("ce_") { attributes[String(header.name.dropFirst(3))] = header.value }
    try self.init(attributes: attributes, data: data)
  }

  /// The attributes by their CloudEvents names, as text (CloudEvents 1.0.2, section 3.1: every type has a canonical string).
  var attributes: [(name: String, value: String)] {
    var attributes = [
      (name: "specversion", value: "1.0"), ("id", id.uuidString.lowercased()), ("source", source), ("type", type), ("subject", subject),
      ("time", time.rfc3339), ("city", city),
    ]
    if let journal {
      attributes.append(("journalpartition", String(journal.partition)))
      attributes.append(("journalepoch", String(journal.epoch)))
      attributes.append(("journaloffset", String(journal.offset)))
    }
    if let correlationID { attributes.append(("correlationid", correlationID)) }
    if let causationID { attributes.append(("causationid", causationID)) }
    if let traceparent { attributes.append(("traceparent", traceparent)) }
    return attributes
  }

  init(attributes: [String: String], data: [UInt8]) throws(CloudEventError) {
    func required(_ name: String) throws(CloudEventError) -> String {
      guard let value = attributes[name], !value.isEmpty else { throw .missing(attribute: name) }
      return value
    }
    let version = try required("specversion")
    guard version == "1.0" else { throw .invalid(attribute: "specversion", value: version, expected: "1.0") }
    let idText = try required("id")
    guard let id = UUID(uuidString: idText) else { throw .invalid(attribute: "id", value: idText, expected: "a UUID") }
    let timeText = try required("time")
    guard let time = Instant(rfc3339: timeText) else { throw .invalid(attribute: "time", value: timeText, expected: "RFC 3339 with a zone") }
    self.init(
      id: id, source: try required("source"), type: try required("type"), subject: try required("subject"), time: time,
      city: try required("city"), correlationID: attributes["correlationid"], causationID: attributes["causationid"],
      traceparent: attributes["traceparent"], journal: try Self.journal(attributes), data: data)
  }

  private static func journal(_ attributes: [String: String]) throws(CloudEventError) -> JournalPosition? {
    let names = ["journalpartition", "journalepoch", "journaloffset"]
    guard names.contains(where: { attributes[$0] != nil }) else { return nil }
    var numbers: [Int64] = []
    for name in names {
      guard let text = attributes[name] else { throw .missing(attribute: name) }
      guard let number = Int64(text), number >= 0 else { throw .invalid(attribute: name, value: text, expected: "a number, 0 or more") }
      numbers.append(number)
    }
    return JournalPosition(partition: Int(numbers[0]), epoch: numbers[1], offset: numbers[2])
  }
}

/// Why bytes or headers are not an event of this platform.
public enum CloudEventError: Error, Sendable, Hashable {
  case missing(attribute: String)
  case invalid(attribute: String, value: String, expected: String)
  case notJSON(String)
}
