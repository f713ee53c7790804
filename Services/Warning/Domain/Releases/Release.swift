public import Deciding
public import Foundation
public import Time

/// Lets exercises or tests of one city reach real channels for a while, as the yearly Warntag needs it: proposed by one, approved by another.
public struct Release: Codable, Hashable, Sendable {
  public let id: UUID
  public let city: String
  /// None but exercise or test.
  public let mode: AlertMode
  public let from: Instant
  public let until: Instant
  public let reason: String

  public init(id: UUID, city: String, mode: AlertMode, from: Instant, until: Instant, reason: String) {
    self.id = id
    self.city = city
    self.mode = mode
    self.from = from
    self.until = until
    self.reason = reason
  }

  public func covers(_ mode: AlertMode, in city: String, at time: Instant) -> Bool {
    self.mode == mode && self.city == city && from <= time && time < until
  }
}

public enum ReleaseCommand: Hashable, Sendable {
  case propose(Release, by: Officer, at: Instant)
  case approve(by: Officer, at: Instant)
  /// Ends it before its time.
  case revoke(reason: String, by: Officer, at: Instant)
}

public enum ReleaseEvent: Hashable, Sendable {
  case proposed(ReleaseProposed)
  case approved(ReleaseApproved)
  case revoked(ReleaseRevoked)
}

public struct ReleaseProposed: Codable, Hashable, Sendable {
  public let release: Release
  public let by: Officer
  public let at: Instant
}

public struct ReleaseApproved: Codable, Hashable, Sendable {
  public let id: UUID
  public let by: Officer
  public let at: Instant
}

public struct ReleaseRevoked: Codable, Hashable, Sendable {
  public let id: UUID
  public let reason: String
  public let by: Officer
  public let at: Instant
}

public enum ReleaseState: Hashable, Sendable {
  case none
  case proposed(Release, by: Officer)
  case approved(Release)
  case revoked(Release)
}

public enum ReleaseRefusal: Error, Hashable, Sendable {
  case unknown
  case taken
  case notForActual
  /// Longer than ``ReleaseDecider/longest``, or its end is not after its beginning.
  case window(from: Instant, until: Instant)
  case ownWork(subject: String)
  case otherCity(of: String, city: String)
  case notProposed
  case revoked
  case past
  case reasonMissing
}

public enum ReleaseDecider: Decider {
  public static var initial: ReleaseState { .none }
  public static let longest = Duration.seconds(86_400)

  public static func decide(_ command: ReleaseCommand, _ state: ReleaseState) throws(ReleaseRefusal) -> [ReleaseEvent] {
    switch (command, state) {
    case (.propose(let release, let by, let at), .none):
      guard release.mode != .actual else { throw .notForActual }
      try ofCity(by, release.city)
      guard release.from < release.until, release.until - release.from <= longest else { throw .window(from: release.from, until: release.until) }
      guard release.until > at else { throw .past }
      try given(release.reason)
      return [.proposed(ReleaseProposed(release: release, by: by, at: at))]
    case (.propose, _): throw .taken
    case (_, .none): throw .unknown
    case (.approve(let by, let at), .proposed(let release, let proposer)):
      guard by.subject != proposer.subject else { throw .ownWork(subject: by.subject) }
      try ofCity(by, release.city)
      guard release.until > at else { throw .past }
      return [.approved(ReleaseApproved(id: release.id, by: by, at: at))]
    case (.approve, .approved): throw .notProposed
    case (.revoke(let reason, let by, let at), .proposed(let release, _)), (.revoke(let reason, let by, let at), .approved(let release)):
      try ofCity(by, release.city)
      try given(reason)
      return [.revoked(ReleaseRevoked(id: release.id, reason: reason, by: by, at: at))]
    case (_, .revoked): throw .revoked
    }
  }

  public static func evolve(_ state: ReleaseState, _ event: ReleaseEvent) -> ReleaseState {
    switch (state, event) {
    case (_, .proposed(let proposed)): .proposed(proposed.release, by: proposed.by)
    case (.proposed(let release, _), .approved): .approved(release)
    case (.proposed(let release, _), .revoked), (.approved(let release), .revoked): .revoked(release)
    default: state
    }
  }

  private static func given(_ reason: String) throws(ReleaseRefusal) {
    if reason.allSatisfy(\.isWhitespace) { throw .reasonMissing }
  }

  private static func ofCity(_ officer: Officer, _ city: String) throws(ReleaseRefusal) {
    if let own = officer.city, own != city { throw .otherCity(of: officer.subject, city: city) }
  }
}
