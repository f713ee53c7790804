import Broker
public import Postgres

/// Rebuilds a projection from its source, beside the live tables and up to a fixed position.
///
/// `run` swaps in one transaction, so reads go on throughout, and with the intake stopped the result equals the live tables byte for byte; `verify` compares
/// and changes nothing. Whatever ends either of them, the live tables are as they were before the swap or as they are after it.
public struct Replay: Sendable {
  private let projection: any Projection
  private let source: any EventSource
  private let pool: PostgresPool
  private let name: String

  public init(_ projection: any Projection, source: any EventSource, pool: PostgresPool) {
    self.projection = projection
    self.source = source
    self.pool = pool
    name = type(of: projection).name
  }

  /// How far a replay is.
  public struct Progress: Sendable, Hashable {
    public let done: Int64
    public let total: Int64
  }

  /// What a comparison found.
  public struct Verification: Sendable {
    /// How many events were read.
    public let events: Int64
    public let differences: [TableDifference]
    /// What the live tables lack because it is parked; left out of the comparison.
    public let parked: Int
    /// What the live tables have and what could not be projected now.
    public let failed: [DeadLetter]
  }

  private var tables: ReplayTables { ReplayTables(schema: "replay_" + name, tables: projection.tables) }

  /// The name under which a running replay keeps its own checkpoints and dead letters.
  private var shadow: String { "replay:" + name }

  /// Builds and swaps. Parked events are tried again; what fails again is parked again.
  /// - Parameters:
  ///   - end: one past the last offset of each partition; nil fixes what stands in the source now.
  ///   - progress: called before the first batch and after each.
  /// - Returns: the positions the projection stands at.
  /// - Throws: `StopReason` where the source itself has a gap; `ReplayRefusal`; `CheckpointLost` when somebody else has written its checkpoints.
  @discardableResult
  public func run(to end: [Int64]? = nil, progress: @Sendable (Progress) -> Void = { _ in }) async throws -> [Int: Checkpoint] {
    try await ReplayTurn.take(name, beside: pool) { turn in
      try await cleaningUp(turn) {
        let starts = try await source.earliest()
        let ends = if let end { end } else { try await source.end() }
        try await turn.pool.transaction { connection throws in try tables.create(on: connection) }
        let built = try await build(turn, starts, ends, passing: [], progress)
        try await swap(turn, built)
        return Dictionary(uniqueKeysWithValues: built.map { ($0.partition, $0.checkpoint) })
      }
    }
  }

  /// Builds up to where the live tables stand, and compares row by row. Goes well with intake: the live tables are copied as they were at one moment.
  /// - Throws: as `run`.
  public func verify(progress: @Sendable (Progress) -> Void = { _ in }) async throws -> Verification {
    try await ReplayTurn.take(name, beside: pool) { turn in
      try await cleaningUp(turn) {
        let starts = try await source.earliest()
        let live = try await freeze(turn, starts)
        _ = try await build(turn, starts, live.ends, passing: live.parked, progress)
        let (tables, shadow, topic) = (tables, shadow, source.topic.name)
        let (differences, failed) = try await turn.pool.transaction { connection throws in
          let differences = try tables.tables.compactMap { table throws in
            try TableComparison.compare(table, live: Self.frozen(table, tables), with: tables.names.name(table.name), on: connection)
          }
          return (differences, try DeadLetterBox(subscription: shadow, topic: topic).list(partition: nil, limit: 100, on: connection))
        }
        let events = zip(starts, live.ends).reduce(Int64(0)) { $0 + max(0, $1.1 - $1.0) }
        return Verification(events: events, differences: differences, parked: live.parked.count, failed: failed)
      }
    }
  }

  private static func frozen(_ table: ProjectionTable, _ tables: ReplayTables) -> String { tables.names.name("live_" + table.name) }

  /// Copies the live tables with the positions and the parked events that belong to them: all of one moment.
  private func freeze(_ turn: ReplayTurn, _ starts: [Int64]) async throws -> (ends: [Int64], parked: Set<BrokerPosition>) {
    let (name, topic, tables) = (name, source.topic.name, tables)
    return try await turn.pool.transaction(isolation: .repeatableRead) { connection throws in
      let checkpoints = try CheckpointTable.read(subscription: name, topic: topic, on: connection)
      let parked = try DeadLetterBox(subscription: name, topic: topic).positions(on: connection)
      try tables.create(on: connection)
      for table in tables.tables {
        try connection.execute("create table \(identifier: Self.frozen(table, tables)) as table \(identifier: table.name)")
      }
      return (starts.enumerated().map { checkpoints[$0.offset]?.position ?? $0.element }, parked)
    }
  }

  /// Runs a replay and leaves nothing of its own behind, whatever came of it.
  private func cleaningUp<Outcome>(_ turn: ReplayTurn, _ body: () async throws -> Outcome) async throws -> Outcome {
    let (shadow, topic, tables) = (shadow, source.topic.name, tables)
    let outcome: Result<Outcome, any Error>
    do {
      outcome = .success(try await body())
    } catch {
      outcome = .failure(error)
    }
    // Shielded: the task may have been cancelled. Where it fails the next replay does it.
    await Task {
      try? await turn.locking { connection throws in
        try connection.execute("delete from dos_checkpoints where subscription = \(shadow) and topic = \(topic)")
        try connection.execute("delete from dos_dead_letters where subscription = \(shadow) and topic = \(topic)")
        try tables.drop(on: connection)
      }
    }.value
    return try outcome.get()
  }

  /// Everything at once: the tables, the dead letters, the checkpoints, which fence off whoever consumed meanwhile.
  private func swap(_ turn: ReplayTurn, _ built: [Lease]) async throws {
    let (topic, name, shadow, tables) = (source.topic.name, name, shadow, tables)
    try await turn.locking { connection throws in
      for lease in built {
        try lease.advance(from: lease.checkpoint, to: lease.checkpoint, on: connection)
        try CheckpointTable.place(lease.checkpoint, subscription: name, topic: topic, partition: lease.partition, on: connection)
      }
      try connection.execute("delete from dos_dead_letters where subscription = \(name) and topic = \(topic)")
      try connection.execute("update dos_dead_letters set subscription = \(name) where subscription = \(shadow) and topic = \(topic)")
      try tables.swap(on: connection)
    }
  }

  private func build(
    _ turn: ReplayTurn, _ starts: [Int64], _ ends: [Int64], passing: Set<BrokerPosition>, _ progress: @Sendable (Progress) -> Void
  ) async throws -> [Lease] {
    let total = zip(starts, ends).reduce(Int64(0)) { $0 + max(0, $1.1 - $1.0) }
    var cuts: [EpochBegan] = []
    progress(Progress(done: 0, total: total))
    while true {
      do {
        let build = ReplayBuild(projection: projection, source: source, tables: tables.names, subscription: shadow, turn: turn, cuts: cuts, passing: passing)
        return try await build.run(from: starts, to: ends) { progress(Progress(done: $0, total: total)) }
      } catch StopReason.gone(let loss) {
        // The topic still holds what a restore took back. Begin again without it; each epoch costs one more beginning.
        let began = EpochBegan(epoch: loss.epoch, keeps: loss.gone.lowerBound - 1)
        guard !cuts.contains(began) else { throw StopReason.gone(loss) }
        cuts.append(began)
        let tables = tables
        try await turn.pool.transaction { connection throws in
          for table in tables.tables { try connection.execute("truncate \(identifier: tables.names.name(table.name))") }
        }
      }
    }
  }
}
