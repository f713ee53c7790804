public import Broker
import Postgres

/// Reads a source from its beginning to a fixed position into tables beside the live ones: what every replay does, whatever becomes of the tables.
public struct ReplayBuild: Sendable {
  private let projection: any Projection
  private let source: any EventSource
  private let tables: TableNames
  private let subscription: String
  private let turn: ReplayTurn
  private let cuts: [EpochBegan]
  private let passing: Set<BrokerPosition>

  /// - Parameters:
  ///   - subscription: a name of its own, under which its checkpoints and dead letters stand.
  ///   - cuts: what restores took back and the source still holds.
  ///   - passing: events to leave out, since the live tables do not have them either.
  public init(
    projection: any Projection, source: any EventSource, tables: TableNames, subscription: String, turn: ReplayTurn, cuts: [EpochBegan] = [],
    passing: Set<BrokerPosition> = []
  ) {
    self.projection = projection
    self.source = source
    self.tables = tables
    self.subscription = subscription
    self.turn = turn
    self.cuts = cuts
    self.passing = passing
  }

  /// - Parameter reached: told how many events are done, over all partitions.
  /// - Returns: what it holds of each partition, with the position it stands at.
  public func run(from starts: [Int64], to ends: [Int64], reached: (Int64) -> Void) async throws -> [Lease] {
    let (topic, subscription) = (source.topic.name, subscription)
    try await turn.pool.transaction { connection throws in
      for (partition, start) in starts.enumerated() {
        try CheckpointTable.place(Checkpoint(position: start), subscription: subscription, topic: topic, partition: partition, on: connection)
      }
      try connection.execute("delete from dos_dead_letters where subscription = \(subscription) and topic = \(topic)")
    }
    var built: [Lease] = []
    var done: Int64 = 0
    for (partition, end) in ends.enumerated() {
      let lease = try await Leases.claim(subscription: subscription, topic: topic, partition: partition, in: turn.pool)
      let before = done
      let checkpoint = try await follow(lease, to: end) { position in
        done = before + position - lease.checkpoint.position
        reached(done)
      }
      built.append(Lease(subscription: subscription, topic: topic, partition: partition, claim: lease.claim, checkpoint: checkpoint))
    }
    return built
  }

  private func follow(_ lease: Lease, to end: Int64, _ reached: (Int64) -> Void) async throws -> Checkpoint {
    guard lease.checkpoint.position < end else { return lease.checkpoint }
    let reader = try await source.reader(partition: lease.partition, from: lease.checkpoint)
    let outcome: Result<Checkpoint, any Error>
    do {
      outcome = .success(try await follow(reader, lease, to: end, reached))
    } catch {
      outcome = .failure(error)
    }
    await reader.close()
    return try outcome.get()
  }

  private func follow(_ reader: any SourceReader, _ lease: Lease, to end: Int64, _ reached: (Int64) -> Void) async throws -> Checkpoint {
    let writer = BatchWriter(projection: projection, tables: tables, letters: DeadLetterBox(subscription: subscription, topic: lease.topic))
    var checkpoint = lease.checkpoint
    var parked: Set<String> = []
    var arrived = try await read(reader)
    while true {
      try Task.checkCancellation()
      guard let last = arrived.last else {
        throw ReplayRefusal.sourceEndsBefore(partition: lease.partition, wanted: end, reached: checkpoint.position)
      }
      let isLast = last.position.offset >= end - 1
      // What comes next is read while this is written.
      async let following = isLast ? [] : read(reader)
      var rest = arrived.filter { $0.position.offset < end }[...]
      while !rest.isEmpty {
        let batch = SiftedBatch(rest, after: checkpoint, partition: lease.partition, cuts: cuts, rows: Subscription.batchRows, weigh: projection.rows)
        if let reason = batch.stop, batch.consumed == 0 { throw reason }
        let events = passing.isEmpty ? batch.events : batch.events.filter { !passing.contains($0.position) }
        let outcomes = await writer.write(
          [PartitionBatch(lease: lease, old: checkpoint, new: batch.checkpoint, events: events, weight: batch.weight, parked: parked)], in: turn.pool)
        for outcome in outcomes { parked = try outcome.get() }
        checkpoint = batch.checkpoint
        reached(checkpoint.position)
        rest = rest.dropFirst(batch.consumed)
      }
      arrived = try await following
      if isLast {
        // Kafka's offsets may skip: what came lies beyond the end, so the end is reached.
        let short = checkpoint
        checkpoint.position = max(checkpoint.position, end)
        if short != checkpoint { try await lease.advance(from: short, to: checkpoint, in: turn.pool) }
        return checkpoint
      }
    }
  }

  private func read(_ reader: any SourceReader) async throws -> [ProjectedEvent] {
    try await reader.next(limit: Subscription.batchRows, wait: .seconds(10))
  }
}
