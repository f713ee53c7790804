import Broker
import EventSourcing
import Postgres
import ServiceKit

/// The read models of this service that `dos replay` builds anew.
struct SensorReplays: Sendable {
  let journal: Journal
  let broker: any EventBroker
  let pool: PostgresPool

  var all: [ReplayableProjection] {
    [
      ReplayableProjection(name: RegistryProjection.name) { verify, progress in
        let replay = Replay(RegistryProjection(), source: JournalSource(journal), pool: pool)
        if verify {
          let found = try await replay.verify { progress(ReplayableProjection.Progress(done: $0.done, total: $0.total)) }
          return ReplayableProjection.Outcome(done: found.events, differences: found.texts, notes: found.notes)
        }
        let positions = try await replay.run { progress(ReplayableProjection.Progress(done: $0.done, total: $0.total)) }
        return ReplayableProjection.Outcome(done: positions.values.reduce(0) { $0 + $1.position })
      },
      ReplayableProjection(name: RollupReplay.name) { verify, progress in try await rollups(verify, progress) },
      // The stored readings are the archive of what the topics no longer hold. So they are compared and never replaced; built anew is what derives from them.
      ReplayableProjection(name: Observations.name) { verify, progress in
        if verify {
          return try await ObservationsVerification(broker: broker, pool: pool).run { progress(ReplayableProjection.Progress(done: $0, total: $1)) }
        }
        var outcome = try await rollups(false, progress)
        outcome.notes = [
          "the stored readings are the archive and stay as they are; hours and days were built anew from them (--verify compares the readings with the topics)"
        ]
        return outcome
      },
    ]
  }

  private func rollups(
    _ verify: Bool, _ progress: @escaping @Sendable (ReplayableProjection.Progress) -> Void
  ) async throws -> ReplayableProjection.Outcome {
    let outcome = try await RollupReplay(pool: pool).run(verify: verify) {
      progress(ReplayableProjection.Progress(done: $0, total: $1, unit: "readings"))
    }
    return ReplayableProjection.Outcome(done: outcome.readings, unit: "readings", differences: outcome.differences.map(\.description))
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

/// What could not be taken into the service's read models.
struct SensorDeadLetters: DeadLetterBox {
  let pool: PostgresPool
  let topics: ObservationTopics

  private var boxes: [(projection: any Projection, topic: String, partitions: Int)] {
    [(RegistryProjection(), SensorTopics.registry.name, SensorTopics.registry.partitions)]
      + topics.all.map { (ObservationsProjection(), $0.name, $0.partitions) }
  }

  func list() async throws -> [DeadLetterNote] {
    var notes: [DeadLetterNote] = []
    for box in boxes {
      let name = type(of: box.projection).name
      for letter in try await DeadLetters(pool: pool, subscription: name, topic: box.topic).list() {
        let event = letter.event.event
        notes.append(
          DeadLetterNote(
            projection: name, stream: event.subject, event: event.type, parkedAt: letter.parkedAt,
            cause: letter.cause ?? "behind an earlier event of its stream"))
      }
    }
    return notes
  }

  func retry(projection: String?) async throws -> Int {
    var done = 0
    for box in boxes where projection == nil || projection == type(of: box.projection).name {
      let letters = DeadLetters(pool: pool, subscription: type(of: box.projection).name, topic: box.topic)
      for partition in 0..<box.partitions {
        guard try await !letters.list(partition: partition, limit: 1).isEmpty else { continue }
        done += try await letters.retry(partition: partition, projection: box.projection).projected
      }
    }
    return done
  }
}
