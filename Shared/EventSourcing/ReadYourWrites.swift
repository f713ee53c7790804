public import Broker
public import Postgres
import Synchronization

/// Where a write stands, as the header `DOS-Position` carries it.
public enum ReadPosition: Sendable, Hashable {
  /// A decision: `j:<partition>:<epoch>:<offset>`.
  case journal(JournalPosition)
  /// A fact: `b:<partition>:<offset>`.
  case broker(partition: Int, offset: Int64)

  public var text: String {
    switch self {
    case .journal(let position): "j:\(position.partition):\(position.epoch):\(position.offset)"
    case .broker(let partition, let offset): "b:\(partition):\(offset)"
    }
  }

  /// nil where the text is no position.
  public init?(text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    let numbers = parts.dropFirst().map { Int64($0) ?? -1 }
    guard let kind = parts.first, numbers.allSatisfy({ $0 >= 0 }), let first = numbers.first, let partition = Int32(exactly: first) else { return nil }
    switch (kind, numbers.count) {
    case ("j", 3): self = .journal(JournalPosition(partition: Int(partition), epoch: numbers[1], offset: numbers[2]))
    case ("b", 2): self = .broker(partition: Int(partition), offset: numbers[1])
    default: return nil
    }
  }

  public var partition: Int {
    switch self {
    case .journal(let position): position.partition
    case .broker(let partition, _): partition
    }
  }
}

/// Waits until a projection has come to a position, skipped events included: what was dropped or only recorded moves the checkpoint too.
public final class ReadPositions: Sendable {
  private let pool: PostgresPool
  private let subscription: String
  private let topic: String
  private let signal = CommitSignal()
  private let standings = Mutex<[Int: Standing]>([:])

  /// Where a partition was seen to stand, and until when that is believed. Only the swap of a replay moves it back.
  private struct Standing {
    var position: Int64
    var until: ContinuousClock.Instant
  }
  private static let belief = Duration.seconds(1)

  public init(pool: PostgresPool, subscription: String, topic: String) {
    self.pool = pool
    self.subscription = subscription
    self.topic = topic
  }

  public enum Failure: Error, Sendable, Hashable {
    /// The projection did not come there in time (503 with Retry-After, or the older state with its position).
    case timeout
    /// The event, or an earlier one of its stream, is parked: waiting will not help.
    case parked(stream: String, cause: String?)
  }

  /// - Parameters:
  ///   - stream: what is to be read; nil looks at the position alone.
  ///   - timeout: at most this long.
  /// - Throws: `Failure`, `PostgresError`.
  public func wait(for position: ReadPosition, stream: String? = nil, timeout: Duration) async throws {
    let deadline = ContinuousClock.now + timeout
    var pause = Duration.milliseconds(5)
    while true {
      let heard = signal.head(position.partition) ?? 0
      let standing = try await standing(of: position.partition)
      if let standing, standing.reached(position) { break }
      let left = ContinuousClock.now.duration(to: deadline)
      if left <= .zero { throw Failure.timeout }
      try Task.checkCancellation()
      // Woken by this process's own subscription; another instance's progress is found by looking again. What was heard before looking is no news: a replay
      // that moved the checkpoint back leaves it below what was once heard.
      let woken = await signal.wait(position.partition, beyond: max(heard, standing?.position ?? 0), atMost: min(pause, left))
      pause = woken ? .milliseconds(5) : min(pause * 2, .milliseconds(50))
    }
    try await checkParked(position, stream)
  }

  /// Waits until the projection is beyond an event of this process, parked or not: what a reader waits for who names no position. Asks the database only where
  /// nobody has seen the projection stand beyond it within the last second; so a read without a write before it costs nothing.
  /// - Returns: whether it is there in time.
  public func wait(beyond offset: Int64, in partition: Int, atMost limit: Duration) async throws -> Bool {
    let deadline = ContinuousClock.now + limit
    var pause = Duration.milliseconds(5)
    var mustLook = false
    while true {
      let heard = signal.head(partition) ?? 0
      var known = believed(partition)
      if let known, known > offset { return true }
      if mustLook || known == nil {
        known = try await standing(of: partition)?.position ?? 0
        if let known {
          saw(partition, at: known)
          if known > offset { return true }
        }
      }
      let left = ContinuousClock.now.duration(to: deadline)
      if left <= .zero { return false }
      try Task.checkCancellation()
      // As above.
      mustLook = await !signal.wait(partition, beyond: max(heard, known ?? 0), atMost: min(pause, left))
      pause = mustLook ? min(pause * 2, .milliseconds(50)) : .milliseconds(5)
    }
  }

  func progressed(_ partition: Int, to position: Int64) {
    saw(partition, at: position)
    signal.advance(partition, to: position)
  }

  private func saw(_ partition: Int, at position: Int64) {
    standings.withLock { $0[partition] = Standing(position: position, until: .now + Self.belief) }
  }

  /// Where the partition stands, nil where that is not known or no longer believed.
  private func believed(_ partition: Int) -> Int64? {
    standings.withLock { $0[partition] }.flatMap { $0.until > .now ? $0.position : nil }
  }

  private func standing(of partition: Int) async throws -> Checkpoint? {
    let rows = try await pool.query(
      """
      select position, epoch, journal_offset from dos_checkpoints
      where subscription = \(subscription) and topic = \(topic) and partition = \(Int32(partition))
      """)
    guard let row = rows.first else { return nil }
    let (position, epoch, offset) = try row.decode(Int64.self, Int64?.self, Int64?.self)
    return Checkpoint(position: position, journal: CheckpointTable.journal(partition, epoch, offset))
  }

  private func checkParked(_ position: ReadPosition, _ stream: String?) async throws {
    let which: SQL
    switch position {
    case .broker(_, let offset): which = "position = \(offset)"
    case .journal(let journal):
      which =
        "array_position(header_names, 'ce_journaloffset') is not null and header_values[array_position(header_names, 'ce_journaloffset')] = \(String(journal.offset)) and header_values[array_position(header_names, 'ce_journalepoch')] = \(String(journal.epoch))"
    }
    let streams: SQL = stream.map { "or subject = \($0)" } ?? ""
    let rows = try await pool.query(
      """
      select subject, cause from dos_dead_letters where subscription = \(subscription) and topic = \(topic)
        and partition = \(Int32(position.partition)) and ((\(which)) \(streams)) order by position limit 1
      """)
    if let row = rows.first {
      let (subject, cause) = try row.decode(String.self, String?.self)
      throw Failure.parked(stream: subject, cause: cause)
    }
  }
}

extension Checkpoint {
  /// Whether everything up to and with the position is dealt with.
  func reached(_ wanted: ReadPosition) -> Bool {
    switch wanted {
    case .broker(_, let offset): position > offset
    case .journal(let wanted):
      // A later epoch with a lower offset has not come there: the event may be among those that are gone.
      journal.map { $0.offset >= wanted.offset && $0.epoch >= wanted.epoch } ?? false
    }
  }
}
