import Broker
public import Postgres

/// Rebuilds a projection from its source, beside the live tables and up to a fixed position, and swaps in one transaction: reads go on throughout.
///
/// With the intake stopped the result equals the live tables byte for byte.
public struct Replay: Sendable {
  private let projection: any Projection
  private let source: any EventSource
  private let pool: PostgresPool
  private let name: String

  public init(_ projection: any Projection, source: any EventSource, pool: PostgresPool) {
    self.projection = projection
    self.source = source
    self.pool = pool
    name = type(of: projection).name
  }

  /// How far a replay is.
  public struct Progress: Sendable, Hashable {
    public let done: Int64
    public let total: Int64
    /// Events per second since the start.
    public let rate: Double
  }

  /// - Parameters:
  ///   - end: one past the last offset of each partition; nil fixes what stands in the source now.
  ///   - progress: called after each batch.
  /// - Returns: the positions the projection stands at.
  /// - Throws: `StopReason` where the source itself has a gap; `ReplayRefusal`; `CheckpointLost` when another replay of this projection has begun.
  @discardableResult
  public func run(to end: [Int64]? = nil, progress: @Sendable (Progress) -> Void = { _ in }) async throws -> [Int: Checkpoint] {
    let (starts, ends) = (try await source.earliest(), try await fixed(end))
    let tables = ReplayTables(schema: "replay_" + name, projection: projection)
    var cuts: [EpochBegan] = []
    while true {
      do {
        let checkpoints = try await build(tables, starts, ends, cuts, progress)
        try await swap(tables, checkpoints)
        return checkpoints
      } catch StopReason.gone(let loss) {
        // The topic still holds what a restore took back. Begin again without it; each epoch costs one more beginning.
        let began = EpochBegan(epoch: loss.epoch, keeps: loss.gone.lowerBound - 1)
        guard !cuts.contains(began) else { throw StopReason.gone(loss) }
        cuts.append(began)
      }
    }
  }

  private func fixed(_ end: [Int64]?) async throws -> [Int64] {
    if let end { return end }
    return try await source.end()
  }

  /// The name under which a running replay keeps its own checkpoints and dead letters.
  private var shadow: String { "replay:" + name }

  private func build(
    _ tables: ReplayTables, _ starts: [Int64], _ ends: [Int64], _ cuts: [EpochBegan], _ progress: @Sendable (Progress) -> Void
  ) async throws -> [Int: Checkpoint] {
    let topic = source.topic.name
    let shadow = shadow
    try await pool.transaction { connection throws in
      for (partition, start) in starts.enumerated() {
        try CheckpointTable.place(Checkpoint(position: start), subscription: shadow, topic: topic, partition: partition, on: connection)
      }
      try connection.execute("delete from dos_dead_letters where subscription = \(shadow) and topic = \(topic)")
      try tables.create(on: connection)
    }
    let total = zip(starts, ends).reduce(Int64(0)) { $0 + max(0, $1.1 - $1.0) }
    let began = ContinuousClock.now
    var done: Int64 = 0
    var checkpoints: [Int: Checkpoint] = [:]
    for (partition, end) in ends.enumerated() {
      let lease = try await Leases.claim(subscription: shadow, topic: topic, partition: partition, in: pool)
      let before = done
      checkpoints[partition] = try await follow(lease, to: end, tables, cuts) { position in
        done = before + position - lease.checkpoint.position
        let seconds = max(0.001, began.duration(to: .now).seconds)
        progress(Progress(done: done, total: total, rate: Double(done) / seconds))
      }
    }
    return checkpoints
  }

  private func follow(
    _ lease: Lease, to end: Int64, _ tables: ReplayTables, _ cuts: [EpochBegan], _ reached: (Int64) -> Void
  ) async throws -> Checkpoint {
    let writer = BatchWriter(
      projection: projection, tables: TableNames(schema: tables.schema), letters: DeadLetterBox(subscription: shadow, topic: lease.topic))
    var checkpoint = lease.checkpoint
    guard checkpoint.position < end else { return checkpoint }
    var parked: Set<String> = []
    let reader = try await source.reader(partition: lease.partition, from: checkpoint)
    while checkpoint.position < end {
      try Task.checkCancellation()
      let arrived = try await reader.next(limit: Subscription.batchRows, wait: .seconds(10))
      if arrived.isEmpty { throw ReplayRefusal.sourceEndsBefore(partition: lease.partition, wanted: end, reached: checkpoint.position) }
      var rest = arrived.filter { $0.position.offset < end }[...]
      while !rest.isEmpty {
        let batch = SiftedBatch(
          rest, after: checkpoint, partition: lease.partition, cuts: cuts, rows: Subscription.batchRows, weigh: projection.rows)
        if let reason = batch.stop, batch.consumed == 0 { throw reason }
        let old = checkpoint
        parked = try await writer.write(batch.events, parked: parked, in: pool) { connection throws in
          try lease.advance(from: old, to: batch.checkpoint, on: connection)
        }
        checkpoint = batch.checkpoint
        reached(checkpoint.position)
        rest = rest.dropFirst(batch.consumed)
      }
      // Kafka's offsets may skip: what came lies beyond the end, so the end is reached.
      if let last = arrived.last, last.position.offset >= end { checkpoint.position = max(checkpoint.position, end) }
    }
    await reader.close()
    return checkpoint
  }

  /// Everything at once: the tables, the dead letters, the checkpoints, which fence off whoever consumed meanwhile.
  private func swap(_ tables: ReplayTables, _ checkpoints: [Int: Checkpoint]) async throws {
    let (topic, name, shadow) = (source.topic.name, name, shadow)
    try await pool.transaction { connection throws in
      for (partition, checkpoint) in checkpoints.sorted(by: { $0.key < $1.key }) {
        try CheckpointTable.place(checkpoint, subscription: name, topic: topic, partition: partition, on: connection)
      }
      try connection.execute("delete from dos_checkpoints where subscription = \(shadow) and topic = \(topic)")
      try connection.execute("delete from dos_dead_letters where subscription = \(name) and topic = \(topic)")
      try connection.execute("update dos_dead_letters set subscription = \(name) where subscription = \(shadow) and topic = \(topic)")
      try tables.swap(on: connection)
    }
  }
}

/// Why a replay did not begin or end.
public enum ReplayRefusal: Error, Sendable, Hashable {
  /// A copy would lose what hangs on the table; read models have no triggers and no foreign keys.
  case tableHasMore(table: String, what: String)
  case noSuchTable(String)
  /// The source has less than the position that was given.
  case sourceEndsBefore(partition: Int, wanted: Int64, reached: Int64)
}
