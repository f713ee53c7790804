import Broker
public import Postgres
import Synchronization
public import Time

/// Keeps a projection up to date with a source, or lets a reaction react to it. For a projection the checkpoints are compared and set first in each
/// transaction, then comes the read model; a reaction's checkpoint moves when its commands are in the Journal.
///
/// Database effects are exactly once, and who has lost its lease without knowing can do no harm.
public final class Subscription: Sendable {
  public let name: String
  public let source: any EventSource
  public let leases: Leases
  /// Waits until this projection has come to a position.
  public let positions: ReadPositions

  private let pool: PostgresPool
  private let observer: SubscriptionObserver
  private let letters: DeadLetterBox
  private let batches: any BatchTaker
  private let states = Mutex<[Int: SubscriptionState]>([:])

  /// What a batch changes at most.
  static let batchRows = 5_000

  /// Where a subscription begins that has no checkpoint yet.
  public enum Start: Sendable {
    case beginning
    /// What happened before is not its business.
    case end
  }

  /// Keeps a projection up to date.
  public convenience init(
    _ projection: any Projection, source: any EventSource, pool: PostgresPool, start: Start = .beginning,
    observer: SubscriptionObserver = SubscriptionObserver()
  ) {
    self.init(type(of: projection).name, source: source, pool: pool, start: start, observer: observer) { letters, leases in
      BatchQueue(
        BatchWriter(projection: projection, tables: TableNames(), letters: letters, trouble: observer.trouble), pool: pool, rows: Self.batchRows,
        sharers: { leases.instances })
    }
  }

  /// Lets a reaction react. What happened before it came to be is not its business, so it starts at the end.
  public convenience init(
    _ reaction: any Reaction, source: any EventSource, pool: PostgresPool, start: Start = .end, observer: SubscriptionObserver = SubscriptionObserver()
  ) {
    self.init(reaction.name, source: source, pool: pool, start: start, observer: observer) { letters, _ in
      ReactionWriter(reaction: reaction, pool: pool, letters: letters)
    }
  }

  private init(
    _ name: String, source: any EventSource, pool: PostgresPool, start: Start, observer: SubscriptionObserver,
    taker: (DeadLetterBox, Leases) -> any BatchTaker
  ) {
    self.name = name
    self.source = source
    self.pool = pool
    self.observer = observer
    positions = ReadPositions(pool: pool, subscription: name, topic: source.topic.name)
    letters = DeadLetterBox(subscription: name, topic: source.topic.name)
    leases = Leases(
      pool: pool, subscription: name, topic: source.topic.name, partitions: source.topic.partitions,
      starts: {
        switch start {
        case .beginning: try await source.earliest()
        case .end: try await source.end()
        }
      },
      log: observer.trouble)
    batches = taker(letters, leases)
  }

  /// The partitions held by this instance, and how they do.
  public var partitions: [Int: SubscriptionState] { states.withLock { $0 } }

  /// Runs until cancelled.
  public func run() async {
    await leases.run { lease in await self.consume(lease) }
  }

  /// Events of each partition that the projection has not come to yet, whoever consumes it.
  public func lag() async throws -> [Int: Int64] {
    let checkpoints = try await CheckpointTable.read(subscription: name, topic: source.topic.name, in: pool)
    var lag: [Int: Int64] = [:]
    for (partition, end) in try await source.end().enumerated() { lag[partition] = max(0, end - (checkpoints[partition]?.position ?? 0)) }
    return lag
  }

  /// The time of the oldest event that the projection has not come to yet, whoever consumes it; nil where there is none.
  public func oldestWaiting() async throws -> Instant? {
    let checkpoints = try await CheckpointTable.read(subscription: name, topic: source.topic.name, in: pool)
    var oldest: Instant?
    for (partition, end) in try await source.end().enumerated() {
      guard let checkpoint = checkpoints[partition], checkpoint.position < end else { continue }
      let reader = try await source.reader(partition: partition, from: checkpoint)
      let first: [ProjectedEvent]
      do {
        first = try await reader.next(limit: 1, wait: .milliseconds(100))
      } catch {
        await reader.close()
        throw error
      }
      await reader.close()
      if let time = first.first?.event.time { oldest = min(oldest ?? time, time) }
    }
    return oldest
  }

  /// Tells the source how far this instance is.
  public func tellProgress() async throws {
    let positions = partitions.compactMapValues { state -> Int64? in if case .running(let position) = state { position } else { nil } }
    try await source.tell(progress: positions, of: name)
  }

  /// Events parked, over all partitions.
  public func parked() async throws -> Int {
    try await DeadLetters(pool: pool, subscription: name, topic: source.topic.name).count()
  }

  /// Consumes one partition until the task is cancelled or another owner has claimed it.
  func consume(_ lease: Lease) async {
    defer { states.withLock { $0[lease.partition] = nil } }
    var checkpoint = lease.checkpoint
    var failures = 0
    while !Task.isCancelled {
      do {
        try await follow(lease, &checkpoint) { failures = 0 }
      } catch is CheckpointLost {
        return
      } catch let reason as StopReason {
        await standStill(lease, reason)
        return
      } catch {
        if Task.isCancelled { return }
        failures += 1
        note(.retrying("\(error)"), lease.partition)
        observer.trouble("\(name), partition \(lease.partition): \(error)")
        try? await Task.sleep(for: min(.milliseconds(50) * (1 << min(failures, 7)), .seconds(5)))
      }
    }
  }

  /// Consumes until something is thrown or the task is cancelled.
  private func follow(_ lease: Lease, _ checkpoint: inout Checkpoint, succeeded: () -> Void) async throws {
    let reader = try await open(lease.partition, checkpoint)
    var parked = try await letters.subjects(partition: lease.partition, in: pool)
    do {
      note(.running(position: checkpoint.position), lease.partition)
      while !Task.isCancelled {
        try await write(try await next(reader, after: checkpoint, limit: batches.rows, wait: .seconds(1)), lease, &checkpoint, &parked)
        succeeded()
      }
    } catch {
      await reader.close()
      throw error
    }
    await reader.close()
  }

  /// Writes events that came, in as many batches as they need.
  private func write(_ arrived: [ProjectedEvent], _ lease: Lease, _ checkpoint: inout Checkpoint, _ parked: inout Set<String>) async throws {
    var rest = arrived[...]
    while !rest.isEmpty {
      let batch = SiftedBatch(rest, after: checkpoint, partition: lease.partition, rows: batches.rows, weigh: batches.weight)
      if batch.consumed > 0 {
        parked = try await batches.write(
          PartitionBatch(lease: lease, old: checkpoint, new: batch.checkpoint, events: batch.events, weight: batch.weight, parked: parked))
        checkpoint = batch.checkpoint
        leases.moved(lease, to: checkpoint.position)
        note(.running(position: checkpoint.position), lease.partition)
        positions.progressed(lease.partition, to: checkpoint.position)
        observer.projected(lease.partition, batch.events.count)
      }
      if let reason = batch.stop { throw reason }
      rest = rest.dropFirst(batch.consumed)
    }
  }

  private func open(_ partition: Int, _ checkpoint: Checkpoint) async throws -> any SourceReader {
    do {
      return try await source.reader(partition: partition, from: checkpoint)
    } catch let loss as EpochLoss {
      throw StopReason.gone(loss)
    } catch BrokerError.offsetOutOfRange(let earliest, let next) {
      throw StopReason.offsetOutOfRange(wanted: checkpoint.position, earliest: earliest, next: next)
    }
  }

  private func next(_ reader: any SourceReader, after checkpoint: Checkpoint, limit: Int, wait: Duration) async throws -> [ProjectedEvent] {
    do {
      return try await reader.next(limit: limit, wait: wait)
    } catch BrokerError.offsetOutOfRange(let earliest, let next) {
      throw StopReason.offsetOutOfRange(wanted: checkpoint.position, earliest: earliest, next: next)
    }
  }

  /// Keeps the lease, so that no other instance runs into the same wall, until it is taken away (replay) or the process ends.
  private func standStill(_ lease: Lease, _ reason: StopReason) async {
    note(.stopped(reason), lease.partition)
    observer.stopped("\(name) on \(source.topic.name), partition \(lease.partition): \(reason)")
    while !Task.isCancelled { try? await Task.sleep(for: .seconds(3_600)) }
  }

  private func note(_ state: SubscriptionState, _ partition: Int) {
    states.withLock { $0[partition] = state }
  }
}

/// How a partition does that this instance consumes.
public enum SubscriptionState: Sendable, Hashable {
  case running(position: Int64)
  /// Trouble of database or network, being waited out.
  case retrying(String)
  /// Until somebody decides: an alarm.
  case stopped(StopReason)
}

/// Where a subscription tells what happens, for metrics, logs and alarms. Called on its own tasks: must not block.
public struct SubscriptionObserver: Sendable {
  public var projected: @Sendable (_ partition: Int, _ events: Int) -> Void
  public var stopped: @Sendable (_ what: String) -> Void
  public var trouble: @Sendable (_ what: String) -> Void

  public init(
    projected: @escaping @Sendable (_ partition: Int, _ events: Int) -> Void = { _, _ in },
    stopped: @escaping @Sendable (_ what: String) -> Void = { _ in },
    trouble: @escaping @Sendable (_ what: String) -> Void = { _ in }
  ) {
    self.projected = projected
    self.stopped = stopped
    self.trouble = trouble
  }
}
