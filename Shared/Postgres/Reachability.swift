import Synchronization

/// What a pool's connections know together about a server that is down: while it backs off, connecting fails at once with the last reason
/// instead of keeping everyone waiting.
final class Reachability: Sendable {
  private struct State {
    var retryAt: ContinuousClock.Instant?
    var pause = Duration.milliseconds(50)
    var reason = ""
  }

  private let state = Mutex(State())

  func check() throws(PostgresError) {
    let reason: String? = state.withLock { state in
      guard let retryAt = state.retryAt, retryAt > .now else { return nil }
      return state.reason
    }
    if let reason { throw PostgresError(kind: .connection, message: reason) }
  }

  func succeeded() {
    state.withLock { $0 = State() }
  }

  func failed(_ error: PostgresError) {
    state.withLock {
      $0.reason = error.message
      $0.retryAt = .now + $0.pause
      $0.pause = min($0.pause * 2, .seconds(1))
    }
  }
}
