import CPostgreSQL
import Dispatch
import Synchronization

/// Decides which statement a cancellation may still hit.
///
/// A request to cancel names no statement: it stops whatever the server runs for that connection when it arrives. So statements start and
/// finish under one lock, and a cancellation is sent under the same lock and only while the operation it belongs to has a statement running.
/// `PQcancel` returns after the server has passed the signal on, so that it cannot reach a later statement.
final class StatementGate: Sendable {
  private struct State {
    var operation: UInt64 = 0
    var cancelled = false
    var running = false
    var handle: CancelHandle?
  }

  private let state = Mutex(State())
  private let queue = DispatchQueue(label: "postgres.cancel")

  /// Begins an operation (one lease of the connection) and gives its number.
  func beginOperation() -> UInt64 {
    state.withLock {
      $0.operation += 1
      $0.cancelled = false
      return $0.operation
    }
  }

  /// After this a cancellation of the operation that just ended has no effect.
  func endOperation() {
    state.withLock { $0.operation += 1 }
  }

  /// The connection to cancel on, replaced when it reconnects.
  func use(_ handle: CancelHandle?) {
    state.withLock { $0.handle = handle }
  }

  /// Whether a statement may start. What must run regardless (ROLLBACK) passes `shielded`.
  func start(shielded: Bool) -> Bool {
    state.withLock {
      if $0.cancelled && !shielded { return false }
      $0.running = !shielded
      return true
    }
  }

  func finish() {
    state.withLock { $0.running = false }
  }

  var isCancelled: Bool {
    state.withLock { $0.cancelled }
  }

  /// Stops the operation's running statement, if there is one, and keeps it from starting others. Returns at once.
  func cancel(operation: UInt64) {
    state.withLock {
      guard $0.operation == operation else { return }
      $0.cancelled = true
    }
    queue.async { [self] in
      state.withLock {
        guard $0.operation == operation, $0.running else { return }
        $0.handle?.cancel()
      }
    }
  }

  /// Stops the running statement because its time is up. Called on the connection's own thread.
  func interrupt() {
    state.withLock { $0.handle?.cancel() }
  }
}

/// A `PGcancel`.
///
/// `@unchecked Sendable`: libpq documents `PQcancel` as safe from any thread; the object is never changed after `PQgetCancel` made it, and
/// it is freed once, in `deinit`, when nobody holds it any more.
final class CancelHandle: @unchecked Sendable {
  private let pointer: OpaquePointer

  init?(connection: OpaquePointer) {
    guard let pointer = PQgetCancel(connection) else { return nil }
    self.pointer = pointer
  }

  deinit {
    PQfreeCancel(pointer)
  }

  func cancel() {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
      _ = PQcancel(pointer, buffer.baseAddress, 256)
    }
  }
}
