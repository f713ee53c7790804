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
      .of(RegistryProjection(), JournalSource(journal), in: pool),
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
