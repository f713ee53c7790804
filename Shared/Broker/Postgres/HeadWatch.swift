import Foundation
import Postgres
import Synchronization

/// Wakes readers when their partition grows: at once for what this process publishes, and by one query for all partitions waited for,
/// repeated with a back-off capped at 50 ms, for what others do.
final class HeadWatch: Sendable {
  /// What waiting came to.
  enum Outcome: Sendable {
    /// There is something to look at, or nobody has looked.
    case look
    /// The time is up, and the partition's end was what is wanted: there is nothing to look at.
    case quiet
  }

  private struct Waiter {
    let place: Place
    let wanted: Int64
    let deadline: ContinuousClock.Instant
    let continuation: CheckedContinuation<Result<Outcome, BrokerError>, Never>
  }

  private struct State {
    var waiters: [UInt64: Waiter] = [:]
    /// Who was cancelled before it had begun to wait.
    var cancelled: Set<UInt64> = []
    var nextID: UInt64 = 0
    var polling = false
    var closed = false
  }

  private static let shortestPause = Duration.milliseconds(10)
  private static let longestPause = Duration.milliseconds(50)

  private let state = Mutex(State())
  private let pool: PostgresPool
  private let recent: RecentEvents

  init(_ pool: PostgresPool, recent: RecentEvents) {
    self.pool = pool
    self.recent = recent
  }

  /// Returns when the partition's end differs from `wanted`, when the time is up, or when the task is cancelled.
  ///
  /// What this process commits between the reader's look and this call is known here; what others do is found by the next poll.
  func wait(_ place: Place, beyond wanted: Int64, until deadline: ContinuousClock.Instant) async throws(BrokerError) -> Outcome {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    let answer = await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: CheckedContinuation<Result<Outcome, BrokerError>, Never>) in
        let (known, start) = state.withLock { state -> (Result<Outcome, BrokerError>?, Bool) in
          if state.closed { return (.failure(.closed), false) }
          if state.cancelled.remove(id) != nil { return (.success(.look), false) }
          if let end = recent.end(of: place), end > wanted { return (.success(.look), false) }
          state.waiters[id] = Waiter(place: place, wanted: wanted, deadline: deadline, continuation: continuation)
          defer { state.polling = true }
          return (nil, !state.polling)
        }
        if let known { continuation.resume(returning: known) }
        if start { Task { await self.poll() } }
      }
    } onCancel: {
      let waiter = state.withLock { state in
        let waiter = state.waiters.removeValue(forKey: id)
        if waiter == nil { state.cancelled.insert(id) }
        return waiter
      }
      waiter?.continuation.resume(returning: .success(.look))
    }
    // A cancellation that came after the answer left its mark behind.
    state.withLock { state in _ = state.cancelled.remove(id) }
    return try answer.get()
  }

  /// This process has committed up to these ends.
  func advance(_ heads: [Place: Int64]) {
    wake { waiter in heads[waiter.place].map { $0 > waiter.wanted } ?? false }
  }

  func close() {
    state.withLock { $0.closed = true }
    wake(answer: .failure(.closed)) { _ in true }
  }

  /// Runs while somebody waits.
  private func poll() async {
    var pause = Self.shortestPause
    while true {
      let places = state.withLock { state -> Set<Place> in
        if state.waiters.isEmpty { state.polling = false }
        return Set(state.waiters.values.map(\.place))
      }
      if places.isEmpty { return }
      let known = recent.ends
      do {
        let bounds = try await pool.withConnection { connection throws in try PartitionBounds.read(places, on: connection) }
        for (place, bounds) in bounds { recent.compare(place, known: known[place], found: bounds.next) }
        // An end below what is wanted is news too: the broker was restored, and the reader has to say so.
        let woken = wake { waiter in bounds[waiter.place].map { $0.next != waiter.wanted } ?? false }
        pause = woken > 0 ? Self.shortestPause : min(pause * 2, Self.longestPause)
        let now = ContinuousClock.now
        wake(answer: .success(.quiet)) { $0.deadline <= now && bounds[$0.place]?.next == $0.wanted }
        // There is no such partition: the reader has to say so. Who came since is looked for next time.
        wake { $0.deadline <= now && bounds[$0.place] == nil && places.contains($0.place) }
      } catch {
        wake(answer: .failure(.unavailable(reason: "\(error)", mayHaveArrived: false))) { _ in true }
      }
      let nextDeadline = state.withLock { $0.waiters.values.map(\.deadline).min() }
      let untilDeadline = nextDeadline.map { ContinuousClock.now.duration(to: $0) } ?? pause
      try? await Task.sleep(for: max(.milliseconds(1), min(pause, untilDeadline)))
    }
  }

  @discardableResult
  private func wake(answer: Result<Outcome, BrokerError> = .success(.look), _ isChosen: (Waiter) -> Bool) -> Int {
    let woken = state.withLock { state in
      let ids = state.waiters.filter { isChosen($0.value) }.map(\.key)
      return ids.compactMap { state.waiters.removeValue(forKey: $0) }
    }
    for waiter in woken { waiter.continuation.resume(returning: answer) }
    return woken.count
  }
}
