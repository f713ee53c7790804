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
    /// Of officers.
    var command = ContinuousClock.now - .seconds(3_600)
  }

  private struct State {
    var latest: [Latest]
    var isStopping = false
    var heard: ContinuousClock.Instant?
    var longestSilence = Duration.zero
  }

  private let state: Mutex<State>

  init(instances: Int) { state = Mutex(State(latest: Array(repeating: Latest(), count: instances))) }

  /// Of each instance.
  var latest: [Latest] { state.withLock { $0.latest } }
  var isStopping: Bool { state.withLock { $0.isStopping } }
  /// The longest time in which no instance acknowledged anything.
  var longestSilence: Duration { state.withLock { $0.longestSilence } }

  func stop() { state.withLock { $0.isStopping = true } }
  func reading(begun: ContinuousClock.Instant, _ instance: Int) { note(\.reading, begun, instance) }
  func registration(begun: ContinuousClock.Instant, _ instance: Int) { note(\.registration, begun, instance) }

  func command(begun: ContinuousClock.Instant) { note(\.command, begun, 0) }

  private func note(_ kind: WritableKeyPath<Latest, ContinuousClock.Instant> & Sendable, _ begun: ContinuousClock.Instant, _ instance: Int) {
    state.withLock { state in
      state.latest[instance][keyPath: kind] = max(state.latest[instance][keyPath: kind], begun)
      let now = ContinuousClock.now
      if let heard = state.heard { state.longestSilence = max(state.longestSilence, heard.duration(to: now)) }
      state.heard = now
    }
  }
}
