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
  private var deadline: ContinuousClock.Instant?

  init(_ configuration: PostgresConfiguration, reachability: Reachability, label: String) {
    self.configuration = configuration
    self.reachability = reachability
    executor = QueueExecutor(label: label)
  }

  public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// Runs one statement and gives its rows.
  public func query(_ sql: SQL) throws(PostgresError) -> Rows {
    Rows(result: try usable().run(sql, deadline: deadline), statement: sql.text)
  }

  /// Runs one statement and gives the number of rows it inserted, changed or deleted.
  @discardableResult
  public func execute(_ sql: SQL) throws(PostgresError) -> Int {
    try usable().run(sql, deadline: deadline).affected
  }

  /// Runs a script: several statements without parameters, separated by semicolons. Text from outside must never get in here.
  public func execute(script: String) throws(PostgresError) {
    try usable().script(script)
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
      _ = try connection.usable().run(SQL(unsafe: isolation.begin), deadline: deadline)
      let outcome: Outcome
      do {
        outcome = try body(connection)
      } catch {
        connection.rollBack()
        throw error
      }
      try connection.commit()
      return outcome
    }
  }

  func disconnect() {
    session = nil
  }

  private func rollBack() {
    guard let session, !session.isBroken else { return }
    do {
      _ = try session.run("rollback", shielded: true)
    } catch {
      self.session = nil
    }
  }

  private func commit() throws(PostgresError) {
    do throws(PostgresError) {
      // Once COMMIT is on its way it is waited for, whoever leaves: its answer is the only proof.
      let result = try usable().run("commit", shielded: true, deadline: nil)
      if result.command == "ROLLBACK" {
        throw PostgresError(kind: .server(sqlState: "25P02"), message: "the transaction had failed before and was rolled back", statement: "commit")
      }
    } catch where error.kind == .connection || error.sqlState?.hasPrefix("57P") == true {
      session = nil
      throw PostgresError(kind: .commitUnknown, message: "the answer to COMMIT was lost: \(error.message)", statement: "commit")
    }
  }

  /// Makes sure of a live session before the first statement of a lease: here nothing was sent yet, so a dead one is simply replaced.
  private func connect() throws(PostgresError) {
    if let session, !session.isFoundDead() { return }
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
