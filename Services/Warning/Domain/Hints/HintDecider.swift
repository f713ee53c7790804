public import Deciding
public import Foundation
public import Time

public enum HintCommand: Hashable, Sendable {
  case raise(id: UUID, Finding, at: Instant)
  case acknowledge(by: Officer, at: Instant)
  case confirm(by: Officer, at: Instant)
  case dismiss(reason: String, by: Officer, at: Instant)
  /// Nobody has acknowledged within the time of that level.
  case escalate(level: Int, at: Instant)
  /// What raised it no longer holds.
  case clear(readings: [HintReading], at: Instant)
}

public enum HintEvent: Hashable, Sendable {
  case raised(HintRaised)
  case acknowledged(HintAcknowledged)
  case confirmed(HintConfirmed)
  case dismissed(HintDismissed)
  case escalated(HintEscalated)
  case cleared(HintCleared)
}

public struct HintRaised: Codable, Hashable, Sendable {
  public let id: UUID
  public let finding: Finding
  public let at: Instant
}

public struct HintAcknowledged: Codable, Hashable, Sendable {
  public let id: UUID
  public let by: Officer
  public let at: Instant
}

public struct HintConfirmed: Codable, Hashable, Sendable {
  public let id: UUID
  public let by: Officer
  public let at: Instant
}

public struct HintDismissed: Codable, Hashable, Sendable {
  public let id: UUID
  public let reason: String
  public let by: Officer
  public let at: Instant
}

/// The next level of the rota is paged; counted from 1, and level 1 was paged when it was raised.
public struct HintEscalated: Codable, Hashable, Sendable {
  public let id: UUID
  public let rota: String
  public let level: Int
  public let at: Instant
}

public struct HintCleared: Codable, Hashable, Sendable {
  public let id: UUID
  public let readings: [HintReading]
  public let at: Instant
}

public enum HintRefusal: Error, Hashable, Sendable {
  case unknown
  case taken
  /// It was dismissed or has cleared.
  case over
  case otherCity(of: String, city: String)
  case reasonMissing
}

/// A hint pages its rota and goes up a level while nobody acknowledges; what raised it may end before or after somebody has looked.
public enum HintDecider: Decider {
  public static var initial: HintState { .none }

  /// How long a level of the rota has.
  public static let acknowledged = Duration.seconds(300)
  /// A rota has no more levels than this.
  public static let mostLevels = 5

  public static func decide(_ command: HintCommand, _ state: HintState) throws(HintRefusal) -> [HintEvent] {
    switch (command, state) {
    case (.raise(let id, let finding, let at), .none): return [.raised(HintRaised(id: id, finding: finding, at: at))]
    // The same episode of the same rule, found again.
    case (.raise, .hint): return []
    case (_, .none): throw .unknown
    case (.acknowledge(let by, let at), .hint(let hint)):
      try check(by, hint)
      guard hint.standing == .raised else { return [] }
      return [.acknowledged(HintAcknowledged(id: hint.id, by: by, at: at))]
    case (.confirm(let by, let at), .hint(let hint)):
      try check(by, hint)
      if case .confirmed = hint.standing { return [] }
      return [.confirmed(HintConfirmed(id: hint.id, by: by, at: at))]
    case (.dismiss(let reason, let by, let at), .hint(let hint)):
      try check(by, hint)
      guard !reason.allSatisfy(\.isWhitespace) else { throw .reasonMissing }
      return [.dismissed(HintDismissed(id: hint.id, reason: reason, by: by, at: at))]
    case (.escalate(let level, let at), .hint(let hint)):
      guard hint.standing == .raised, level == hint.level + 1, level <= mostLevels, let rota = hint.finding.rota else { return [] }
      return [.escalated(HintEscalated(id: hint.id, rota: rota, level: level, at: at))]
    case (.clear(let readings, let at), .hint(let hint)):
      guard hint.isOpen else { return [] }
      return [.cleared(HintCleared(id: hint.id, readings: readings, at: at))]
    }
  }

  public static func evolve(_ state: HintState, _ event: HintEvent) -> HintState {
    switch (state, event) {
    case (_, .raised(let raised)): return .hint(Hint(id: raised.id, finding: raised.finding, standing: .raised, level: 1))
    case (.none, _): return .none
    case (.hint(var hint), let event):
      switch event {
      case .raised: break
      case .acknowledged(let event): hint.standing = .acknowledged(by: event.by)
      case .confirmed(let event): hint.standing = .confirmed(by: event.by)
      case .dismissed(let event): hint.standing = .dismissed(by: event.by, reason: event.reason)
      case .escalated(let event): hint.level = event.level
      case .cleared: hint.standing = .cleared
      }
      return .hint(hint)
    }
  }

  private static func check(_ by: Officer, _ hint: Hint) throws(HintRefusal) {
    guard hint.isOpen else { throw .over }
    if let city = by.city, city != hint.finding.city { throw .otherCity(of: by.subject, city: hint.finding.city) }
  }
}
