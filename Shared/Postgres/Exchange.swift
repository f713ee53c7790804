import CPostgreSQL
import Foundation

/// Sending to the server and waiting for its answers, with a deadline: libpq's own blocking calls have none.
struct Exchange {
  private let session: Session
  private let pointer: OpaquePointer
  private let statement: String
  private var deadline: ContinuousClock.Instant?
  /// The deadline passed and the server was asked to stop; now it is waited for a little longer.
  private var late = false

  init(_ session: Session, statement: String, deadline: ContinuousClock.Instant? = nil) {
    self.session = session
    pointer = session.pointer
    self.statement = statement
    self.deadline = deadline
  }

  /// Waits for all results of what was just sent.
  ///
  /// - Parameter sent: libpq's answer to the attempt to send, 1 or 0.
  /// - Throws: the first error among them, after all were taken, so that the connection is ready for the next statement.
  mutating func collect(_ sent: Int32) throws(PostgresError) -> [ResultHandle] {
    guard sent == 1 else { throw broken() }
    var results: [ResultHandle] = []
    var failed: PostgresError?
    while let result = try next() {
      switch PQresultStatus(result) {
      case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: results.append(ResultHandle(result))
      case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
        PQclear(result)
        return results
      default:
        if failed == nil { failed = error(from: result) }
        PQclear(result)
      }
    }
    if let failed { throw failed }
    return results
  }

  /// What became of one statement of a pipeline.
  enum Step {
    case done(ResultHandle)
    case failed(PostgresError)
    /// Not run because one before it failed.
    case skipped
  }

  /// Waits for the results of a pipeline that was just sent and ends with a synchronization.
  ///
  /// - Returns: one step per statement; where only the synchronization failed (a commit that was refused), that error as one more.
  mutating func collectPipeline(_ sent: Bool, count: Int) throws(PostgresError) -> [Step] {
    guard sent else { throw broken() }
    var steps: [Step] = []
    // Each statement's results end with nil; so two of them in a row without the synchronization mean that the connection is gone.
    var ends = 0
    while true {
      guard let result = try next() else {
        ends += 1
        if session.isBroken || ends > count + 1 { throw broken() }
        continue
      }
      let status = PQresultStatus(result)
      if status == PGRES_PIPELINE_SYNC {
        PQclear(result)
        return steps
      }
      switch status {
      case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: steps.append(.done(ResultHandle(result)))
      case PGRES_PIPELINE_ABORTED:
        PQclear(result)
        steps.append(.skipped)
      default:
        let failure = error(from: result)
        PQclear(result)
        if session.isBroken { throw failure }
        steps.append(.failed(failure))
      }
    }
  }

  /// The next result, nil when a statement is done.
  private mutating func next() throws(PostgresError) -> OpaquePointer? {
    while true {
      let unsent = PQflush(pointer)
      // On a connection that is gone there is nothing to wait for: libpq answers with the reason at once.
      if unsent < 0 || PQsocket(pointer) < 0 || (unsent == 0 && PQisBusy(pointer) == 0) { break }
      // A connection that broke while rows were being sent has no socket any more; poll would wait for it for ever.
      guard PQsocket(pointer) >= 0 else { throw PostgresError(kind: .connection, message: message(of: pointer), statement: statement) }
      var descriptor = pollfd(fd: PQsocket(pointer), events: Int16(unsent == 1 ? POLLIN | POLLOUT : POLLIN), revents: 0)
      let ready = poll(&descriptor, 1, deadline.map(milliseconds(until:)) ?? -1)
      if ready > 0 {
        if PQconsumeInput(pointer) == 0 { break }
      } else if ready == 0 {
        if late {
          session.abandon()
          throw PostgresError(kind: .deadline, message: "the server did not answer in time", statement: statement)
        }
        late = true
        deadline = .now + .seconds(2)
        session.interrupt()
      }
    }
    return PQgetResult(pointer)
  }

  private func broken() -> PostgresError {
    PostgresError(kind: .connection, message: message(of: pointer), statement: statement)
  }

  private func error(from result: OpaquePointer) -> PostgresError {
    guard let state = sqlState(of: result) else { return broken() }
    let message = field(shim_diag_message, of: result) ?? "no message"
    // The same state stands for three reasons: the server's own limit, the caller's, and a cancelled task.
    if state == "57014" && session.wasCancelled { return PostgresError(kind: .cancelled, message: message, statement: statement) }
    if state == "57014" && late {
      return PostgresError(kind: .deadline, message: "the statement took longer than its caller may wait", statement: statement)
    }
    return PostgresError(
      kind: .server(sqlState: state), message: message, statement: statement, hint: field(shim_diag_hint, of: result),
      constraint: field(shim_diag_constraint, of: result))
  }
}

private func sqlState(of result: OpaquePointer) -> String? {
  field(shim_diag_sqlstate, of: result)
}

private func field(_ code: Int32, of result: OpaquePointer) -> String? {
  PQresultErrorField(result, code).map { String(cString: $0) }
}

private func milliseconds(until deadline: ContinuousClock.Instant) -> Int32 {
  Int32(clamping: max(0, (deadline - .now).inMilliseconds + 1))
}
