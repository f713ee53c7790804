import Postgres

/// How a batch takes effect, with the checkpoint that says so.
protocol BatchTaker: Sendable {
  /// What a batch weighs at most.
  var rows: Int { get }
  func weight(of event: ProjectedEvent) -> Int
  /// - Returns: the subjects of the batch's partition that are parked after it.
  /// - Throws: `CheckpointLost`; `CancellationError`; trouble that a later attempt may not meet.
  func write(_ batch: PartitionBatch) async throws -> Set<String>
}

/// Lets a reaction react to a batch's events, and then moves the checkpoint: what happened in between is done again, under the same keys.
struct ReactionWriter: BatchTaker {
  let reaction: any Reaction
  let pool: PostgresPool
  let letters: DeadLetterBox

  /// Subjects reacted to at the same time.
  private static let atOnce = 16
  /// What may have to be done again after a crash.
  let rows = 256

  func weight(of event: ProjectedEvent) -> Int { 1 }

  func write(_ batch: PartitionBatch) async throws -> Set<String> {
    let letters = try await react(to: batch.events, parked: batch.parked)
    let box = self.letters
    try await pool.transaction { connection throws in
      try batch.lease.advance(from: batch.old, to: batch.new, on: connection)
      for letter in letters { try box.park(letter.event, cause: letter.cause, on: connection) }
    }
    return batch.parked.union(letters.map(\.event.event.subject))
  }

  /// An event that is to be parked; without a cause it stands behind another.
  private struct Letter: Sendable {
    let event: ProjectedEvent
    let cause: String?
  }

  /// - Returns: what cannot be reacted to, in the order of the events.
  private func react(to events: [ProjectedEvent], parked: Set<String>) async throws -> [Letter] {
    let bySubject = Dictionary(grouping: events, by: \.event.subject)
    return try await withThrowingTaskGroup(of: [Letter].self) { group in
      var letters: [Letter] = []
      for (index, (subject, events)) in bySubject.enumerated() {
        if index >= Self.atOnce, let done = try await group.next() { letters += done }
        group.addTask { try await react(toSubject: events, isParked: parked.contains(subject)) }
      }
      for try await done in group { letters += done }
      return letters.sorted { $0.event.position.offset < $1.event.position.offset }
    }
  }

  private func react(toSubject events: [ProjectedEvent], isParked: Bool) async throws -> [Letter] {
    var letters: [Letter] = []
    for event in events {
      if let reason = event.event.unreadable {
        letters.append(Letter(event: event, cause: reason))
      } else if isParked || !letters.isEmpty {
        letters.append(Letter(event: event, cause: nil))
      } else {
        try Task.checkCancellation()
        do {
          try await reaction.react(to: event, because: ReactionCause(reaction: reaction.name, event: event.event))
        } catch  where BatchWriter.isDeterministic(error) {
          letters.append(Letter(event: event, cause: "\(error)"))
        }
      }
    }
    return letters
  }
}

extension DeadLetters {
  /// Claims the partition like any owner and reacts to what is parked there, in order. Stops at the first that fails again.
  public func retry(partition: Int, reaction: any Reaction) async throws -> Retried {
    try await retry(
      partition: partition, before: { event in try await reaction.react(to: event, because: ReactionCause(reaction: reaction.name, event: event.event)) })
  }
}
