import CAP
import Foundation
import Geo
import Time
import WarningDomain

extension CAPAlert {
  /// A published message as CAP 1.2. An all-clear is an Update whose responseType is AllClear, as Deutscher Wetterdienst does it: a Cancel would say that there
  /// had been nothing.
  init(_ published: PublishedAlert) {
    let sender = Self.sender(of: published.city)
    self.init(
      identifier: published.identifier, sender: sender, sent: published.sent.wholeSecond, status: published.status.cap, msgType: published.kind.cap,
      references: published.references.map {
        CAPReference(
          sender: sender, identifier: PublishedAlert.identifier(city: published.city, message: $0.message), sent: $0.sent.wholeSecond)
      },
      infos: published.texts.map { CAPInfo(published, $0) })
  }

  /// Who the cities are to receivers of CAP.
  static func sender(of city: String) -> String { "warnung@\(city).de" }
}

extension CAPInfo {
  fileprivate init(_ published: PublishedAlert, _ text: AlertText) {
    self.init(
      language: text.language, categories: published.categories.compactMap { Category(rawValue: $0.rawValue) }, event: text.event,
      responseTypes: published.responseTypes.compactMap { ResponseType(rawValue: $0.rawValue) },
      urgency: Urgency(rawValue: published.urgency.rawValue) ?? .unknown, severity: Severity(rawValue: published.severity.rawValue) ?? .unknown,
      certainty: Certainty(rawValue: published.certainty.rawValue) ?? .unknown,
      eventCodes: published.eventCode.map { [CAPValue("profile:DE-BBK-EVENTCODE", $0)] } ?? [], effective: published.sent.wholeSecond,
      onset: published.onset?.wholeSecond, expires: published.expires.wholeSecond, senderName: published.authority, headline: text.headline,
      description: text.description, instruction: text.instruction, web: published.web, contact: published.contact,
      areas: [
        CAPArea(
          areaDesc: published.areaDescription,
          // CAP knows no holes: who lives in one is warned too.
          polygons: published.area.compactMap { polygon in polygon.rings.first.flatMap { try? Polygon(rings: [$0]) } },
          geocodes: [CAPValue("ARS", published.ars)])
      ])
  }
}

extension MessageKind {
  fileprivate var cap: CAPAlert.MsgType {
    switch self {
    case .alert: .alert
    case .update, .allClear: .update
    case .cancel: .cancel
    }
  }
}

extension AlertMode {
  fileprivate var cap: CAPAlert.Status {
    switch self {
    case .actual: .actual
    case .exercise: .exercise
    case .test: .test
    }
  }
}

extension Instant {
  /// CAP knows no fractions of a second.
  var wholeSecond: Instant { Instant(milliseconds: milliseconds - (milliseconds % 1_000 + 1_000) % 1_000) }
}
