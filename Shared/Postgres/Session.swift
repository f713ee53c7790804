import CPostgreSQL
import Foundation

/// One libpq connection from connect to close. Belongs to one `PostgresConnection` and is used on its queue only.
final class Session {
  let pointer: OpaquePointer
  private let gate: StatementGate
  private var abandoned = false
  var statements = StatementCache()

  /// - Throws: `.connection` with the server's reason.
  init(_ configuration: PostgresConfiguration, gate: StatementGate) throws(PostgresError) {
    self.gate = gate
    pointer = try Self.connect(configuration)
    gate.use(CancelHandle(connection: pointer))
    do {
      var exchange = Exchange(self, statement: "", deadline: .now + configuration.connectTimeout)
      _ = try exchange.collect(PQsendQuery(pointer, configuration.sessionScript))
    } catch {
      throw PostgresError(kind: .connection, message: "the session's settings were refused: \(error.message)")
    }
  }

  deinit {
    gate.use(nil)
    PQfinish(pointer)
  }

  var isBroken: Bool { abandoned || PQstatus(pointer) != CONNECTION_OK }

  var wasCancelled: Bool { gate.isCancelled }

  /// Stops the running statement because its time is up.
  func interrupt() {
    gate.interrupt()
  }

  /// Gives the connection up; what still comes in is not read.
  func abandon() {
    abandoned = true
    gate.use(nil)
  }

  var isInTransaction: Bool { PQtransactionStatus(pointer) != PQTRANS_IDLE }

  /// Whether the server has closed the connection while it was idle (restart, administrator), found without a round trip.
  func isFoundDead() -> Bool {
    if isBroken { return true }
    var descriptor = pollfd(fd: PQsocket(pointer), events: Int16(POLLIN), revents: 0)
    // A server says nothing unasked but its reason for closing (nobody here uses LISTEN), and its end of file may come a moment later.
    return poll(&descriptor, 1, 0) > 0
  }

  /// Announces a statement to whoever may cancel it. `finish` must follow.
  func start(_ statement: String, shielded: Bool = false) throws(PostgresError) {
    guard gate.start(shielded: shielded) else { throw PostgresError(kind: .cancelled, message: "the task was cancelled", statement: statement) }
  }

  func finish() {
    gate.finish()
  }
}

extension Session {
  private static func connect(_ configuration: PostgresConfiguration) throws(PostgresError) -> OpaquePointer {
    var problem: UnsafeMutablePointer<CChar>?
    guard let parsed = PQconninfoParse(configuration.conninfo, &problem) else {
      // libpq's message quotes a piece of the string, which may be a piece of the password.
      PQfreemem(problem)
      throw PostgresError(kind: .connection, message: "the database's connection string cannot be read")
    }
    PQconninfoFree(parsed)
    let seconds = max(2, configuration.connectTimeout.components.seconds)
    // `dbname` is expanded where it stands: what comes before it are defaults, what comes after is fixed.
    let keywords = ["connect_timeout", "fallback_application_name", "dbname", "client_encoding"]
    let values = ["\(seconds)", configuration.applicationName, configuration.conninfo, "UTF8"]
    let connection = withCStrings(keywords) { keywords in
      withCStrings(values) { values in PQconnectdbParams(keywords, values, 1) }
    }
    guard let connection else { throw PostgresError(kind: .connection, message: "out of memory") }
    guard PQstatus(connection) == CONNECTION_OK else {
      let reason = message(of: connection)
      PQfinish(connection)
      throw PostgresError(kind: .connection, message: reason)
    }
    return connection
  }
}

/// libpq's last message about a connection, one line.
func message(of connection: OpaquePointer) -> String {
  guard let text = PQerrorMessage(connection) else { return "no reason was given" }
  let line = String(cString: text).split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: " ")
  return line.isEmpty ? "the connection broke" : line
}

private func withCStrings<Outcome>(_ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Outcome?) -> Outcome? {
  let copies = strings.map { strdup($0) }
  defer { copies.forEach { free($0) } }
  let pointers = copies.map { UnsafePointer($0) } + [nil]
  return pointers.withUnsafeBufferPointer { $0.baseAddress.flatMap(body) }
}
