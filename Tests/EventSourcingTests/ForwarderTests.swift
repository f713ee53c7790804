import Broker
@testable import EventSourcing
import Foundation
import Postgres
import Synchronization
import TestSupport
import Testing

struct ForwarderTests {
  @Test("What is decided reaches the broker in order, with its place in the Journal, whoever appended it", .timeLimit(.minutes(5)))
  func forwards() async throws {
    try await withJournal(partitions: 2, size: 8) { journal, pool in
      let broker = RecordingBroker()
      let running = Task { await Forwarder(journal: journal, broker: broker).run() }
      let (other, otherPool) = another(journal, pool)
      for turn in 0..<20 { try await (turn % 2 == 0 ? journal : other).note("s\(turn % 3)", .any, "\(turn)") }
      // The records that open the first epoch travel too.
      let arrived = try await eventually { broker.offsets(0).count + broker.offsets(1).count == 22 }
      #expect(arrived)
      for partition in 0..<2 {
        let log = try await journal.read(partition: partition, after: -1, limit: 100)
        #expect(broker.events(partition) == log.map { $0.cloudEvent(source: journal.source, city: journal.city) })
      }
      running.cancel()
      await running.value
      await other.close()
      await otherPool.close()
    }
  }

  @Test("Whatever the broker does, no event is left out and none overtakes another", .timeLimit(.minutes(5))) func neverSkips() async throws {
    try await withJournal(partitions: 1, size: 8) { journal, _ in
      let broker = RecordingBroker { attempt in [.stores, .failsAfterStoring, .fails, .isFull][attempt % 4] }
      let running = Task { await Forwarder(journal: journal, broker: broker, batch: 3).run() }
      for turn in 0..<30 { try await journal.note("s\(turn % 3)") }
      let arrived = try await eventually { broker.offsets(0).last == 30 }
      #expect(arrived)
      #expect(firstSeen(broker.offsets(0)) == Array(0...30))
      running.cancel()
      await running.value
    }
  }

  @Test("Behind an offset that the Journal has lost nothing is forwarded, and the forwarder says which it is", .timeLimit(.minutes(5)))
  func gap() async throws {
    let reasons = Mutex<[String]>([])
    let observer = JournalObserver(forwardFailed: { _, reason in reasons.withLock { $0.append(reason) } })
    try await withJournal(partitions: 1, size: 8, observer: observer) { journal, pool in
      try await journal.append([write("a", .any, "1", "2", "3")], context: noon)
      try await pool.transaction { connection throws in
        try connection.execute("alter table journal_events disable trigger journal_no_update_no_delete")
        try connection.execute("delete from journal_events where log_offset = 2")
      }
      let broker = RecordingBroker()
      let running = Task { await Forwarder(journal: journal, broker: broker, batch: 4).run() }
      let gap = "\(JournalGap(partition: 0, expected: 2, found: 3))"
      // What stands before the gap goes out, since a batch that fails is tried again in halves.
      #expect(try await eventually { broker.offsets(0) == [0, 1] })
      try await journal.note("a")
      let told = reasons.withLock { $0.count }
      #expect(try await eventually { reasons.withLock { $0.count } > told + 1 })
      #expect(reasons.withLock { Set($0) } == [gap] && broker.offsets(0) == [0, 1])
      running.cancel()
      await running.value
    }
  }

  @Test("A forwarder that starts anew goes on where the checkpoint stands", .timeLimit(.minutes(5))) func restarts() async throws {
    try await withJournal(partitions: 1, size: 8) { journal, pool in
      try await journal.append([write("a", .any, "1", "2", "3")], context: noon)
      let broker = RecordingBroker()
      for last in [Int64(3), 4] {
        let running = Task { await Forwarder(journal: journal, broker: broker).run() }
        let moved = try await eventually {
          let checkpoints = try await CheckpointTable.read(subscription: Forwarder.subscription, topic: journal.topic.name, in: pool)
          return checkpoints[0]?.position == last + 1
        }
        #expect(moved)
        running.cancel()
        await running.value
        try await journal.note("a")
      }
      #expect(broker.offsets(0) == [0, 1, 2, 3, 4])
    }
  }

  @Test("A forwarder that lost its lease without knowing publishes again what was published, and moves no checkpoint", .timeLimit(.minutes(5)))
  func zombie() async throws {
    try await withJournal(partitions: 1, size: 8) { journal, pool in
      try await journal.append([write("a", .any, "1", "2", "3")], context: noon)
      let topic = journal.topic.name
      try await pool.transaction { connection throws in
        try CheckpointTable.ensure(subscription: Forwarder.subscription, topic: topic, starts: [0], on: connection)
      }
      func lease(_ claim: Int64) -> Lease {
        Lease(subscription: Forwarder.subscription, topic: topic, partition: 0, claim: claim, checkpoint: Checkpoint(position: 0))
      }
      let broker = RecordingBroker(holdsFirst: true)
      let zombie = Task { await Forwarder(journal: journal, broker: broker).forward(lease(0)) }
      let handedOver = try await eventually { broker.attempts == 1 }
      #expect(handedOver)
      // Another instance claims the partition from the same place and forwards one batch.
      try await pool.execute("update dos_checkpoints set claim = claim + 1")
      let owner = Task { await Forwarder(journal: journal, broker: broker, batch: 2).forward(lease(1)) }
      let moved = try await eventually { try await CheckpointTable.read(subscription: Forwarder.subscription, topic: topic, in: pool)[0]?.position == 4 }
      #expect(moved)
      broker.release()
      // It ends by itself, at the checkpoint that is no longer its own.
      await zombie.value
      try await journal.note("a")
      let caughtUp = try await eventually { broker.offsets(0).last == 4 }
      #expect(caughtUp)
      #expect(broker.offsets(0) == [0, 1, 2, 3, 0, 1, 2, 3, 4])
      owner.cancel()
      await owner.value
    }
  }

  @Test("The watch looks every 5 ms while others append, and rarely otherwise") func pace() {
    var pace = WatchPace()
    let start = ContinuousClock.now
    #expect(pace.next(grown: false, now: start) == .milliseconds(250))
    #expect(pace.next(grown: true, now: start) == .milliseconds(5))
    #expect(pace.next(grown: false, now: start + .seconds(1)) == .milliseconds(5))
    #expect(pace.next(grown: false, now: start + .seconds(3)) == .milliseconds(10))
    for _ in 0..<10 { _ = pace.next(grown: false, now: start + .seconds(3)) }
    #expect(pace.next(grown: false, now: start + .seconds(3)) == .milliseconds(250))
  }

  @Test("The lag is what the Journal has and the broker has not acknowledged", .timeLimit(.minutes(5))) func lag() async throws {
    let lags = Mutex<[Int64]>([])
    let observer = JournalObserver(forwardLag: { _, events in lags.withLock { $0.append(events) } })
    try await withJournal(partitions: 1, size: 8, observer: observer) { journal, _ in
      try await journal.append([write("a", .any, "1", "2", "3")], context: noon)
      let running = Task { await Forwarder(journal: journal, broker: RecordingBroker()).run() }
      let none = try await eventually { lags.withLock { $0.last } == 0 }
      #expect(none)
      #expect(lags.withLock { $0.first } == 4)
      running.cancel()
      await running.value
    }
  }
}

/// Each offset where it was first seen, as a consumer that drops what it knows sees them.
private func firstSeen(_ offsets: [Int64]) -> [Int64] {
  var known: Set<Int64> = []
  return offsets.filter { known.insert($0).inserted }
}

/// Keeps what is published, and fails as it is told.
private final class RecordingBroker: EventBroker {
  enum Behaviour { case stores, failsAfterStoring, fails, isFull }
  private struct State {
    var log: [Int: [CloudEvent]] = [:]
    var attempts = 0
    var held: CheckedContinuation<Void, Never>?
    var released = false
  }
  private let state = Mutex(State())
  private let behaviour: @Sendable (Int) -> Behaviour
  private let holdsFirst: Bool

  init(holdsFirst: Bool = false, behaviour: @escaping @Sendable (Int) -> Behaviour = { _ in .stores }) {
    self.behaviour = behaviour
    self.holdsFirst = holdsFirst
  }

  var attempts: Int { state.withLock { $0.attempts } }
  func events(_ partition: Int) -> [CloudEvent] { state.withLock { $0.log[partition] ?? [] } }
  func offsets(_ partition: Int) -> [Int64] { events(partition).compactMap(\.journal?.offset) }

  func release() {
    state.withLock { state in
      state.released = true
      defer { state.held = nil }
      return state.held
    }?.resume()
  }

  func publish(_ events: [OutgoingEvent]) async throws(BrokerError) -> [BrokerPosition] {
    let attempt = state.withLock { state in
      state.attempts += 1
      return state.attempts
    }
    if holdsFirst, attempt == 1 {
      await withCheckedContinuation { continuation in
        let free = state.withLock { state in
          if !state.released { state.held = continuation }
          return state.released
        }
        if free { continuation.resume() }
      }
    }
    let behaviour = behaviour(attempt)
    if behaviour == .fails { throw .unavailable(reason: "told so", mayHaveArrived: false) }
    if behaviour == .isFull { throw .full(waitingBytes: 1) }
    let positions = state.withLock { state in
      events.map { event in
        state.log[event.targetPartition, default: []].append(event.event)
        return BrokerPosition(topic: event.topic.name, partition: event.targetPartition, offset: Int64(state.log[event.targetPartition]?.count ?? 0) - 1)
      }
    }
    if behaviour == .failsAfterStoring { throw .unavailable(reason: "told so", mayHaveArrived: true) }
    return positions
  }

  func declare(_ topics: [Topic]) async throws(BrokerError) {}
  func reader(topic: Topic, partition: Int, from offset: Int64) async throws(BrokerError) -> any PartitionReader { throw .closed }
  func end(of topic: Topic) async throws(BrokerError) -> [Int64] { throw .closed }
  func earliest(of topic: Topic) async throws(BrokerError) -> [Int64] { throw .closed }
  var waitingBytes: Int { 0 }
  func close() async {}
}
