public import Foundation
public import Time

/// What a message does to the one it refers to.
public enum MessageKind: String, Codable, Sendable, CaseIterable {
  case alert
  /// Takes the place of the one before.
  case update
  /// It was wrong, or never came: withdrawn.
  case cancel
  /// It is over.
  case allClear = "all-clear"

  /// Whether nothing holds any more after it.
  public var isEnding: Bool { self == .cancel || self == .allClear }
}

/// Where an alert comes from.
public enum AlertOrigin: Codable, Hashable, Sendable {
  case hand
  case template(String)
  case hint(String)

  /// As it is said.
  public enum Kind: String, CaseIterable, Codable, Sendable { case hand, template, hint }

  public var kind: Kind {
    switch self {
    case .hand: .hand
    case .template: .template
    case .hint: .hint
    }
  }

  private enum CodingKeys: String, CodingKey { case kind, id }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    switch try container.decode(Kind.self, forKey: .kind) {
    case .hand: self = .hand
    case .template: self = .template(try container.decode(String.self, forKey: .id))
    case .hint: self = .hint(try container.decode(String.self, forKey: .id))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(kind, forKey: .kind)
    switch self {
    case .hand: break
    case .template(let id), .hint(let id): try container.encode(id, forKey: .id)
    }
  }
}

/// A message that is being prepared.
public struct Draft: Codable, Hashable, Sendable {
  public let message: UUID
  public let kind: MessageKind
  /// The message it changes, withdraws or ends.
  public let refersTo: UUID?
  /// Counts its versions, from 1: an approval names the one it is for.
  public var revision: Int
  public var content: AlertContent
  /// Everybody who wrote or submitted it: none of them may approve it.
  public var authors: [Officer]
}

/// How far a draft is.
public enum Stage: Hashable, Sendable {
  case drafted
  case submitted
  /// Sent back to be edited.
  case returned(reason: String)
  /// Approved, and waiting for the control room of the authority that is competent there.
  case requested(Requested, escalations: Int)
}

/// The message being prepared, and how far it is.
public struct Preparing: Hashable, Sendable {
  public var draft: Draft
  public var stage: Stage
}

/// An earlier message of a chain, as CAP's references name it.
public struct MessageReference: Codable, Hashable, Sendable {
  public let message: UUID
  public let sent: Instant

  public init(message: UUID, sent: Instant) {
    self.message = message
    self.sent = sent
  }
}

/// Everything that one warning becomes: from the first draft to the all-clear.
///
/// At most one message is being prepared at a time, and it refers to the last one issued, the head: only the head can be changed.
public struct AlertChain: Hashable, Sendable {
  public let id: UUID
  public let city: String
  public let mode: AlertMode
  public let origin: AlertOrigin
  public var preparing: Preparing?
  /// What holds, or held last.
  public var head: AlertIssued?
  /// Those before the head, oldest first.
  public var earlier: [MessageReference] = []
  public var ending: Ending?
  public var review: Review?

  public enum Ending: Hashable, Sendable, CaseIterable {
    case cancelled
    case allClear
    case expired
    /// Nothing was ever issued: the only draft was rejected or given up.
    case neverIssued
  }

  /// Somebody issued without a second pair of eyes; somebody else has to look at it afterwards.
  public enum Review: Hashable, Sendable {
    case due(issuedBy: Officer)
    case done
  }
}

/// A chain, from before anything happened.
public enum AlertState: Hashable, Sendable {
  case none
  case chain(AlertChain)
}
