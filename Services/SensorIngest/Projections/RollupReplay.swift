import EventSourcing
import Postgres

/// Builds hours and days anew from the stored readings, beside the live tables, and swaps: who reads and who writes goes on meanwhile.
///
/// Its fixed position is the moment of the swap: hours that change while it builds are noted (`TouchedHours`) and computed once more.
struct RollupReplay: Sendable {
  let pool: PostgresPool

  static let name = "rollups"

  /// Readings that are computed with one statement, so that the progress is seen.
  private static let piece: Int64 = 1_000_000

  private static let tables = ReplayTables(schema: TouchedHours.schema, tables: [HourlyRollups.table, DailyRollups.table])

  /// Some datastreams in one partition of the stored readings; nil for all of them.
  private struct Piece {
    let partition: String
    let datastreams: ClosedRange<Int64>?
    let readings: Int64
  }

  /// - Parameters:
  ///   - verify: compares only, and swaps nothing.
  ///   - progress: readings done, and readings in all.
  /// - Returns: how many readings there were, and what differed when asked to verify.
  /// - Throws: `ReplayRefusal`, `PostgresError`.
  func run(
    verify: Bool, progress: @Sendable (_ done: Int64, _ total: Int64) -> Void = { _, _ in }
  ) async throws -> (readings: Int64, differences: [TableDifference]) {
    try await ReplayTurn.take(Self.name, beside: pool) { turn in
      let outcome: Result<(readings: Int64, differences: [TableDifference]), any Error>
      do {
        let readings = try await build(turn, progress)
        outcome = .success((readings, verify ? try await compare(turn) : try await swap(turn)))
      } catch {
        outcome = .failure(error)
      }
      await Task {
        try? await turn.locking { connection throws in
          try TouchedHours.awaitWriters(on: connection)
          try Self.tables.drop(on: connection)
        }
      }.value
      return try outcome.get()
    }
  }

  private func build(_ turn: ReplayTurn, _ progress: @Sendable (Int64, Int64) -> Void) async throws -> Int64 {
    try await turn.locking { connection throws in
      try TouchedHours.awaitWriters(on: connection)
      try Self.tables.create(on: connection)
      try TouchedHours.createTable(on: connection)
    }
    // Waits for those who write and do not note; whoever comes later notes.
    try await turn.hold(TouchedHours.gate.space, TouchedHours.gate.number)
    let pieces = try await pieces(turn)
    let total = pieces.reduce(0) { $0 + $1.readings }
    var done: Int64 = 0
    progress(done, total)
    for piece in pieces {
      try Task.checkCancellation()
      try await turn.pool.transaction { connection throws in
        try HourlyRollups.build(from: piece.partition, piece.datastreams, in: Self.tables.names, on: connection)
      }
      done += piece.readings
      progress(done, total)
    }
    try await turn.pool.transaction { connection throws in
      try DailyRollups.build(in: Self.tables.names, on: connection)
      // `DailyRollups` looks hours up by datastream and time: without figures the planner would read all of them for each day.
      for table in Self.tables.tables { try connection.execute("analyze \(identifier: Self.tables.names.name(table.name))") }
    }
    // What came during the long part is taken in here, so that little is left for the swap, which keeps writers waiting.
    try await turn.pool.transaction { connection throws in try Self.catchUp(on: connection) }
    return total
  }

  private func pieces(_ turn: ReplayTurn) async throws -> [Piece] {
    let partitions = try await turn.pool.query("select inhrelid::regclass::text from pg_inherits where inhparent = 'observations'::regclass order by 1")
    var pieces: [Piece] = []
    for row in partitions {
      let partition = try row.value(String.self, at: 0)
      let counts = try await turn.pool.query("select datastream_id, count(*) from \(identifier: partition) group by 1 order by 1").map { row in
        try row.decode(Int64.self, Int64.self)
      }
      pieces += Self.pieces(of: partition, counts)
    }
    return pieces
  }

  private static func pieces(of partition: String, _ counts: [(datastream: Int64, readings: Int64)]) -> [Piece] {
    var pieces: [Piece] = []
    var first: Int64?
    var readings: Int64 = 0
    for (index, count) in counts.enumerated() {
      readings += count.readings
      let start = first ?? count.datastream
      first = start
      guard readings >= piece || index == counts.count - 1 else { continue }
      pieces.append(Piece(partition: partition, datastreams: start...count.datastream, readings: readings))
      (first, readings) = (nil, 0)
    }
    guard let whole = pieces.first, pieces.count == 1 else { return pieces }
    return [Piece(partition: partition, datastreams: nil, readings: whole.readings)]
  }

  /// Computes once more what was noted, as the stored readings stand for this transaction.
  private static func catchUp(on connection: isolated PostgresConnection) throws {
    var hours = Array(try TouchedHours.drain(on: connection))[...]
    while !hours.isEmpty {
      let some = Set(hours.prefix(5_000))
      hours = hours.dropFirst(5_000)
      try HourlyRollups.recompute(some, in: tables.names, on: connection)
      try DailyRollups.recompute(some, in: tables.names, on: connection)
    }
  }

  /// One snapshot sees readings, notes and live rollups as they belong together, whoever writes meanwhile.
  private func compare(_ turn: ReplayTurn) async throws -> [TableDifference] {
    try await turn.pool.transaction(isolation: .repeatableRead) { connection throws in
      try Self.catchUp(on: connection)
      return try Self.tables.tables.compactMap { table throws in
        try TableComparison.compare(table, live: table.name, with: Self.tables.names.name(table.name), on: connection)
      }
    }
  }

  private func swap(_ turn: ReplayTurn) async throws -> [TableDifference] {
    try await turn.locking { connection throws in
      // Writers wait from here on, readers only while names change.
      try TouchedHours.awaitWriters(on: connection)
      try connection.execute(script: "lock table observation_hours, observation_days in share row exclusive mode")
      try Self.catchUp(on: connection)
      try Self.tables.swap(on: connection)
    }
    return []
  }
}
