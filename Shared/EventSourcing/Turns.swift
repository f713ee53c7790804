import Synchronization

/// Lets so many at a time do something, in the order in which they came.
final class Turns: Sendable {
  private struct State {
    var free: Int
    var last = 0
    var waiting: [(id: Int, continuation: CheckedContinuation<Bool, Never>)] = []
  }

  private let state: Mutex<State>

  init(_ atOnce: Int) {
    state = Mutex(State(free: atOnce))
  }

  /// Runs the body when it is its turn.
  /// - Throws: what the body throws; `CancellationError` where the task was cancelled while it waited.
  func run<Outcome>(_ body: () async throws -> Outcome) async throws -> Outcome {
    guard await take() else { throw CancellationError() }
    defer { give() }
    return try await body()
  }

  private func take() async -> Bool {
    let id = state.withLock { state in
      state.last += 1
      return state.last
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let answer: Bool? = state.withLock { state in
          // Who is cancelled from here on finds itself among those who wait.
          if Task.isCancelled { return false }
          if state.free > 0 {
            state.free -= 1
            return true
          }
          state.waiting.append((id, continuation))
          return nil
        }
        if let answer { continuation.resume(returning: answer) }
      }
    } onCancel: {
      let left = state.withLock { state in
        state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0).continuation }
      }
      left?.resume(returning: false)
    }
  }

  private func give() {
    let next = state.withLock { state -> CheckedContinuation<Bool, Never>? in
      if !state.waiting.isEmpty { return state.waiting.removeFirst().continuation }
      state.free += 1
      return nil
    }
    next?.resume(returning: true)
  }
}
