import Broker
import SensorDomain

/// The topics of readings, one for each visibility: a datastream's visibility chooses its topic, for life.
struct ObservationTopics: Sendable {
  private let current: [DatastreamVisibility: Topic]

  /// With as many partitions as they have by now.
  init(of broker: any EventBroker) {
    current = Dictionary(uniqueKeysWithValues: DatastreamVisibility.allCases.map { ($0, broker.current(Self.topic($0))) })
  }

  var all: [Topic] { DatastreamVisibility.allCases.compactMap { current[$0] } }

  subscript(visibility: DatastreamVisibility) -> Topic { current[visibility] ?? Self.topic(visibility) }

  /// As they are declared.
  static let declared: [Topic] = DatastreamVisibility.allCases.map(topic)

  static func topic(_ visibility: DatastreamVisibility) -> Topic {
    Topic(name: "dos.sensors.observations.\(visibility.rawValue)", visibility: kind(visibility), governance: governance(visibility))
  }

  private static func kind(_ visibility: DatastreamVisibility) -> Visibility {
    switch visibility {
    case .public: .public
    case .partner: .partner
    case .internal: .internal
    case .restricted: .restricted
    }
  }

  private static func governance(_ visibility: DatastreamVisibility) -> Broker.Governance {
    // Ten years on the topic; the stored rows are the archive beyond it.
    Broker.Governance(
      owner: "Sensorik der Stadt", purpose: "Readings of the city's sensors, \(visibility.rawValue)", legalBasis: "§ 3 DSG NRW; no personal data",
      retention: .days(3_650), successor: "Sensorik der Stadt")
  }
}
