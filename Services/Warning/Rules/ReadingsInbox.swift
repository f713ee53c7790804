import Broker
import EventSourcing
import Synchronization

/// Reads all partitions of the topics of readings for the one who watches. Of each partition one batch waits at most: who is slow is not flooded.
final class ReadingsInbox: Sendable {
  /// What came of one partition. Of events of datastreams that nobody watches only the place is kept.
  struct Batch: Sendable {
    let topic: String
    let partition: Int
    /// The next event wanted after it.
    let position: Int64
    let events: [ConsumedEvent]
    fileprivate let taken: CheckedContinuation<Void, Never>
  }

  let bell = Bell()
  private let broker: any EventBroker
  private let waiting = Mutex<[Batch]>([])
  private let watched = Mutex<[Int64: Int]>([:])
  private let trouble: @Sendable (String) -> Void

  init(broker: any EventBroker, trouble: @escaping @Sendable (String) -> Void) {
    self.broker = broker
    self.trouble = trouble
  }

  /// Of how many seconds the readings of each datastream are needed; others are not.
  var horizons: [Int64: Int] { watched.withLock { $0 } }
  func watch(_ horizons: [Int64: Int]) { watched.withLock { $0 = horizons } }

  /// What has come; whoever takes it says `done` when it is stored.
  func take() -> [Batch] {
    waiting.withLock { waiting in
      defer { waiting = [] }
      return waiting
    }
  }

  func done(_ batches: [Batch]) { for batch in batches { batch.taken.resume() } }

  /// Reads one partition until cancelled. A topic that is not there yet is waited for.
  func follow(_ topic: Topic, _ partition: Int, from position: Int64) async {
    var position = position
    while !Task.isCancelled {
      do throws(BrokerError) {
        let reader = try await broker.reader(topic: topic, partition: partition, from: position)
        let failure = await follow(reader, topic, partition, &position)
        await reader.close()
        if let failure { throw failure }
      } catch {
        if Task.isCancelled { return }
        // What retention has taken, or a restore, raises nothing any more: rules go on with what is there.
        if case .offsetOutOfRange(let earliest, let next) = error { position = position < earliest ? earliest : next }
        trouble("readings of \(topic.name)/\(partition): \(error)")
        try? await Task.sleep(for: .seconds(1))
      }
    }
  }

  private func follow(_ reader: any PartitionReader, _ topic: Topic, _ partition: Int, _ position: inout Int64) async -> BrokerError? {
    while !Task.isCancelled {
      do throws(BrokerError) {
        let events = try await reader.next(limit: 1_000, wait: .seconds(1))
        guard let last = events.last else { continue }
        position = last.position.offset + 1
        let horizons = horizons
        let wanted = events.filter { SensorReadings.datastream($0).map { horizons[$0] != nil } ?? false }
        let reached = position
        await withCheckedContinuation { continuation in
          let batch = Batch(topic: topic.name, partition: partition, position: reached, events: wanted, taken: continuation)
          waiting.withLock { $0.append(batch) }
          bell.ring()
        }
      } catch {
        return error
      }
    }
    return nil
  }
}
