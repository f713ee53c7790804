public import Broker
import Foundation

/// Carries a Journal's events to the broker, in order and without leaving one out, from the service that owns the Journal.
///
/// On leased partitions. The checkpoint moves only after the broker has acknowledged, and every failure starts again at it: an event may arrive twice,
/// and its journal position tells. Who lost a lease without knowing may publish again what was published, but moves no checkpoint.
public final class Forwarder: Sendable {
  /// The name of its rows among the checkpoints.
  public static let subscription = "forwarder"

  private let journal: Journal
  private let broker: any EventBroker
  private let leases: Leases
  private let batch: Int

  /// - Parameters:
  ///   - holder: names this instance among those that share the partitions.
  ///   - batch: events that are published together at most.
  public init(journal: Journal, broker: any EventBroker, holder: String = UUID().uuidString.lowercased(), batch: Int = 1_000) {
    self.journal = journal
    self.broker = broker
    self.batch = batch
    let partitions = journal.topic.partitions
    leases = Leases(
      pool: journal.pool, subscription: Self.subscription, topic: journal.topic.name, partitions: partitions, holder: holder,
      starts: { [Int64](repeating: 0, count: partitions) }, log: { [observer = journal.observer] in observer.forwardFailed(nil, $0) })
  }

  /// Forwards a fair share of the partitions until cancelled.
  public func run() async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.journal.watch() }
      group.addTask { await self.leases.run { await self.forward($0) } }
    }
  }

  /// Forwards one partition until the task is cancelled or another owner has claimed it.
  func forward(_ lease: Lease) async {
    var checkpoint = lease.checkpoint
    var limit = batch
    var pause = Duration.milliseconds(10)
    while !Task.isCancelled {
      do {
        guard let next = try await step(lease, from: checkpoint, limit: limit) else {
          // A second bounds what a lost wake-up could cost.
          _ = await journal.commits.wait(lease.partition, beyond: checkpoint.position - 1, atMost: .seconds(1))
          continue
        }
        checkpoint = next
        limit = min(batch, limit * 2)
        pause = .milliseconds(10)
      } catch is CheckpointLost {
        return
      } catch {
        if Task.isCancelled { return }
        journal.observer.forwardFailed(lease.partition, "\(error)")
        // A batch may be more than the broker takes at once; a single event is what it must take.
        limit = max(1, limit / 2)
        try? await Task.sleep(for: pause)
        pause = min(pause * 2, .seconds(5))
      }
    }
  }

  /// One batch: read at the checkpoint, publish, advance.
  /// - Returns: the checkpoint then; nil when nothing waits.
  private func step(_ lease: Lease, from checkpoint: Checkpoint, limit: Int) async throws -> Checkpoint? {
    let events = try await journal.read(partition: lease.partition, after: checkpoint.position - 1, limit: limit)
    guard let last = events.last else {
      journal.observer.forwardLag(lease.partition, 0)
      return nil
    }
    for (expected, event) in zip(checkpoint.position..., events) where event.position.offset != expected {
      throw JournalGap(partition: lease.partition, expected: expected, found: event.position.offset)
    }
    let head = max(last.position.offset, journal.commits.head(lease.partition) ?? 0)
    journal.observer.forwardLag(lease.partition, head - checkpoint.position + 1)
    _ = try await broker.publish(
      events.map { event in
        OutgoingEvent(
          topic: journal.topic, key: event.stream, partition: lease.partition, event: event.cloudEvent(source: journal.source, city: journal.city))
      })
    let next = Checkpoint(position: last.position.offset + 1, journal: last.position)
    try await lease.advance(from: checkpoint, to: next, in: journal.pool)
    journal.observer.forwardLag(lease.partition, head - last.position.offset)
    return next
  }
}

/// The Journal lacks offsets that it once gave out: somebody has changed the tables by hand. Nothing beyond is forwarded.
public struct JournalGap: Error, Sendable, Hashable {
  public let partition: Int
  public let expected: Int64
  public let found: Int64

  public init(partition: Int, expected: Int64, found: Int64) {
    self.partition = partition
    self.expected = expected
    self.found = found
  }
}
