import Broker
import Deciding
import EventSourcing
import Foundation
import Postgres
import TestSupport
import Testing

/// A box with numbered places.
private enum Box: Decider {
  struct State: Sendable, Equatable { var places = 3, taken = 0 }
  enum Command: Sendable { case take, takeAtMost(Int) }
  enum Event: Sendable, Equatable { case taken(Taken) }
  struct Taken: Sendable, Equatable, Codable { var place: Int }
  enum Refusal: Error, Equatable { case full(places: Int) }

  static var initial: State { State() }
  static func decide(_ command: Command, _ state: State) throws(Refusal) -> [Event] {
    if case .takeAtMost(let most) = command, state.taken >= most { return [] }
    guard state.taken < state.places else { throw .full(places: state.places) }
    return [.taken(Taken(place: state.taken + 1))]
  }
  static func evolve(_ state: State, _ event: Event) -> State {
    var state = state
    state.taken += 1
    return state
  }
}

/// What the first version wrote: places were letters.
private struct TakenV1: Codable, Sendable { var letter: String }

private let coding = EventTypes<Box.Event>(
  .type(
    "de.dos2030.boxes.taken.v2",
    write: { event in
      switch event {
      case .taken(let taken): taken
      }
    }, read: Box.Event.taken),
  .old("de.dos2030.boxes.taken.v1", TakenV1.self) { .taken(Box.Taken(place: Int($0.letter.utf8.first ?? 0x61) - 0x60)) })

struct HandleTests {
  private func key(_ name: String) -> IdempotencyKey { IdempotencyKey(caller: "c", method: "POST", path: "/boxes", key: name, body: []) }

  @Test("A command is decided on what the stream holds, and what was decided is appended at that version") func decides() async throws {
    try await withJournal { journal, _ in
      let first = try await handle(Box.self, .take, stream: "box", in: journal, coding: coding, context: noon)
      let second = try await handle(Box.self, .take, stream: "box", in: journal, coding: coding, context: noon)
      #expect(first.events == [.taken(Box.Taken(place: 1))] && second.events == [.taken(Box.Taken(place: 2))])
      #expect(second.state.taken == 2 && second.version == 2)
      let read = try await journal.read(stream: "box")
      #expect(read.map { String(decoding: $0.data, as: UTF8.self) } == [#"{"place":1}"#, #"{"place":2}"#])
      #expect(read.allSatisfy { $0.type == "de.dos2030.boxes.taken.v2" && $0.context == noon })
    }
  }

  @Test("A refusal carries the decider's facts, and nothing is written") func refuses() async throws {
    try await withJournal { journal, _ in
      for _ in 0..<3 { _ = try await handle(Box.self, .take, stream: "box", in: journal, coding: coding, context: noon) }
      do throws(CommandError<Box.Refusal>) {
        _ = try await handle(Box.self, .take, stream: "box", in: journal, coding: coding, context: noon)
        Issue.record("a fourth place was taken")
      } catch {
        guard case .refused(.full(places: 3)) = error else {
          Issue.record("\(error)")
          return
        }
      }
      let nothing = try await handle(Box.self, .takeAtMost(2), stream: "box", in: journal, coding: coding, context: noon)
      #expect(nothing.events.isEmpty && nothing.version == 3)
    }
  }

  @Test("Of many at once each is decided on the state the others left: three get a place, nobody gets one twice", .timeLimit(.minutes(5)))
  func contends() async throws {
    try await withJournal { journal, _ in
      let places = await withTaskGroup(of: Int?.self) { group in
        for _ in 0..<12 {
          group.addTask {
            guard let handled = try? await handle(Box.self, .take, stream: "box", in: journal, coding: coding, context: noon, attempts: 50) else { return nil }
            guard case .taken(let taken)? = handled.events.first else { return nil }
            return taken.place
          }
        }
        return await group.reduce(into: [Int]()) { if let place = $1 { $0.append(place) } }
      }
      #expect(places.sorted() == [1, 2, 3])
    }
  }

  @Test("Who loses its attempts is told how many there were", .timeLimit(.minutes(5))) func givesUp() async throws {
    try await withJournal(partitions: 1) { journal, pool in
      try await journal.note("warm")
      // The partition is held by a session that then appends to the stream itself, after the command has loaded it.
      let holder = PostgresPool(pool.configuration, size: 1)
      try await holder.execute("select pg_advisory_lock(544173139, 65536)")
      let command = Task { () -> Int? in
        do throws(CommandError<Box.Refusal>) {
          _ = try await handle(Box.self, .take, stream: "box", in: journal, coding: coding, context: noon, attempts: 1)
          return nil
        } catch {
          guard case .contended(let attempts) = error else { return -1 }
          return attempts
        }
      }
      let waits = try await eventually { try await waitingForLocks(pool) == 1 }
      #expect(waits)
      let meddler = Journal(pool: holder, topic: journal.topic, city: journal.city, source: journal.source)
      try await meddler.note("box", .noStream)
      await meddler.close()
      await holder.close()
      let attempts = await command.value
      #expect(attempts == 1)
    }
  }

  @Test("A repeated key gets the first outcome, even where the state it made would refuse it") func repeats() async throws {
    try await withJournal { journal, _ in
      var outcomes: [[UInt8]] = []
      for name in ["a", "b", "c", "a", "c"] {
        let handled = try await handle(Box.self, .take, stream: "box", in: journal, coding: coding, context: noon, idempotency: key(name)) { state, _ in
          [UInt8(state.taken)]
        }
        outcomes.append(handled.appended.outcome)
      }
      #expect(outcomes == [[1], [2], [3], [1], [3]])
      let read = try await journal.read(stream: "box")
      #expect(read.count == 3)
    }
  }

  @Test("Old versions of an event are still read, and types of others are passed over") func upcasts() async throws {
    try await withJournal { journal, _ in
      let old = NewEvent(type: "de.dos2030.boxes.taken.v1", data: Array(#"{"letter":"a"}"#.utf8))
      let foreign = NewEvent(type: "de.dos2030.boxes.painted.v1", data: Array("{}".utf8))
      try await journal.append([StreamWrite(stream: "box", expected: .noStream, events: [old, foreign])], context: noon)
      let handled = try await handle(Box.self, .take, stream: "box", in: journal, coding: coding, context: noon)
      #expect(handled.events == [.taken(Box.Taken(place: 2))] && handled.version == 3)
    }
  }

  @Test("An event that can not be read stops the command with its type and the reason") func unreadable() async throws {
    try await withJournal { journal, _ in
      try await journal.append(
        [StreamWrite(stream: "box", expected: .noStream, events: [NewEvent(type: "de.dos2030.boxes.taken.v2", data: Array("[]".utf8))])], context: noon)
      do throws(CommandError<Box.Refusal>) {
        _ = try await handle(Box.self, .take, stream: "box", in: journal, coding: coding, context: noon)
        Issue.record("decided on what it could not read")
      } catch {
        guard case .coding(let problem) = error else {
          Issue.record("\(error)")
          return
        }
        #expect(problem.type == "de.dos2030.boxes.taken.v2")
      }
    }
  }
}
