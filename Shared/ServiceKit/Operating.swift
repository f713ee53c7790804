public import Broker
public import EventSourcing
public import Postgres

extension ReplayableProjection {
  /// A projection over one source, as `dos replay` builds it anew.
  public static func of(_ projection: any Projection, _ source: any EventSource, in pool: PostgresPool) -> ReplayableProjection {
    ReplayableProjection(name: type(of: projection).name) { verify, progress in
      let replay = Replay(projection, source: source, pool: pool)
      if verify {
        let found = try await replay.verify { progress(Progress(done: $0.done, total: $0.total)) }
        return Outcome(done: found.events, differences: found.texts, notes: found.notes)
      }
      let positions = try await replay.run { progress(Progress(done: $0.done, total: $0.total)) }
      return Outcome(done: positions.values.reduce(0) { $0 + $1.position })
    }
  }
}

extension Replay.Verification {
  fileprivate var texts: [String] {
    differences.map(\.description)
      + failed.map { letter in
        let position = letter.event.position
        return
          "\(position.topic)/\(position.partition)/\(position.offset) of \(letter.event.event.subject) cannot be taken in now: \(letter.cause ?? "behind an earlier one")"
      }
  }

  fileprivate var notes: [String] {
    parked == 0 ? [] : ["\(parked) parked events are in neither and were left out of the comparison; `dos dead-letters list` shows them"]
  }
}

/// What a service's subscriptions could not take.
public struct ServiceDeadLetters: DeadLetterBox {
  /// One subscription that may have parked something.
  public struct Box: Sendable {
    let name: String
    let topic: Topic
    let retry: @Sendable (DeadLetters, _ partition: Int) async throws -> DeadLetters.Retried

    public static func projection(_ projection: any Projection, topic: Topic) -> Box {
      Box(name: type(of: projection).name, topic: topic) { try await $0.retry(partition: $1, projection: projection) }
    }

    public static func reaction(_ reaction: any Reaction, topic: Topic) -> Box {
      Box(name: reaction.name, topic: topic) { try await $0.retry(partition: $1, reaction: reaction) }
    }
  }

  private let pool: PostgresPool
  private let boxes: [Box]

  public init(pool: PostgresPool, _ boxes: [Box]) {
    self.pool = pool
    self.boxes = boxes
  }

  public func list() async throws -> [DeadLetterNote] {
    var notes: [DeadLetterNote] = []
    for box in boxes {
      for letter in try await DeadLetters(pool: pool, subscription: box.name, topic: box.topic.name).list() {
        let event = letter.event.event
        notes.append(
          DeadLetterNote(
            projection: box.name, stream: event.subject, event: event.type, parkedAt: letter.parkedAt,
            cause: letter.cause ?? "behind an earlier event of its stream"))
      }
    }
    return notes
  }

  public func retry(projection: String?) async throws -> Int {
    var done = 0
    for box in boxes where projection == nil || projection == box.name {
      let letters = DeadLetters(pool: pool, subscription: box.name, topic: box.topic.name)
      for partition in 0..<box.topic.partitions {
        guard try await !letters.list(partition: partition, limit: 1).isEmpty else { continue }
        done += try await box.retry(letters, partition).projected
      }
    }
    return done
  }
}
