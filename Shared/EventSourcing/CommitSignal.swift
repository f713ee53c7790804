import Foundation
import Synchronization

/// Wakes who waits in this process for a partition to grow: at once for what this process commits, and for what others commit when `Journal.watch` sees it.
public final class CommitSignal: Sendable {
  private struct Waiter {
    let partitions: [Int: Int64]
    let continuation: CheckedContinuation<Bool, Never>
  }
  private struct State {
    var heads: [Int: Int64] = [:]
    var waiters: [UInt64: Waiter] = [:]
    var nextID: UInt64 = 0
  }
  private let state = Mutex(State())

  init() {}

  /// The last offset of a partition that this process committed or saw; nil before the first.
  public func head(_ partition: Int) -> Int64? { state.withLock { $0.heads[partition] } }

  /// Waits until one of the partitions is known to have grown beyond the offset beside it, or the time is up, or the task is cancelled.
  /// - Returns: whether there is something.
  public func wait(beyond offsets: [Int: Int64], atMost limit: Duration) async -> Bool {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let known: Bool? = state.withLock { state in
          if offsets.contains(where: { partition, offset in state.heads[partition] ?? -1 > offset }) { return true }
          // A cancellation before this line finds no waiter to end, and is seen here; one after it finds the waiter.
          if Task.isCancelled { return false }
          state.waiters[id] = Waiter(partitions: offsets, continuation: continuation)
          return nil
        }
        if let known {
          continuation.resume(returning: known)
        } else {
          DispatchQueue.global().asyncAfter(deadline: .now() + limit.seconds) { [weak self] in self?.end(id) }
        }
      }
    } onCancel: {
      end(id)
    }
  }

  /// As above, for one partition.
  public func wait(_ partition: Int, beyond offset: Int64, atMost limit: Duration) async -> Bool {
    await wait(beyond: [partition: offset], atMost: limit)
  }

  func advance(_ partition: Int, to offset: Int64) {
    let woken = state.withLock { state in
      guard offset > state.heads[partition] ?? -1 else { return [CheckedContinuation<Bool, Never>]() }
      state.heads[partition] = offset
      let ids = state.waiters.filter { $0.value.partitions[partition].map { $0 < offset } ?? false }.map(\.key)
      return ids.compactMap { state.waiters.removeValue(forKey: $0)?.continuation }
    }
    for continuation in woken { continuation.resume(returning: true) }
  }

  private func end(_ id: UInt64) {
    let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
    waiter?.continuation.resume(returning: false)
  }
}

extension Duration {
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
