import CAP
import Foundation
import HTTP
import JSON
import TestSupport
import Testing
import Time

/// The warning service as the officers of Dortmund reach it, and those who are told: the app's backend, the crew on call, and a list of mail addresses.
struct Warnings: Sendable {
  let city: RunningCity
  let url: String
  /// Who drafts, and who approves.
  let ada: String
  let ben: String
  let app: WebhookReceiver
  let crew: WebhookReceiver
  let mail: MailCatcher

  /// A new city that warns; stopped afterwards.
  ///
  /// - Parameter rota: whose first level the crew is.
  static func with(_ mode: Mode, rota: String, _ body: (Warnings) async throws -> Void) async throws {
    let (app, crew) = (try WebhookReceiver(), try WebhookReceiver())
    try await app.start()
    try await crew.start()
    let mail = try await MailCatcher.start()
    let settings = settings.merging(["DOS_SMTP_URL": mail.url, "DOS_SMTP_PLAIN": "true", "DOS_MAIL_FROM": "warnung@dortmund.example"]) { $1 }
    let result: Result<Void, any Error>
    do {
      try await RunningCity.with(mode, warnings: settings) { city in
        let warnings = Warnings(
          city: city, url: try #require(city.warnings), ada: try await city.token("warning-officer", subject: "ada", city: "dortmund"),
          ben: try await city.token("warning-officer", subject: "ben", city: "dortmund"), app: app, crew: crew, mail: mail)
        try await warnings.post("/warnings/targets", target("app", app), 201)
        try await warnings.post("/warnings/targets", target("crew", crew, purpose: "rota/\(rota)/1"), 201)
        try await warnings.post("/warnings/targets", ["channel": "email", "name": "Lage", "address": "lage@dortmund.example"], 201)
        try await body(warnings)
      }
      result = .success(())
    } catch {
      result = .failure(error)
    }
    await app.stop()
    await crew.stop()
    await mail.stop()
    try result.get()
  }

  /// With which a warning service may send to this machine.
  static let settings = ["DOS_WARNINGS_PRIVATE_WEBHOOKS": "true"]

  static func target(_ name: String, _ hook: WebhookReceiver, purpose: String = "alerts") -> JSONValue {
    ["channel": "webhook", "name": .string(name), "address": .string(hook.url), "secret": .string(WebhookReceiver.secret), "purpose": .string(purpose)]
  }

  // MARK: Requests

  @discardableResult
  func post(
    _ path: String, _ body: JSONValue, _ status: Int, as token: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> JSONValue {
    var request = ClientRequest.json(.post, url + path, body.bytes, headers: ["Authorization": "Bearer \(token ?? ada)"])
    // History is read and computed with while a busy machine does something else.
    request.timeout = .seconds(60)
    let answer = try await city.client.send(request)
    #expect(answer.status == status, "\(path): \(answer.text.prefix(500))", sourceLocation: sourceLocation)
    return answer.body.isEmpty ? .null : try JSONValue(parsing: answer.body)
  }

  func get(_ path: String) async throws -> JSONValue {
    let answer = try await city.client.send(ClientRequest(.get, url + path, headers: ["Authorization": "Bearer \(ada)"], bodyLimit: 8 << 20))
    return try JSONValue(parsing: answer.body)
  }

  /// As everybody reads it.
  func text(_ path: String) async throws -> String { try await city.client.send(ClientRequest(.get, url + path, bodyLimit: 8 << 20)).text }

  // MARK: Steps

  /// Draws a rule up and sets it live.
  func activate(_ rule: JSONValue) async throws {
    let drawn = try await post("/warnings/rules", rule, 201)
    try await post("/warnings/rules/\(drawn["id"]?.string ?? "")/activate", ["version": 1], 200)
  }

  /// The first hint, asked for again and again.
  ///
  /// - Parameter meanwhile: done before each look.
  func hint(_ meanwhile: () async throws -> Void = {}) async throws -> JSONValue {
    let deadline = ContinuousClock.now + .seconds(60)
    while true {
      try await meanwhile()
      if let hint = try await get("/warnings/hints")["hints"]?.array?.first { return hint }
      guard ContinuousClock.now < deadline else { throw Browser.Failure.timeout("a hint is there") }
      try await Task.sleep(for: .milliseconds(100))
    }
  }

  /// One drafts from a hint, nobody but another approves; gives the alert and its message.
  func issue(_ content: JSONValue, from hint: String) async throws -> (alert: String, message: String) {
    let drafted = try await post("/warnings/alerts", ["hint": .string(hint), "content": content], 201)
    let alert = (drafted["id"]?.string ?? "").lowercased()
    try await post("/warnings/\(alert)/submit", [:], 200)
    try await post("/warnings/\(alert)/approve", ["revision": 1], 403)
    return (alert, message(of: try await post("/warnings/\(alert)/approve", ["revision": 1], 200, as: ben)))
  }

  /// One drafts what changes or ends the last message, another approves it; gives the message.
  func follow(_ alert: String, _ kind: String, of message: String, _ more: [String: JSONValue]) async throws -> String {
    try await post("/warnings/\(alert)/\(kind)", .object(["refersTo": .string(message)].merging(more) { $1 }), 201)
    let submitted = try await post("/warnings/\(alert)/submit", [:], 200)
    let revision = submitted["draft"]?["revision"] ?? .null
    return self.message(of: try await post("/warnings/\(alert)/approve", ["revision": revision], 200, as: ben))
  }

  /// Every channel has exactly these messages, in this order.
  func arrived(_ messages: [String]) async throws {
    try await Browser.until("the app has \(messages)") { app.letters.map(\.id) == messages }
    try await Browser.until("mail has \(messages.count)") { mail.mails.count == messages.count }
    let last = try #require(messages.last)
    #expect(mail.mails.contains { $0.contains("<\(last)@dortmund.example>") })
    try await Browser.until("the CAP feed has it") { try await text("/warnings/feed").contains(last) }
    let cap = try CAPReader.read(Array(try await text("/warnings/cap/\(last)").utf8))
    #expect(cap.remarks.isEmpty)
    #expect(cap.alert.references.map(\.identifier) == messages.dropLast().map { "dos2030.dortmund.\($0)" })
  }

  /// What holds at a place, as the app asks.
  func active(_ latitude: Double, _ longitude: Double) async throws -> String {
    try await text("/warnings/active?lat=\(latitude)&lon=\(longitude)").lowercased()
  }

  private func message(of issued: JSONValue) -> String { (issued["head"]?["message"]?.string ?? "").lowercased() }

  // MARK: Bodies

  static func above(_ datastream: Int64, _ raise: Double, clear: Double) -> JSONValue {
    [
      "kind": "threshold", "datastream": .int(datastream), "direction": "above", "raiseAt": .number(raise), "clearAt": .number(clear), "for": 0,
    ]
  }

  static func texts(_ headline: String, event: String) -> JSONValue {
    func text(_ language: String) -> JSONValue {
      [
        "language": .string(language), "event": .string(event), "headline": .string(headline), "description": "Das Wasser steigt.",
        "instruction": "Meiden Sie Keller, Unterführungen und Ufer.",
      ]
    }
    return .array([text("de-DE"), text("en-GB")])
  }

  static func content(
    _ headline: String, event: String, in districts: [String], until expires: Instant = .now() + .seconds(7_200),
    channels: [JSONValue] = ["app", "webhook", "email", "cap-feed", "topic"]
  ) -> JSONValue {
    [
      "categories": ["Met"], "urgency": "Immediate", "severity": "Severe", "certainty": "Observed",
      "expires": .string(expires.rfc3339), "texts": texts(headline, event: event),
      "area": ["description": "Entlang des Wassers", "districts": .array(districts.map(JSONValue.string))],
      "channels": .array(channels),
    ]
  }
}
