public import Foundation
public import Geo
public import Time

/// A message as everybody sees it: what was issued, without who decided it.
public struct PublishedAlert: Codable, Hashable, Sendable {
  public let alert: UUID
  public let message: UUID
  /// `dos2030.<city>.<message>`: what CAP calls its identifier.
  public let identifier: String
  public let kind: MessageKind
  public let status: AlertMode
  public let city: String
  public let authority: String
  public let ars: String
  public let sent: Instant
  public let onset: Instant?
  public let expires: Instant
  public let categories: [Category]
  public let eventCode: String?
  public let urgency: Urgency
  public let severity: Severity
  public let certainty: Certainty
  public let responseTypes: [ResponseType]
  /// Headlines carry their mark where it is not meant: ÜBUNG, PROBEWARNUNG.
  public let texts: [AlertText]
  public let areaDescription: String
  public let districts: [String]
  /// The coordinates of a GeoJSON MultiPolygon: of few points, and never smaller than what was approved.
  public let area: [Polygon]
  public let references: [MessageReference]
  public let channels: [Channel]
  public let contact: String?
  public let web: String?

  public init(_ issued: AlertIssued) {
    let content = issued.content
    alert = issued.alert
    message = issued.message
    identifier = Self.identifier(city: issued.city, message: issued.message)
    kind = issued.kind
    status = issued.mode
    city = issued.city
    authority = issued.authority.name
    ars = issued.authority.ars
    sent = issued.sent
    onset = content.onset
    expires = content.expires
    categories = content.categories
    eventCode = content.eventCode
    urgency = content.urgency
    severity = content.severity
    certainty = content.certainty
    responseTypes = issued.kind == .allClear ? [.allClear] : content.responseTypes
    texts = content.texts.map { text in
      var text = text
      text.headline = issued.mode.mark(in: text.language) + text.headline
      return text
    }
    areaDescription = content.area.description
    districts = content.area.districts
    area = content.area.simplified
    references = issued.references
    channels = issued.channels
    contact = content.contact
    web = content.web
  }

  /// CAP wants an identifier that is unique for its sender, without blanks and commas (CAP 1.2, section 3.2.1).
  public static func identifier(city: String, message: UUID) -> String { "dos2030.\(city).\(message.uuidString.lowercased())" }
}

/// What the public topic tells.
public enum PublishedEvent: Hashable, Sendable {
  case published(PublishedAlert)
  case ended(PublishedEnd)
}

/// An alert's time is over, without anybody having ended it.
public struct PublishedEnd: Codable, Hashable, Sendable {
  public let alert: UUID
  public let message: UUID
  public let at: Instant

  public init(alert: UUID, message: UUID, at: Instant) {
    self.alert = alert
    self.message = message
    self.at = at
  }
}
