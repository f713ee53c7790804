import Foundation
public import Postgres

/// The turn of one replay: nobody else replays the same thing meanwhile, and its connections have no limit of time.
///
/// The turn is a lock of a database session, so it ends with the process, however that ends. What a killed replay leaves behind is a schema of its own,
/// which the next one drops.
public final class ReplayTurn: Sendable {
  public let name: String
  /// For building beside: statements may take as long as they must, and a COMMIT need not wait for the disk, since what a crash takes away was not swapped in.
  public let pool: PostgresPool
  private let holding: PostgresPool
  private let session: Int32

  private static let space: Int32 = 544_173_141

  /// Runs the body while this process alone replays what the name says.
  /// - Throws: `ReplayRefusal.alreadyRunning` when another one does; `PostgresError`; what the body throws.
  public static func take<Outcome>(_ name: String, beside live: PostgresPool, _ body: (ReplayTurn) async throws -> Outcome) async throws -> Outcome {
    var configuration = live.configuration
    configuration.statementTimeout = .zero
    configuration.applicationName = "dos replay \(name)"
    configuration.settings["synchronous_commit"] = "off"
    let holding = PostgresPool(configuration, size: 1)
    let pool = PostgresPool(configuration, size: 4)
    let outcome: Result<Outcome, any Error>
    do {
      let row = try await holding.query("select pg_try_advisory_lock(\(space), hashtext(\(name))), pg_backend_pid()")[0]
      let (isMine, session) = try row.decode(Bool.self, Int32.self)
      guard isMine else { throw ReplayRefusal.alreadyRunning(name) }
      outcome = .success(try await body(ReplayTurn(name: name, pool: pool, holding: holding, session: session)))
    } catch {
      outcome = .failure(error)
    }
    await pool.close()
    // Closing would do, but only when the server notices it: the next replay may be asked for before.
    _ = try? await holding.query("select pg_advisory_unlock_all()")
    await holding.close()
    return try outcome.get()
  }

  private init(name: String, pool: PostgresPool, holding: PostgresPool, session: Int32) {
    self.name = name
    self.pool = pool
    self.holding = holding
    self.session = session
  }

  /// Takes a further lock that lasts as long as the turn, and waits for those who have it.
  public func hold(_ space: Int32, _ number: Int32) async throws {
    try await holding.execute("select pg_advisory_lock(\(space), \(number))")
  }

  /// A transaction that locks tables in use, as the one does that puts new ones in place. Who reads or writes them is waited for, briefly and again, so that
  /// those behind in the queue are not kept waiting for long.
  /// - Throws: `ReplayRefusal.turnLost` when the session that holds the turn has ended: what stands beside may be another one's by then.
  public func locking(_ body: @Sendable (isolated PostgresConnection) throws -> Void) async throws {
    var attempt = 0
    while true {
      do {
        try await pool.transaction { connection throws in
          try connection.execute("set local lock_timeout = '2s'")
          try check(on: connection)
          try body(connection)
        }
        return
      } catch let error as PostgresError where ["55P03", "40P01"].contains(error.sqlState ?? "") && attempt < 30 {
        attempt += 1
        try await Task.sleep(for: .milliseconds(100 * min(attempt, 10)))
      }
    }
  }

  private func check(on connection: isolated PostgresConnection) throws {
    let held = try connection.query(
      """
      select 1 from pg_locks where locktype = 'advisory' and granted and pid = \(session) and objsubid = 2 and classid = \(Self.space)::bigint::oid
        and objid = (hashtext(\(name))::bigint & 4294967295)::oid and database = (select oid from pg_database where datname = current_database())
      """)
    if held.isEmpty { throw ReplayRefusal.turnLost(name) }
  }
}

/// Why a replay did not begin or end. The live tables are as they were.
public enum ReplayRefusal: Error, Sendable, Hashable {
  /// Another process replays the same thing now.
  case alreadyRunning(String)
  /// The session that kept others away has ended, so another replay may have begun.
  case turnLost(String)
  /// A copy would lose what hangs on the table; read models have no triggers and no foreign keys.
  case tableHasMore(table: String, what: String)
  case noSuchTable(String)
  /// The source has less than the position that was given.
  case sourceEndsBefore(partition: Int, wanted: Int64, reached: Int64)
}

extension ReplayRefusal: CustomStringConvertible {
  public var description: String {
    switch self {
    case .alreadyRunning(let name): "another replay of \(name) is running; wait for its end or stop it first"
    case .turnLost(let name): "the database session that kept other replays of \(name) away has ended; nothing was swapped, run it again"
    case .tableHasMore(let table, let what): "\(table) has \(what), which a copy would lose; read models have none"
    case .noSuchTable(let table): "there is no table \(table); bring the database up to date with `dos migrate`"
    case .sourceEndsBefore(let partition, let wanted, let reached):
      "partition \(partition) ends at offset \(reached), and \(wanted) was wanted; was the log restored to an earlier state?"
    }
  }
}
