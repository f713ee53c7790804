import Broker
import Postgres

/// What of the events that came goes into one transaction, and where the checkpoint stands after it.
struct SiftedBatch: Sendable {
  var events: [ProjectedEvent] = []
  var checkpoint: Checkpoint
  /// How many of those that came are dealt with.
  var consumed = 0
  var stop: StopReason?

  /// Takes events until the rows they change reach `rows`, or one is a reason to stop.
  init(_ arrived: ArraySlice<ProjectedEvent>, after checkpoint: Checkpoint, partition: Int, cuts: [EpochBegan] = [], rows: Int, weigh: (ProjectedEvent) -> Int)
  {
    self.checkpoint = checkpoint
    var sequence = SubscriptionSequence(partition: partition, last: checkpoint.journal, cuts: cuts)
    var weight = 0
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

/// How a batch is written: at once, and only when that fails for good, event by event.
struct BatchWriter: Sendable {
  let projection: any Projection
  let tables: TableNames
  let letters: DeadLetterBox
  /// Told why a batch is taken event by event.
  var trouble: @Sendable (_ what: String) -> Void = { _ in }

  /// Runs in one transaction: the checkpoint first, then the read model.
  /// - Returns: the subjects that are parked after it.
  func write(
    _ events: [ProjectedEvent], parked: Set<String>, in pool: PostgresPool,
    advance: @escaping @Sendable (isolated PostgresConnection) throws -> Void
  ) async throws -> Set<String> {
    do {
      try await pool.transaction { connection throws in
        try advance(connection)
        let free = events.filter { !parked.contains($0.event.subject) }
        for event in events where parked.contains(event.event.subject) { try letters.park(event, cause: nil, on: connection) }
        if !free.isEmpty { try projection.project(free, on: connection, tables: tables) }
      }
      return parked
    } catch  where Self.isDeterministic(error) {
      trouble("a batch of \(events.count) events is taken one by one: \(error)")
      return try await pool.transaction { connection throws in
        try advance(connection)
        return try eachAlone(events, parked: parked, on: connection)
      }
    }
  }

  private func eachAlone(_ events: [ProjectedEvent], parked: Set<String>, on connection: isolated PostgresConnection) throws -> Set<String> {
    var parked = parked
    for event in events {
      if parked.contains(event.event.subject) {
        try letters.park(event, cause: nil, on: connection)
        continue
      }
      try connection.execute(script: "savepoint event")
      do {
        try projection.project([event], on: connection, tables: tables)
        // What a deferred constraint would refuse at COMMIT is refused here, where it is known whose fault it is.
        try connection.execute(script: "set constraints all immediate; release savepoint event; set constraints all deferred")
      } catch  where Self.isDeterministic(error) {
        try connection.execute(script: "rollback to savepoint event")
        try letters.park(event, cause: "\(error)", on: connection)
        parked.insert(event.event.subject)
      }
    }
    return parked
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
    default: true
    }
  }
}
