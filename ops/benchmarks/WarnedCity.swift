import Broker
import Foundation
import HTTP
import JSON
import Postgres
import Time

/// A city with rules over all of its datastreams, two officers, and a listener on each channel.
struct WarnedCity: Sendable {
  /// How many datastreams a rule looks at. The first is left to the measure, which raises the rule by it; a load goes to the others.
  static let perRule = 20
  /// Plausible, and above what a load sends (`Readings.hundredths`).
  private static let mark = 50.0

  let city: City
  let hook: HookSink
  let mail: MailSink
  let topic: TopicSink
  private let ada: Headers
  private let ben: Headers
  private let device: Headers
  private let hints: PostgresPool
  private let datastreams: [Int64]

  /// A new city, in which every rule is live.
  static func new(on server: Server, rules: Int) async throws -> WarnedCity {
    let (hook, mail) = (try HookSink(), try MailSink())
    try await hook.start()
    try mail.start()
    let settings = ["DOS_WARNINGS_PRIVATE_WEBHOOKS": "true", "DOS_SMTP_URL": mail.url, "DOS_SMTP_PLAIN": "true"]
    say("a new city with \(rules * perRule) datastreams and \(rules) rules")
    let city = try await City.new(on: server, environment: settings)
    try await city.register(rules * perRule)
    let broker = try await PostgresBroker.open(server.pool("dos_broker", size: 1).configuration)
    let warned = WarnedCity(
      city: city, hook: hook, mail: mail, topic: try await TopicSink(broker), ada: try await officer("ada"), ben: try await officer("ben"),
      device: ["Authorization": "Bearer \(await city.device)"], hints: server.pool("dos_warnings", size: 1), datastreams: await city.datastreams)
    try await warned.furnish(rules)
    return warned
  }

  func end() async {
    await topic.stop()
    await hints.close()
    await city.end()
    await hook.stop()
    await mail.stop()
  }

  /// What a load may be sent to.
  var loaded: [Int64] { datastreams.enumerated().filter { $0.offset % Self.perRule != 0 }.map(\.element) }

  private static func officer(_ name: String) async throws -> Headers {
    let token = try await Command.output(".build/release/dos", ["token", "--role", "warning-officer", "--subject", name])
    return ["Authorization": "Bearer \(token.trimmingCharacters(in: .whitespacesAndNewlines))"]
  }

  private static func title(_ rule: Int) -> String { "Regel \(rule)" }

  private func furnish(_ rules: Int) async throws {
    for purpose in ["alerts", "rota/bereit/1"] {
      let target: JSONValue = [
        "channel": "webhook", "name": .string(purpose), "address": .string(hook.url), "secret": "a-secret-that-nobody-can-guess", "purpose": .string(purpose),
      ]
      _ = try await post("/warnings/targets", target, 201, as: ada)
    }
    _ = try await post("/warnings/targets", ["channel": "email", "name": "Lage", "address": "lage@example.org"], 201, as: ada)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for worker in 0..<8 {
        group.addTask {
          for rule in stride(from: worker, to: rules, by: 8) {
            let drawn = try await post("/warnings/rules", self.rule(rule), 201, as: ada)
            _ = try await post("/warnings/rules/\(drawn["id"]?.string ?? "")/activate", ["version": 1], 200, as: ada)
          }
        }
      }
      try await group.waitForAll()
    }
  }

  /// Of each kind a third: any of its datastreams above the mark, so many of them, or the first while the others do not jump.
  private func rule(_ number: Int) -> JSONValue {
    let own = datastreams[number * Self.perRule..<(number + 1) * Self.perRule]
    let above = own.map {
      ["kind": "threshold", "datastream": .int($0), "direction": "above", "raiseAt": .number(Self.mark), "clearAt": 49, "for": 0] as JSONValue
    }
    let condition: JSONValue
    switch number % 3 {
    case 0: condition = ["kind": "any", "of": .array(above)]
    case 1: condition = ["kind": "countOf", "atLeast": 1, "of": .array(above)]
    default:
      let jumps = own.dropFirst().map {
        ["kind": "rateOfChange", "datastream": .int($0), "direction": "rise", "by": 1_000, "within": 600, "clearBelow": 500] as JSONValue
      }
      condition = ["kind": "any", "of": .array([above[0]] + jumps)]
    }
    return [
      "name": .string(Self.title(number)), "description": "Zum Messen.", "city": "dortmund", "district": "Hombruch", "place": [7.43, 51.47],
      "severity": "Severe", "rota": "bereit", "condition": condition,
    ]
  }

  // MARK: - From a reading to the hint

  /// Sends the reading that raises a rule; gives the times from then until the hint can be read and until the crew's webhook has its page.
  func raise(_ rule: Int) async throws -> (hint: Duration, page: Duration) {
    let began = ContinuousClock.now
    let body: JSONValue = ["phenomenonTime": .string(Instant.now().rfc3339), "result": .number(Self.mark)]
    let path = "/sensors/v1.1/Datastreams(\(datastreams[rule * Self.perRule]))/Observations"
    _ = try await post(path, body, 201, as: device)
    let title = Self.title(rule)
    while try await hints.query("select 1 from hints where title = \(title)").isEmpty {
      try expect(ContinuousClock.now - began < .seconds(30), "\(title) raised no hint within 30 s")
      try await Task.sleep(for: .milliseconds(1))
    }
    let hint = ContinuousClock.now - began
    return (hint, try await hook.arrivals.wait(for: title, "the crew's webhook") - began)
  }

  // MARK: - From an approval to each channel

  /// An alert that waits for its approval.
  struct Submitted: Sendable { let alert: String }

  func submitted() async throws -> Submitted {
    let text: (String) -> JSONValue = { language in
      [
        "language": .string(language), "event": "Sturzflut", "headline": "Sturzflut am Rüpingsbach", "description": "Der Bach steigt schnell.",
        "instruction": "Meiden Sie Keller und Unterführungen.",
      ]
    }
    let content: JSONValue = [
      "categories": ["Met"], "urgency": "Immediate", "severity": "Severe", "certainty": "Observed",
      "expires": .string((Instant.now() + .seconds(7_200)).rfc3339), "texts": [text("de-DE"), text("en-GB")],
      "area": ["description": "Entlang des Rüpingsbachs", "districts": ["Hombruch"]], "channels": ["app", "webhook", "email", "cap-feed", "topic"],
    ]
    let drafted = try await post("/warnings/alerts", ["content": content], 201, as: ada)
    let alert = drafted["id"]?.string?.lowercased() ?? ""
    _ = try await post("/warnings/\(alert)/submit", [:], 200, as: ada)
    return Submitted(alert: alert)
  }

  /// Approves it; gives when the approval was sent, and the message.
  func approve(_ submitted: Submitted) async throws -> (began: ContinuousClock.Instant, message: String) {
    let began = ContinuousClock.now
    let issued = try await post("/warnings/\(submitted.alert)/approve", ["revision": 1], 200, as: ben)
    return (began, issued["head"]?["message"]?.string?.lowercased() ?? "")
  }

  /// Asks for the CAP feed until the message is in it.
  func fed(_ message: String) async throws -> ContinuousClock.Instant {
    let deadline = ContinuousClock.now + .seconds(30)
    while true {
      let answer = try await city.client.send(ClientRequest(.get, city.url + "/warnings/feed", bodyLimit: 16 << 20))
      if answer.text.contains(message) { return .now }
      try expect(ContinuousClock.now < deadline, "\(message) is not in the CAP feed after 30 s")
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  private func post(_ path: String, _ body: JSONValue, _ status: Int, as headers: Headers) async throws -> JSONValue {
    var request = ClientRequest.json(.post, city.url + path, body.bytes, headers: headers)
    request.timeout = .seconds(60)
    let answer = try await city.client.send(request)
    try expect(answer.status == status, "\(path) answered \(answer.status): \(answer.text.prefix(500))")
    return answer.body.isEmpty ? .null : try JSONValue(parsing: answer.body)
  }
}
