import Deciding
import EventSourcing
import Foundation
import Time
import WarningDomain

/// What is done when something is due.
struct DueDecisions: Sendable {
  let decisions: Journal
  let letters: LetterReader
  let posts: [Post]
  let clock: @Sendable () -> Instant

  func give(_ deadline: Deadline) async throws {
    guard let kind = DeadlineKind(rawValue: deadline.kind) else { return }
    if deadline.stream.hasPrefix("delivery-") { return try await delivery(kind, deadline) }
    guard let id = UUID(uuidString: String(deadline.stream.suffix(36))) else { return }
    if deadline.stream.hasPrefix("alert-") {
      guard case .chain(let chain) = try await letters.chain(id) else { return }
      switch kind {
      case .expire:
        guard let head = chain.head else { return }
        try await decide(AlertDecider.self, .expire(message: head.message, at: clock()), deadline, WarningCoding.alerts)
      case .escalate:
        guard let preparing = chain.preparing else { return }
        try await decide(AlertDecider.self, .escalate(message: preparing.draft.message, at: clock()), deadline, WarningCoding.alerts)
      case .attempt, .lose: break
      }
    } else if deadline.stream.hasPrefix("hint-"), case .hint(let hint) = try await letters.hint(id) {
      try await decide(HintDecider.self, .escalate(level: hint.level + 1, at: clock()), deadline, WarningCoding.hints)
    }
  }

  private func delivery(_ kind: DeadlineKind, _ deadline: Deadline) async throws {
    if kind == .attempt {
      for post in posts where deadline.stream.contains("-\(post.channel.rawValue)-") { post.take(deadline.stream) }
      return
    }
    guard case .delivery(let delivery) = try await letters.delivery(deadline.stream), let current = delivery.current else { return }
    let command: DeliveryCommand? =
      switch (kind, current.stage) {
      case (.lose, .attempting): .lose(message: current.parcel.message, attempt: current.attempts, at: clock())
      case (.expire, .due): .giveUp(message: current.parcel.message, .expired, at: clock())
      default: nil
      }
    guard let command else { return }
    try await decide(DeliveryDecider.self, command, deadline, WarningCoding.deliveries)
  }

  private func decide<D: Decider>(_ decider: D.Type, _ command: D.Command, _ deadline: Deadline, _ coding: EventTypes<D.Event>) async throws {
    do throws(CommandError<D.Refusal>) {
      _ = try await handle(
        decider, command, stream: deadline.stream, in: decisions, coding: coding, partition: 0, context: EventContext(time: clock()),
        idempotency: deadline.key)
    } catch {
      // Others were first, or it is not so any more: the read model will say so.
      guard case .refused = error else { throw error }
    }
  }
}
