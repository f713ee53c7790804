import Broker
import Postgres

/// What of the events that came goes into one transaction, and where the checkpoint stands after it.
struct SiftedBatch: Sendable {
  var events: [ProjectedEvent] = []
  var checkpoint: Checkpoint
  /// How many of those that came are dealt with.
  var consumed = 0
  /// How many rows the events change at most.
  private(set) var weight = 0
  var stop: StopReason?

  /// Takes events until the rows they change reach `rows`, or one is a reason to stop.
  init(_ arrived: ArraySlice<ProjectedEvent>, after checkpoint: Checkpoint, partition: Int, cuts: [EpochBegan] = [], rows: Int, weigh: (ProjectedEvent) -> Int)
  {
    self.checkpoint = checkpoint
    var sequence = SubscriptionSequence(partition: partition, last: checkpoint.journal, cuts: cuts)
    for event in arrived {
      let verdict = sequence.judge(event.event)
      if case .stop(let reason) = verdict {
        stop = reason
        return
      }
      if verdict == .project {
        events.append(event)
        weight += max(1, weigh(event))
      }
      consumed += 1
      self.checkpoint = Checkpoint(position: event.position.offset + 1, journal: sequence.last)
      if weight >= rows { return }
    }
  }
}

/// What one partition brings to a transaction.
struct PartitionBatch: Sendable {
  let lease: Lease
  /// What the checkpoint must be, and what it becomes.
  let old: Checkpoint
  let new: Checkpoint
  let events: [ProjectedEvent]
  /// How many rows the events change at most.
  let weight: Int
  /// Streams of which events are parked.
  let parked: Set<String>
}

/// How batches are written: all in one transaction; where that fails for good, each partition alone; and where that does, in halves.
struct BatchWriter: Sendable {
  let projection: any Projection
  let tables: TableNames
  let letters: DeadLetterBox
  /// Told why a batch is taken apart.
  var trouble: @Sendable (_ what: String) -> Void = { _ in }

  /// The checkpoints first, then the read model.
  /// - Returns: for each batch the subjects that are parked after it, or why nothing of it was written.
  func write(_ batches: [PartitionBatch], in pool: PostgresPool) async -> [Result<Set<String>, any Error>] {
    do {
      try await pool.transaction { connection throws in
        try Self.advance(batches, on: connection)
        var free: [ProjectedEvent] = []
        for batch in batches {
          for event in batch.events {
            if try !park(event, parked: batch.parked, on: connection) { free.append(event) }
          }
        }
        if !free.isEmpty { try projection.project(free, on: connection, tables: tables) }
      }
      return batches.map { .success($0.parked) }
    } catch {
      guard let batch = batches.first else { return [] }
      if batches.count > 1, error is CheckpointLost || Self.isDeterministic(error) {
        var outcomes: [Result<Set<String>, any Error>] = []
        for batch in batches { outcomes += await write([batch], in: pool) }
        return outcomes
      }
      return Self.isDeterministic(error) ? [await sorted(batch, error, in: pool)] : batches.map { _ in .failure(error) }
    }
  }

  /// What is written here follows from the log and the checkpoint beside it: where a crash of the server takes both back, they are made again. So nobody waits
  /// for the disk.
  private static func advance(_ batches: [PartitionBatch], on connection: isolated PostgresConnection) throws {
    try Lease.advance(batches.map { ($0.lease, $0.old, $0.new) }, after: "select set_config('synchronous_commit', 'off', true)", on: connection)
  }

  /// Parks what stands behind an event that was parked, and what is no event at all.
  private func park(_ event: ProjectedEvent, parked: Set<String>, on connection: isolated PostgresConnection) throws -> Bool {
    let reason = event.event.unreadable
    guard reason != nil || parked.contains(event.event.subject) else { return false }
    try letters.park(event, cause: reason, on: connection)
    return true
  }

  private func sorted(_ batch: PartitionBatch, _ error: any Error, in pool: PostgresPool) async -> Result<Set<String>, any Error> {
    trouble("what cannot be projected is looked for among \(batch.events.count) events: \(error)")
    do {
      return .success(
        try await pool.transaction { connection throws in
          try Self.advance([batch], on: connection)
          var parked = batch.parked
          var readable: [ProjectedEvent] = []
          for event in batch.events where try !park(event, parked: parked, on: connection) {
            do {
              try projection.check(event)
              readable.append(event)
            } catch {
              try letters.park(event, cause: "\(error)", on: connection)
              parked.insert(event.event.subject)
            }
          }
          try sort(readable[...], parked: &parked, on: connection)
          return parked
        })
    } catch {
      return .failure(error)
    }
  }

  /// Projects what can be projected, in halves where the whole cannot, so that one bad event among thousands costs little more than they do.
  private func sort(_ events: ArraySlice<ProjectedEvent>, parked: inout Set<String>, on connection: isolated PostgresConnection) throws {
    try connection.execute(script: "savepoint part")
    do {
      var free: [ProjectedEvent] = []
      for event in events where try !park(event, parked: parked, on: connection) { free.append(event) }
      if !free.isEmpty { try projection.project(free, on: connection, tables: tables) }
      // What a deferred constraint would refuse at COMMIT is refused here, where it is known whose fault it is.
      try connection.execute(script: "set constraints all immediate; release savepoint part; set constraints all deferred")
    } catch  where Self.isDeterministic(error) {
      try connection.execute(script: "rollback to savepoint part; release savepoint part")
      if events.count == 1, let event = events.first {
        try letters.park(event, cause: "\(error)", on: connection)
        parked.insert(event.event.subject)
      } else {
        let middle = events.startIndex + events.count / 2
        try sort(events[..<middle], parked: &parked, on: connection)
        try sort(events[middle...], parked: &parked, on: connection)
      }
    }
  }

  /// Whether the same thing would fail again. Trouble of the database or network is not the event's fault and is never a reason to park it.
  static func isDeterministic(_ error: any Error) -> Bool {
    switch error {
    case is CheckpointLost, is CancellationError: false
    case let error as PostgresError:
      switch error.kind {
      // A lock that did not come in time (a swap, a migration) comes later.
      case .server(sqlState: "55P03"): false
      case .server, .decoding: !error.isTransient
      default: false
      }
    case let error as any TransientError: !error.isTransient
    default: true
    }
  }
}
