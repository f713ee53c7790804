import Broker
import Foundation
import Postgres
import Synchronization

/// Appends of all partitions on their way to the database. Those that wait share a transaction, whatever partition they are for: a transaction of eight appends
/// costs little more than one of one. Who comes first waits for nobody, and two are on their way at once, so that one that is held up holds up no other.
final class SharedAppends: Sendable {
  private struct Group: Sendable {
    let partition: Int
    let appends: [PendingAppend]
    let deadline: ContinuousClock.Instant
    let answer: CheckedContinuation<Result<PartitionLog.Answer, any Error>, Never>
  }
  private struct State {
    var waiting: [Group] = []
    var running = 0
  }
  private let state = Mutex(State())
  private let pool: PostgresPool
  private let number: TopicNumber
  private let settings: JournalSettings
  private let losesAnswer: @Sendable () -> Bool

  private static let atOnce = 2

  init(pool: PostgresPool, number: TopicNumber, settings: JournalSettings, losesAnswer: @escaping @Sendable () -> Bool) {
    self.pool = pool
    self.number = number
    self.settings = settings
    self.losesAnswer = losesAnswer
  }

  /// - Throws: when nothing was stored.
  func append(_ appends: [PendingAppend], to partition: Int, within limit: Duration) async throws -> PartitionLog.Answer {
    try await withCheckedContinuation { continuation in
      let group = Group(partition: partition, appends: appends, deadline: .now + limit, answer: continuation)
      let isFirst = state.withLock { state in
        state.waiting.append(group)
        guard state.running < Self.atOnce else { return false }
        state.running += 1
        return true
      }
      // It ends with the last that waits, and each of those is awaited by its partition's queue.
      if isFirst { Task.immediateDetached { await self.drain() } }
    }.get()
  }

  private func drain() async {
    while let groups = take() { await settle(groups) }
  }

  private func take() -> [Group]? {
    state.withLock { state in
      guard !state.waiting.isEmpty else {
        state.running -= 1
        return nil
      }
      var (count, appends, bytes) = (0, 0, 0)
      for group in state.waiting {
        appends += group.appends.count
        bytes += group.appends.reduce(0) { $0 + $1.bytes }
        if count > 0, appends > settings.groupLimit || bytes > settings.groupBytes { break }
        count += 1
      }
      defer { state.waiting.removeFirst(count) }
      return state.waiting.prefix(count).sorted { $0.partition < $1.partition }
    }
  }

  private func settle(_ groups: [Group], waits: Bool = false) async {
    do {
      guard let rows = try await send(groups, waits: waits) else { return }
      var row = 0
      // All are read before anybody is answered: who was answered must not hear again of what cannot be read.
      let outcomes: [Result<PartitionLog.Answer, any Error>?] = try groups.map { group in
        let own = rows[row..<row + group.appends.count]
        row += group.appends.count
        if try own.contains(where: { try $0.value(String.self, at: 0) == "busy" }) { return nil }
        return Result { .answered(try PartitionLog.results(of: group.appends, own, partition: group.partition)) }
      }
      for (group, outcome) in zip(groups, outcomes) {
        if let outcome {
          group.answer.resume(returning: outcome)
        } else {
          // Nothing of it was written: somebody else has the partition's lock. By itself it waits for it, and nobody waits for that.
          Task.detached { await self.settle([group], waits: true) }
        }
      }
    } catch let error as PostgresError where groups.count > 1 && !error.isTransient {
      // Something in one group fails the statement for all: alone, it fails alone.
      for group in groups { await settle([group], waits: waits) }
    } catch {
      for group in groups { group.answer.resume(returning: .failure(error)) }
    }
  }

  /// One statement, and so one transaction and one round trip.
  /// - Returns: a row for each append; nil when it was sent and the answer was lost, which is then told to all.
  /// - Throws: when nothing was stored.
  private func send(_ groups: [Group], waits: Bool) async throws -> Rows? {
    let limit = (groups.map(\.deadline).min() ?? .now) - .now
    let statement = PartitionLog.statement(groups.map { ($0.partition, $0.appends) }, topic: try await number.value(), waits: waits)
    let result: Result<Rows, PostgresError> = try await pool.withConnection(within: limit) { connection in
      do throws(PostgresError) {
        return .success(try connection.query(statement))
      } catch {
        return .failure(error)
      }
    }
    let lost: PostgresError
    switch result {
    case .success(let rows):
      if !losesAnswer() { return rows }
      lost = PostgresError(kind: .commitUnknown, message: "the answer was lost")
    case .failure(let error):
      if case .server = error.kind, !error.leavesOpen { throw error }
      lost = error
    }
    for group in groups { group.answer.resume(returning: .success(.lost(lost))) }
    return nil
  }
}
