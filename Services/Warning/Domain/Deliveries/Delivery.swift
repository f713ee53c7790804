public import Foundation
public import Time

/// What is to be delivered to one target, as far as its delivery goes: what it says is read from the message or hint when it is sent.
public struct Parcel: Codable, Hashable, Sendable {
  /// The message of an alert, or the page of a hint.
  public let message: UUID
  public let kind: Kind
  /// After this nothing is sent any more.
  public let expires: Instant

  public enum Kind: String, Codable, Sendable, CaseIterable {
    case page
    case alert
    case update
    case cancel
    case allClear = "all-clear"
  }

  public init(message: UUID, kind: Kind, expires: Instant) {
    self.message = message
    self.kind = kind
    self.expires = expires
  }

  /// Calls off what came before: of no use to whoever never got that.
  public var callsOff: Bool { kind == .cancel || kind == .allClear }
}

/// Where parcels of one alert or hint go to.
public struct Destination: Codable, Hashable, Sendable {
  /// The alert's chain, or the hint.
  public let subject: UUID
  public let channel: Channel
  /// A webhook or a mailing list; nil where the channel is one.
  public let target: UUID?

  public init(subject: UUID, channel: Channel, target: UUID? = nil) {
    self.subject = subject
    self.channel = channel
    self.target = target
  }

  /// The stream that keeps its order: one message at a time.
  public var stream: String { "delivery-\(subject.uuidString.lowercased())-\(channel.rawValue)" + (target.map { "-\($0.uuidString.lowercased())" } ?? "") }
}

/// What the other side said, where it said something.
public struct Receipt: Codable, Hashable, Sendable {
  /// Pushes that the app's backend took on, sent, and could not send.
  public var accepted: Int?
  public var sent: Int?
  public var failed: Int?
  /// The other side's own name for it: the number in MoWaS, the place in the topic.
  public var reference: String?
  /// Who says so, where a person does.
  public var by: Officer?

  public init(accepted: Int? = nil, sent: Int? = nil, failed: Int? = nil, reference: String? = nil, by: Officer? = nil) {
    self.accepted = accepted
    self.sent = sent
    self.failed = failed
    self.reference = reference
    self.by = by
  }
}

/// Why a parcel is not delivered and will not be.
public enum GivenUp: String, Codable, Sendable {
  /// Its time was over.
  case expired
  /// The other side refused it for good.
  case refused
  /// A later message took its place before it was through.
  case superseded
  /// It calls off what never arrived there.
  case nothingToCallOff = "nothing-to-call-off"
  /// The target was taken away, or the release was revoked.
  case withdrawn
}

/// All that goes to one destination: one parcel under way, later ones behind it.
public struct Delivery: Hashable, Sendable {
  public let destination: Destination
  /// Under way, and how far.
  public var current: Current?
  public var waiting: [Parcel] = []
  /// Whether something may have arrived there: what a cancel is for.
  public var mayHaveArrived = false
  /// What was ever handed over, so that nothing is taken twice.
  public var known: Set<UUID> = []

  public struct Current: Hashable, Sendable {
    public let parcel: Parcel
    /// Attempts that have begun.
    public var attempts: Int
    public var stage: Stage
  }

  public enum Stage: Hashable, Sendable {
    /// To be sent, not before this time.
    case due(Instant)
    /// Being sent since then.
    case attempting(since: Instant)
  }
}

public enum DeliveryState: Hashable, Sendable {
  case none
  case delivery(Delivery)
}
