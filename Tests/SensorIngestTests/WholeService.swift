import Broker
import Foundation
import HTTP
import JSON
import Postgres
import ServiceKit
import TestSupport
import Testing

@testable import SensorIngest

/// The service with everything that runs in it, on a database and a broker of its own, spoken to over HTTP. A bearer token here is a role's name.
struct WholeService: Sendable {
  let pool: PostgresPool
  let url: String
  let client: HTTPClient

  static func run(_ body: @Sendable (WholeService) async throws -> Void) async throws {
    try await withTestDatabase(migrate: RegistryHarness.schema(), size: 8) { pool in
      let broker = try await PostgresBroker.open(pool.configuration, unsafeDurability: true)
      try await broker.declare(SensorIngestService().topics)
      let assembled = try await SensorIngestService().assemble(ServiceContext(pool: pool, broker: broker, city: "dortmund"))
      let description = try APIDescription(try #require(assembled.api).document(of: assembled.routes))
      let routes = assembled.routes.map { description.holding($0) { Issue.record("\($0)") } }
      let hooks = Router.Hooks(mapError: { ErrorMapping.problem(for: $0) }, report: { error, _ in print("answered 500: \(error)") })
      let server = HTTPServer(
        settings: ServerSettings(port: 0), router: try Router(routes, hooks: hooks),
        authenticate: { request in
          guard let role = request.headers["Authorization"]?.dropFirst("Bearer ".count) else { return nil }
          return Caller(id: "\(role)-1", roles: [String(role)], kind: .person)
        })
      let running = assembled.parts.map { part in Task { try await part.run {} } }
      try await server.start()
      let client = HTTPClient()
      let result: Result<Void, any Error>
      do {
        result = .success(try await body(WholeService(pool: pool, url: "http://127.0.0.1:\(server.port)/sensors/v1.1", client: client)))
      } catch {
        result = .failure(error)
      }
      await client.close()
      await server.stop()
      for task in running { task.cancel() }
      for task in running { _ = await task.result }
      await broker.close()
      try result.get()
    }
  }

  @discardableResult
  func send(
    _ method: HTTP.Method, _ path: String, _ body: [UInt8]? = nil, type: String? = "application/json", role: String? = "sensor-operator", key: String? = nil
  ) async throws -> ClientResponse {
    var headers: Headers = [:]
    if body != nil, let type { headers["Content-Type"] = type }
    if let role { headers["Authorization"] = "Bearer \(role)" }
    if let key { headers["Idempotency-Key"] = key }
    let address = url + path.replacing(" ", with: "%20")
    return try await client.send(ClientRequest(method, address, headers: headers, body: body, timeout: .seconds(60), bodyLimit: 16 << 20))
  }

  func post(_ path: String, _ body: JSONValue, key: String? = nil) async throws -> ClientResponse { try await send(.post, path, body.bytes, key: key) }

  /// What a collection or entity is, once it is as wanted; else what it was at the end of a long wait.
  func get(_ path: String, until wanted: (JSONValue) -> Bool = { _ in true }) async throws -> JSONValue {
    let deadline = ContinuousClock.now + .seconds(30)
    while true {
      let answer = try await send(.get, path)
      let value = try JSONValue(parsing: answer.body)
      if wanted(value) || ContinuousClock.now > deadline { return value }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  func count(_ set: String) async throws -> Int64? { try await get("/\(set)?$count=true&$top=0")["@iot.count"]?.int }

  /// A placed thing with one datastream; gives the datastream's id.
  func registerDatastream() async throws -> Int64 {
    let created = try await post("/Things", Body.thing(datastreams: [Body.datastream()]))
    let id = try JSONValue(parsing: created.body)["@iot.id"]?.int ?? 0
    let streams = try await get("/Things(\(id))/Datastreams") { $0["value"]?.array?.isEmpty == false }
    return streams["value"]?.array?.first?["@iot.id"]?.int ?? 0
  }
}
