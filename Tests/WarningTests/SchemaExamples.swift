import Deciding
import EventSourcing
import Foundation
import Geo
import Time
import WarningDomain

@testable import Warning

/// Events as the deciders decide them and the service writes them: of every type, and of every shape that a type has.
enum SchemaExamples {
  struct Written: Sendable {
    let type: String
    let data: [UInt8]
  }

  static func all() throws -> [Written] {
    let alerts = try alerts()
    var written = try alerts.map { try write($0, WarningCoding.alerts) }
    written += try hints().map { try write($0, WarningCoding.hints) }
    written += try deliveries().map { try write($0, WarningCoding.deliveries) }
    written += try releases().map { try write($0, WarningCoding.releases) }
    written += try templates().map { try write($0, WarningCoding.templates) }
    written += try RuleExamples.events().map { try write($0, WarningCoding.rules) }
    written += try published(alerts).map { try write($0, WarningCoding.published) }
    let foreign = ForeignReceived(sender: "wetter@example.org", identifier: "1", sent: noon, document: "<alert/>", at: noon)
    return written + [Written(type: ForeignReceived.type, data: try WarningJSON.bytes(foreign))]
  }

  private static func write<Event>(_ event: Event, _ coding: EventTypes<Event>) throws -> Written {
    let (type, data) = try coding.encode(event)
    return Written(type: type, data: data)
  }

  /// What a decider makes of commands, one after the other.
  static func decided<D: Decider>(_ decider: D.Type, _ commands: [D.Command]) throws -> [D.Event] {
    try commands.reduce(into: []) { events, command in events += try D.decide(command, D.state(after: events)) }
  }

  static let noon = Instant(milliseconds: 1_907_755_200_123)
  static let ada = Officer(subject: "ada", city: "dortmund")
  static let ben = Officer(subject: "ben", city: "dortmund")
  private static let una = Officer(subject: "una", city: "kreis-unna")
  /// Of no city.
  private static let kim = Officer(subject: "kim", city: nil)
  private static let own = Authority(id: "dortmund", name: "Stadt Dortmund", actingCities: ["dortmund"], ars: "059130000000")
  private static let other = Authority(id: "kreis-unna", name: "Kreis Unna", actingCities: [], ars: "059780000000")

  private static func templates() throws -> [TemplateEvent] {
    let full = Templates.brought.values.map { brought in
      var full = brought
      (full.content.eventCode, full.content.responseTypes) = ("BBK-EVC-053", [.avoid])
      (full.content.contact, full.content.web) = ("Leitstelle Dortmund", "https://www.dortmund.de/warnungen")
      return full
    }
    return try (full + Templates.brought.values).flatMap { template in
      try decided(TemplateDecider.self, [.save(template, name: "hochwasser", by: ada, at: noon), .remove(name: "hochwasser", by: ada, at: noon)])
    }
  }

  // MARK: Alerts

  private static func alerts() throws -> [AlertEvent] {
    let stories = try [changed(), brokenGlass(), passedOn(), untilAllClear(), exercise(.exercise, released: true), exercise(.test, released: false), words()]
    return try stories.flatMap { try decided(AlertDecider.self, $0) }
  }

  private static func draft(_ content: AlertContent, _ origin: AlertOrigin = .hand, mode: AlertMode = .actual, by: Officer = ada) -> AlertCommand {
    .draft(alert: .v7(), message: .v7(), city: "dortmund", mode: mode, origin: origin, content: content, by: by, at: noon)
  }

  private static func approve(_ revision: Int, _ authority: Authority = own, _ release: Release? = nil) -> AlertCommand {
    .approve(revision: revision, authority: authority, release: release, by: ben, at: noon)
  }

  /// From a draft that says nothing yet to an update that nobody ends.
  private static func changed() throws -> [AlertCommand] {
    let first = UUID.v7()
    let nothing = AlertContent(
      categories: [], urgency: .future, severity: .minor, certainty: .unlikely, expires: noon,
      texts: [AlertText(language: "", event: "", headline: "", description: "", instruction: "")],
      area: AlertArea(description: "", outline: [], simplified: []), channels: [])
    let full = try full()
    return [
      .draft(alert: .v7(), message: first, city: "dortmund", mode: .actual, origin: .hand, content: nothing, by: kim, at: noon), .edit(full, by: ada, at: noon),
      .submit(by: ada, at: noon), .returnForEdit(reason: "Wo?", by: ben, at: noon), .submit(by: ada, at: noon), approve(2),
      .amend(kind: .update, refersTo: first, message: .v7(), content: full, by: ada, at: noon), .submit(by: ada, at: noon),
      .reject(reason: "Doch nicht", by: ada, at: noon),
      .amend(kind: .cancel, refersTo: first, message: .v7(), content: full, by: ada, at: noon), .expire(message: first, at: full.expires),
    ]
  }

  private static func brokenGlass() throws -> [AlertCommand] {
    [
      draft(try full(), .template("hochwasser")), .breakGlass(revision: 1, reason: "Allein", authority: own, by: ada, at: noon),
      .review(justified: true, note: "", by: ben, at: noon),
    ]
  }

  /// To another authority, which declines at first.
  private static func passedOn() throws -> [AlertCommand] {
    let message = UUID.v7()
    return [
      .draft(
        alert: .v7(), message: message, city: "dortmund", mode: .actual, origin: .hint(UUID.v7().uuidString.lowercased()), content: try full(), by: ada,
        at: noon),
      .submit(by: ada, at: noon), approve(1, other), .escalate(message: message, at: noon), .decline(reason: "Wir warnen schon", by: una, at: noon),
      .submit(by: ada, at: noon), approve(1, other), .acknowledge(by: una, at: noon),
    ]
  }

  private static func untilAllClear() throws -> [AlertCommand] {
    let (first, second) = (UUID.v7(), UUID.v7())
    let full = try full()
    return [
      .draft(alert: .v7(), message: first, city: "dortmund", mode: .actual, origin: .hand, content: full, by: ada, at: noon), .submit(by: ada, at: noon),
      approve(1),
      .amend(kind: .update, refersTo: first, message: second, content: full, by: ada, at: noon), .submit(by: ada, at: noon), approve(1),
      .amend(kind: .allClear, refersTo: second, message: .v7(), content: full, by: ada, at: noon), .submit(by: ada, at: noon), approve(1),
    ]
  }

  private static func exercise(_ mode: AlertMode, released: Bool) throws -> [AlertCommand] {
    let release = Release(id: .v7(), city: "dortmund", mode: mode, from: noon, until: noon + .seconds(60), reason: "Warntag")
    return [draft(try full(), mode: mode), .submit(by: ada, at: noon), approve(1, own, released ? release : nil)]
  }

  /// Every word that CAP has for an alert.
  private static func words() throws -> [AlertCommand] {
    let full = try full()
    let contents =
      Urgency.allCases.map { word in with(full) { $0.urgency = word } } + Severity.allCases.map { word in with(full) { $0.severity = word } }
      + Certainty.allCases.map { word in with(full) { $0.certainty = word } }
    return [draft(full)] + contents.map { .edit($0, by: ada, at: noon) }
  }

  private static func with(_ content: AlertContent, _ change: (inout AlertContent) -> Void) -> AlertContent {
    var content = content
    change(&content)
    return content
  }

  private static func full() throws -> AlertContent {
    let ring = try [(7.4, 51.5), (7.5, 51.5), (7.5, 51.6), (7.4, 51.5)].map { try Coordinate(longitude: $0.0, latitude: $0.1, altitude: 62.5) }
    let area = try Polygon(rings: [ring, ring])
    let circle = try Circle(center: Coordinate(longitude: 7.5, latitude: 51), radius: 0)
    return AlertContent(
      categories: WarningDomain.Category.allCases, eventCode: "BBK-EVC-053", urgency: .immediate, severity: .extreme, certainty: .observed,
      responseTypes: ResponseType.allCases,
      onset: noon + .seconds(60), expires: noon + .seconds(3_600),
      texts: ["de-DE", "en-GB"].map { AlertText(language: $0, event: "Flut", headline: "Flut", description: "Es steigt.", instruction: "Weg!") },
      area: AlertArea(description: "Ufer", districts: ["Hörde"], circles: [circle], polygons: [area], outline: [area], simplified: [area]),
      channels: Set(Channel.allCases),
      contact: "112", web: "https://example.org")
  }

  private static func published(_ alerts: [AlertEvent]) -> [PublishedEvent] {
    alerts.compactMap { event in
      switch event {
      // As `Dispatch` does it.
      case .issued(let issued): issued.channels.isEmpty ? nil : .published(PublishedAlert(issued))
      case .expired(let expired): .ended(PublishedEnd(alert: expired.alert, message: expired.message, at: expired.at))
      default: nil
      }
    }
  }

  // MARK: Hints, releases, deliveries

  private static func hints() throws -> [HintEvent] {
    let readings = [HintReading(datastream: 8, time: noon, result: 182.5)]
    let place = try Coordinate(longitude: 7.5, latitude: 51.5)
    func finding(_ place: Coordinate?, _ rota: String?, _ forecast: LevelForecast? = nil) -> Finding {
      Finding(
        rule: .v7(), version: 1, city: "dortmund", title: "Pegel", text: "Steigt", place: place, severity: .severe, since: noon, readings: readings,
        forecast: forecast, rota: rota)
    }
    let seen: [HintCommand] = [
      .raise(id: .v7(), finding(place, "hochwasser", LevelForecast(time: noon, level: 2.5, low: 2.25, high: 2.75)), at: noon), .escalate(level: 2, at: noon),
      .acknowledge(by: ada, at: noon), .confirm(by: kim, at: noon),
      .clear(readings: readings, at: noon),
    ]
    return try decided(HintDecider.self, seen)
      + decided(HintDecider.self, [.raise(id: .v7(), finding(nil, nil), at: noon), .dismiss(reason: "Treibgut", by: ada, at: noon)])
  }

  private static func releases() throws -> [ReleaseEvent] {
    try AlertMode.allCases.filter { $0 != .actual }.flatMap { mode in
      let release = Release(id: .v7(), city: "dortmund", mode: mode, from: noon, until: noon + .seconds(3_600), reason: "Warntag")
      return try decided(
        ReleaseDecider.self, [.propose(release, by: ada, at: noon), .approve(by: ben, at: noon), .revoke(reason: "Echte Lage", by: kim, at: noon)])
    }
  }

  private static func deliveries() throws -> [DeliveryEvent] {
    let page = Parcel(message: .v7(), kind: .page, expires: noon + .seconds(3_600))
    let parcels = [page] + MessageKind.allCases.map { Parcel(message: .v7(), kind: $0.parcel, expires: noon + .seconds(3_600)) }
    let pushed = Receipt(accepted: 3, sent: 2, failed: 1)
    var events = try parcels.flatMap { parcel in
      try decided(
        DeliveryDecider.self, [.publish(Destination(subject: .v7(), channel: .app), parcel, Receipt(reference: "dos.warnings.alerts/0/17"), at: noon)])
    }
    func sent(_ rest: [DeliveryCommand]) throws -> [DeliveryEvent] {
      try decided(DeliveryDecider.self, [.hand(Destination(subject: .v7(), channel: .webhook, target: .v7()), page, at: noon)] + rest)
    }
    let attempt = DeliveryCommand.attempt(message: page.message, at: noon)
    func failed(lasting: Bool) -> DeliveryCommand {
      .fail(message: page.message, attempt: 1, reason: "503", mayHaveArrived: true, lasting: lasting, retryAfter: nil, at: noon)
    }
    events += try sent([attempt, .deliver(message: page.message, attempt: 1, pushed, at: noon)])
    events += try sent([attempt, failed(lasting: false)]) + sent([attempt, failed(lasting: true)])
    events += try sequence(first: GivenUp.expired, next: following).flatMap { try sent([.giveUp(message: page.message, $0, at: noon)]) }
    for channel in Channel.allCases where channel.means == .confirmed {
      let destination = Destination(subject: .v7(), channel: channel)
      events += try decided(
        DeliveryDecider.self, [.hand(destination, page, at: noon), .confirm(message: page.message, Receipt(reference: "4711", by: kim), at: noon)])
    }
    return events
  }

  /// Exhaustive, so that a reason added to the code does not compile here until it has its example.
  private static func following(_ why: GivenUp) -> GivenUp? {
    switch why {
    case .expired: .refused
    case .refused: .superseded
    case .superseded: .nothingToCallOff
    case .nothingToCallOff: .withdrawn
    case .withdrawn: nil
    }
  }
}

/// Rules with every kind of condition.
private enum RuleExamples {
  static func events() throws -> [RuleEvent] {
    let (noon, ada) = (SchemaExamples.noon, SchemaExamples.ada)
    let conditions = Array(sequence(first: Condition.threshold(Threshold(datastream: 8, direction: .above, raiseAt: 2, clearAt: 1)), next: following))
    let drafted = Rule(
      name: "Pegel", description: "Steigt", city: "dortmund", district: "Hörde", place: try Coordinate(longitude: 7.5, latitude: 51.5), severity: .minor,
      rota: "hochwasser", condition: .any(conditions))
    var changed = drafted
    changed.rota = nil
    changed.condition = .all(conditions)
    return try SchemaExamples.decided(
      RuleDecider.self,
      [
        .draft(id: .v7(), drafted, by: ada, at: noon), .change(changed, by: ada, at: noon), .activate(version: 2, by: ada, at: noon), .pause(by: ada, at: noon),
        .retire(by: ada, at: noon),
      ])
  }

  /// Exhaustive, so that a condition added to the code does not compile here until it has its example.
  private static func following(_ condition: Condition) -> Condition? {
    let model = LaggedRegression(
      lag: 60, riseOver: 60, holds: 1, constant: -1.5, levelA: 0, riseA: 0, levelB: 1, band: [LaggedRegression.Knot(rise: 0, low: -1, high: 1)], risingA: 0,
      risingB: 0, widening: 1, floods: 3, error: 0.5)
    return switch condition {
    case .threshold(let threshold) where threshold.direction == .above:
      .threshold(Threshold(datastream: 8, direction: .below, raiseAt: 1, clearAt: 2, for: 300))
    case .threshold: .rateOfChange(RateOfChange(datastream: 8, direction: .rise, by: 0.5, within: 900, clearBelow: 0.25))
    case .rateOfChange(let rate) where rate.direction == .rise:
      .rateOfChange(RateOfChange(datastream: 8, direction: .fall, by: 1, within: 900, clearBelow: 1))
    case .rateOfChange: .silence(Silence(datastream: 9, longerThan: 3_600))
    case .silence(let silence): .countOf(CountOf(atLeast: 1, of: [.silence(silence)]))
    case .countOf: .upstream(Upstream(gaugeA: 9, gaugeB: 8, model: model, raiseAt: 2, clearAt: 1))
    case .upstream(let upstream) where upstream.certainty == .likely:
      .upstream(Upstream(gaugeA: 9, gaugeB: 8, model: model, raiseAt: 2, clearAt: 1, certainty: .possible))
    case .upstream(let upstream): .all([.upstream(upstream)])
    case .all(let parts): .any(parts)
    case .any: nil
    }
  }
}
