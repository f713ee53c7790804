import Broker
import Foundation
import JSON
import Postgres
import TestSupport
import Time
import Warning

/// What a city has decided about warnings and what it tells everybody, as its topics have it.
struct WarningLog {
  struct Issued {
    let alert: String
    let message: String
  }

  struct Hint: Hashable {
    let rule: String
    let since: Instant
  }

  /// Of a delivery.
  struct Step {
    /// `handed`, `attempted`, `failed`, `delivered` or `given-up`.
    let kind: String
    let message: String
    let mayHaveArrived: Bool
    let why: String?
  }

  /// In the order of their decisions.
  private(set) var issued: [Issued] = []
  private(set) var hints: [Hint] = []
  /// By stream.
  private(set) var deliveries: [String: [Step]] = [:]
  /// Messages, as often as they are in the public topic.
  private(set) var published: [String] = []
  /// When each message is over.
  private(set) var expires: [String: Instant] = [:]
  /// Of each message its alert, and how many came before it there.
  private(set) var places: [String: (alert: String, index: Int)] = [:]
  /// Decisions that the topics do not have.
  private(set) var unforwarded: [String] = []

  /// These messages as they were issued.
  func order(of messages: [String]) -> [String] {
    guard messages.allSatisfy({ places[$0] != nil }) else { return messages }
    return messages.sorted { (places[$0]?.index ?? 0) < (places[$1]?.index ?? 0) }
  }

  static func read(_ city: RunningCity, _ pool: PostgresPool) async throws -> WarningLog {
    var log = WarningLog()
    let broker = try await city.broker()
    for topic in WarningService().topics {
      let end = try await pool.query(
        "select coalesce(max(e.log_offset), -1) from journal_events e join journal_topics t using (topic) where t.name = \(topic.name)")[0]
        .value(Int64.self, at: 0)
      var seen: Int64 = -1
      // Deadlines and forwarders go on meanwhile; what is acknowledged is there within moments.
      let deadline = ContinuousClock.now + .seconds(60)
      let reader = try await broker.reader(topic: topic, partition: 0, from: 0)
      while seen < end, ContinuousClock.now < deadline {
        for event in try await reader.next(limit: 5_000, wait: .seconds(1)) {
          guard let offset = event.event.journal?.offset, offset > seen else { continue }
          if offset > seen + 1 { log.unforwarded.append("\(topic.name): \(offset) follows \(seen)") }
          seen = offset
          try log.take(event.event)
        }
      }
      await reader.close()
      if seen < end { log.unforwarded.append("\(topic.name) ends with \(seen), and its Journal with \(end)") }
    }
    await broker.close()
    return log
  }

  private mutating func take(_ event: CloudEvent) throws {
    let data = try JSONValue(parsing: event.data)
    func id(_ value: JSONValue?) -> String { value?.string?.lowercased() ?? "" }
    switch event.type.replacing("de.dos2030.warnings.", with: "") {
    case "alert-issued.v1":
      let (alert, message) = (id(data["alert"]), id(data["message"]))
      places[message] = (alert, issued.count { $0.alert == alert })
      issued.append(Issued(alert: alert, message: message))
    case "hint-raised.v1":
      guard let finding = data["finding"], let since = finding["since"]?.string.flatMap({ Instant(rfc3339: $0) }) else { return }
      hints.append(Hint(rule: id(finding["rule"]), since: since))
    case "alert-published.v1": published.append(id(data["message"]))
    case "delivery-handed.v1":
      let message = id(data["parcel"]?["message"])
      expires[message] = data["parcel"]?["expires"]?.string.flatMap { Instant(rfc3339: $0) }
      step("handed", message, event, data)
    case "delivery-attempted.v1": step("attempted", id(data["message"]), event, data)
    case "delivery-failed.v1": step("failed", id(data["message"]), event, data)
    case "delivery-delivered.v1": step("delivered", id(data["message"]), event, data)
    case "delivery-given-up.v1": step("given-up", id(data["message"]), event, data)
    default: break
    }
  }

  private mutating func step(_ kind: String, _ message: String, _ event: CloudEvent, _ data: JSONValue) {
    let step = Step(kind: kind, message: message, mayHaveArrived: data["mayHaveArrived"]?.bool ?? false, why: data["why"]?.string)
    deliveries[event.subject, default: []].append(step)
  }
}
