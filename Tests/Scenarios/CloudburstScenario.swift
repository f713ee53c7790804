import CAP
import Foundation
import HTTP
import JSON
import Synchronization
import TestSupport
import Testing
import Time

/// A cloudburst over a creek, from the first drop to the all-clear, as everybody who has to do with it sees it.
@Suite("A cloudburst", .serialized, .timeLimit(.minutes(10)))
struct CloudburstScenario {
  @Test(
    "pages the crew first; an officer drafts, another approves, and app, mail, webhook and CAP feed have it; it is widened, ended, and explained",
    arguments: Mode.allCases)
  func cloudburst(_ mode: Mode) async throws {
    try mode.require()
    let (app, crew) = (try Hook(), try Hook())
    try await app.start()
    try await crew.start()
    let mail = try await MailCatcher.start()
    let settings = ["DOS_WARNINGS_PRIVATE_WEBHOOKS": "true", "DOS_SMTP_URL": mail.url, "DOS_SMTP_PLAIN": "true", "DOS_MAIL_FROM": "warnung@dortmund.example"]
    try await RunningCity.with(mode, warnings: settings) { city in
      let warnings = try Warnings(
        city, ada: try await city.token("warning-officer", subject: "ada", city: "dortmund"),
        ben: try await city.token("warning-officer", subject: "ben", city: "dortmund"))
      let creek = try await city.registerWeatherStation("Pegel Rüpingsbach", token: try await city.token("sensor-operator"))
      let device = try await city.token("device")
      for (hook, name, purpose) in [(app, "app", "alerts"), (crew, "crew", "rota/bach/1")] {
        try await warnings.post(
          "/warnings/targets",
          ["channel": "webhook", "name": .string(name), "address": .string(hook.url), "secret": "a-secret-that-nobody-can-guess", "purpose": .string(purpose)],
          201)
      }
      try await warnings.post("/warnings/targets", ["channel": "email", "name": "Lage", "address": "lage@dortmund.example"], 201)

      // A rule is drawn up and set live.
      let rule: JSONValue = [
        "name": "Rüpingsbach über 1,20 m", "description": "Rechen prüfen, Anlieger warnen.", "city": "dortmund", "district": "Hombruch",
        "place": [7.43, 51.47], "severity": "Severe", "rota": "bach",
        "condition": ["kind": "threshold", "datastream": .int(creek), "direction": "above", "raiseAt": 1.2, "clearAt": 1.0, "for": 0],
      ]
      let drawn = try await warnings.post("/warnings/rules", rule, 201)
      try await warnings.post("/warnings/rules/\(drawn["id"]?.string ?? "")/activate", ["version": 1], 200)

      // From dry to flooded.
      var level = 0.05
      let hints = try await warnings.until("the hint is there") { () async throws -> [JSONValue]? in
        level = min(level + 0.1, 2.4)
        let answer = try await city.post("/sensors/v1.1/Datastreams(\(creek))/Observations", ["result": .number(level)], token: device)
        #expect(answer.status == 201)
        let hints = try await warnings.get("/warnings/hints")["hints"]?.array ?? []
        return hints.isEmpty ? nil : hints
      }
      let hint = try #require(hints.first?["id"]?.string)
      try await Browser.until("the crew is paged") { crew.letters.count == 1 }
      #expect(app.letters.isEmpty && mail.mails.isEmpty)
      try await warnings.post("/warnings/hints/\(hint)/acknowledge", [:], 200)

      // Drafted by one, approved by another.
      let content = Self.content("Sturzflut am Rüpingsbach", ["Hombruch"])
      let drafted = try await warnings.post("/warnings/alerts", ["hint": .string(hint), "content": content], 201)
      let alert = drafted["id"]?.string ?? ""
      try await warnings.post("/warnings/\(alert)/submit", [:], 200)
      try await warnings.post("/warnings/\(alert)/approve", ["revision": 1], 403)
      let issued = try await warnings.post("/warnings/\(alert)/approve", ["revision": 1], 200, as: warnings.ben)
      let first = (issued["head"]?["message"]?.string ?? "").lowercased()
      try await Browser.until("the app has it") { app.letters.map(\.id) == [first] }
      try await Browser.until("the mail is there") { mail.mails.contains { $0.contains("<\(first)@dortmund.example>") } }
      try await Browser.until("the CAP feed has it") { try await warnings.text("/warnings/feed").contains(first) }
      let cap = try CAPReader.read(Array(try await warnings.text("/warnings/cap/\(first)").utf8))
      #expect(cap.remarks.isEmpty && cap.alert.infos.first?.headline == "Sturzflut am Rüpingsbach")
      #expect(try await warnings.text("/warnings/active?lat=51.465&lon=7.43").lowercased().contains(first))

      // An update widens it, the all-clear ends it.
      try await warnings.post(
        "/warnings/\(alert)/update", ["refersTo": .string(first), "content": Self.content("Sturzflut, auch in Hörde", ["Hombruch", "Hörde"])], 201)
      let second = try await warnings.pass(alert)
      try await Browser.until("the app has the update") { app.letters.map(\.id) == [first, second] }
      #expect(try await warnings.text("/warnings/active?lat=51.475&lon=7.50").lowercased().contains(second))
      let over = Self.texts("Entwarnung am Rüpingsbach")
      try await warnings.post("/warnings/\(alert)/all-clear", ["refersTo": .string(second), "texts": over], 201)
      let third = try await warnings.pass(alert)
      try await Browser.until("the app has the all-clear") { app.letters.map(\.id) == [first, second, third] }
      try await Browser.until("mail has all three") { mail.mails.count == 3 }
      let ended = try CAPReader.read(Array(try await warnings.text("/warnings/cap/\(third)").utf8)).alert
      #expect(ended.references.map(\.identifier) == ["dos2030.dortmund.\(first)", "dos2030.dortmund.\(second)"])

      // The log explains all of it, down to the readings.
      let why = try await warnings.get("/warnings/\(alert)/why")
      #expect(why["rule"]?.array?.last?["type"]?.string == "de.dos2030.warnings.rule-drafted.v1")
      let readings = why["hint"]?.array?.last?["data"]?["finding"]?["readings"]?.array ?? []
      #expect(readings.contains { $0["datastream"]?.int == creek && ($0["result"]?.double ?? 0) >= 1.2 })
      let steps = Set((why["deliveries"]?.array ?? []).compactMap { $0["type"]?.string })
      #expect(steps.contains("de.dos2030.warnings.delivery-delivered.v1"))
    }
    await app.stop()
    await crew.stop()
    await mail.stop()
  }

  private static func texts(_ headline: String) -> JSONValue {
    func text(_ language: String) -> JSONValue {
      [
        "language": .string(language), "event": "Sturzflut", "headline": .string(headline), "description": "Der Bach steigt schnell.",
        "instruction": "Meiden Sie Keller und Unterführungen.",
      ]
    }
    return .array([text("de-DE"), text("en-GB")])
  }

  private static func content(_ headline: String, _ districts: [String]) -> JSONValue {
    [
      "categories": ["Met"], "urgency": "Immediate", "severity": "Severe", "certainty": "Observed",
      "expires": .string((Instant.now() + .seconds(7_200)).rfc3339), "texts": texts(headline),
      "area": ["description": "Entlang des Rüpingsbachs", "districts": .array(districts.map(JSONValue.string))],
      "channels": ["app", "webhook", "email", "cap-feed", "topic"],
    ]
  }
}

/// The warning service as its officers reach it.
private struct Warnings {
  let city: RunningCity
  let url: String
  let ada: String
  let ben: String

  init(_ city: RunningCity, ada: String, ben: String) throws {
    self.city = city
    url = try #require(city.warnings)
    (self.ada, self.ben) = (ada, ben)
  }

  @discardableResult
  func post(
    _ path: String, _ body: JSONValue, _ status: Int, as token: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> JSONValue {
    let answer = try await city.client.send(.json(.post, url + path, body.bytes, headers: ["Authorization": "Bearer \(token ?? ada)"]))
    #expect(answer.status == status, "\(path): \(answer.text.prefix(500))", sourceLocation: sourceLocation)
    return answer.body.isEmpty ? .null : try JSONValue(parsing: answer.body)
  }

  func get(_ path: String) async throws -> JSONValue {
    let answer = try await city.client.send(ClientRequest(.get, url + path, headers: ["Authorization": "Bearer \(ada)"], bodyLimit: 8 << 20))
    return try JSONValue(parsing: answer.body)
  }

  func text(_ path: String) async throws -> String { try await city.client.send(ClientRequest(.get, url + path, bodyLimit: 8 << 20)).text }

  /// Submits what ada has drafted, and ben approves it; gives the message.
  func pass(_ alert: String) async throws -> String {
    let submitted = try await post("/warnings/\(alert)/submit", [:], 200)
    let issued = try await post("/warnings/\(alert)/approve", ["revision": submitted["draft"]?["revision"] ?? .null], 200, as: ben)
    return (issued["head"]?["message"]?.string ?? "").lowercased()
  }

  func until<Found>(_ what: String, _ find: () async throws -> Found?) async throws -> Found {
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline {
      if let found = try await find() { return found }
      try await Task.sleep(for: .milliseconds(100))
    }
    return try #require(try await find(), "\(what): not within a minute")
  }
}

/// Somebody's webhook.
private final class Hook: Sendable {
  struct Letter: Sendable { let id: String }

  private final class Letters: Sendable {
    let all = Mutex<[Letter]>([])
  }

  private let received = Letters()
  private let server: HTTPServer

  init() throws {
    let received = received
    let route = Route(.post, "/hook", access: .everyone, accepts: ["application/cloudevents+json"], info: "hook") { request in
      received.all.withLock { $0.append(Letter(id: request.headers["webhook-id"] ?? "")) }
      return .json(Array(#"{"accepted":1000,"sent":998,"failed":2}"#.utf8))
    }
    server = HTTPServer(settings: ServerSettings(port: 0), router: try Router([route]), authenticate: { _ in nil })
  }

  var letters: [Letter] { received.all.withLock { $0 } }
  var url: String { "http://127.0.0.1:\(server.port)/hook" }
  func start() async throws { try await server.start() }
  func stop() async { await server.stop() }
}
