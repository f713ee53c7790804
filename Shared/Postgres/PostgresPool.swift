import Dispatch

/// A bounded set of connections that tasks lease, one task per connection.
///
/// Who finds none free waits in line, first come first served, for at most the wait limit. A cancelled task leaves the line, or has its
/// running statement (and no other) stopped. Connections open when they are first needed and are replaced when they break.
public final class PostgresPool: Sendable {
  public let configuration: PostgresConfiguration
  private let line: Line

  public init(_ configuration: PostgresConfiguration, size: Int = 8, waitLimit: Duration = .seconds(5)) {
    precondition(size > 0, "a pool has at least one connection")
    self.configuration = configuration
    let reachability = Reachability()
    line = Line(waitLimit: waitLimit) {
      (0..<size).map { PostgresConnection(configuration, reachability: reachability, label: "postgres.\($0)") }
    }
  }

  /// Runs one statement in a transaction of its own and gives its rows.
  ///
  /// - Parameter within: a limit for the whole call, waiting for a connection included.
  /// - Throws: `PostgresError`.
  public func query(_ sql: SQL, within limit: Duration? = nil) async throws -> Rows {
    try await withConnection(within: limit) { connection throws in try connection.query(sql) }
  }

  /// Runs one statement in a transaction of its own and gives the number of rows it inserted, changed or deleted.
  @discardableResult
  public func execute(_ sql: SQL, within limit: Duration? = nil) async throws -> Int {
    try await withConnection(within: limit) { connection throws in try connection.execute(sql) }
  }

  /// Runs the body between BEGIN and COMMIT, with one hop to the connection's queue for all of it. Whatever the body throws rolls back.
  ///
  /// - Throws: what the body throws; `PostgresError`, of kind `.commitUnknown` when the answer to COMMIT was lost.
  public func transaction<Outcome: Sendable>(
    isolation: PostgresIsolation = .readCommitted, within limit: Duration? = nil,
    _ body: @Sendable (isolated PostgresConnection) throws -> Outcome
  ) async throws -> Outcome {
    let deadline = limit.map { ContinuousClock.now + $0 }
    return try await lease(deadline) { connection in try await connection.runTransaction(isolation, until: deadline, body) }
  }

  /// As `transaction`, run again up to `attempts` times in all while it loses against others (40001, 40P01).
  public func transaction<Outcome: Sendable>(
    retrying attempts: Int, isolation: PostgresIsolation = .serializable, within limit: Duration? = nil,
    _ body: @Sendable (isolated PostgresConnection) throws -> Outcome
  ) async throws -> Outcome {
    var attempt = 1
    while true {
      do {
        return try await transaction(isolation: isolation, within: limit, body)
      } catch let error as PostgresError where error.isSerializationFailure && attempt < attempts {
        // Losers that start again at the same moment would meet again.
        try await Task.sleep(for: .milliseconds(Int.random(in: 1...(5 << min(attempt, 6)))))
        attempt += 1
      }
    }
  }

  /// Runs the body with a connection of its own, without a transaction around it. One that it leaves open is rolled back.
  public func withConnection<Outcome: Sendable>(
    within limit: Duration? = nil, _ body: @Sendable (isolated PostgresConnection) throws -> Outcome
  ) async throws -> Outcome {
    let deadline = limit.map { ContinuousClock.now + $0 }
    return try await lease(deadline) { connection in try await connection.run(until: deadline, body) }
  }

  /// Lets running bodies end, refuses new ones and closes all connections.
  public func close() async {
    for connection in await line.close() { await connection.disconnect() }
  }

  private func lease<Outcome: Sendable>(
    _ deadline: ContinuousClock.Instant?, _ body: (PostgresConnection) async throws -> Outcome
  ) async throws -> Outcome {
    let connection = try await line.take(until: deadline)
    let operation = connection.gate.beginOperation()
    defer {
      connection.gate.endOperation()
      line.giveBack(connection)
    }
    return try await withTaskCancellationHandler {
      try await body(connection)
    } onCancel: {
      connection.gate.cancel(operation: operation)
    }
  }
}
