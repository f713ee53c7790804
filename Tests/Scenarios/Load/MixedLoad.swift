import HTTP
import Synchronization

/// Registrations, single posts and arrays of readings, with repetitions and revisions among them, from several senders at once, as seeded.
final class MixedLoad: Sendable {
  let notes: LoadNotes
  private let work: Task<Ledger, any Error>

  /// Begins to send.
  init(on city: RunningCity, senders: Int, seed: UInt64) async throws {
    let operatorToken = try await city.token("sensor-operator")
    let deviceToken = try await city.token("device")
    let notes = LoadNotes()
    let client = HTTPClient(HTTPClient.Settings(connectionsPerHost: senders))
    self.notes = notes
    work = Task {
      let ledger = try await withThrowingTaskGroup(of: Ledger.self) { group in
        for number in 0..<senders {
          group.addTask {
            var sender = LoadSender(
              city: city, client: client, operatorToken: operatorToken, deviceToken: deviceToken, notes: notes, number: number, seed: seed)
            return await sender.run()
          }
        }
        return try await group.reduce(into: Ledger()) { $0.merge($1) }
      }
      await client.close()
      return ledger
    }
  }

  /// Whether a reading and a registration were acknowledged that had been sent after that moment.
  func isAcknowledged(after moment: ContinuousClock.Instant) -> Bool {
    let latest = notes.latest
    return latest.reading > moment && latest.registration > moment
  }

  /// Sends nothing new, lets every request come to its end, and tells what became of all.
  func finish() async throws -> Ledger {
    notes.stop()
    return try await work.value
  }
}

/// What senders and those who watch them tell each other.
final class LoadNotes: Sendable {
  /// When the latest acknowledged request of each kind was begun.
  struct Latest: Sendable {
    var reading = ContinuousClock.now - .seconds(3_600)
    var registration = ContinuousClock.now - .seconds(3_600)
  }

  private let state = Mutex((latest: Latest(), isStopping: false))

  var latest: Latest { state.withLock { $0.latest } }
  var isStopping: Bool { state.withLock { $0.isStopping } }

  func stop() { state.withLock { $0.isStopping = true } }
  func reading(begun: ContinuousClock.Instant) { state.withLock { $0.latest.reading = max($0.latest.reading, begun) } }
  func registration(begun: ContinuousClock.Instant) { state.withLock { $0.latest.registration = max($0.latest.registration, begun) } }
}
