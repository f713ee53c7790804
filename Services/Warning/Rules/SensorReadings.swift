import Broker
import JSON
import Time
import WarningDomain

/// What other services measured, as this one reads it: the topics of readings that `schemas/asyncapi.yaml` describes. They are the sensors' service's to declare.
enum SensorReadings {
  static let visibilities: [Visibility] = [.public, .partner, .internal, .restricted]

  /// With as many partitions as they have by now.
  static func topics(of broker: any EventBroker) -> [Topic] {
    visibilities.map { visibility in
      broker.current(
        Topic(
          name: "dos.sensors.observations.\(visibility.rawValue)", visibility: visibility,
          governance: Governance(owner: "", purpose: "", legalBasis: "", retention: .days(3_650), successor: "")))
    }
  }

  /// The datastream that an event is about; nil where it is about none.
  static func datastream(_ event: ConsumedEvent) -> Int64? { Int64(event.key) }

  /// The facts of an event that rules can use: results that are numbers, or yes and no as 1 and 0. Nothing for other types.
  /// - Throws: `JSONRejection` for an event that is not as its schema says.
  static func facts(_ event: ConsumedEvent) throws -> [ReadingFact] {
    let offset = event.position.offset
    switch event.event.type {
    case "de.dos2030.sensors.observations-recorded.v1":
      let value = try JSONValue(parsing: event.event.data)
      guard let readings = value["readings"]?.array else { throw malformed("readings") }
      return try readings.compactMap { reading in
        guard let time = time(reading), let verdict = reading["verdict"]?.string else { throw malformed("a reading") }
        guard let result = reading["result"], let number = result.double ?? result.bool.map({ $0 ? 1 : 0 }), number.isFinite else { return nil }
        return .recorded(Reading(time: time, value: number, isPlausible: verdict == "plausible", offset: offset))
      }
    case "de.dos2030.sensors.observation-withdrawn.v1":
      guard let time = time(try JSONValue(parsing: event.event.data)) else { throw malformed("phenomenonTime") }
      return [.withdrawn(time, offset: offset)]
    default: return []
    }
  }

  private static func time(_ value: JSONValue) -> Instant? { value["phenomenonTime"]?.string.flatMap { Instant(rfc3339: $0) } }

  private static func malformed(_ what: String) -> JSONRejection {
    JSONRejection(path: "", problem: "\(what) cannot be read", expected: "what the event's schema says")
  }
}
