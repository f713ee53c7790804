/// One connection to PostgreSQL, leased from a `PostgresPool` by one task at a time.
///
/// It runs on a queue of its own, so that its calls, which block, block nobody else. Inside a body that is isolated to it
/// (`pool.transaction { connection in ... }`) they are plain synchronous calls.
public actor PostgresConnection {
  private let executor: QueueExecutor
  private let configuration: PostgresConfiguration
  private let reachability: Reachability
  let gate = StatementGate()
  private var session: Session?
  private(set) var deadline: ContinuousClock.Instant?
  /// BEGIN that travels with the transaction's first statement, which saves a round trip.
  private var pendingBegin: String?

  init(_ configuration: PostgresConfiguration, reachability: Reachability, label: String) {
    self.configuration = configuration
    self.reachability = reachability
    executor = QueueExecutor(label: label)
  }

  public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// Runs one statement and gives its rows.
  public func query(_ sql: SQL) throws(PostgresError) -> Rows {
    try run(sql)
  }

  /// Runs one statement and gives the number of rows it inserted, changed or deleted.
  @discardableResult
  public func execute(_ sql: SQL) throws(PostgresError) -> Int {
    try run(sql).affected
  }

  /// Runs several statements in one round trip. Outside a transaction they are one together: all take effect or none.
  ///
  /// - Throws: the error of the first that failed; those after it were not run.
  public func pipeline(_ statements: [SQL]) throws(PostgresError) -> [Rows] {
    if statements.isEmpty { return [] }
    let session = try usable()
    defer { begun(on: session) }
    let results = try session.pipeline(statements, after: pendingBegin, deadline: deadline)
    return zip(results, statements).map { Rows(result: $0, statement: $1.text) }
  }

  /// Runs a script: several statements without parameters, separated by semicolons. Text from outside must never get in here.
  public func execute(script: String) throws(PostgresError) {
    try ready().script(script, deadline: deadline)
  }

  private func run(_ sql: SQL) throws(PostgresError) -> Rows {
    let session = try usable()
    defer { begun(on: session) }
    return try session.run(sql, after: pendingBegin, deadline: deadline)
  }

  /// The session with the transaction begun, for what cannot be sent together with BEGIN.
  func ready() throws(PostgresError) -> Session {
    let session = try usable()
    defer { begun(on: session) }
    if let pendingBegin { _ = try session.run(SQL(unsafe: pendingBegin), deadline: deadline) }
    return session
  }

  private func begun(on session: Session) {
    if session.isInTransaction || session.isBroken { pendingBegin = nil }
  }

  /// Runs a body with the connection as its own, within the time given.
  func run<Outcome: Sendable>(
    until deadline: ContinuousClock.Instant?, _ body: @Sendable (isolated PostgresConnection) throws -> Outcome
  ) throws -> Outcome {
    self.deadline = deadline
    defer {
      self.deadline = nil
      // A body that opened a transaction and left it open must not hand it to the next caller.
      if let session, session.isInTransaction || session.isBroken { self.session = nil }
    }
    try connect()
    return try body(self)
  }

  /// Runs a body between BEGIN and COMMIT.
  func runTransaction<Outcome: Sendable>(
    _ isolation: PostgresIsolation, until deadline: ContinuousClock.Instant?, _ body: @Sendable (isolated PostgresConnection) throws -> Outcome
  ) throws -> Outcome {
    try run(until: deadline) { connection throws in
      connection.pendingBegin = isolation.begin
      defer { connection.pendingBegin = nil }
      let outcome: Outcome
      do {
        outcome = try body(connection)
      } catch {
        connection.rollBack()
        throw error
      }
      if connection.pendingBegin == nil { try connection.commit() }
      return outcome
    }
  }

  func disconnect() {
    session = nil
  }

  private func rollBack() {
    guard let session, !session.isBroken, session.isInTransaction else { return }
    do {
      _ = try session.run("rollback", shielded: true, deadline: .now + .seconds(10))
    } catch {
      self.session = nil
    }
  }

  private func commit() throws(PostgresError) {
    let session = try usable()
    // Found dead before COMMIT was sent: then it was surely not committed, and the caller may know that.
    if session.isFoundDead() {
      self.session = nil
      throw PostgresError(kind: .connection, message: "the connection broke before COMMIT; nothing was stored", statement: "commit")
    }
    do throws(PostgresError) {
      // Once COMMIT is on its way it is waited for, whoever leaves: its answer is the only proof.
      let answer = try session.run("commit", shielded: true)
      if answer.result.command == "ROLLBACK" {
        throw PostgresError(kind: .server(sqlState: "25P02"), message: "a statement had failed, so all was rolled back", statement: "commit")
      }
    } catch  where error.kind == .connection || error.sqlState?.hasPrefix("57P") == true {
      self.session = nil
      throw PostgresError(kind: .commitUnknown, message: "the answer to COMMIT was lost: \(error.message)", statement: "commit")
    }
  }

  /// Makes sure of a live session before the first statement of a lease: here nothing was sent yet, so a dead one is simply replaced.
  private func connect() throws(PostgresError) {
    if let session, !session.isFoundDead() {
      session.dropDiscardedStatements()
      return
    }
    session = nil
    try reachability.check()
    do {
      session = try Session(configuration, gate: gate)
      reachability.succeeded()
    } catch {
      reachability.failed(error)
      throw error
    }
  }

  func usable() throws(PostgresError) -> Session {
    guard let session, !session.isBroken else { throw PostgresError(kind: .connection, message: "the connection broke") }
    return session
  }
}

/// How much a transaction sees of others (chapter 13.2 of PostgreSQL's manual).
public enum PostgresIsolation: Sendable, CaseIterable {
  case readCommitted, repeatableRead, serializable
  /// Sees one state of the database and cannot write.
  case readOnly

  var begin: String {
    switch self {
    case .readCommitted: "begin isolation level read committed"
    case .repeatableRead: "begin isolation level repeatable read"
    case .serializable: "begin isolation level serializable"
    case .readOnly: "begin isolation level repeatable read read only"
    }
  }
}
