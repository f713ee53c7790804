import Broker
public import Time

/// What follows from events: commands, given exactly once for each event.
///
/// A reaction reads a log from where it stands (a new one from its end) and gives its commands with the key of the event (``ReactionCause/key(_:)``), then moves its
/// checkpoint. So a crash in between repeats a command that the Journal knows already. No replay runs a reaction. Effects outside of the database are no
/// business of a reaction: it decides that one is due, and whoever carries it out journals each attempt.
public protocol Reaction: Sendable {
  /// The subscription's name, for life: keys of commands hang on it.
  var name: String { get }
  /// Gives the commands that follow from an event, or none. Events of one subject come one after another, those of several at the same time; any may come again.
  ///
  /// - Throws: what is transient (``TransientError``) is tried again, and holds up the partition; anything else parks the event and those of its subject
  ///   behind it.
  func react(to event: ProjectedEvent, because cause: ReactionCause) async throws
}

/// An event as the cause of commands.
public struct ReactionCause: Sendable, Hashable {
  public let reaction: String
  public let event: CloudEvent

  /// The key under which a command for this event is given once, however often the event comes.
  /// - Parameter command: tells the commands of one reaction to one event apart; with whatever distinguishes them.
  public func key(_ command: String) -> IdempotencyKey {
    IdempotencyKey(caller: "reaction", method: reaction, path: command, key: event.id.uuidString.lowercased(), body: [])
  }

  /// What the command's events say of where they come from: who asks why finds the event.
  public func context(time: Instant) -> EventContext {
    EventContext(time: time, correlationID: event.correlationID, causationID: event.id.uuidString.lowercased(), traceparent: event.traceparent)
  }
}

/// Trouble that may be gone when the same thing is tried again.
public protocol TransientError: Error {
  var isTransient: Bool { get }
}

extension JournalError: TransientError {
  public var isTransient: Bool {
    switch self {
    case .full, .unavailable, .closed, .conflict: true
    case .keyReused, .severalPartitions, .streamElsewhere, .malformed, .refused: false
    }
  }
}

extension CommandError: TransientError {
  public var isTransient: Bool {
    switch self {
    case .contended: true
    case .journal(let error): error.isTransient
    case .refused, .coding: false
    }
  }
}

extension BrokerError: TransientError {
  public var isTransient: Bool {
    switch self {
    case .unavailable, .full, .closed: true
    default: false
    }
  }
}
