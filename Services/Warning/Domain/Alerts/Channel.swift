/// A way by which an alert reaches people or systems.
public enum Channel: String, Codable, Sendable, CaseIterable, Hashable, Comparable {
  /// The app's stream, and what holds at a place (`GET /warnings/active`).
  case app
  case webhook
  case email
  /// CAP 1.2 as an Atom feed.
  case capFeed = "cap-feed"
  /// Public displays, as an event for whoever runs them.
  case displays
  /// The topic for other systems.
  case topic
  /// The control room enters it into MoWaS, the federal warning system, and records its number there.
  case mowasHandover = "mowas-handover"
  case sirens
  case loudspeakerVans = "loudspeaker-vans"

  /// How it comes about that an alert is through.
  public enum Means: Sendable, Hashable {
    /// With its publication: whoever listens has it.
    case published
    /// Sent to each target, and answered by it.
    case sent
    /// Done by a person, who says so.
    case confirmed
  }

  public var means: Means {
    switch self {
    case .app, .capFeed, .displays, .topic: .published
    case .webhook, .email: .sent
    case .mowasHandover, .sirens, .loudspeakerVans: .confirmed
    }
  }

  /// Characters that fit; nil where any number does.
  public struct Limits: Sendable, Hashable {
    public let headline: Int?
    public let description: Int?
  }

  /// A push shows about a hundred characters and a display two lines; the rest is what the receiving side's forms take.
  public var limits: Limits {
    switch self {
    case .app: Limits(headline: 100, description: 4_000)
    case .displays: Limits(headline: 70, description: nil)
    case .mowasHandover: Limits(headline: 200, description: 4_000)
    case .loudspeakerVans: Limits(headline: 200, description: 500)
    case .email, .webhook, .capFeed, .topic, .sirens: Limits(headline: 200, description: 10_000)
    }
  }

  public static func < (left: Channel, right: Channel) -> Bool { left.rawValue < right.rawValue }
}
