import Foundation
import Synchronization

/// Wakes readers whose queue got something, when their time is up, or when they are cancelled; one thread for all of a process.
final class KafkaWatch: Sendable {
  private struct Waiter {
    let deadline: ContinuousClock.Instant
    let continuation: CheckedContinuation<Void, Never>
  }

  private struct State {
    var waiters: [UInt64: Waiter] = [:]
    /// Who has news that nobody waited for yet.
    var news: Set<UInt64> = []
    /// What the library's own queues have to say is served by this thread.
    var served: [UInt64: @Sendable () -> Void] = [:]
    var nextID: UInt64 = 1
    var sleepsUntil: ContinuousClock.Instant?
    var isClosed = false
  }

  private static let longestSleep = Duration.seconds(1)

  private let state = Mutex(State())
  private let pipe: WakePipe

  init() throws(BrokerError) {
    pipe = try WakePipe()
    Thread.detachNewThread { [self] in run() }
  }

  /// Where queues write their number.
  var descriptor: Int32 { pipe.writeEnd }

  /// A number for a reader, or for a queue that `serve` looks after.
  func number(serve: (@Sendable () -> Void)? = nil) -> UInt64 {
    state.withLock { state in
      defer { state.nextID += 1 }
      state.served[state.nextID] = serve
      return state.nextID
    }
  }

  /// The number means nothing any more; who waits for it is woken.
  func forget(_ number: UInt64) {
    let waiter = state.withLock { state in
      state.news.remove(number)
      state.served[number] = nil
      return state.waiters.removeValue(forKey: number)
    }
    waiter?.continuation.resume()
  }

  /// Returns when the queue of that number got something since the last wait, when the time is up or the task is cancelled. One waits for a number at a time.
  func wait(for number: UInt64, until deadline: ContinuousClock.Instant) async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let (isOver, mustWake) = state.withLock { state in
          if state.isClosed || Task.isCancelled || state.news.remove(number) != nil { return (true, false) }
          state.waiters[number] = Waiter(deadline: deadline, continuation: continuation)
          return (false, state.sleepsUntil.map { deadline < $0 } ?? false)
        }
        if isOver { continuation.resume() }
        if mustWake { pipe.wake() }
      }
    } onCancel: {
      // Kept as news for a wait that has not begun.
      wake([number])
    }
  }

  func close() {
    let waiters = state.withLock { state in
      state.isClosed = true
      defer { state.waiters = [:] }
      return state.waiters
    }
    for waiter in waiters.values { waiter.continuation.resume() }
    pipe.wake()
  }

  private func wake(_ numbers: Set<UInt64>) {
    let (woken, serving) = state.withLock { state in
      var woken: [CheckedContinuation<Void, Never>] = []
      var serving: [@Sendable () -> Void] = []
      for number in numbers where number < state.nextID && number > 0 {
        if let serve = state.served[number] { serving.append(serve) }
        if let waiter = state.waiters.removeValue(forKey: number) { woken.append(waiter.continuation) } else { state.news.insert(number) }
      }
      return (woken, serving)
    }
    for continuation in woken { continuation.resume() }
    for serve in serving { serve() }
  }

  private func run() {
    while true {
      let now = ContinuousClock.now
      let (late, sleep) = state.withLock { state -> ([CheckedContinuation<Void, Never>], Duration?) in
        if state.isClosed { return ([], nil) }
        let late = state.waiters.filter { $0.value.deadline <= now }
        for number in late.keys { state.waiters[number] = nil }
        let until = min(state.waiters.values.map(\.deadline).min() ?? now + Self.longestSleep, now + Self.longestSleep)
        state.sleepsUntil = until
        return (late.values.map(\.continuation), now.duration(to: until))
      }
      for continuation in late { continuation.resume() }
      guard let sleep else { return }
      wake(pipe.wait(atMost: sleep))
    }
  }
}
