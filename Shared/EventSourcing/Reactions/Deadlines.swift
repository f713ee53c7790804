public import Postgres
import Synchronization
public import Time

/// Something that is due: a command of this kind, to this stream, once its time has come.
public struct Deadline: Sendable, Hashable {
  public let stream: String
  /// What is due, in the stream's own words: `expire`.
  public let kind: String
  public let due: Instant

  public init(stream: String, kind: String, due: Instant) {
    self.stream = stream
    self.kind = kind
    self.due = due
  }

  /// The key under which its command is given once, whichever instance notices first.
  public var key: IdempotencyKey {
    IdempotencyKey(caller: "deadline", method: kind, path: stream, key: String(due.milliseconds), body: [])
  }
}

/// The table of what is due, a read model's like any other: a projection sets and clears rows as its events say, and a replay builds it anew.
///
///     create table alert_deadlines (stream text not null, kind text not null, due timestamptz not null, primary key (stream, kind));
///     create index alert_deadlines_due on alert_deadlines (due);
public struct DeadlineTable: Sendable {
  public let table: ProjectionTable

  public init(_ name: String) {
    table = ProjectionTable(name: name, key: ["stream", "kind"])
  }

  /// One deadline of a kind per stream: a later one takes the place of an earlier one.
  public func set(_ deadline: Deadline, on connection: isolated PostgresConnection, tables: TableNames) throws(PostgresError) {
    try connection.execute(
      """
      insert into \(tables[table.name]) (stream, kind, due) values (\(deadline.stream), \(deadline.kind), \(deadline.due))
      on conflict (stream, kind) do update set due = excluded.due
      """)
  }

  public func clear(_ kind: String, of stream: String, on connection: isolated PostgresConnection, tables: TableNames) throws(PostgresError) {
    try connection.execute("delete from \(tables[table.name]) where stream = \(stream) and kind = \(kind)")
  }

  /// Nothing of a stream is due any more.
  public func clear(_ stream: String, on connection: isolated PostgresConnection, tables: TableNames) throws(PostgresError) {
    try connection.execute("delete from \(tables[table.name]) where stream = \(stream)")
  }

  /// What is due at a time, the longest overdue first.
  public func due(at time: Instant, limit: Int, in pool: PostgresPool) async throws -> [Deadline] {
    let rows = try await pool.query("select stream, kind, due from \(TableNames()[table.name]) where due <= \(time) order by due limit \(Int64(limit))")
    return try rows.map { row throws in
      let (stream, kind, due) = try row.decode(String.self, String.self, Instant.self)
      return Deadline(stream: stream, kind: kind, due: due)
    }
  }
}

/// Gives the commands whose time has come. Every instance of a service runs one: who notices first gives the command, for the others it is known already.
///
/// The machine's clock may be set: where it went ahead of the time that really passed, nothing is given until it has stood by its new opinion for a while
/// (``Settings/hold``). Where it went back, things are due later, and nothing twice.
public struct DeadlineTicker: Sendable {
  public struct Settings: Sendable {
    /// Between two looks.
    public var pause = Duration.milliseconds(250)
    /// A clock that is further ahead than this of where it should be was set.
    public var jump = Duration.seconds(30)
    /// How long a clock that was set ahead must go on before it is believed.
    public var hold = Duration.seconds(60)
    /// After which a command is given again of which nothing was seen.
    public var again = Duration.seconds(5)
    /// Commands given at the same time.
    public var atOnce = 8

    public init() {}
  }

  /// Rung by whoever sets a deadline: what is due at once does not wait for the next look.
  public let bell = Bell()

  private let table: DeadlineTable
  private let pool: PostgresPool
  private let settings: Settings
  private let clock: @Sendable () -> Instant
  private let steady: @Sendable () -> Duration
  private let trouble: @Sendable (String) -> Void
  private let give: @Sendable (Deadline) async throws -> Void

  /// - Parameters:
  ///   - steady: time that passes whatever the clock is set to; only differences count.
  ///   - trouble: told what was waited out, and that a clock was set.
  ///   - give: gives the command that is due, under the deadline's key. A refusal is an answer: the row is the projection's to clear.
  public init(
    _ table: DeadlineTable, pool: PostgresPool, settings: Settings = Settings(), clock: @escaping @Sendable () -> Instant,
    steady: @escaping @Sendable () -> Duration,
    trouble: @escaping @Sendable (String) -> Void = { _ in }, give: @escaping @Sendable (Deadline) async throws -> Void
  ) {
    self.table = table
    self.pool = pool
    self.settings = settings
    self.clock = clock
    self.steady = steady
    self.trouble = trouble
    self.give = give
  }

  /// Runs until cancelled.
  public func run() async {
    var watch = ClockWatch(jump: settings.jump, hold: settings.hold)
    var given: [Deadline: Duration] = [:]
    while !Task.isCancelled {
      let rung = bell.rung
      let (now, passed) = look()
      switch watch.look(now, passed) {
      case .believed: await giveDue(at: now, passed, &given)
      case .setAhead(let by):
        trouble("the clock was set \(by) ahead: for \(settings.hold) nothing is given that would be due by it")
      case .doubted: break
      }
      await bell.wait(after: rung, atMost: settings.pause)
    }
  }

  /// Both times of one moment: a process that was stopped between the two would take the pause for a clock that was set.
  private func look() -> (Instant, Duration) {
    while true {
      let (before, now, after) = (steady(), clock(), steady())
      if after - before < .seconds(1) { return (now, after) }
    }
  }

  private func giveDue(at now: Instant, _ passed: Duration, _ given: inout [Deadline: Duration]) async {
    given = given.filter { passed - $0.value < settings.again }
    let due: [Deadline]
    do {
      due = try await table.due(at: now, limit: 200 + given.count, in: pool).filter { [given] in given[$0] == nil }
    } catch {
      if !Task.isCancelled { trouble("what is due cannot be read: \(error)") }
      return
    }
    for deadline in due { given[deadline] = passed }
    await withTaskGroup(of: Void.self) { group in
      for (index, deadline) in due.enumerated() {
        if index >= settings.atOnce { await group.next() }
        group.addTask {
          do {
            try await give(deadline)
          } catch {
            if !Task.isCancelled { trouble("\(deadline.kind) of \(deadline.stream), due \(deadline.due): \(error)") }
          }
        }
      }
    }
  }
}

/// Notices when the machine's clock is set.
struct ClockWatch {
  enum Verdict: Equatable {
    case believed
    /// It was just set ahead by this much.
    case setAhead(Duration)
    /// It was set ahead a moment ago.
    case doubted
  }

  let jump: Duration
  let hold: Duration
  private var last: (clock: Instant, passed: Duration)?
  private var doubt: (until: Duration, by: Duration)?

  init(jump: Duration, hold: Duration) {
    self.jump = jump
    self.hold = hold
  }

  /// - Parameter passed: time that passes whatever the clock is set to.
  mutating func look(_ clock: Instant, _ passed: Duration) -> Verdict {
    defer { last = (clock, passed) }
    guard let last else { return .believed }
    let ahead = (clock - last.clock) - (passed - last.passed)
    if ahead > jump {
      doubt = (passed + hold, ahead + (doubt?.by ?? .zero))
      return .setAhead(ahead)
    }
    // Set back again by about as much: what was doubted is gone.
    if let doubted = doubt, passed >= doubted.until || ahead < .zero - jump && doubted.by + ahead < jump { doubt = nil }
    return doubt == nil ? .believed : .doubted
  }
}

/// Wakes one who looks now and then for something that may be there at once.
public final class Bell: Sendable {
  private let signal = CommitSignal()
  private let count = Atomic<Int64>(0)

  public init() {}

  /// How often it was rung.
  public var rung: Int64 { count.load(ordering: .acquiring) }

  public func ring() { signal.advance(0, to: count.add(1, ordering: .acquiringAndReleasing).newValue) }

  /// Waits until it has been rung more often, or the time is up.
  public func wait(after rung: Int64, atMost limit: Duration) async { _ = await signal.wait(0, beyond: rung, atMost: limit) }
}
