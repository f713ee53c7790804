import Broker
import HTTP
import Postgres
import SensorDomain
import Time

/// Readings that a request to the registry brings along or takes with it.
protocol RegistryReadings: Sendable {
  /// Gives ids to readings that were found right, before anything is stored.
  func number(_ readings: [ReadingsOfDatastream]) async throws -> [ObservationsRecorded]
  /// Hands them to the broker.
  /// - Parameter known: the datastreams as they were just opened; where one is missing, this is a repeat, and what is stored for a time already stays as it is.
  func record(_ facts: [ObservationsRecorded], known: [Int64: RegisteredDatastream], for request: Request) async throws -> [BrokerPosition]
  /// Takes back the readings about a feature of interest that goes.
  func withdraw(aboutFeature feature: Int64, for request: Request) async throws
}

/// Readings that came in the same body as their datastream, each with its verdict.
struct ReadingsOfDatastream: Sendable {
  let datastream: RegisteredDatastream
  var readings: [(observation: Observation, verdict: Verdict)]
}

extension ObservationIntake: RegistryReadings {
  /// How many readings go with a feature of interest at most.
  static let withdrawnLimit = 10_000

  func number(_ readings: [ReadingsOfDatastream]) async throws -> [ObservationsRecorded] {
    var fresh = try await ids.draw(readings.reduce(0) { $0 + $1.readings.count })[...]
    return readings.map { group in
      ObservationsRecorded(
        datastream: group.datastream.id, feature: group.datastream.feature,
        readings: group.readings.map { RecordedReading(id: fresh.removeFirst(), observation: $0.observation, verdict: $0.verdict) })
    }
  }

  func record(_ facts: [ObservationsRecorded], known: [Int64: RegisteredDatastream], for request: Request) async throws -> [BrokerPosition] {
    let found = try await registry.find(Set(facts.map(\.datastream)).subtracting(known.keys))
    var outgoing: [OutgoingFact] = []
    for fact in facts {
      if let datastream = known[fact.datastream] {
        outgoing += events(fact.readings, datastream, feature: fact.feature, Sender(request), clock())
      } else if let datastream = found[fact.datastream] {
        let missing = try await missing(fact)
        outgoing += events(missing, datastream, feature: fact.feature, Sender(request), clock())
      }
    }
    return try await publish(outgoing)
  }

  /// Those for whose time nothing is stored: what is may have been corrected since.
  private func missing(_ fact: ObservationsRecorded) async throws -> [RecordedReading] {
    let times = fact.readings.map(\.observation.phenomenonTime)
    let rows = try await pool.query(
      "select phenomenon_time from observations where datastream_id = \(fact.datastream) and phenomenon_time = any(\(times))")
    let stored = Set(try rows.map { try $0.value(Instant.self, at: 0) })
    return fact.readings.filter { !stored.contains($0.observation.phenomenonTime) }
  }

  func withdraw(aboutFeature feature: Int64, for request: Request) async throws {
    let rows = try await pool.query(
      """
      select o.datastream_id, o.phenomenon_time from observed_features pair
      join observations o on o.datastream_id = pair.datastream_id and o.feature_id = pair.feature_id
      where pair.feature_id = \(feature) and not o.withdrawn limit \(Self.withdrawnLimit + 1)
      """)
    guard rows.count <= Self.withdrawnLimit else {
      throw Problem.conflict(
        "More than \(Self.withdrawnLimit) observations are about the feature of interest \(feature) and would go with it. Take them back first, or keep it.")
    }
    let keys = try rows.map { row in
      let (datastream, time) = try row.decode(Int64.self, Instant.self)
      return ObservationKey(datastream: datastream, phenomenonTime: time)
    }
    let sender = Sender(request)
    let known = try await registry.find(Set(keys.map(\.datastream)))
    if let city = sender.city, let other = known.values.first(where: { $0.city.rawValue != city }) { throw IntakeRefusal.otherCity(other.id) }
    let now = clock()
    _ = try await publish(keys.compactMap { key in known[key.datastream].map { withdrawal(key, $0, sender, now) } })
  }
}
