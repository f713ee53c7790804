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
  let pool: PostgresPool
  let broker: any EventBroker
  let topics: ObservationTopics
  let ids: ObservationIds
  let acknowledged: Acknowledged
  let backlog: Backlog
  let clock: @Sendable () -> Instant

  init(
    registry: DatastreamRegistry, pool: PostgresPool, broker: any EventBroker, acknowledged: Acknowledged, backlog: Backlog,
    clock: @escaping @Sendable () -> Instant = Instant.now
  ) {
    self.registry = registry
    self.pool = pool
    self.broker = broker
    topics = ObservationTopics(of: broker)
    self.acknowledged = acknowledged
    self.backlog = backlog
    self.clock = clock
    ids = ObservationIds(pool: pool)
  }

  /// One outcome per row, in their order, and where the events stand.
  /// - Parameter features: features of interest that are known to be there; the others are looked up.
  /// - Throws: `BrokerError` when the broker does not have all of it, `PostgresError` when the registry cannot be asked; repeating is safe.
  func take(_ groups: [Group], from sender: Sender, features: Set<Int64> = []) async throws -> (outcomes: [[Outcome]], positions: [BrokerPosition]) {
    let known = try await registry.find(Set(groups.map(\.datastream)))
    let named = Set(groups.flatMap { $0.rows.compactMap(\.feature) })
    let features = features.union(try await registry.features(named.subtracting(features)))
    let now = clock()
    var outcomes: [[Outcome]] = []
    var accepted: [(observation: Observation, verdict: Verdict)] = []
    var judged: [[Judgement]] = []
    for group in groups {
      let judgements = group.rows.map { judge($0, group.datastream, known[group.datastream], features, sender, now) }
      for case .taken(let observation, let verdict) in judgements { accepted.append((observation, verdict)) }
      judged.append(judgements)
    }
    var fresh = try await ids.draw(accepted.count)[...]
    var outgoing: [OutgoingFact] = []
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
      outgoing += events(readings, datastream, feature: datastream.feature, sender, now)
    }
    return (outcomes, try await publish(outgoing))
  }

  /// Why a reading cannot be taken, whatever it is about; nil where it can. Stores nothing.
  func refusal(of observation: Observation, _ id: Int64, from sender: Sender) async throws -> IntakeRefusal? {
    var observation = observation
    observation.feature = 0
    guard case .refused(let refusal) = judge(.observation(observation), id, try await registry.find(id), [0], sender, clock()) else { return nil }
    return refusal
  }

  /// Takes an observation back: a fact as well.
  func withdraw(_ key: ObservationKey, from sender: Sender) async throws -> [BrokerPosition] {
    guard let datastream = try await registry.find(key.datastream) else { throw IntakeRefusal.domain(.datastreamUnknown(key.datastream)) }
    if let city = sender.city, city != datastream.city.rawValue { throw IntakeRefusal.otherCity(datastream.id) }
    return try await publish([withdrawal(key, datastream, sender, clock())])
  }

  /// Puts a changed reading in the place of an observation, under the same id. Where its time changed, the observation moves there.
  func revise(
    _ key: ObservationKey, id: Int64, with observation: Observation, from sender: Sender
  ) async throws -> (reading: RecordedReading, positions: [BrokerPosition]) {
    guard let datastream = try await registry.find(key.datastream) else { throw IntakeRefusal.domain(.datastreamUnknown(key.datastream)) }
    let features = try await registry.features(Set([observation.feature].compactMap { $0 }))
    let now = clock()
    switch judge(.observation(observation), datastream.id, datastream, features, sender, now) {
    case .refused(let refusal): throw refusal
    case .taken(let observation, let verdict):
      let reading = RecordedReading(id: id, observation: observation, verdict: verdict, revises: true)
      var outgoing = events([reading], datastream, feature: datastream.feature, sender, now)
      // After the new one, so that no crash between them leaves neither.
      if observation.phenomenonTime != key.phenomenonTime { outgoing.append(withdrawal(key, datastream, sender, now)) }
      return (reading, try await publish(outgoing))
    }
  }

  /// An event and the datastream whose readers wait for it.
  struct OutgoingFact: Sendable {
    let event: OutgoingEvent
    let datastream: Int64
    let readings: Int
  }

  /// Returns when the broker has all of them safely, with the last position of each partition.
  func publish(_ outgoing: [OutgoingFact]) async throws -> [BrokerPosition] {
    guard !outgoing.isEmpty else { return [] }
    let positions = try await broker.publish(outgoing.map(\.event))
    for (position, sent) in zip(positions, outgoing) { acknowledged.note(position, for: sent.datastream) }
    backlog.note(zip(positions, outgoing).map { ($0, $1.readings) })
    return Acknowledged.latest(positions)
  }

  private enum Judgement {
    case taken(Observation, Verdict)
    case refused(IntakeRefusal)
  }

  private func judge(
    _ row: Row, _ id: Int64, _ datastream: RegisteredDatastream?, _ features: Set<Int64>, _ sender: Sender, _ now: Instant
  ) -> Judgement {
    guard let datastream else { return .refused(.domain(.datastreamUnknown(id))) }
    if let city = sender.city, city != datastream.city.rawValue { return .refused(.otherCity(id)) }
    switch row {
    case .refused(let reason): return .refused(.unreadable(reason))
    case .observation(let observation):
      if let feature = observation.feature, !features.contains(feature) { return .refused(.featureUnknown(feature)) }
      do throws(ObservationRefusal) {
        let verdict = try observation.verdict(for: datastream.observed, now: now)
        if observation.feature == nil, !datastream.isPlaced { return .refused(.unplaced(id)) }
        return .taken(observation, verdict)
      } catch {
        return .refused(.domain(error))
      }
    }
  }

  func events(
    _ readings: [RecordedReading], _ datastream: RegisteredDatastream, feature: Int64?, _ sender: Sender, _ now: Instant
  ) -> [OutgoingFact] {
    var events: [OutgoingFact] = []
    var waiting: [[UInt8]] = []
    var bytes = 0
    func close() {
      guard !waiting.isEmpty else { return }
      let data = ObservationFact.data(datastream: datastream.id, feature: feature, readings: waiting)
      events.append(event(ObservationsRecorded.type, data, readings: waiting.count, datastream, sender, now))
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

  func withdrawal(_ key: ObservationKey, _ datastream: RegisteredDatastream, _ sender: Sender, _ now: Instant) -> OutgoingFact {
    let fact = ObservationFact.withdrawn(ObservationWithdrawn(datastream: key.datastream, phenomenonTime: key.phenomenonTime))
    return event(ObservationWithdrawn.type, fact.data, readings: 1, datastream, sender, now)
  }

  private func event(
    _ type: String, _ data: [UInt8], readings: Int, _ datastream: RegisteredDatastream, _ sender: Sender, _ now: Instant
  ) -> OutgoingFact {
    let subject = "datastream-\(datastream.id)"
    let event = OutgoingEvent(
      topic: topics[datastream.visibility], key: String(datastream.id),
      event: CloudEvent(
        id: .nameBased(Array(subject.utf8) + data), source: "/\(datastream.city.rawValue)/sensors", type: type, subject: subject, time: now,
        city: datastream.city.rawValue,
        correlationID: sender.correlationID, traceparent: sender.traceparent, data: data))
    return OutgoingFact(event: event, datastream: datastream.id, readings: readings)
  }
}

/// Why a row was not taken.
enum IntakeRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  /// It is no reading.
  case unreadable(String)
  /// The sender belongs to one city, the datastream to another.
  case otherCity(Int64)
  /// There is no such feature of interest.
  case featureUnknown(Int64)
  /// The reading names no feature of interest, and the datastream's thing stands nowhere.
  case unplaced(Int64)
  case domain(ObservationRefusal)

  var description: String {
    switch self {
    case .unreadable(let reason): reason
    case .otherCity(let id): "the datastream \(id) belongs to another city"
    case .featureUnknown(let id): "there is no feature of interest \(id)"
    case .unplaced(let id): "the reading names no FeatureOfInterest, and the thing of datastream \(id) has no Location"
    case .domain(let refusal): refusal.description
    }
  }
}

extension ObservationIntake.Row {
  fileprivate var feature: Int64? { if case .observation(let observation) = self { observation.feature } else { nil } }
}

extension RegisteredDatastream {
  fileprivate var observed: ObservedDatastream {
    ObservedDatastream(id: id, observationType: observationType, plausibleRange: plausibleRange, isClosed: !isOpen)
  }
}
