public import Deciding

/// Why a command led to nothing.
public enum CommandError<Refusal: Error>: Error {
  /// The decider said no.
  case refused(Refusal)
  /// Others kept changing the stream; after this many attempts the command was given up. Repeating it is safe.
  case contended(attempts: Int)
  /// The Journal said no, or nothing.
  case journal(JournalError)
  /// An event of the stream could not be read, or a decided one not be written.
  case coding(EventCodingError)
}

/// What a command came to.
public struct Handled<D: Decider>: Sendable {
  /// What was decided now; empty where nothing changes, and where the key was known already.
  public let events: [D.Event]
  /// The state that the answer may speak of: after the events. For a repeated key it is the state as it is now.
  public let state: D.State
  /// The stream's version in that state.
  public let version: Int64
  public let appended: Appended
}

/// Loads a stream, folds it, decides, and appends what was decided if the stream is still at the version it was decided on; else starts over.
///
/// A command decides on one stream. With an idempotency key the append remembers `outcome`, and a repeat gets what was remembered, whatever the
/// stream has become meanwhile: a repeated command meets the state it made itself and may be refused by it, so the Journal is asked for the key before a
/// refusal counts.
///
/// - Parameters:
///   - outcome: the answer to remember for the key, from the state after the events.
///   - attempts: how often to decide in all while others append to the stream.
/// - Throws: ``CommandError``.
public func handle<D: Decider, Coding: EventCoding<D.Event>>(
  _ decider: D.Type, _ command: D.Command, stream: String, in journal: Journal, coding: Coding, partition: Int? = nil, context: EventContext,
  idempotency: IdempotencyKey? = nil, attempts: Int = 10, outcome: @Sendable (D.State, [D.Event]) -> [UInt8] = { _, _ in [] }
) async throws(CommandError<D.Refusal>) -> Handled<D> {
  var state = D.initial
  var version: Int64 = 0
  for attempt in 1...max(1, attempts) {
    if attempt > 1 { await pauseBeforeRetry(attempt) }
    (state, version) = try await load(D.self, stream, after: version, from: state, in: journal, coding: coding)
    let events: [D.Event]
    do throws(D.Refusal) {
      events = try D.decide(command, state)
    } catch {
      if let idempotency, let known = try await remembered(D.self, idempotency, in: journal) {
        return Handled(events: [], state: state, version: version, appended: known)
      }
      throw .refused(error)
    }
    if events.isEmpty, idempotency == nil {
      return Handled(events: [], state: state, version: version, appended: Appended(positions: [], repeated: false, outcome: outcome(state, [])))
    }
    let after = D.state(after: events, from: state)
    let write = StreamWrite(stream: stream, expected: version == 0 ? .noStream : .exactly(version), events: try encode(D.self, events, coding))
    do throws(JournalError) {
      let appended = try await journal.append([write], partition: partition, idempotency: idempotency, outcome: outcome(after, events), context: context)
      if appended.repeated { return Handled(events: [], state: state, version: version, appended: appended) }
      return Handled(events: events, state: after, version: version + Int64(events.count), appended: appended)
    } catch {
      guard case .conflict = error else { throw .journal(error) }
    }
  }
  throw .contended(attempts: attempts)
}

private func load<D: Decider, Coding: EventCoding<D.Event>>(
  _ decider: D.Type, _ stream: String, after version: Int64, from state: D.State, in journal: Journal, coding: Coding
) async throws(CommandError<D.Refusal>) -> (D.State, Int64) {
  let recorded: [RecordedEvent]
  do throws(JournalError) {
    recorded = try await journal.read(stream: stream, after: version)
  } catch {
    throw .journal(error)
  }
  var state = state
  for event in recorded {
    do throws(EventCodingError) {
      if let known = try coding.decode(type: event.type, data: event.data) { state = D.evolve(state, known) }
    } catch {
      throw .coding(error)
    }
  }
  return (state, recorded.last?.version ?? version)
}

private func remembered<D: Decider>(
  _ decider: D.Type, _ key: IdempotencyKey, in journal: Journal
) async throws(CommandError<D.Refusal>) -> Appended? {
  do throws(JournalError) {
    return try await journal.remembered(key)
  } catch {
    throw .journal(error)
  }
}

private func encode<D: Decider, Coding: EventCoding<D.Event>>(
  _ decider: D.Type, _ events: [D.Event], _ coding: Coding
) throws(CommandError<D.Refusal>) -> [NewEvent] {
  var encoded: [NewEvent] = []
  for event in events {
    do throws(EventCodingError) {
      let (type, data) = try coding.encode(event)
      encoded.append(NewEvent(type: type, data: data))
    } catch {
      throw .coding(error)
    }
  }
  return encoded
}

/// Losers that started over at the same moment would meet again.
private func pauseBeforeRetry(_ attempt: Int) async {
  let most = min(1 << attempt, 64)
  try? await Task.sleep(for: .microseconds(Int.random(in: 0...(most * 250))))
}
