import Foundation
import Synchronization

/// What waits to be stored: first in, first out, bounded in bytes, with who waits for it.
///
/// A publish is answered once: by the writer, or by its deadline. The events of one whose time is up stay in line, since what was handed
/// over is never taken back.
final class Outbox: Sendable {
  typealias Answer = Result<[BrokerPosition], BrokerError>

  /// One event in line, with its place in its publish.
  struct Entry: Sendable {
    let publish: UInt64
    let index: Int
    let event: OutgoingEvent
    /// As the broker's tables know the topic; Kafka knows it by its name.
    let topicID: Int32
    let bytes: Int
  }

  fileprivate struct Waiting {
    var positions: [BrokerPosition?]
    var missing: Int
    /// Some of it was stored.
    var touched = false
    let deadline: ContinuousClock.Instant
    let continuation: CheckedContinuation<Answer, Never>
  }

  fileprivate struct State {
    var line: [Entry] = []
    var first = 0
    var bytes = 0
    var nextID: UInt64 = 0
    var waiting: [UInt64: Waiting] = [:]
    var wake: CheckedContinuation<Void, Never>?
    var closed = false
  }

  private let state = Mutex(State())
  private let limit: Int
  private let lateReason: String
  private let filled: @Sendable () -> Void

  /// - Parameters:
  ///   - limit: bytes that may be in line or on their way.
  ///   - lateReason: what is told to those whose time is up.
  ///   - filled: called when something came in line, and at the end.
  init(limit: Int, lateReason: String, filled: @escaping @Sendable () -> Void = {}) {
    self.limit = limit
    self.lateReason = lateReason
    self.filled = filled
  }

  /// Bytes in line or being written.
  var waitingBytes: Int { state.withLock { $0.bytes } }

  /// Hands events over that the broker can store, and answers when it has, or when their time is up.
  /// - Parameter find: the topic of a name, as the broker knows it.
  func publish(
    _ events: [OutgoingEvent], _ limits: BrokerLimits, find: (_ name: String) async throws(BrokerError) -> (id: Int32, partitions: Int)
  ) async throws(BrokerError) -> [BrokerPosition] {
    if events.isEmpty { return [] }
    let deadline = ContinuousClock.now + limits.publishTime
    var items: [(event: OutgoingEvent, topicID: Int32, bytes: Int)] = []
    items.reserveCapacity(events.count)
    for event in events {
      let topic = try await find(event.topic.name)
      guard (0..<topic.partitions).contains(event.targetPartition) else {
        throw .unknownPartition(topic: event.topic.name, partition: event.targetPartition)
      }
      items.append((event, topic.id, try event.checkedSize(limit: limits.eventBytes)))
    }
    return try await hand(items, deadline: deadline).get()
  }

  /// Puts the events in line and waits for their answer, whoever is cancelled.
  func hand(_ events: [(event: OutgoingEvent, topicID: Int32, bytes: Int)], deadline: ContinuousClock.Instant) async -> Answer {
    await withCheckedContinuation { continuation in
      let total = events.reduce(0) { $0 + $1.bytes }
      let (refusal, wake) = state.withLock { state -> (BrokerError?, CheckedContinuation<Void, Never>?) in
        if state.closed { return (.closed, nil) }
        if state.bytes + total > limit { return (.full(waitingBytes: state.bytes), nil) }
        let id = state.nextID
        state.nextID += 1
        state.waiting[id] = Waiting(
          positions: Array(repeating: nil, count: events.count), missing: events.count, deadline: deadline, continuation: continuation)
        for (index, item) in events.enumerated() {
          state.line.append(Entry(publish: id, index: index, event: item.event, topicID: item.topicID, bytes: item.bytes))
        }
        state.bytes += total
        defer { state.wake = nil }
        return (nil, state.wake)
      }
      wake?.resume()
      if let refusal { continuation.resume(returning: .failure(refusal)) } else { filled() }
    }
  }

  /// Whether somebody waits for an answer.
  var isAwaited: Bool { state.withLock { !$0.waiting.isEmpty } }
  var isClosed: Bool { state.withLock { $0.closed } }

  /// The next batch in order, empty where nothing waits.
  func takeNow(events: Int, bytes: Int) -> [Entry] { state.withLock { $0.takeBatch(events: events, bytes: bytes) } }

  /// The next batch in order, waiting for one; nil when closed and empty.
  func take(events: Int, bytes: Int) async -> [Entry]? {
    while true {
      let (batch, ended) = state.withLock { state in (state.takeBatch(events: events, bytes: bytes), state.closed) }
      if !batch.isEmpty { return batch }
      if ended { return nil }
      await withCheckedContinuation { continuation in
        let ready = state.withLock { state in
          if state.first < state.line.count || state.closed { return true }
          state.wake = continuation
          return false
        }
        if ready { continuation.resume() }
      }
    }
  }

  /// The batch was committed at these offsets.
  func stored(_ batch: [Entry], at offsets: [Int64]) {
    finish(batch) { state in
      for (entry, offset) in zip(batch, offsets) {
        let position = BrokerPosition(topic: entry.event.topic.name, partition: entry.event.targetPartition, offset: offset)
        state.waiting[entry.publish]?.positions[entry.index] = position
        state.waiting[entry.publish]?.missing -= 1
        state.waiting[entry.publish]?.touched = true
      }
      var answers: [(CheckedContinuation<Answer, Never>, Answer)] = []
      for id in Set(batch.map(\.publish)) {
        guard let waiting = state.waiting[id], waiting.missing == 0 else { continue }
        state.waiting[id] = nil
        answers.append((waiting.continuation, .success(waiting.positions.compactMap { $0 })))
      }
      return answers
    }
  }

  /// The batch was not stored, or perhaps not. Whose events they are hears it now; the rest of such a publish leaves the line, since its
  /// sender will repeat it from the start, and a tail that arrives before its head would break the order.
  func failed(_ batch: [Entry], reason: String, mayHaveArrived: Bool) {
    let publishes = Set(batch.map(\.publish))
    finish(batch) { state in
      let rest = state.line[state.first...]
      state.bytes -= rest.reduce(0) { $0 + (publishes.contains($1.publish) ? $1.bytes : 0) }
      state.line = rest.filter { !publishes.contains($0.publish) }
      state.first = 0
      return publishes.compactMap { id in
        guard let waiting = state.waiting.removeValue(forKey: id) else { return nil }
        return (waiting.continuation, .failure(.unavailable(reason: reason, mayHaveArrived: mayHaveArrived || waiting.touched)))
      }
    }
  }

  /// Answers those whose time is up.
  func expire(now: ContinuousClock.Instant) {
    let late = state.withLock { state in
      let ids = state.waiting.filter { $0.value.deadline <= now }.map(\.key)
      return ids.compactMap { state.waiting.removeValue(forKey: $0)?.continuation }
    }
    for continuation in late {
      continuation.resume(returning: .failure(.unavailable(reason: lateReason, mayHaveArrived: true)))
    }
  }

  /// Takes nothing more; what is in line is still written.
  func close() {
    let wake = state.withLock { state in
      state.closed = true
      defer { state.wake = nil }
      return state.wake
    }
    wake?.resume()
    filled()
  }

  private func finish(_ batch: [Entry], _ body: (inout State) -> [(CheckedContinuation<Answer, Never>, Answer)]) {
    let answers = state.withLock { state in
      state.bytes -= batch.reduce(0) { $0 + $1.bytes }
      return body(&state)
    }
    for (continuation, answer) in answers { continuation.resume(returning: answer) }
  }
}

extension Outbox.State {
  fileprivate mutating func takeBatch(events: Int, bytes: Int) -> [Outbox.Entry] {
    var batch: [Outbox.Entry] = []
    var size = 0
    while first < line.count, batch.count < events {
      let entry = line[first]
      if !batch.isEmpty, size + entry.bytes > bytes { break }
      batch.append(entry)
      size += entry.bytes
      first += 1
    }
    if first == line.count || first > 10_000 {
      line.removeFirst(first)
      first = 0
    }
    return batch
  }
}
