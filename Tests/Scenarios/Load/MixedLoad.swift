import HTTP
import Synchronization

/// Registrations, single posts and arrays of readings, with repetitions and revisions among them, from several senders at once, as seeded.
final class MixedLoad: Sendable {
  let notes: LoadNotes
  private let work: Task<Ledger, any Error>

  /// Begins to send.
  ///
  /// - Parameter pause: of each sender after each request: what was acknowledged has to be looked for in the end.
  init(on city: RunningCity, senders: Int, seed: UInt64, pause: Duration = .zero) async throws {
    let operatorToken = try await city.token("sensor-operator")
    let deviceToken = try await city.token("device")
    let notes = LoadNotes(instances: city.urls.count)
    let client = HTTPClient(HTTPClient.Settings(connectionsPerHost: senders))
    self.notes = notes
    work = Task {
      let ledger = try await withThrowingTaskGroup(of: Ledger.self) { group in
        for number in 0..<senders {
          group.addTask {
            var sender = LoadSender(
              city: city, client: client, operatorToken: operatorToken, deviceToken: deviceToken, notes: notes, number: number, seed: seed, pause: pause)
            return await sender.run()
          }
        }
        return try await group.reduce(into: Ledger()) { $0.merge($1) }
      }
      await client.close()
      return ledger
    }
  }

  /// Whether every instance acknowledged a reading and a registration that had been sent after that moment.
  func isAcknowledged(after moment: ContinuousClock.Instant) -> Bool {
    notes.latest.allSatisfy { $0.reading > moment && $0.registration > moment }
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

  private let state: Mutex<(latest: [Latest], isStopping: Bool)>

  init(instances: Int) { state = Mutex((Array(repeating: Latest(), count: instances), false)) }

  /// Of each instance.
  var latest: [Latest] { state.withLock { $0.latest } }
  var isStopping: Bool { state.withLock { $0.isStopping } }

  func stop() { state.withLock { $0.isStopping = true } }
  func reading(begun: ContinuousClock.Instant, _ instance: Int) {
    state.withLock { $0.latest[instance].reading = max($0.latest[instance].reading, begun) }
  }
  func registration(begun: ContinuousClock.Instant, _ instance: Int) {
    state.withLock { $0.latest[instance].registration = max($0.latest[instance].registration, begun) }
  }
}
