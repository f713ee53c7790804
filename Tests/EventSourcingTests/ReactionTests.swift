import Broker
@testable import EventSourcing
import Postgres
import Synchronization
import TestSupport
import Testing
import Time

/// Answers each question with one event in the question's echo; what it does and when it fails is the test's.
private struct Echoing: Reaction {
  let name = "echoing"
  let journal: Journal
  var before: @Sendable (ProjectedEvent) async throws -> Void = { _ in }
  var after: @Sendable (ProjectedEvent) async throws -> Void = { _ in }

  func react(to event: ProjectedEvent, because cause: ReactionCause) async throws {
    guard !event.event.subject.hasPrefix("echo"), event.event.type != EpochBegan.type else { return }
    try await before(event)
    let text = String(decoding: event.event.data, as: UTF8.self)
    _ = try await journal.append(
      [write("echo-\(event.event.subject)", .any, text)], idempotency: cause.key("echo"), context: cause.context(time: noon.time))
    try await after(event)
  }
}

private struct Passing: TransientError { let isTransient = true }
private struct Lasting: Error {}

@Suite("A reaction", .timeLimit(.minutes(5))) struct ReactionTests {
  private func echoes(_ journal: Journal, of subject: String) async throws -> [String] {
    try await journal.read(stream: "echo-\(subject)", after: 0).map { String(decoding: $0.data, as: UTF8.self) }
  }

  /// Runs it until `reached`.
  private func running(_ reaction: Echoing, _ pool: PostgresPool, start: Subscription.Start = .beginning, until reached: () async throws -> Bool) async throws {
    let subscription = Subscription(reaction, source: JournalSource(reaction.journal), pool: pool, start: start)
    let task = Task { await subscription.run() }
    #expect(try await eventually(reached))
    task.cancel()
    await task.value
  }

  @Test("gives the command of each event once, in the order of its subject, and names the event as its cause") func once() async throws {
    try await withJournal { journal, pool in
      for number in 1...5 { try await journal.note("a", .any, "\(number)") }
      try await journal.note("b", .any, "6")
      try await running(Echoing(journal: journal), pool) {
        let (a, b) = (try await echoes(journal, of: "a"), try await echoes(journal, of: "b"))
        return a.count == 5 && b.count == 1
      }
      #expect(try await echoes(journal, of: "a") == ["1", "2", "3", "4", "5"])
      let question = try #require(try await journal.read(stream: "b", after: 0).first)
      let echo = try #require(try await journal.read(stream: "echo-b", after: 0).first)
      #expect(echo.context.causationID == question.id.uuidString.lowercased())
      #expect(echo.context.correlationID == question.context.correlationID)
    }
  }

  @Test("killed between its command and its checkpoint, it gives the command again, and the Journal knows it") func killedBetween() async throws {
    try await withJournal(partitions: 1) { journal, pool in
      for number in 1...3 { try await journal.note("a", .any, "\(number)") }
      // It never comes to its checkpoint: whoever takes over begins where it began.
      let pause = Pause()
      let first = Echoing(journal: journal, after: { event in if String(decoding: event.event.data, as: UTF8.self) == "3" { await pause.hold() } })
      let subscription = Subscription(first, source: JournalSource(journal), pool: pool, start: .beginning)
      let task = Task { await subscription.run() }
      #expect(try await eventually { try await echoes(journal, of: "a").count == 3 })
      let attempts = Counter()
      let checkpoint = try await CheckpointTable.read(subscription: "echoing", topic: journal.topic.name, in: pool)[0]
      #expect(checkpoint?.position == 0)
      try await pool.execute("update dos_checkpoints set until = '-infinity', holder = null, claim = claim + 1")
      let second = Echoing(journal: journal, before: { _ in attempts.add(1) })
      try await running(second, pool) {
        try await CheckpointTable.read(subscription: "echoing", topic: journal.topic.name, in: pool)[0]?.position ?? 0 >= 4
      }
      pause.lift()
      task.cancel()
      await task.value
      #expect(attempts.value == 3)
      #expect(try await echoes(journal, of: "a") == ["1", "2", "3"])
    }
  }

  @Test("that is new begins at the end: what happened before is not its business") func beginsAtTheEnd() async throws {
    try await withJournal { journal, pool in
      try await journal.note("old", .any, "1")
      let subscription = Subscription(Echoing(journal: journal), source: JournalSource(journal), pool: pool)
      let task = Task { await subscription.run() }
      #expect(try await eventually { subscription.partitions.count == journal.topic.partitions })
      try await journal.note("new", .any, "2")
      #expect(try await eventually { try await echoes(journal, of: "new") == ["2"] })
      #expect(try await echoes(journal, of: "old").isEmpty)
      task.cancel()
      await task.value
    }
  }

  @Test("what fails for good is parked with its reason, and what follows in its subject waits behind it; the others go on, and a retry takes up the order")
  func parks() async throws {
    try await withJournal(partitions: 1) { journal, pool in
      let isMended = Mutex(false)
      for (subject, text) in [("a", "1"), ("b", "2"), ("b", "3"), ("a", "4")] { try await journal.note(subject, .any, text) }
      let reaction = Echoing(
        journal: journal, before: { event in if String(decoding: event.event.data, as: UTF8.self) == "2", !isMended.withLock({ $0 }) { throw Lasting() } })
      let letters = DeadLetters(pool: pool, subscription: "echoing", topic: journal.topic.name)
      try await running(reaction, pool) { try await letters.count() == 2 }
      #expect(try await echoes(journal, of: "a") == ["1", "4"])
      #expect(try await echoes(journal, of: "b").isEmpty)
      #expect(try await letters.list().map { $0.cause != nil } == [true, false])
      #expect(try await letters.retry(partition: 0, reaction: reaction).failed != nil)
      isMended.withLock { $0 = true }
      #expect(try await letters.retry(partition: 0, reaction: reaction).projected == 2)
      #expect(try await echoes(journal, of: "b") == ["2", "3"])
    }
  }

  @Test("what may pass is tried again, and nothing is parked") func triesAgain() async throws {
    try await withJournal(partitions: 1) { journal, pool in
      try await journal.note("a", .any, "1")
      let attempts = Counter()
      let reaction = Echoing(
        journal: journal,
        before: { _ in
          attempts.add(1)
          if attempts.value < 3 { throw Passing() }
        })
      try await running(reaction, pool) { try await echoes(journal, of: "a") == ["1"] }
      #expect(attempts.value >= 3)
      #expect(try await DeadLetters(pool: pool, subscription: "echoing", topic: journal.topic.name).count() == 0)
    }
  }

  @Test("one slow subject does not hold up the others of the same moment") func slowSubject() async throws {
    try await withJournal(partitions: 1) { journal, pool in
      let pause = Pause()
      try await journal.append((1...8).map { write("s\($0)", .any, "\($0)") }, context: noon)
      let reaction = Echoing(journal: journal, before: { event in if event.event.subject == "s1" { await pause.hold() } })
      try await running(reaction, pool) {
        var others = 0
        for number in 2...8 { others += try await echoes(journal, of: "s\(number)").count }
        if others == 7 { pause.lift() }
        let slow = try await echoes(journal, of: "s1").count
        return others == 7 && slow == 1
      }
    }
  }
}
