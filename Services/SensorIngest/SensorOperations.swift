import EventSourcing
import Postgres
import ServiceKit

/// Builds the registry's tables anew from the Journal and says whether they came out as they were.
struct RegistryReplay: Sendable {
  let journal: Journal
  let pool: PostgresPool

  func run(
    verify: Bool, progress: @escaping @Sendable (ReplayableProjection.Progress) -> Void
  ) async throws -> ReplayableProjection.Outcome {
    let before = verify ? try await digests() : [:]
    let checkpoints = try await Replay(RegistryProjection(), source: JournalSource(journal), pool: pool).run { state in
      progress(ReplayableProjection.Progress(done: state.done, total: state.total))
    }
    let after = verify ? try await digests() : [:]
    let differing = before.keys.sorted().filter { before[$0] != after[$0] }
    return ReplayableProjection.Outcome(
      events: checkpoints.values.reduce(0) { $0 + $1.position }, differences: differing.map { "\($0): the rows are not as the decisions say" })
  }

  private func digests() async throws -> [String: String] {
    var digests: [String: String] = [:]
    for (table, key) in RegistryTables.keys {
      let order = key.joined(separator: ", ")
      let rows = try await pool.query("select coalesce(md5(string_agg(t::text, chr(10) order by \(unsafe: order))), '') from \(identifier: table) t")
      digests[table] = try rows[0].value(String.self, at: 0)
    }
    return digests
  }
}

/// What could not be taken into the service's read models.
struct SensorDeadLetters: DeadLetterBox {
  let pool: PostgresPool

  private var boxes: [(projection: any Projection, topic: String, partitions: Int)] {
    [(RegistryProjection(), SensorTopics.registry.name, SensorTopics.registry.partitions)]
      + ObservationTopics.all.map { (ObservationsProjection(), $0.name, $0.partitions) }
  }

  func list() async throws -> [DeadLetterNote] {
    var notes: [DeadLetterNote] = []
    for box in boxes {
      let name = type(of: box.projection).name
      for letter in try await DeadLetters(pool: pool, subscription: name, topic: box.topic).list() {
        let event = letter.event.event
        notes.append(
          DeadLetterNote(
            projection: name, stream: event.subject, event: event.type, parkedAt: event.time, cause: letter.cause ?? "behind an earlier event of its stream"))
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
