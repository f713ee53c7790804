import Broker
import EventSourcing
import Foundation
import HTTP
import JSON
import Postgres
import SensorDomain
import Synchronization
import TestSupport
import Testing
import Time

@testable import SensorIngest

/// The registry's API on a database of its own, asked as over HTTP. What is read has seen everything that was written.
struct RegistryHarness: Sendable {
  let pool: PostgresPool
  let journal: Journal
  let service: STAService
  let router: Router

  static let `operator` = Caller(id: "anna", roles: ["sensor-operator"], kind: .person)

  static func schema() throws -> [TestSchema] {
    [
      TestSchema(scope: EventSourcingMigrations.scope, migrations: try EventSourcingMigrations.load()),
      TestSchema(scope: "sensors", migrations: try Migrations.load(SensorFiles.all.filter { $0.name.hasPrefix("Migrations/") })),
    ]
  }

  static func run(_ body: (RegistryHarness) async throws -> Void) async throws {
    try await withTestDatabase(migrate: schema()) { pool in try await body(try RegistryHarness(pool)) }
  }

  init(_ pool: PostgresPool) throws {
    self.pool = pool
    let journal = Journal(pool: pool, topic: SensorTopics.registry, city: "dortmund", source: "/dortmund/sensors")
    self.journal = journal
    let applied = Applied(pool: pool, journal: journal)
    service = STAService(
      pool: pool, journal: journal, ids: EntityIds(pool: pool), model: STAModel(STAModel.registry + [.observation]), registry: DatastreamRegistry(pool: pool),
      settings: RegistrySettings(city: City(rawValue: "dortmund")), clock: { Instant(milliseconds: 1_592_220_000_000) },
      caughtUp: { _ in try await applied.catchUp() }, readings: NoReadings())
    let routes = RegistryRoutes(service: service).all() + STARoutes(service: service).routes() + LandingPage(model: service.model).routes()
    let api = OpenAPI(title: "Sensors", schemas: SensorIngestService.schemas(service.model, service.settings))
    let description = try APIDescription(api.document(of: routes))
    router = try Router(routes.map { description.holding($0) { Issue.record("\($0)") } })
  }

  @discardableResult
  func send(_ method: HTTP.Method, _ path: String, _ body: JSONValue? = nil, as caller: Caller? = Self.`operator`, key: String? = nil) async throws -> Answer {
    var headers: Headers = [:]
    if body != nil { headers["Content-Type"] = "application/json" }
    if let key { headers["Idempotency-Key"] = key }
    let encoded = path.replacing(" ", with: "%20")
    let request = try Request(
      method: method, target: "/sensors/v1.1\(encoded)", headers: headers, body: body?.bytes ?? [], host: "city.example", caller: caller)
    return Answer(await router.respond(to: request))
  }

  /// A command of this service's own, below `/sensors/v1/`.
  func own(_ path: String) async throws -> Answer {
    Answer(await router.respond(to: try Request(method: .post, target: "/sensors/v1/\(path)", host: "city.example", caller: Self.`operator`)))
  }

  func get(_ path: String, as caller: Caller? = nil) async throws -> JSONValue {
    let answer = try await send(.get, path, as: caller)
    guard answer.status == 200 else { throw Unexpected(status: answer.status, body: answer.text) }
    return answer.json
  }

  /// What comes after a POST: the id of the entity.
  func post(_ path: String, _ body: JSONValue) async throws -> Int64 {
    let answer = try await send(.post, path, body)
    guard answer.status == 201, let id = answer.json["@iot.id"]?.int else { throw Unexpected(status: answer.status, body: answer.text) }
    return id
  }

  struct Unexpected: Error {
    let status: Int
    let body: String
  }

  struct Answer: Sendable {
    let response: Response
    var status: Int { response.status }
    var text: String { String(decoding: response.bytes, as: UTF8.self) }
    var json: JSONValue { (try? JSONValue(parsing: response.bytes)) ?? .null }
    init(_ response: Response) { self.response = response }
  }

  /// Applies to the tables what the Journal holds, one caller at a time.
  private actor Applied {
    let pool: PostgresPool
    let journal: Journal
    var offset: Int64 = -1
    var running: Task<Void, any Error>?

    init(pool: PostgresPool, journal: Journal) {
      self.pool = pool
      self.journal = journal
    }

    func catchUp() async throws {
      let before = running
      let task = Task {
        _ = try? await before?.value
        try await self.step()
      }
      running = task
      try await task.value
    }

    private func step() async throws {
      let events = try await journal.read(partition: 0, after: offset, limit: 10_000)
      let records = try events.compactMap { try RegistryEvent(type: $0.type, data: $0.data) }
      try await pool.transaction { connection throws in
        try RegistryTables(tables: TableNames()).write(RegistryFolding(records), on: connection)
      }
      offset = events.last?.position.offset ?? offset
    }
  }
}

/// Stands where a broker would: these tests send no readings.
struct NoReadings: RegistryReadings {
  struct Unexpected: Error {}

  func number(_ readings: [ReadingsOfDatastream]) async throws -> [ObservationsRecorded] {
    guard readings.isEmpty else { throw Unexpected() }
    return []
  }
  func record(_ facts: [ObservationsRecorded], known: [Int64: RegisteredDatastream], for request: Request) async throws -> [BrokerPosition] {
    throw Unexpected()
  }
  func withdraw(aboutFeature feature: Int64, for request: Request) async throws {}
}

/// Bodies that tests send.
enum Body {
  static let location: JSONValue = [
    "name": "Hansaplatz", "description": "", "encodingType": "application/geo+json", "location": ["type": "Point", "coordinates": [7.4653, 51.5136]],
  ]
  static let sensor: JSONValue = ["name": "Schranke", "description": "", "encodingType": "application/pdf", "metadata": "none"]
  static let property: JSONValue = ["name": "Freie Plätze", "description": "", "definition": "https://example.org/free"]

  static func datastream(_ name: String = "Freie Plätze", properties: JSONValue = [:]) -> JSONValue {
    [
      "name": .string(name), "description": "", "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
      "unitOfMeasurement": ["name": "Plätze", "symbol": "", "definition": "ucum:1"], "properties": properties, "Sensor": sensor, "ObservedProperty": property,
    ]
  }

  static func thing(_ name: String = "Parkhaus Kampstraße", properties: JSONValue = ["capacity": 400], datastreams: [JSONValue] = []) -> JSONValue {
    [
      "name": .string(name), "description": "Parkhaus", "properties": properties, "Locations": [location],
      "Datastreams": .array(datastreams),
    ]
  }
}
