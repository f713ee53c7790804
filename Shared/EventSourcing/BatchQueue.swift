import Postgres
import Synchronization

/// Lets partitions share transactions: whatever waits when a transaction begins goes along, and nobody waits to fill one. A batch of one event costs nearly
/// what a batch of a hundred does.
///
/// Two at a time, so that one that is held up holds up no other and both sides of the connection have something to do. Who comes when nothing was written for a
/// moment goes at once; under load transactions begin at a steady pace, since as many small ones as the database can do would leave it time for nothing else.
/// Of each partition at most one batch is here at any time.
final class BatchQueue: BatchTaker {
  typealias Outcome = Result<Set<String>, any Error>

  private struct Member {
    let id: UInt64
    let batch: PartitionBatch
    let answer: CheckedContinuation<Outcome, Never>
  }

  private struct Group {
    let task: Task<Void, Never>
    /// Those who still want it.
    var wanted: Set<UInt64>
  }

  private struct State {
    var nextID: UInt64 = 0
    var waiting: [Member] = []
    /// Who was cancelled before it had begun to wait.
    var cancelled: Set<UInt64> = []
    /// What is being written, by its first member.
    var running: [UInt64: Group] = [:]
    /// When the next transaction may begin, and whether somebody waits for that.
    var next = ContinuousClock.now
    var isTimed = false
  }

  private let state = Mutex(State())
  private let writer: BatchWriter
  private let pool: PostgresPool
  let rows: Int
  private let atOnce: Int
  private let pace: Duration
  private let sharers: @Sendable () -> Int

  /// - Parameters:
  ///   - rows: what a transaction changes at most, unless one batch alone changes more.
  ///   - atOnce: transactions that run at the same time.
  ///   - pace: the time between the beginnings of two, unless as many rows wait as one may change.
  ///   - sharers: how many queues write to the same tables: the pace is that of all of them together.
  init(
    _ writer: BatchWriter, pool: PostgresPool, rows: Int, atOnce: Int = 2, pace: Duration = .milliseconds(5), sharers: @escaping @Sendable () -> Int = { 1 }
  ) {
    self.writer = writer
    self.pool = pool
    self.rows = rows
    self.atOnce = atOnce
    self.pace = pace
    self.sharers = sharers
  }

  /// Batches in line.
  var waiting: Int { state.withLock { $0.waiting.count } }
  var isWriting: Bool { state.withLock { !$0.running.isEmpty } }

  func weight(of event: ProjectedEvent) -> Int { writer.projection.rows(for: event) }

  /// Writes a batch, with others that wait.
  /// - Returns: the subjects of its partition that are parked after it.
  /// - Throws: `CheckpointLost`; `CancellationError` where the task was cancelled while it waited; what the database said.
  func write(_ batch: PartitionBatch) async throws -> Set<String> {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    let outcome = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let left = state.withLock { state in
          if state.cancelled.remove(id) != nil { return true }
          state.waiting.append(Member(id: id, batch: batch, answer: continuation))
          return false
        }
        if left { continuation.resume(returning: Outcome.failure(CancellationError())) } else { start() }
      }
    } onCancel: {
      leave(id)
    }
    state.withLock { state in _ = state.cancelled.remove(id) }
    return try outcome.get()
  }

  /// Who waits leaves at once. A transaction is stopped when everybody in it wants to leave: the others' work is not thrown away for one.
  private func leave(_ id: UInt64) {
    let waiting = state.withLock { state -> Member? in
      if let index = state.waiting.firstIndex(where: { $0.id == id }) { return state.waiting.remove(at: index) }
      guard let first = state.running.first(where: { $0.value.wanted.contains(id) })?.key else {
        state.cancelled.insert(id)
        return nil
      }
      state.running[first]?.wanted.remove(id)
      if let group = state.running[first], group.wanted.isEmpty { group.task.cancel() }
      return nil
    }
    waiting?.answer.resume(returning: .failure(CancellationError()))
  }

  private func start() {
    let pause: Duration? = state.withLock { state in
      guard state.running.count < atOnce, let first = state.waiting.first else { return nil }
      let now = ContinuousClock.now
      if now < state.next, state.waiting.reduce(0, { $0 + $1.batch.weight }) < rows {
        defer { state.isTimed = true }
        return state.isTimed ? nil : state.next - now
      }
      state.next = now + pace * sharers()
      var weight = 0
      let others = state.waiting.prefix { member in
        weight += member.batch.weight
        return member.id == first.id || weight <= rows
      }
      let group = Array(others)
      state.waiting.removeFirst(group.count)
      state.running[first.id] = Group(task: Task { await self.run(group, first.id) }, wanted: Set(group.map(\.id)))
      return nil
    }
    guard let pause else { return }
    Task {
      try? await Task.sleep(for: pause)
      state.withLock { $0.isTimed = false }
      start()
    }
  }

  private func run(_ group: [Member], _ first: UInt64) async {
    let outcomes = await writer.write(group.map(\.batch), in: pool)
    state.withLock { state in state.running[first] = nil }
    for (member, outcome) in zip(group, outcomes) { member.answer.resume(returning: outcome) }
    start()
  }
}
