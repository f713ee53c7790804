import Broker
import Synchronization

/// How far what this process had acknowledged for each datastream reaches in the log, so that whoever reads back at once waits for it.
final class Acknowledged: Sendable {
  private let reached = Mutex<[Int64: BrokerPosition]>([:])

  /// The last acknowledged position of a datastream.
  func position(of datastream: Int64) -> BrokerPosition? { reached.withLock { $0[datastream] } }

  /// The last acknowledged position of each partition, for a read over all datastreams.
  func positions() -> [BrokerPosition] { reached.withLock { Self.latest($0.values) } }

  func note(_ position: BrokerPosition, for datastream: Int64) {
    reached.withLock { positions in
      if let known = positions[datastream], known.offset >= position.offset { return }
      positions[datastream] = position
    }
  }

  /// The highest offset of each partition among positions, in the order of topic and partition.
  static func latest(_ positions: some Sequence<BrokerPosition>) -> [BrokerPosition] {
    let latest = Dictionary(positions.map { (Place(topic: $0.topic, partition: $0.partition), $0) }, uniquingKeysWith: { $0.offset > $1.offset ? $0 : $1 })
    return latest.values.sorted { ($0.topic, $0.partition) < ($1.topic, $1.partition) }
  }
}

private struct Place: Hashable {
  let topic: String
  let partition: Int
}

/// Tells when the read model has taken in the log up to a position.
protocol ObservationProgress: Sendable {
  /// Waits until it has, at most that long; whether it has.
  func wait(for position: BrokerPosition, atMost limit: Duration) async -> Bool
}
