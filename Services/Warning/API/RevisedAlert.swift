import Deciding
import WarningDomain

/// Decides about an alert only where its draft is the revision that somebody read: of two who write at once the later one hears of it, and overwrites nothing.
enum RevisedAlert: Decider {
  struct Command: Sendable {
    let command: AlertCommand
    /// nil where it does not matter.
    let revision: Int?
  }

  static var initial: AlertState { AlertDecider.initial }

  static func decide(_ command: Command, _ state: AlertState) throws(AlertRefusal) -> [AlertEvent] {
    if let read = command.revision, case .chain(let chain) = state, let draft = chain.preparing?.draft, draft.revision != read {
      throw .revisionChanged(given: read, now: draft.revision)
    }
    return try AlertDecider.decide(command.command, state)
  }

  static func evolve(_ state: AlertState, _ event: AlertEvent) -> AlertState { AlertDecider.evolve(state, event) }
}
