import Broker
import EventSourcing
import HTTP
import Postgres
import SensorDomain
import Time

/// Takes readings in: checks them against the registry, gives them ids, hands them to the broker, and answers when the broker has them safely.
struct ObservationIntake: Sendable {
  /// One reading as sent, or why it could not even be read.
  enum Row: Sendable {
    case observation(Observation)
    case refused(String)
  }

  /// What became of one row.
  enum Outcome: Sendable, Hashable {
    case taken(RecordedReading)
    case refused(IntakeRefusal)
  }

  struct Group: Sendable {
    let datastream: Int64
    let rows: [Row]
  }

  /// Who sends, and what belongs to the request.
  struct Sender: Sendable {
    /// Where set, only datastreams of this city take its readings.
    var city: String?
    var correlationID: String?
    var traceparent: String?
  }

  let registry: DatastreamRegistry
  let broker: any EventBroker
  let ids: ObservationIds
  let acknowledged: Acknowledged
  let clock: @Sendable () -> Instant

  /// - Parameter pool: draws ids.
  init(
    registry: DatastreamRegistry, pool: PostgresPool, broker: any EventBroker, acknowledged: Acknowledged,
    clock: @escaping @Sendable () -> Instant = Instant.now
  ) {
    self.registry = registry
    self.broker = broker
    self.acknowledged = acknowledged
    self.clock = clock
    ids = ObservationIds(pool: pool)
  }

  /// One outcome per row, in their order, and where the events stand.
  /// - Throws: `BrokerError` when the broker does not have all of it, `PostgresError` when the registry cannot be asked; repeating is safe.
  func take(_ groups: [Group], from sender: Sender) async throws -> (outcomes: [[Outcome]], positions: [BrokerPosition]) {
    let known = try await registry.find(Set(groups.map(\.datastream)))
    let now = clock()
    var outcomes: [[Outcome]] = []
    var accepted: [(observation: Observation, verdict: Verdict)] = []
    var judged: [[Judgement]] = []
    for group in groups {
      let judgements = group.rows.map { judge($0, group.datastream, known[group.datastream], sender, now) }
      for case .taken(let observation, let verdict) in judgements { accepted.append((observation, verdict)) }
      judged.append(judgements)
    }
    var fresh = try await ids.draw(accepted.count)[...]
    var outgoing: [(event: OutgoingEvent, datastream: Int64)] = []
    for (group, judgements) in zip(groups, judged) {
      let results = judgements.map { judgement -> Outcome in
        switch judgement {
        case .refused(let refusal): return .refused(refusal)
        case .taken(let observation, let verdict):
          return .taken(RecordedReading(id: fresh.removeFirst(), observation: observation, verdict: verdict))
        }
      }
      outcomes.append(results)
      guard let datastream = known[group.datastream] else { continue }
      let readings = results.compactMap { if case .taken(let reading) = $0 { reading } else { nil } }
      for event in events(readings, datastream, sender, now) { outgoing.append((event, datastream.id)) }
    }
    guard !outgoing.isEmpty else { return (outcomes, []) }
    let positions = try await broker.publish(outgoing.map(\.event))
    for (position, sent) in zip(positions, outgoing) { acknowledged.note(position, for: sent.datastream) }
    return (outcomes, Acknowledged.latest(positions))
  }

  /// Takes an observation back: a fact as well.
  func withdraw(_ key: ObservationKey, from sender: Sender) async throws -> [BrokerPosition] {
    guard let datastream = try await registry.find(key.datastream) else { throw IntakeRefusal.domain(.datastreamUnknown(key.datastream)) }
    if let city = sender.city, city != datastream.city.rawValue { throw IntakeRefusal.otherCity(datastream.id) }
    let fact = ObservationFact.withdrawn(ObservationWithdrawn(datastream: key.datastream, phenomenonTime: key.phenomenonTime))
    let positions = try await broker.publish([event(ObservationWithdrawn.type, fact.data, datastream, sender, clock())])
    for position in positions { acknowledged.note(position, for: datastream.id) }
    return positions
  }

  private enum Judgement {
    case taken(Observation, Verdict)
    case refused(IntakeRefusal)
  }

  private func judge(_ row: Row, _ id: Int64, _ datastream: RegisteredDatastream?, _ sender: Sender, _ now: Instant) -> Judgement {
    guard let datastream else { return .refused(.domain(.datastreamUnknown(id))) }
    if let city = sender.city, city != datastream.city.rawValue { return .refused(.otherCity(id)) }
    switch row {
    case .refused(let reason): return .refused(.unreadable(reason))
    case .observation(let observation):
      do throws(ObservationRefusal) {
        return .taken(observation, try observation.verdict(for: datastream.observed, now: now))
      } catch {
        return .refused(.domain(error))
      }
    }
  }

  private func events(_ readings: [RecordedReading], _ datastream: RegisteredDatastream, _ sender: Sender, _ now: Instant) -> [OutgoingEvent] {
    var events: [OutgoingEvent] = []
    var waiting: [[UInt8]] = []
    var bytes = 0
    func close() {
      guard !waiting.isEmpty else { return }
      events.append(event(ObservationsRecorded.type, ObservationFact.data(datastream: datastream.id, readings: waiting), datastream, sender, now))
      waiting.removeAll(keepingCapacity: true)
      bytes = 0
    }
    for reading in readings {
      let json = ObservationFact.json(reading)
      if waiting.count == ObservationsRecorded.readingLimit || bytes + json.count > ObservationsRecorded.byteLimit { close() }
      waiting.append(json)
      bytes += json.count + 1
    }
    close()
    return events
  }

  private func event(_ type: String, _ data: [UInt8], _ datastream: RegisteredDatastream, _ sender: Sender, _ now: Instant) -> OutgoingEvent {
    let subject = "datastream-\(datastream.id)"
    return OutgoingEvent(
      topic: ObservationTopics.topic(datastream.visibility), key: String(datastream.id),
      event: CloudEvent(
        id: .nameBased(Array(subject.utf8) + data), source: "/\(datastream.city.rawValue)/sensors", type: type, subject: subject, time: now,
        city: datastream.city.rawValue,
        correlationID: sender.correlationID, traceparent: sender.traceparent, data: data))
  }
}

/// Why a row was not taken.
enum IntakeRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  /// It is no reading.
  case unreadable(String)
  /// The sender belongs to one city, the datastream to another.
  case otherCity(Int64)
  case domain(ObservationRefusal)

  var description: String {
    switch self {
    case .unreadable(let reason): reason
    case .otherCity(let id): "the datastream \(id) belongs to another city"
    case .domain(let refusal): refusal.description
    }
  }
}

extension RegisteredDatastream {
  fileprivate var observed: ObservedDatastream {
    ObservedDatastream(id: id, observationType: observationType, plausibleRange: plausibleRange, isClosed: !isOpen)
  }
}
