public import Deciding
public import Testing

/// What had happened before: `given(Parking.self, .opened(spaces: 2)).when(.reserve).then(.reserved)`.
public func given<D: Decider>(_ decider: D.Type, _ events: D.Event...) -> Given<D> {
  Given(events: events)
}

/// A history that a command is about to meet.
public struct Given<D: Decider>: Sendable {
  let events: [D.Event]

  /// The command that meets it.
  public func when(_ command: D.Command) -> Outcome<D> {
    let state = D.state(after: events)
    do throws(D.Refusal) {
      return .decided(try D.decide(command, state), before: events)
    } catch {
      return .refused(error, before: events)
    }
  }

  /// The state that this history led to, for what `evolve` alone promises.
  public var state: D.State { D.state(after: events) }
}

/// What came of a command. Ends with one of the `then` functions, which record an issue at the line of the test when it came otherwise.
public enum Outcome<D: Decider>: Sendable {
  case decided([D.Event], before: [D.Event])
  case refused(D.Refusal, before: [D.Event])

  /// Another command after this one, on the history it left behind; a refusal leaves the history as it was.
  public func when(_ command: D.Command) -> Outcome<D> {
    switch self {
    case .decided(let events, let before): Given<D>(events: before + events).when(command)
    case .refused(_, let before): Given<D>(events: before).when(command)
    }
  }

  /// Exactly these events were decided, in this order.
  public func then(_ expected: D.Event..., sourceLocation: SourceLocation = #_sourceLocation) where D.Event: Equatable {
    switch self {
    case .decided(let events, _):
      guard events != expected else { return }
      Issue.record("decided \(list(events)) instead of \(list(expected))", sourceLocation: sourceLocation)
    case .refused(let refusal, _):
      Issue.record("refused with \(refusal) instead of deciding \(list(expected))", sourceLocation: sourceLocation)
    }
  }

  /// The command was accepted and changed nothing.
  public func thenNothing(sourceLocation: SourceLocation = #_sourceLocation) {
    switch self {
    case .decided(let events, _):
      guard !events.isEmpty else { return }
      Issue.record("decided \(list(events)) instead of nothing", sourceLocation: sourceLocation)
    case .refused(let refusal, _):
      Issue.record("refused with \(refusal) instead of deciding nothing", sourceLocation: sourceLocation)
    }
  }

  /// The command was refused for exactly this reason.
  public func thenRefused(_ expected: D.Refusal, sourceLocation: SourceLocation = #_sourceLocation) where D.Refusal: Equatable {
    switch self {
    case .decided(let events, _):
      Issue.record("decided \(list(events)) instead of refusing with \(expected)", sourceLocation: sourceLocation)
    case .refused(let refusal, _):
      guard refusal != expected else { return }
      Issue.record("refused with \(refusal) instead of \(expected)", sourceLocation: sourceLocation)
    }
  }

  /// The command was refused; `check` looks at the reason where it is not worth spelling out whole.
  public func thenRefused(sourceLocation: SourceLocation = #_sourceLocation, where check: (D.Refusal) -> Bool) {
    switch self {
    case .decided(let events, _):
      Issue.record("decided \(list(events)) instead of refusing", sourceLocation: sourceLocation)
    case .refused(let refusal, _):
      guard !check(refusal) else { return }
      Issue.record("refused with \(refusal), which is not the expected reason", sourceLocation: sourceLocation)
    }
  }
}

private func list<Event>(_ events: [Event]) -> String {
  events.isEmpty ? "nothing" : events.map { "\($0)" }.joined(separator: ", ")
}
