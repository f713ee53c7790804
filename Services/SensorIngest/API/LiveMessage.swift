import Broker
import EventSourcing
import HTTP
import JSON
import SensorDomain

/// What a live stream says of an event.
struct LiveMessage: Sendable {
  private let name: String
  private let data: [UInt8]

  /// Nil for an event that cannot be read: it is parked by the read model, which says so.
  init?(_ news: LiveFeed.News) {
    guard case .event(let consumed) = news else {
      (name, data) = ("reset", Array("{}".utf8))
      return
    }
    guard let fact = try? ObservationFact(type: consumed.event.type, data: consumed.event.data) else { return nil }
    guard case .recorded(let recorded) = fact else {
      (name, data) = ("withdrawn", fact.data)
      return
    }
    var writer = JSONWriter(capacity: 128 * (recorded.readings.count + 1))
    writer.beginObject()
    writer.key("datastream")
    writer.int(recorded.datastream)
    writer.key("observations")
    writer.beginArray()
    for reading in recorded.readings { Self.write(reading, to: &writer) }
    writer.endArray()
    writer.endObject()
    (name, data) = ("observations", writer.bytes)
  }

  /// For readers who stand at these places behind it.
  func bytes(at places: LivePlaces) -> [UInt8] { ServerSentEvent.bytes(id: places.text, event: name, data: data) }

  private static func write(_ reading: RecordedReading, to writer: inout JSONWriter) {
    let observation = reading.observation
    writer.beginObject()
    writer.key("@iot.id")
    writer.int(reading.id)
    writer.key("phenomenonTime")
    if let end = observation.phenomenonEnd { writer.string("\(observation.phenomenonTime)/\(end)") } else { writer.instant(observation.phenomenonTime) }
    writer.key("result")
    observation.result.write(to: &writer)
    writer.key("dos:verdict")
    writer.string(reading.verdict.rawValue)
    writer.endObject()
  }
}
