import CAP
import Geo
import TestSupport
import Testing
import Time

/// Alerts for tests.
enum Samples {
  static func time(_ text: String) throws -> Instant { try #require(Instant(rfc3339: text)) }

  static func at(_ hour: Int, _ minute: Int = 0) -> Instant {
    Instant(milliseconds: 1_907_712_000_000 + Int64(hour * 60 + minute) * 60_000)  // 2030-06-15T00:00:00Z
  }

  static func info(
    _ event: String = "Starkregen", headline: String = "Amtliche Warnung vor Starkregen", effective: Instant? = nil, expires: Instant? = at(18),
    responseTypes: [CAPInfo.ResponseType] = [.avoid], language: String = "de-DE"
  ) -> CAPInfo {
    CAPInfo(
      language: language, categories: [.met], event: event, responseTypes: responseTypes, urgency: .immediate, severity: .severe, certainty: .likely,
      effective: effective, expires: expires, headline: headline, description: "Keller laufen voll. Pegel > 3 m & steigend.",
      areas: [CAPArea(areaDesc: "Schwerte", geocodes: [CAPValue("WARNCELLID", "105978032")])])
  }

  static func alert(
    _ identifier: String, _ type: CAPAlert.MsgType = .alert, sent: Instant = at(12), names: [String] = [], sender: String = "warnung@example.org",
    status: CAPAlert.Status = .actual, infos: [CAPInfo]? = nil
  ) -> CAPAlert {
    CAPAlert(
      identifier: identifier, sender: sender, sent: sent, status: status, msgType: type,
      references: names.map { CAPReference(sender: sender, identifier: $0, sent: at(12)) }, infos: infos ?? (type == .cancel ? [] : [info()]))
  }

  static func square(_ longitude: Double = 7.5, _ latitude: Double = 51.4, size: Double = 0.1) throws -> Polygon {
    let corners = [(0.0, 0.0), (1, 0), (1, 1), (0, 1), (0, 0)]
    return try Polygon(rings: [try corners.map { try Coordinate(longitude: longitude + size * $0.0, latitude: latitude + size * $0.1) }])
  }

  /// An alert of every part the standard has, picked and filled at random, and always valid.
  static func random(_ random: inout SeededRandom) throws -> CAPAlert {
    let identifier = name(&random)
    let sent = time(&random)
    let type = CAPAlert.MsgType.allCases.randomElement(using: &random) ?? .alert
    let scope = CAPAlert.Scope.allCases.randomElement(using: &random) ?? .public
    let sender = name(&random)
    let references = (0..<Int.random(in: type == .alert ? 0...2 : 1...3, using: &random)).map { index in
      CAPReference(sender: name(&random), identifier: identifier + "\(index)", sent: sent - .seconds(Int.random(in: 0...100_000, using: &random)))
    }
    var alert = CAPAlert(
      identifier: identifier, sender: sender, sent: sent, status: CAPAlert.Status.allCases.randomElement(using: &random) ?? .test, msgType: type,
      source: maybe(&random), scope: scope, restriction: scope == .restricted ? text(&random) : nil,
      addresses: scope == .private || random.oneIn(3) ? [name(&random), "Herr \(name(&random))"].map { $0.replacing("\"", with: "") } : [],
      codes: texts(&random), note: maybe(&random),
      references: references, incidents: texts(&random).map { $0.replacing("\"", with: "") + "x" })
    for _ in 0..<Int.random(in: 0...3, using: &random) { alert.infos.append(try info(&random, sent: sent)) }
    return alert
  }

  private static func info(_ random: inout SeededRandom, sent: Instant) throws -> CAPInfo {
    let effective = random.oneIn(2) ? sent + .seconds(Int.random(in: -5_000...5_000, using: &random)) : nil
    var info = CAPInfo(
      language: ["de-DE", "en", "x-klingon", "tr"].randomElement(using: &random) ?? "de", categories: some(&random, 1...3),
      event: text(&random), responseTypes: some(&random, 0...2), urgency: some(&random, 1...1)[0], severity: some(&random, 1...1)[0],
      certainty: some(&random, 1...1)[0], audience: maybe(&random), eventCodes: values(&random), effective: effective,
      onset: random.oneIn(2) ? time(&random) : nil,
      expires: random.oneIn(2) ? max(sent, effective ?? sent) + .seconds(1 + Int.random(in: 0...99_999, using: &random)) : nil,
      senderName: maybe(&random), headline: maybe(&random), description: maybe(&random), instruction: maybe(&random),
      web: random.oneIn(2) ? "https://example.org/a?b=\(Int.random(in: 0...9, using: &random))&c=%20#d" : nil, contact: maybe(&random),
      parameters: values(&random))
    for _ in 0..<Int.random(in: 0...2, using: &random) {
      let inside = random.oneIn(2)
      info.resources.append(
        CAPResource(
          resourceDesc: text(&random), mimeType: "image/png", size: random.oneIn(2) ? Int.random(in: 0...1_000_000, using: &random) : nil,
          uri: inside ? "karte.png" : "https://example.org/karte.png", derefUri: inside ? "aGFsbG8=" : nil,
          digest: random.oneIn(2) ? String(repeating: "0a", count: 20) : nil))
    }
    for _ in 0..<Int.random(in: 0...2, using: &random) { info.areas.append(try area(&random)) }
    return info
  }

  private static func area(_ random: inout SeededRandom) throws -> CAPArea {
    let altitude = random.oneIn(2) ? Double.random(in: -1e3...1e5, using: &random) : nil
    var area = CAPArea(areaDesc: text(&random), geocodes: values(&random), altitude: altitude)
    if let altitude, random.oneIn(2) { area.ceiling = altitude + Double.random(in: 1...1e18, using: &random) }
    for _ in 0..<Int.random(in: 0...2, using: &random) {
      let size = Double.random(in: 1e-9...1, using: &random)
      area.polygons.append(try square(.random(in: -179...178, using: &random), .random(in: -89...88, using: &random), size: size))
    }
    for _ in 0..<Int.random(in: 0...2, using: &random) {
      let center = try Coordinate(longitude: .random(in: -180...180, using: &random), latitude: .random(in: -1e-7...1e-7, using: &random))
      area.circles.append(try Circle(center: center, radius: random.oneIn(4) ? 0 : .random(in: 1e-6...1e4, using: &random)))
    }
    return area
  }

  private static func some<Word: CaseIterable>(_ random: inout SeededRandom, _ count: ClosedRange<Int>) -> [Word] {
    (0..<Int.random(in: count, using: &random)).map { _ in Array(Word.allCases)[Int.random(in: 0..<Word.allCases.count, using: &random)] }
  }

  private static func values(_ random: inout SeededRandom) -> [CAPValue] {
    (0..<Int.random(in: 0...2, using: &random)).map { _ in CAPValue(text(&random), random.oneIn(3) ? "" : text(&random)) }
  }

  private static func texts(_ random: inout SeededRandom) -> [String] { (0..<Int.random(in: 0...2, using: &random)).map { _ in text(&random) } }

  private static func maybe(_ random: inout SeededRandom) -> String? { random.oneIn(2) ? text(&random) : nil }

  /// Whole seconds of the years 1981 to 2099: both offsets of the city, and what is beside their changes.
  private static func time(_ random: inout SeededRandom) -> Instant {
    Instant(milliseconds: Int64.random(in: 347_000_000...4_000_000_000, using: &random) * 1_000)
  }

  private static func name(_ random: inout SeededRandom) -> String {
    let letters = Array("abcXYZ0189.-_:@/>äß🌊\"'")
    return String((0..<Int.random(in: 1...12, using: &random)).map { _ in letters[Int.random(in: 0..<letters.count, using: &random)] }) + "x"
  }

  /// Without blanks at the ends, which nobody keeps, and without what looks like HTML.
  private static func text(_ random: inout SeededRandom) -> String {
    let letters = Array("abz 09 \n\t<>&;\"'\r]]>,=%äöüß€🌊\u{85}\u{fffd}")
    let inner = String((0..<Int.random(in: 0...30, using: &random)).map { _ in letters[Int.random(in: 0..<letters.count, using: &random)] })
    return "x" + inner.replacing(/[<&]/, with: { "\($0.output) " }) + "."
  }
}
