import CPostgreSQL
import Foundation

/// Sending to the server and waiting for its answers, with a deadline: libpq's own blocking calls have none.
extension Session {
  /// Waits for all results of what was just sent (`sent` is libpq's 1 or 0).
  ///
  /// - Throws: the first error among them, after all were taken, so that the connection is ready for the next statement.
  func collect(_ sent: Int32, statement: String, deadline: ContinuousClock.Instant?) throws(PostgresError) -> [ResultHandle] {
    guard sent == 1 else { throw PostgresError(kind: .connection, message: message(of: pointer), statement: statement) }
    var results: [ResultHandle] = []
    var failed: PostgresError?
    while let result = try next(statement: statement, deadline: deadline) {
      switch PQresultStatus(result) {
      case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: results.append(ResultHandle(result))
      case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
        PQclear(result)
        return results
      default:
        if failed == nil { failed = error(from: result, statement: statement) }
        PQclear(result)
      }
    }
    if let failed { throw failed }
    return results
  }

  /// The next result, nil when the statement is done.
  private func next(statement: String, deadline: ContinuousClock.Instant?) throws(PostgresError) -> OpaquePointer? {
    var deadline = deadline
    var late = false
    while true {
      let unsent = PQflush(pointer)
      if unsent == 0 && PQisBusy(pointer) == 0 { break }
      var descriptor = pollfd(fd: PQsocket(pointer), events: Int16(unsent == 1 ? POLLIN | POLLOUT : POLLIN), revents: 0)
      let ready = poll(&descriptor, 1, deadline.map(milliseconds(until:)) ?? -1)
      if ready > 0 {
        if PQconsumeInput(pointer) == 0 { break }
      } else if ready == 0 {
        if late { throw abandon(statement) }
        late = true
        deadline = .now + .seconds(2)
        interrupt()
      }
    }
    let result = PQgetResult(pointer)
    guard late, let result else { return result }
    defer { PQclear(result) }
    if let state = sqlState(of: result), state == "57014" {
      while let rest = PQgetResult(pointer) { PQclear(rest) }
      throw PostgresError(kind: .deadline, message: "the statement took longer than its caller may wait", statement: statement)
    }
    throw abandon(statement)
  }

  private func abandon(_ statement: String) -> PostgresError {
    close()
    return PostgresError(kind: .deadline, message: "the server did not answer in time", statement: statement)
  }

  private func error(from result: OpaquePointer, statement: String) -> PostgresError {
    guard let state = sqlState(of: result) else {
      return PostgresError(kind: .connection, message: message(of: pointer), statement: statement)
    }
    let message = field(shim_diag_message, of: result) ?? "no message"
    let hint = field(shim_diag_hint, of: result)
    if state == "57014" && wasCancelled {
      return PostgresError(kind: .cancelled, message: message, statement: statement)
    }
    // An administrator's or a crash's end (57P01 to 57P03) takes the connection with it.
    return PostgresError(
      kind: .server(sqlState: state), message: message, statement: statement, hint: hint,
      constraint: field(shim_diag_constraint, of: result))
  }
}

func sqlState(of result: OpaquePointer) -> String? {
  field(shim_diag_sqlstate, of: result)
}

private func field(_ code: Int32, of result: OpaquePointer) -> String? {
  PQresultErrorField(result, code).map { String(cString: $0) }
}

private func milliseconds(until deadline: ContinuousClock.Instant) -> Int32 {
  Int32(clamping: max(0, (deadline - .now).inMilliseconds + 1))
}

func withParameters<Outcome>(
  _ parameters: [PostgresParameter],
  _ body: (UnsafePointer<Oid>?, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?) -> Outcome
) -> Outcome {
  if parameters.isEmpty { return body(nil, nil, nil, nil) }
  // One buffer for all values; a byte is kept behind each so that an empty value still has an address.
  var buffer: [UInt8] = []
  var offsets: [Int?] = []
  for parameter in parameters {
    offsets.append(parameter.bytes == nil ? nil : buffer.count)
    if let bytes = parameter.bytes { buffer += bytes }
    buffer.append(0)
  }
  let types = parameters.map(\.type.rawValue)
  let lengths = parameters.map { Int32($0.bytes?.count ?? 0) }
  let formats = [Int32](repeating: 1, count: parameters.count)
  return buffer.withUnsafeBytes { buffer in
    let start = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
    let values = offsets.map { offset in offset.flatMap { start?.advanced(by: $0) } }
    return body(types, values, lengths, formats)
  }
}
