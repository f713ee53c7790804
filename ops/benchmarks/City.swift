import Foundation
import HTTP
import JSON
import Postgres
import Time

/// The city under load: `dos serve all` as built for release, on databases of its own, with durability on.
actor City {
  nonisolated let url: String
  nonisolated let server: Server
  nonisolated let client = HTTPClient(.init(connectionsPerHost: 8))
  nonisolated let sensors: PostgresPool
  nonisolated let broker: PostgresPool
  nonisolated let port: UInt16
  private var program: Command?
  private(set) var datastreams: [Int64] = []
  private(set) var device = ""
  private var eras = 0
  /// How long its first start took, on empty databases.
  private(set) var firstStart: Duration = .zero

  private init(server: Server) throws {
    self.server = server
    port = try Sockets.freePort()
    url = "http://127.0.0.1:\(port)"
    sensors = server.pool("dos_sensors")
    broker = server.pool("dos_broker")
  }

  /// A city without things, on databases made anew.
  static func new(on server: Server) async throws -> City {
    try await server.remakeDatabases()
    let city = try City(server: server)
    try await city.startFirst()
    try await city.makeKey()
    return city
  }

  private func startFirst() async throws { firstStart = try await start() }

  var pid: Int32 { program?.pid ?? 0 }

  /// Starts it, and gives the time until it was ready.
  func start() async throws -> Duration {
    let program = Command(".build/release/dos", ["serve", "all", "--port", "\(port)", "--log-level", "warning"])
    let began = ContinuousClock.now
    try program.start()
    self.program = program
    while (try? await client.send(ClientRequest(.get, url + "/health/ready")))?.status != 200 {
      try expect(program.isRunning, "dos ended before it was ready: \(program.output.suffix(2_000))")
      try expect(ContinuousClock.now - began < .seconds(120), "dos was not ready within two minutes: \(program.output.suffix(2_000))")
      try await Task.sleep(for: .milliseconds(2))
    }
    return ContinuousClock.now - began
  }

  func stop() async {
    guard let program else { return }
    await program.terminate()
    // Warnings and errors alone: whatever stands there belongs to the figures.
    for line in program.output.split(separator: "\n").prefix(20) where !line.contains("development: no OIDC issuer") { say("  dos said: \(line.prefix(300))") }
    program.forget()
    self.program = nil
  }

  /// For the last time.
  func end() async {
    await stop()
    await client.close()
    await sensors.close()
    await broker.close()
  }

  func usage() -> Usage { Usage(dos: pid, postmaster: server.postmaster) }

  /// Hours in which nothing was read yet, for whoever sends next, nor on the days of the city that readings around them belong to.
  func freshHours() -> Instant {
    eras += 1
    let hour = Instant.now().milliseconds / 3_600_000 * 3_600_000
    return Instant(milliseconds: hour) - .seconds(12 * 3_600 + (eras - 1) * 72 * 3_600)
  }

  private func makeKey() async throws {
    device = try await Command.output(".build/release/dos", ["token", "--device", "bench", "--log-level", "warning"]).trimmingCharacters(
      in: .whitespacesAndNewlines)
  }

  /// Registers things with 10 or 100 datastreams each until there are that many.
  func register(_ count: Int) async throws {
    guard datastreams.count < count else { return }
    let token = try await Command.output(".build/release/dos", ["token", "--role", "sensor-operator", "--role", "administrator"])
      .trimmingCharacters(in: .whitespacesAndNewlines)
    let headers: Headers = ["Authorization": "Bearer \(token)"]
    if datastreams.isEmpty {
      try await create("Sensors", Self.sensor, headers)
      try await create("ObservedProperties", Self.property, headers)
    }
    let missing = count - datastreams.count
    let each = missing % 100 == 0 && missing >= 10_000 ? 100 : 10
    let first = datastreams.count / each
    try await withThrowingTaskGroup(of: Void.self) { group in
      for worker in 0..<4 {
        group.addTask { [self] in
          for number in stride(from: worker, to: missing / each, by: 4) { try await create("Things", Self.thing(first + number, each), headers) }
        }
      }
      try await group.waitForAll()
    }
    let deadline = ContinuousClock.now + .seconds(60)
    repeat {
      datastreams = try await sensors.query("select id from datastreams order by id").map { try $0.decode(Int64.self) }
      try expect(ContinuousClock.now < deadline, "only \(datastreams.count) of \(count) datastreams can be read a minute after they were registered")
    } while datastreams.count < count
  }

  nonisolated private func create(_ set: String, _ body: JSONValue, _ headers: Headers) async throws {
    var request = ClientRequest.json(.post, "\(url)/sensors/v1.1/\(set)", body.bytes, headers: headers)
    request.timeout = .seconds(60)
    let answer = try await client.send(request)
    try expect(answer.status == 201, "\(set) answered \(answer.status): \(answer.text.prefix(500))")
  }

  func get(_ path: String, _ query: [(String, String)] = []) async throws -> JSONValue {
    let text = query.map { "\($0)=\($1.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? $1)" }.joined(separator: "&")
    let answer = try await client.send(ClientRequest(.get, "\(url)/sensors/v1.1/\(path)" + (text.isEmpty ? "" : "?\(text)")))
    try expect(answer.isSuccess, "\(path) answered \(answer.status): \(answer.text.prefix(500))")
    return try JSONValue(parsing: answer.body)
  }

  /// Events acknowledged and not yet in the read model.
  nonisolated func behind() async throws -> Int64 {
    let heads = try await broker.query(
      """
      select coalesce(sum(head), 0)::bigint from topics t join topic_partitions p on p.topic = t.id cross join lateral (
        select "offset" + 1 as head from events e where e.topic = p.topic and e.partition = p.partition order by "offset" desc limit 1) last
      where t.name like 'dos.sensors.observations.%'
      """)
    let reached = try await sensors.query("select coalesce(sum(position), 0)::bigint from dos_checkpoints where subscription = 'observations'")
    return try heads[0].value(Int64.self, at: 0) - reached[0].value(Int64.self, at: 0)
  }

  /// Waits until everything acknowledged is in the read model, and gives the time that took.
  nonisolated func catchUp() async throws -> Duration {
    let began = ContinuousClock.now
    while case let behind = try await behind(), behind > 0 {
      try expect(ContinuousClock.now - began < .seconds(120), "the read model is \(behind) events behind after two minutes")
      try await Task.sleep(for: .milliseconds(5))
    }
    return ContinuousClock.now - began
  }

  private static let sensor: JSONValue = [
    "name": "Bench", "description": "Invented readings", "encodingType": "text/html", "metadata": "https://example.org",
  ]
  private static let property: JSONValue = ["name": "Lufttemperatur", "definition": "https://example.org/temperature", "description": "Lufttemperatur"]

  private static func thing(_ number: Int, _ count: Int) -> JSONValue {
    let datastreams = (0..<count).map { place -> JSONValue in
      [
        "name": .string("Thing \(number) of \(count), \(place)"), "description": "Lufttemperatur",
        "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
        "unitOfMeasurement": ["name": "Grad Celsius", "symbol": "°C", "definition": "ucum:Cel"],
        "ObservedProperty": ["@iot.id": 1], "Sensor": ["@iot.id": 1],
        "properties": [
          "dos:city": "dortmund", "dos:visibility": "public", "dos:plausibleRange": ["min": -40, "max": 50],
          "dos:reporting": ["kind": "periodic", "interval": 60],
        ],
      ]
    }
    return [
      "name": .string("Thing \(number) of \(count)"), "description": "Invented", "properties": ["dos:city": "dortmund"], "Datastreams": .array(datastreams),
      "Locations": [
        [
          "name": "Place", "description": "Invented", "encodingType": "application/geo+json",
          "location": ["type": "Point", "coordinates": [.number(7.4 + Double(number % 100) / 1_000), 51.5]],
        ]
      ],
    ]
  }
}
