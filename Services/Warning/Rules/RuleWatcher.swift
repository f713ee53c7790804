import Broker
import EventSourcing
import Foundation
import Postgres
import ServiceKit
import Synchronization
import Time
import WarningDomain

/// Watches for all live rules: of all instances one does, the others stand by. What it reads is stored before it counts, so that whoever takes over computes from
/// the same rows.
final class RuleWatcher: Sendable {
  private let broker: any EventBroker
  private let store: RuleStore
  private let decisions: Journal
  private let clock: @Sendable () -> Instant
  private let log: Log
  private let leases: Leases
  private let running = Mutex<ReadingsInbox?>(nil)

  /// Between two looks at whether rules have changed elsewhere.
  private static let reload = Duration.seconds(1)
  /// Between two writings of what was found of rules that raised nothing.
  private static let saving = Duration.seconds(10)
  private static let trimming = Duration.seconds(60)

  init(broker: any EventBroker, pool: PostgresPool, decisions: Journal, clock: @escaping @Sendable () -> Instant, log: Log) {
    self.broker = broker
    self.decisions = decisions
    self.clock = clock
    self.log = log
    store = RuleStore(pool: pool)
    leases = Leases(
      pool: pool, subscription: "rule-watch", topic: "rules", partitions: 1, starts: { [0] },
      log: { log.repeating(.warning, "rule watch", "who watches for rules waits", ["reason": .string($0)]) })
  }

  /// Runs until cancelled.
  func run() async {
    await leases.run { lease in
      while !Task.isCancelled {
        do {
          try await self.watch(lease)
        } catch is CheckpointLost {
          return
        } catch {
          if Task.isCancelled { return }
          self.log.repeating(.warning, "rule watch", "who watches for rules begins anew", ["reason": .string("\(error)")])
          try? await Task.sleep(for: .seconds(1))
        }
      }
    }
  }

  /// Somebody of this process has changed a rule.
  func rulesChanged() { running.withLock { $0 }?.bell.ring() }

  private func watch(_ lease: Lease) async throws {
    let inbox = ReadingsInbox(
      broker: broker, trouble: { [log] in log.repeating(.warning, "readings", "readings are waited for", ["reason": .string($0)]) })
    running.withLock { $0 = inbox }
    defer { running.withLock { $0 = nil } }
    let positions = try await self.positions(lease)
    try await withThrowingTaskGroup(of: Void.self) { group in
      defer {
        group.cancelAll()
        inbox.done(inbox.take())
      }
      var round = Round(lease: lease, inbox: inbox)
      try await loadRules(&round)
      for (topic, partition, position) in positions { group.addTask { await inbox.follow(topic, partition, from: position) } }
      group.addTask { await self.trim(inbox) }
      do {
        while !Task.isCancelled { try await once(&round) }
      } catch {
        group.cancelAll()
        // Readers that wait for their batch to be taken must come to their end.
        while !group.isEmpty {
          inbox.done(inbox.take())
          try? await group.next()
        }
        throw error
      }
    }
  }

  /// Where to begin in each partition: a topic that was never read begins at its end, since rules are about what comes.
  private func positions(_ lease: Lease) async throws -> [(topic: Topic, partition: Int, position: Int64)] {
    var all: [(Topic, Int, Int64)] = []
    for topic in SensorReadings.topics(of: broker) {
      let positions = try await store.positions(in: topic.name, orAt: try await broker.end(of: topic), under: lease)
      all += positions.enumerated().map { (topic, $0.offset, $0.element) }
    }
    return all
  }

  /// All that one owner knows.
  private struct Round {
    let lease: Lease
    let inbox: ReadingsInbox
    var watch = RuleWatch()
    var rules: [UUID: RuleStore.Live] = [:]
    var watched: [UUID: RuleStore.Watched] = [:]
    var edition = Int64.min
    var looked = ContinuousClock.now
    var saved = ContinuousClock.now

    var horizons: [Int64: Int] {
      var all: [Int64: Int] = [:]
      for live in rules.values {
        for datastream in live.rule.condition.datastreams { all[datastream] = watch.horizon(of: datastream) }
      }
      return all
    }
  }

  private func once(_ round: inout Round) async throws {
    let rung = round.inbox.bell.rung
    let batches = round.inbox.take()
    if batches.isEmpty {
      await round.inbox.bell.wait(after: rung, atMost: .milliseconds(200))
    } else {
      defer { round.inbox.done(batches) }
      try await take(batches, &round)
    }
    let now = clock()
    if let next = round.watch.nextLook, next <= now { try await apply(round.watch.look(at: now), &round) }
    if rung != round.inbox.bell.rung || round.looked.duration(to: .now) > Self.reload {
      round.looked = .now
      if try await store.edition() != round.edition { try await loadRules(&round) }
    }
    if round.saved.duration(to: .now) > Self.saving {
      round.saved = .now
      try await saveAll(&round)
    }
  }

  /// Beside the watching, which waits for nothing of it.
  private func trim(_ inbox: ReadingsInbox) async {
    while (try? await Task.sleep(for: Self.trimming)) != nil {
      do {
        try await store.trim(inbox.horizons, at: clock())
      } catch {
        log.repeating(.warning, "rule readings", "readings that no rule needs any more stay for now", ["reason": .string("\(error)")])
      }
    }
  }

  private func take(_ batches: [ReadingsInbox.Batch], _ round: inout Round) async throws {
    var facts: [Int64: [ReadingFact]] = [:]
    for batch in batches {
      for event in batch.events {
        guard let datastream = SensorReadings.datastream(event), round.watch.horizon(of: datastream) != nil else { continue }
        do {
          facts[datastream, default: []] += try SensorReadings.facts(event)
        } catch {
          log.repeating(
            .error, "unreadable reading", "an event of readings cannot be read and is passed over",
            ["topic": .string(batch.topic), "partition": .int(batch.partition), "offset": .int(Int(event.position.offset)), "reason": .string("\(error)")])
        }
      }
    }
    try await store.store(facts, batches.map { ($0.topic, $0.partition, $0.position) }, under: round.lease)
    let now = clock()
    var changes: [RuleWatch.Change] = []
    for (datastream, facts) in facts.sorted(by: { $0.key < $1.key }) { changes += round.watch.take(facts, of: datastream, at: now) }
    try await apply(changes, &round)
  }

  /// Hints are decided after what they rest on is stored: who dies in between has left word of them.
  private func apply(_ changes: [RuleWatch.Change], _ round: inout Round) async throws {
    guard !changes.isEmpty else { return }
    var touched: [RuleStore.Watched] = []
    for change in changes {
      switch change {
      case .raised(let id, let state):
        guard let live = round.rules[id], case .holds(let since) = state.outcome else { continue }
        var entry = RuleStore.Watched(rule: id, version: live.version, state: state)
        entry.hint = .nameBased("hint", id.uuidString, String(live.version), String(since.milliseconds))
        entry.finding = live.finding(state, since: since)
        touched.append(entry)
      case .cleared(let id, let state):
        guard let live = round.rules[id], let before = round.watched[id] else { continue }
        var entry = RuleStore.Watched(rule: id, version: live.version, state: state, hint: before.hint, finding: before.finding)
        entry.isCleared = true
        touched.append(entry)
      }
    }
    try await store.save(touched, under: round.lease)
    for entry in touched { round.watched[entry.rule] = entry }
    try await decide(touched)
  }

  private func decide(_ entries: [RuleStore.Watched]) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (index, entry) in entries.enumerated() {
        guard let hint = entry.hint, let finding = entry.finding else { continue }
        if index >= 32 { try await group.next() }
        group.addTask { [self] in
          let now = clock()
          let command: HintCommand = entry.isCleared ? .clear(readings: entry.state.evidence, at: now) : .raise(id: hint, finding, at: now)
          do throws(CommandError<HintRefusal>) {
            _ = try await handle(
              HintDecider.self, command, stream: WarningStreams.hint(hint), in: decisions, coding: WarningCoding.hints, partition: 0,
              context: EventContext(time: now, correlationID: hint.uuidString.lowercased()))
          } catch {
            guard case .refused = error else { throw error }
          }
        }
      }
      try await group.waitForAll()
    }
  }

  /// What was found goes to the database now and then, so that whoever takes over need not find it again.
  private func saveAll(_ round: inout Round) async throws {
    var entries: [RuleStore.Watched] = []
    for (id, live) in round.rules {
      guard let state = round.watch.state(of: id) else { continue }
      let before = round.watched[id]
      guard before?.state != state else { continue }
      var entry = RuleStore.Watched(rule: id, version: live.version, state: state, hint: before?.hint, finding: before?.finding)
      entry.isCleared = before?.isCleared ?? false
      entries.append(entry)
    }
    try await store.save(entries, under: round.lease)
    for entry in entries { round.watched[entry.rule] = entry }
  }

  /// Watches for what is live now. A version goes on where it was; a new one begins when it was set live.
  private func loadRules(_ round: inout Round) async throws {
    let edition = try await store.edition()
    let live = try await store.live()
    if round.edition == .min {
      round.watched = try await store.watched()
      // Decided again: a process that died may not have come to it.
      try await decide(Array(round.watched.values))
    }
    let ids = Set(live.map(\.id))
    let gone = round.rules.keys.filter { !ids.contains($0) } + round.watched.keys.filter { !ids.contains($0) }
    for id in gone {
      round.watch.stop(id)
      round.rules[id] = nil
      round.watched[id] = nil
    }
    try await store.forget(gone, under: round.lease)
    let now = clock()
    var added: [RuleStore.Live] = []
    for entry in live where round.rules[entry.id]?.version != entry.version || round.rules[entry.id]?.since != entry.since {
      let known = round.watched[entry.id].flatMap { $0.version == entry.version ? $0 : nil }
      let isRaised = known.map { $0.hint != nil && !$0.isCleared } ?? false
      round.watch.watch(entry.id, entry.rule, activated: entry.since, state: known?.state ?? .initial, isRaised: isRaised)
      if known == nil { round.watched[entry.id] = nil }
      round.rules[entry.id] = entry
      added.append(entry)
    }
    round.inbox.watch(round.horizons)
    if !added.isEmpty {
      var horizons: [Int64: Int] = [:]
      for entry in added { for datastream in entry.rule.condition.datastreams { horizons[datastream] = round.watch.horizon(of: datastream) } }
      for (datastream, facts) in try await store.readings(of: horizons, at: now) { round.watch.load(facts, of: datastream) }
      try await apply(round.watch.lookAtAll(at: now), &round)
    }
    round.edition = edition
  }
}

extension RuleStore.Live {
  func finding(_ state: ConditionState, since: Instant) -> Finding {
    Finding(
      rule: id, version: version, city: rule.city, title: rule.name, text: rule.description, place: rule.place, severity: rule.severity, since: since,
      readings: state.evidence, forecast: state.forecast, rota: rule.rota)
  }
}
