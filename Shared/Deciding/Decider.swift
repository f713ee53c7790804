/// Turns commands into events, purely: no clock, no randomness, no I/O. Times and ids come in with the command.
///
/// A state is best an enum of what is possible, not a struct of optionals.
///
/// - ``decide(_:_:)`` answers what happens when a command meets a state: the events, none if nothing changes, or a refusal that carries the facts.
/// - ``evolve(_:_:)`` answers what a state is after an event. It is total: whatever once happened must be folded, also what today would be refused.
/// - ``initial`` is the state before anything happened.
public protocol Decider: Sendable {
  associatedtype State: Sendable
  associatedtype Command: Sendable
  associatedtype Event: Sendable
  /// Why a command was not accepted, as a type with the facts in it.
  associatedtype Refusal: Error

  static var initial: State { get }
  static func decide(_ command: Command, _ state: State) throws(Refusal) -> [Event]
  static func evolve(_ state: State, _ event: Event) -> State
}

extension Decider {
  /// The state after these events, in their order, starting from `state` or from nothing.
  public static func state(after events: some Sequence<Event>, from state: State? = nil) -> State {
    events.reduce(state ?? initial, evolve)
  }
}
