import Broker
import EventSourcing
import Postgres
import SensorDomain

/// The read model of readings: what holds, what held before, and the hours and days that follow from it, all in the batch's one transaction.
///
/// It names no table to a replay: the stored rows are the archive of what the topic no longer holds. Reading the topic again changes nothing that is right, and
/// hours and days are built anew from the stored rows by `RollupReplay`. `ObservationsVerification` compares the rows with the topics.
struct ObservationsProjection: Projection {
  static let name = Observations.name

  let tables: [ProjectionTable] = []

  /// A reading takes about 130 bytes of an event.
  func rows(for event: ProjectedEvent) -> Int { event.event.data.count / 130 + 1 }

  func check(_ event: ProjectedEvent) throws { _ = try Self.facts(of: [event]) }

  func project(_ batch: [ProjectedEvent], on connection: isolated PostgresConnection, tables: TableNames) throws {
    try Rollups.update(try Observations.store(Observations.changes(try Self.facts(of: batch)), on: connection), on: connection)
  }

  /// What the events say, each with its offset; other types are passed over.
  static func facts(of batch: [ProjectedEvent]) throws -> [(offset: Int64, fact: ObservationFact)] {
    try batch.compactMap { event in
      try ObservationFact(type: event.event.type, data: event.event.data).map { (event.position.offset, $0) }
    }
  }
}

/// The subscriptions that keep it: one per visibility, since each has a topic of its own.
struct ObservationSubscriptions: ObservationProgress {
  let subscriptions: [Subscription]
  private let positions: [String: ReadPositions]

  init(broker: any EventBroker, pool: PostgresPool, observer: SubscriptionObserver = SubscriptionObserver()) {
    subscriptions = ObservationTopics(of: broker).all.map { topic in
      Subscription(ObservationsProjection(), source: TopicSource(topic, broker: broker), pool: pool, observer: observer)
    }
    positions = Dictionary(subscriptions.map { ($0.source.topic.name, $0.positions) }) { first, _ in first }
  }

  /// Runs until cancelled.
  func run() async {
    await withTaskGroup(of: Void.self) { group in
      for subscription in subscriptions { group.addTask { await subscription.run() } }
    }
  }

  /// The next position of a partition that this process projects and that goes on; nil where it does not.
  func standing(topic: String, partition: Int) -> Int64? {
    for subscription in subscriptions where subscription.source.topic.name == topic {
      if case .running(let position) = subscription.partitions[partition] { return position }
    }
    return nil
  }

  func wait(for position: BrokerPosition, atMost limit: Duration) async -> Bool {
    do {
      try await positions[position.topic]?.wait(for: .broker(partition: position.partition, offset: position.offset), timeout: limit)
      return positions[position.topic] != nil
    } catch {
      return false
    }
  }

  func wait(beyond position: BrokerPosition, atMost limit: Duration) async -> Bool {
    (try? await positions[position.topic]?.wait(beyond: position.offset, in: position.partition, atMost: limit)) ?? false
  }
}
