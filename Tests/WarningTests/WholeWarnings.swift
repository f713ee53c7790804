import Broker
import EventSourcing
import Foundation
import HTTP
import JSON
import Postgres
import ServiceKit
import Synchronization
import TestSupport
import Testing
import Time

@testable import Warning

/// Time that passes when the test says so, and a clock that the test sets.
final class TestClock: Sendable {
  private let state: Mutex<(time: Instant, passed: Duration)>
  init(_ start: Instant = Instant(rfc3339: "2030-06-15T12:00:00Z") ?? Instant(milliseconds: 0)) { state = Mutex((start, .zero)) }
  /// A millisecond later each time: no two moments are the same.
  var now: Instant {
    state.withLock {
      $0.time = $0.time + .milliseconds(1)
      $0.passed += .milliseconds(1)
      return $0.time
    }
  }
  var passed: Duration { state.withLock { $0.passed } }

  func pass(_ duration: Duration) {
    state.withLock {
      $0.time = $0.time + duration
      $0.passed += duration
    }
  }

  /// Somebody sets the machine's clock.
  func set(by duration: Duration) { state.withLock { $0.time = $0.time + duration } }
}

/// The service with everything that runs in it, on a database and a broker of its own, spoken to over HTTP. A bearer token here is `subject/role/city`.
struct WholeWarnings: Sendable {
  let pool: PostgresPool
  let broker: PostgresBroker
  let clock: TestClock
  let origin: String
  let client: HTTPClient
  let replays: [ReplayableProjection]

  static let ada = "ada/warning-officer/dortmund"
  static let ben = "ben/warning-officer/dortmund"
  static let sam = "sam/warning-officer/schwerte"
  static let sue = "sue/warning-officer/schwerte"
  static let una = "una/control-room/kreis-unna"

  static func schema() throws -> [TestSchema] {
    try WarningService().migrations().map { TestSchema(scope: $0.scope, migrations: $0.migrations) }
      + [TestSchema(scope: BrokerMigrations.scope, migrations: try BrokerMigrations.load())]
  }

  static func run(_ body: @Sendable (WholeWarnings) async throws -> Void) async throws {
    try await withTestDatabase(migrate: schema(), size: 8) { pool in
      let broker = try await PostgresBroker.open(pool.configuration, unsafeDurability: true)
      try await broker.declare(WarningService().topics)
      let clock = TestClock()
      try await serving(pool, broker, clock, body)
      await broker.close()
    }
  }

  /// Runs the service on what is there, until the body ends: another start of the same city.
  static func serving(
    _ pool: PostgresPool, _ broker: PostgresBroker, _ clock: TestClock, leaving out: Set<String> = [], smtp: String? = nil,
    _ body: @Sendable (WholeWarnings) async throws -> Void
  ) async throws {
    var settings = Settings()
    settings[WarningService.privateWebhooks] = true
    settings[WarningService.smtp] = smtp
    settings[WarningService.smtpPlain] = true
    settings[WarningService.mailFrom] = "warnung@dortmund.example"
    let context = ServiceContext(pool: pool, broker: broker, city: "dortmund", settings: settings, clock: { clock.now }, steady: { clock.passed })
    let assembled = try await WarningService().assemble(context)
    let description = try APIDescription(try #require(assembled.api).document(of: assembled.routes))
    let routes = assembled.routes.map { description.holding($0) { Issue.record("\($0)") } }
    let hooks = Router.Hooks(mapError: { ErrorMapping.problem(for: $0) }, report: { error, _ in print("answered 500: \(error)") })
    let server = HTTPServer(
      settings: ServerSettings(port: 0), router: try Router(routes, hooks: hooks),
      authenticate: { request in
        guard let token = request.headers["Authorization"]?.dropFirst("Bearer ".count) else { return nil }
        let parts = token.split(separator: "/").map(String.init)
        return Caller(id: parts[0], roles: [parts[1]], city: parts.count > 2 ? parts[2] : nil, kind: .person)
      })
    let ready = Counted()
    let parts = assembled.parts.filter { !out.contains($0.name) }
    let running = parts.map { part in Task { try await part.run { ready.add() } } }
    #expect(try await eventually { ready.value == parts.count })
    try await server.start()
    let client = HTTPClient()
    let replays = try await WarningService().replays(context)
    let whole = WholeWarnings(
      pool: pool, broker: broker, clock: clock, origin: "http://127.0.0.1:\(server.port)", client: client, replays: replays)
    let result: Result<Void, any Error>
    do {
      result = .success(try await body(whole))
    } catch {
      result = .failure(error)
    }
    await client.close()
    await server.stop()
    for task in running.reversed() {
      task.cancel()
      _ = await task.result
    }
    try result.get()
  }

  @discardableResult
  func send(
    _ method: HTTP.Method, _ path: String, _ body: JSONValue? = nil, as token: String? = ada, key: String? = nil, headers given: Headers = [:]
  ) async throws -> ClientResponse {
    var headers = given
    if body != nil { headers["Content-Type"] = "application/json" }
    if let token { headers["Authorization"] = "Bearer \(token)" }
    if let key { headers["Idempotency-Key"] = key }
    return try await client.send(
      ClientRequest(method, origin + path, headers: headers, body: body?.bytes, timeout: .seconds(60), bodyLimit: 16 << 20))
  }

  /// As above; the answer must be this.
  @discardableResult
  func expect(
    _ status: Int, _ method: HTTP.Method, _ path: String, _ body: JSONValue? = nil, as token: String? = ada, key: String? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> JSONValue {
    let answer = try await send(method, path, body, as: token, key: key)
    #expect(answer.status == status, "\(method) \(path): \(answer.text.prefix(1_000))", sourceLocation: sourceLocation)
    return answer.body.isEmpty ? .null : try JSONValue(parsing: answer.body)
  }

  /// What is read, once it is as wanted; else what it was at the end of a long wait.
  func get(_ path: String, as token: String? = ada, until wanted: (JSONValue) -> Bool = { _ in true }) async throws -> JSONValue {
    let deadline = ContinuousClock.now + .seconds(30)
    while true {
      let value = try JSONValue(parsing: try await send(.get, path, as: token).body)
      if wanted(value) || ContinuousClock.now > deadline { return value }
      try await Task.sleep(for: .milliseconds(10))
    }
  }

  // MARK: Stories

  /// Drafted, submitted and approved; gives the alert and its message.
  func issue(
    _ content: JSONValue, mode: String = "Actual", release: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> (alert: String, message: String) {
    let drafted = try await expect(
      201, .post, "/warnings/alerts", .object(["mode": .string(mode), "content": content]), sourceLocation: sourceLocation)
    let alert = drafted["id"]?.string ?? ""
    let head = try await pass(alert, release: release, sourceLocation: sourceLocation)
    return (alert.lowercased(), head)
  }

  /// Submits what is drafted and approves it; gives the message.
  @discardableResult
  func pass(_ alert: String, release: String? = nil, sourceLocation: SourceLocation = #_sourceLocation) async throws -> String {
    let submitted = try await expect(200, .post, "/warnings/\(alert)/submit", sourceLocation: sourceLocation)
    var body: [String: JSONValue] = ["revision": submitted["draft"]?["revision"] ?? .null]
    if let release { body["release"] = .string(release) }
    let issued = try await expect(200, .post, "/warnings/\(alert)/approve", .object(body), as: Self.ben, sourceLocation: sourceLocation)
    return issued["head"]?["message"]?.string?.lowercased() ?? ""
  }

  /// Adds a webhook for alerts.
  func subscribe(_ hook: WebhookReceiver, name: String = "app", purpose: String = "alerts", as token: String = ada) async throws {
    try await expect(
      201, .post, "/warnings/targets",
      .object([
        "channel": .string("webhook"), "name": .string(name), "address": .string(hook.url), "secret": .string(WebhookReceiver.secret),
        "purpose": .string(purpose),
      ]), as: token)
  }
}

final class Counted: Sendable {
  private let count = Mutex(0)
  var value: Int { count.withLock { $0 } }
  func add() { count.withLock { $0 += 1 } }
}

enum Content {
  static func text(_ language: String, _ headline: String) -> JSONValue {
    .object([
      "language": .string(language), "event": .string("Hochwasser"), "headline": .string(headline), "description": .string("Der Pegel steigt."),
      "instruction": .string("Keller meiden."),
    ])
  }

  static func texts(_ headline: String) -> JSONValue { .array([text("de-DE", headline), text("en-GB", headline)]) }

  static func flood(
    _ headline: String = "Hochwasser an der Emscher", districts: [String] = ["Huckarde"], expires: String = "2030-06-16T12:00:00Z",
    channels: [String] = ["app", "webhook", "cap-feed", "topic"]
  ) -> JSONValue {
    .object([
      "categories": .array([.string("Met")]), "urgency": .string("Immediate"), "severity": .string("Severe"), "certainty": .string("Observed"),
      "expires": .string(expires), "texts": texts(headline),
      "area": .object(["description": .string("Emscher"), "districts": .array(districts.map(JSONValue.string))]),
      "channels": .array(channels.map(JSONValue.string)),
    ])
  }
}

extension JSONValue {
  /// The object with one member changed.
  func with(_ name: String, _ value: JSONValue) -> JSONValue {
    guard case .object(var members) = self else { return self }
    members[name] = value
    return .object(members)
  }
}
