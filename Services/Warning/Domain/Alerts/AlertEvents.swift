public import Foundation
public import Time

public enum AlertEvent: Hashable, Sendable {
  case drafted(AlertDrafted)
  case edited(AlertEdited)
  case submitted(AlertSubmitted)
  case returned(AlertReturned)
  case rejected(AlertRejected)
  case approved(AlertApproved)
  case requested(Requested)
  case requestEscalated(RequestEscalated)
  case requestDeclined(RequestDeclined)
  case issued(AlertIssued)
  case reviewed(AlertReviewed)
  case expired(AlertExpired)
}

public struct AlertDrafted: Codable, Hashable, Sendable {
  public let alert: UUID
  public let city: String
  public let mode: AlertMode
  public let origin: AlertOrigin
  public let draft: Draft
  public let by: Officer
  public let at: Instant
}

public struct AlertEdited: Codable, Hashable, Sendable {
  public let message: UUID
  public let revision: Int
  public let content: AlertContent
  public let by: Officer
  public let at: Instant
}

public struct AlertSubmitted: Codable, Hashable, Sendable {
  public let message: UUID
  public let revision: Int
  public let by: Officer
  public let at: Instant
}

/// Sent back to be edited.
public struct AlertReturned: Codable, Hashable, Sendable {
  public let message: UUID
  public let reason: String
  public let by: Officer
  public let at: Instant
}

/// The draft is dropped; an issued alert that it was to change stays as it is.
public struct AlertRejected: Codable, Hashable, Sendable {
  public let message: UUID
  public let reason: String
  public let by: Officer
  public let at: Instant
}

public struct AlertApproved: Codable, Hashable, Sendable {
  public let message: UUID
  public let revision: Int
  public let by: Officer
  public let at: Instant
}

/// Another authority's control room is asked to warn.
public struct Requested: Codable, Hashable, Sendable {
  public let message: UUID
  public let authority: Authority
  public let approvals: Approvals
  public let at: Instant
}

public struct RequestEscalated: Codable, Hashable, Sendable {
  public let message: UUID
  public let authority: String
  /// How often by now.
  public let times: Int
  public let at: Instant
}

public struct RequestDeclined: Codable, Hashable, Sendable {
  public let message: UUID
  public let reason: String
  public let by: Officer
  public let at: Instant
}

/// Who stands for an issued message.
public struct Approvals: Codable, Hashable, Sendable {
  public let authors: [Officer]
  /// The second pair of eyes; nil where the glass was broken.
  public let approvedBy: Officer?
  /// Why it was issued without one.
  public let breakGlass: String?
  /// The control room that took it on, beyond one's own competence.
  public var acknowledgedBy: Officer?
  /// The approved release under which an exercise or test reaches real channels.
  public let release: UUID?

  public init(authors: [Officer], approvedBy: Officer?, breakGlass: String?, acknowledgedBy: Officer? = nil, release: UUID? = nil) {
    self.authors = authors
    self.approvedBy = approvedBy
    self.breakGlass = breakGlass
    self.acknowledgedBy = acknowledgedBy
    self.release = release
  }
}

/// A message is out. It says everything that a channel needs.
public struct AlertIssued: Codable, Hashable, Sendable {
  public let alert: UUID
  public let message: UUID
  public let kind: MessageKind
  public let city: String
  public let mode: AlertMode
  public let content: AlertContent
  /// The messages before it, oldest first: all of them, so that whoever missed one still knows what is over.
  public let references: [MessageReference]
  public let authority: Authority
  public let approvals: Approvals
  /// Those it really goes to: none for an exercise without a release.
  public let channels: [Channel]
  public let sent: Instant
}

public struct AlertReviewed: Codable, Hashable, Sendable {
  public let message: UUID
  /// Whether breaking the glass was right.
  public let justified: Bool
  public let note: String
  public let by: Officer
  public let at: Instant
}

public struct AlertExpired: Codable, Hashable, Sendable {
  public let alert: UUID
  public let message: UUID
  public let at: Instant
}
