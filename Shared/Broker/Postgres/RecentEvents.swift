import Synchronization

/// What this process has committed last, by partition: its own readers, which are nearly always at the end, need not ask the database for it.
///
/// Of each partition it holds one run without gaps. Where somebody else has written in between, the run begins anew.
final class RecentEvents: Sendable {
  fileprivate struct Run {
    var events: [ConsumedEvent] = []
    /// Those before are gone already.
    var start = 0
    var bytes = 0
    var next: Int64 = 0

    var first: Int64 { next - Int64(events.count - start) }
  }

  /// Of each partition.
  private static let runBytes = 256 << 10

  private let runs = Mutex<[Place: Run]>([:])

  /// These were committed, each partition's in order.
  func note(_ batch: [Outbox.Entry], at offsets: [Int64]) {
    runs.withLock { runs in
      for (entry, offset) in zip(batch, offsets) {
        let position = BrokerPosition(topic: entry.event.topic.name, partition: entry.event.targetPartition, offset: offset)
        runs[entry.place, default: Run()].append(ConsumedEvent(position: position, key: entry.event.key, event: entry.event.event), limit: Self.runBytes)
      }
    }
  }

  /// The events from an offset on. Nil where that is not known: somebody else may have to be asked. Empty where the offset is the end as far as this
  /// process knows.
  func events(of place: Place, from offset: Int64, limit: Int) -> [ConsumedEvent]? {
    runs.withLock { runs in
      guard let run = runs[place], (run.first...run.next).contains(offset) else { return nil }
      return Array(run.events[(run.events.count - Int(run.next - offset))...].prefix(limit))
    }
  }

  /// Up to where this process has committed; nil where it has not.
  func end(of place: Place) -> Int64? { runs.withLock { $0[place]?.next } }

  /// Up to where this process has committed, of all partitions.
  var ends: [Place: Int64] { runs.withLock { $0.mapValues(\.next) } }

  /// What was too old is gone, and nobody shall still get it here.
  func clear() { runs.withLock { $0 = [:] } }

  /// A partition that now ends before what this process had committed is not what it was: its database was restored.
  /// - Parameters:
  ///   - known: `end(of:)`, asked before the database was.
  ///   - found: the end that the database tells.
  func compare(_ place: Place, known: Int64?, found: Int64) {
    if let known, found < known { runs.withLock { $0[place] = nil } }
  }
}

extension RecentEvents.Run {
  fileprivate mutating func append(_ event: ConsumedEvent, limit: Int) {
    if event.position.offset != next { self = RecentEvents.Run() }
    events.append(event)
    next = event.position.offset + 1
    bytes += event.event.data.count + 256
    while bytes > limit, start < events.count - 1 {
      bytes -= events[start].event.data.count + 256
      start += 1
    }
    if start > 64, start > events.count / 2 {
      events.removeFirst(start)
      start = 0
    }
  }
}
