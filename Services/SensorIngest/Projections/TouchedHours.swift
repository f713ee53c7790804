import EventSourcing
import Postgres
import Time

/// Which hours change while a replay builds all of them beside the live tables: noted by who changes them, in the same transaction, so that the replay can
/// compute these once more before it swaps. While there is no replay nothing is noted.
enum TouchedHours {
  /// Held alone by a replay for as long as it lives, and shared by each transaction that changes hours and does not note them.
  static let gate: (space: Int32, number: Int32) = (544_173_142, 0)
  static let schema = "replay_rollups"
  private static let table = TableNames(schema: schema)["touched_hours"]

  static func createTable(on connection: isolated PostgresConnection) throws {
    _ = try connection.execute("create table \(table) (datastream_id bigint not null, hour timestamptz not null)")
  }

  /// Waits for those who have asked `question` and not yet committed, and keeps others from asking until this transaction ends. Where a place to note in comes
  /// or goes, no answer is older than that.
  static func awaitWriters(on connection: isolated PostgresConnection) throws {
    // Partitions are written through their parent.
    try connection.execute("lock table only observations in share row exclusive mode")
  }

  /// Asks whether hours have to be noted. Sent after `observations` were written: their lock is what `awaitWriters` waits for.
  static let question: SQL = """
    select pg_try_advisory_xact_lock_shared(\(gate.space), \(gate.number)), to_regclass(\(schema + ".touched_hours")) is not null
    """

  /// Notes the hours if a replay is under way.
  /// - Parameter answer: what came to `question` in this transaction.
  static func note(_ hours: Set<ObservationHour>, answer: Rows, on connection: isolated PostgresConnection) throws {
    let (isFree, exists) = try answer[0].decode(Bool.self, Bool.self)
    // With the gate shut and no table a replay ends or begins, and takes in what is committed before the next table is there.
    guard !isFree, exists else { return }
    _ = try connection.execute("insert into \(table) select * from unnest(\(hours.map(\.datastream)), \(hours.map(\.start)))")
  }

  /// Takes out what was noted.
  static func drain(on connection: isolated PostgresConnection) throws -> Set<ObservationHour> {
    let rows = try connection.query("with noted as (delete from \(table) returning *) select distinct datastream_id, hour from noted")
    return Set(
      try rows.map { row in
        let (datastream, hour) = try row.decode(Int64.self, Instant.self)
        return ObservationHour(datastream: datastream, start: hour)
      })
  }
}
