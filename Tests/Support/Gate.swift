import Synchronization

/// Lets so many in at once; the others wait in the order they came.
public final class Gate: Sendable {
  private struct State {
    var free: Int
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  private let state: Mutex<State>

  public init(width: Int) {
    state = Mutex(State(free: width))
  }

  public func enter() async {
    await withCheckedContinuation { continuation in
      let free = state.withLock { state in
        guard state.free > 0 else {
          state.waiters.append(continuation)
          return false
        }
        state.free -= 1
        return true
      }
      if free { continuation.resume() }
    }
  }

  public func leave() {
    let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
      if !state.waiters.isEmpty { return state.waiters.removeFirst() }
      state.free += 1
      return nil
    }
    next?.resume()
  }
}
