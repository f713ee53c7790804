import Dispatch
import Synchronization

/// The free connections and, when there are none, those who wait for one in the order they came.
final class Line: Sendable {
  private struct Waiter {
    let number: UInt64
    let deadline: ContinuousClock.Instant
    let limit: Duration
    let continuation: CheckedContinuation<PostgresConnection, any Error>
  }

  private struct State {
    var free: [PostgresConnection]
    var waiters: [Waiter] = []
    var number: UInt64 = 0
    var closed = false
    var closing: CheckedContinuation<Void, Never>?
    /// When those are next looked for whose time is up, and its number. One timer for all: under load nearly everybody waits, for a moment.
    var alarm: (number: UInt64, at: ContinuousClock.Instant)?
  }

  private let state: Mutex<State>
  private let size: Int
  private let waitLimit: Duration
  private let timers = DispatchQueue(label: "postgres.waiting")

  init(waitLimit: Duration, connections: () -> [PostgresConnection]) {
    let connections = connections()
    size = connections.count
    self.waitLimit = waitLimit
    state = Mutex(State(free: connections))
  }

  /// - Throws: `PostgresError`: `.poolExhausted`, `.cancelled`, `.closed`.
  func take(until deadline: ContinuousClock.Instant?) async throws -> PostgresConnection {
    // The most recently used first: it is the likeliest to be open and warm.
    let (free, number) = state.withLock { state in
      state.number += 1
      return (state.closed || Task.isCancelled ? nil : state.free.popLast(), state.number)
    }
    if let free { return free }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        join(number, continuation, until: deadline)
      }
    } onCancel: {
      leave(number)
    }
  }

  func giveBack(_ connection: PostgresConnection) {
    let (next, closing) = state.withLock { state -> (Waiter?, CheckedContinuation<Void, Never>?) in
      if !state.waiters.isEmpty { return (state.waiters.removeFirst(), nil) }
      state.free.append(connection)
      guard state.closed, state.free.count == size else { return (nil, nil) }
      defer { state.closing = nil }
      return (nil, state.closing)
    }
    next?.continuation.resume(returning: connection)
    closing?.resume()
  }

  /// Turns away who waits, and returns all connections once those in use are back.
  func close() async -> [PostgresConnection] {
    let waiters = state.withLock { state in
      state.closed = true
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.continuation.resume(throwing: Self.closedError) }
    await withCheckedContinuation { continuation in
      let done = state.withLock { state in
        if state.free.count == size || state.closing != nil { return true }
        state.closing = continuation
        return false
      }
      if done { continuation.resume() }
    }
    return state.withLock { $0.free }
  }

  private func join(_ number: UInt64, _ continuation: CheckedContinuation<PostgresConnection, any Error>, until deadline: ContinuousClock.Instant?) {
    let now = ContinuousClock.now
    let limit = min(waitLimit, deadline.map { max(.zero, $0 - now) } ?? waitLimit)
    let outcome: Result<PostgresConnection, PostgresError>? = state.withLock { state in
      // A task is marked cancelled before `leave` is called, so whoever left before joining is seen here.
      if Task.isCancelled { return .failure(Self.cancelledError) }
      if state.closed { return .failure(Self.closedError) }
      if let free = state.free.popLast() { return .success(free) }
      state.waiters.append(Waiter(number: number, deadline: now + limit, limit: limit, continuation: continuation))
      setAlarm(at: now + limit, &state)
      return nil
    }
    switch outcome {
    case .success(let connection): continuation.resume(returning: connection)
    case .failure(let error): continuation.resume(throwing: error)
    case nil: break
    }
  }

  private func setAlarm(at time: ContinuousClock.Instant, _ state: inout State) {
    if let alarm = state.alarm, alarm.at <= time { return }
    state.number += 1
    let number = state.number
    state.alarm = (number, time)
    let left = max(.zero, ContinuousClock.now.duration(to: time))
    timers.asyncAfter(deadline: .now() + .milliseconds(Int(left.inMilliseconds) + 1)) { [weak self] in self?.endWaiting(number) }
  }

  /// Turns away those whose time is up.
  private func endWaiting(_ alarm: UInt64) {
    let late = state.withLock { state -> [Waiter] in
      // One that was set for a later time than the present one.
      guard state.alarm?.number == alarm else { return [] }
      state.alarm = nil
      let now = ContinuousClock.now
      let late = state.waiters.filter { $0.deadline <= now }
      state.waiters.removeAll { $0.deadline <= now }
      if let next = state.waiters.map(\.deadline).min() { setAlarm(at: next, &state) }
      return late
    }
    for waiter in late {
      let limit = waiter.limit
      waiter.continuation.resume(
        throwing: PostgresError(kind: .poolExhausted(waited: limit), message: "no database connection became free within \(limit)"))
    }
  }

  private func leave(_ number: UInt64) {
    remove(number)?.continuation.resume(throwing: Self.cancelledError)
  }

  private func remove(_ number: UInt64) -> Waiter? {
    state.withLock { state in
      state.waiters.firstIndex { $0.number == number }.map { state.waiters.remove(at: $0) }
    }
  }

  private static var cancelledError: PostgresError { PostgresError(kind: .cancelled, message: "the task was cancelled while it waited") }
  private static var closedError: PostgresError { PostgresError(kind: .closed, message: "the pool of connections is closed") }
}
