import Broker
import Synchronization

/// How far what this process had acknowledged for each datastream reaches in the log, so that whoever reads back at once waits for it.
final class Acknowledged: Sendable {
  private struct State {
    var datastreams: [Int64: BrokerPosition] = [:]
    var partitions: [TopicPartition: BrokerPosition] = [:]
  }

  private let reached = Mutex(State())

  /// The last acknowledged position of a datastream.
  func position(of datastream: Int64) -> BrokerPosition? { reached.withLock { $0.datastreams[datastream] } }

  /// The last acknowledged position of each partition, for a read over all datastreams.
  func positions() -> [BrokerPosition] { Self.ordered(reached.withLock { $0.partitions.values }) }

  func note(_ position: BrokerPosition, for datastream: Int64) {
    reached.withLock { state in
      state.datastreams[datastream] = Self.later(state.datastreams[datastream], position)
      state.partitions[TopicPartition(position)] = Self.later(state.partitions[TopicPartition(position)], position)
    }
  }

  /// The highest offset of each partition among positions, in the order of topic and partition.
  static func latest(_ positions: some Sequence<BrokerPosition>) -> [BrokerPosition] {
    ordered(Dictionary(positions.map { (TopicPartition($0), $0) }, uniquingKeysWith: later).values)
  }

  private static func later(_ known: BrokerPosition?, _ new: BrokerPosition) -> BrokerPosition {
    if let known, known.offset >= new.offset { known } else { new }
  }

  private static func ordered(_ positions: some Sequence<BrokerPosition>) -> [BrokerPosition] {
    positions.sorted { ($0.topic, $0.partition) < ($1.topic, $1.partition) }
  }
}

/// A partition of a topic, by the names that positions carry.
struct TopicPartition: Hashable {
  let topic: String
  let partition: Int

  init(_ position: BrokerPosition) {
    topic = position.topic
    partition = position.partition
  }
}

/// Tells when the read model has taken in the log up to a position.
protocol ObservationProgress: Sendable {
  /// Waits until it has, at most that long; whether it has. What is parked never is.
  func wait(for position: BrokerPosition, atMost limit: Duration) async -> Bool
  /// The same for what this process had acknowledged: costs nothing where it is there already, and what is parked is passed over.
  func wait(beyond position: BrokerPosition, atMost limit: Duration) async -> Bool
}
