import Broker
import Foundation
import Postgres
import Synchronization

/// What waits to be appended to one partition. One task empties it: whatever waits when it looks shares the next transaction, nobody waits to fill one.
///
/// The task belongs to the queue, not to who appends: a caller that is cancelled leaves its append where it is. `close` awaits its end.
final class AppendQueue: Sendable {
  private struct Member: Sendable {
    let append: PendingAppend
    let answer: CheckedContinuation<Result<Appended, JournalError>, Never>
  }
  private struct State {
    var waiting: [Member] = []
    var bytes = 0
    var running = false
    var closed = false
    var idle: [CheckedContinuation<Void, Never>] = []
    /// All of this queue's appends that are still open lie beyond it.
    var floor: Int64?
  }
  private let state = Mutex(State())
  private let partition: Int
  private let log: PartitionLog
  private let settings: JournalSettings
  private let observer: JournalObserver
  private let commits: CommitSignal

  init(partition: Int, log: PartitionLog, settings: JournalSettings, observer: JournalObserver, commits: CommitSignal) {
    self.partition = partition
    self.log = log
    self.settings = settings
    self.observer = observer
    self.commits = commits
  }

  /// Appends in line, without those that are on their way to the database.
  var waiting: Int { state.withLock { $0.waiting.count } }

  func append(_ append: PendingAppend) async throws(JournalError) -> Appended {
    try await withCheckedContinuation { continuation in
      enum Entry { case refused(JournalError), queued, first }
      let entry: Entry = state.withLock { state in
        if state.closed { return .refused(.closed) }
        let crowded = state.waiting.count >= settings.waitingLimit || state.bytes + append.bytes > settings.waitingBytes
        if crowded { return .refused(.full(waiting: state.waiting.count)) }
        state.waiting.append(Member(append: append, answer: continuation))
        state.bytes += append.bytes
        defer { state.running = true }
        return state.running ? .queued : .first
      }
      switch entry {
      case .refused(let error): continuation.resume(returning: Result<Appended, JournalError>.failure(error))
      case .queued: break
      case .first: Task.immediateDetached { await self.drain() }
      }
    }.get()
  }

  func close() async {
    await withCheckedContinuation { continuation in
      let idle = state.withLock { state in
        state.closed = true
        if state.running { state.idle.append(continuation) }
        return !state.running
      }
      if idle { continuation.resume() }
    }
  }

  private func drain() async {
    while let group = take() { await settle(group) }
  }

  private func take() -> [Member]? {
    let (group, idle) = state.withLock { state -> ([Member]?, [CheckedContinuation<Void, Never>]) in
      guard !state.waiting.isEmpty else {
        state.running = false
        defer { state.idle = [] }
        return (nil, state.idle)
      }
      var bytes = 0
      var count = 0
      for member in state.waiting {
        if count > 0, count == settings.groupLimit || bytes + member.append.bytes > settings.groupBytes { break }
        bytes += member.append.bytes
        count += 1
      }
      let group = Array(state.waiting.prefix(count))
      state.waiting.removeFirst(count)
      state.bytes -= bytes
      return (group, [])
    }
    for waiter in idle { waiter.resume() }
    return group
  }

  /// Brings every member of a group to its answer.
  private func settle(_ group: [Member]) async {
    var open = group
    var lost: PostgresError?
    let end = ContinuousClock.now + settings.patience
    var pause = Duration.milliseconds(5)
    while !open.isEmpty {
      let left = end - .now
      guard left > .zero else {
        let reason = lost?.description ?? "no answer from the database within \(settings.patience)"
        return answer(open, .failure(.unavailable(reason: reason, mayHaveHappened: lost != nil)))
      }
      do {
        if lost != nil {
          open = try await resolve(open, within: left)
          lost = nil
          continue
        }
        try await noteFloor(within: left)
        switch try await log.append(open.map(\.append), within: left) {
        case .answered(let results): return deliver(open, results)
        case .lost(let error): lost = error
        }
      } catch let error as PostgresError where error.isTransient || error.constraint == "journal_stream_version" {
        // The constraint speaks when a stream's first event went to two partitions at once; at the next try the function sees it and says so.
        if end - .now <= pause, lost == nil {
          return answer(open, .failure(.unavailable(reason: error.description, mayHaveHappened: false)))
        }
      } catch  where open.count > 1 && lost == nil {
        // Something in one member fails the statement for all: alone, it fails alone.
        for member in open { await settle([member]) }
        return
      } catch {
        let reason = JournalError(error)
        return answer(open, .failure(lost == nil ? reason : .unavailable(reason: "\(reason)", mayHaveHappened: true)))
      }
      try? await Task.sleep(for: pause)
      pause = min(pause * 2, .milliseconds(250))
    }
  }

  private func noteFloor(within limit: Duration) async throws {
    guard state.withLock({ $0.floor }) == nil else { return }
    let last = try await log.last(within: limit)
    state.withLock { $0.floor = last }
  }

  /// Finds out which of the members were committed although the answer was lost.
  /// - Returns: the others. They are not in the log and never will be by that transaction, so they may be handed over again.
  private func resolve(_ open: [Member], within limit: Duration) async throws -> [Member] {
    let floor = state.withLock { $0.floor } ?? -1
    let found = try await log.find(open.map(\.append), after: floor, within: limit)
    var results: [(Member, Result<Appended, JournalError>)] = []
    var rest: [Member] = []
    for member in open {
      if let positions = found[member.append.id] {
        results.append((member, .success(Appended(positions: positions, repeated: false, outcome: member.append.outcome))))
      } else {
        rest.append(member)
      }
    }
    deliver(results.map(\.0), results.map(\.1))
    return rest
  }

  private func deliver(_ members: [Member], _ results: [Result<Appended, JournalError>]) {
    var events = 0
    for result in results {
      switch result {
      case .success(let appended) where !appended.repeated:
        events += appended.positions.count
        if let last = appended.positions.last?.offset {
          state.withLock { $0.floor = max($0.floor ?? -1, last) }
          commits.advance(partition, to: last)
        }
      case .success: break
      case .failure(.conflict): observer.conflicted()
      case .failure: break
      }
    }
    if events > 0 { observer.appended(events, members.count) }
    for (member, result) in zip(members, results) { member.answer.resume(returning: result) }
  }

  private func answer(_ members: [Member], _ result: Result<Appended, JournalError>) {
    for member in members { member.answer.resume(returning: result) }
  }
}
