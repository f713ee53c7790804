import EventSourcing
import Foundation
import HTTP
import JSON
import ServiceKit
import WarningDomain

/// `GET /warnings/{id}/why`: from what people were told back to the readings that began it, every step with its event and that event's cause.
struct WhyAPI: Sendable {
  let decisions: Journal
  let lists: WarningLists

  var routes: [Route] {
    [
      Route(
        .get, "/warnings/{id}/why", access: .roles(.warningOfficer, .controlRoom), accepts: [],
        info: .read("Why an alert is out: deliveries, approval, drafts, hint, rule and readings", "Alerts", "Why", [.alert])
      ) { request in try await why(try request.uuid("id"), request) }
    ]
  }

  private func why(_ alert: UUID, _ request: Request) async throws -> Response {
    try await lists.ownWrites(request)
    let chain = try await decisions.read(stream: WarningStreams.alert(alert))
    guard !chain.isEmpty else { throw Problem.notFound("There is no such alert.") }
    let streams = try await lists.pool.query("select distinct stream from deliveries where subject = \(alert) order by stream limit 1000")
    var deliveries: [RecordedEvent] = []
    for row in streams { deliveries += try await decisions.read(stream: try row.value(String.self, at: 0)) }
    var hint: [RecordedEvent] = []
    var rule: [RecordedEvent] = []
    for event in chain {
      guard case .drafted(let drafted)? = try WarningCoding.alerts.decode(type: event.type, data: event.data), case .hint(let id) = drafted.origin else {
        continue
      }
      hint = try await decisions.read(stream: WarningStreams.hint(id))
      for event in hint {
        guard case .raised(let raised)? = try WarningCoding.hints.decode(type: event.type, data: event.data) else { continue }
        rule = try await decisions.read(stream: WarningStreams.rule(raised.finding.rule))
      }
      break
    }
    var json = JSONWriter(capacity: 16 << 10)
    json.object { json in
      for (name, events) in [("deliveries", deliveries), ("alert", chain), ("hint", hint), ("rule", rule)] {
        json.key(name: name)
        json.array { json in
          for event in events.sorted(by: { $0.position.offset > $1.position.offset }) { Self.write(event, to: &json) }
        }
      }
    }
    return Response.json(json.bytes).unlessUnchanged(for: request)
  }

  /// The newest first: from the warned channel back.
  private static func write(_ event: RecordedEvent, to json: inout JSONWriter) {
    json.object { json in
      json.key("id")
      json.string(event.id.uuidString.lowercased())
      json.key("type")
      json.string(event.type)
      json.key("stream")
      json.string(event.stream)
      json.key("time")
      json.instant(event.time)
      if let cause = event.context.causationID {
        json.key("cause")
        json.string(cause)
      }
      if let correlation = event.context.correlationID {
        json.key("correlation")
        json.string(correlation)
      }
      json.key("data")
      json.raw(event.data)
    }
  }
}
