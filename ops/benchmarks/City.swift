import Broker
import Foundation
import HTTP
import JSON
import Postgres
import Time

/// The city under load, as built for release, on databases of its own, with durability on: `dos serve all` on PostgreSQL alone, or instances of each service on a
/// Kafka.
actor City {
  /// Of the first instance.
  nonisolated var url: String { urls[0] }
  nonisolated let urls: [String]
  private let kafka: KafkaServer?
  nonisolated let server: Server
  nonisolated let client = HTTPClient(.init(connectionsPerHost: 8))
  nonisolated let sensors: PostgresPool
  nonisolated let broker: PostgresPool
  nonisolated let port: UInt16
  private let environment: [String: String]
  private var programs: [Command] = []
  private(set) var datastreams: [Int64] = []
  private(set) var device = ""
  private var eras = 0
  /// The Kafka's topics, once somebody looked at them.
  private var opened: KafkaBroker?
  /// How long its first start took, on empty databases.
  private(set) var firstStart: Duration = .zero

  private init(server: Server, kafka: KafkaServer?, instances: Int, environment: [String: String]) throws {
    self.environment = environment
    self.server = server
    self.kafka = kafka
    let ports = try (0..<instances).map { _ in try Sockets.freePort() }
    port = ports[0]
    urls = ports.map { "http://127.0.0.1:\($0)" }
    sensors = server.pool("dos_sensors")
    broker = server.pool("dos_broker")
  }

  /// A city without things, on databases made anew.
  ///
  /// - Parameter environment: further settings.
  static func new(on server: Server, kafka: KafkaServer? = nil, instances: Int = 1, environment: [String: String] = [:]) async throws -> City {
    try await server.remakeDatabases()
    let city = try City(server: server, kafka: kafka, instances: instances, environment: environment)
    try await city.startFirst()
    try await city.makeKey()
    return city
  }

  private func startFirst() async throws { firstStart = try await start() }

  /// Of the first instance.
  var pid: Int32 { programs.first?.pid ?? 0 }
  var pids: [Int32] { programs.map(\.pid) }

  /// Starts it, and gives the time until it was ready.
  func start() async throws -> Duration {
    let began = ContinuousClock.now
    for url in urls {
      let port = url.split(separator: ":").last.map(String.init) ?? ""
      let broker = kafka.map { ["--broker", "kafka", "--kafka-bootstrap", $0.bootstrap, "--kafka-replication", "1"] } ?? []
      let program = Command(
        ".build/release/dos", ["serve", kafka == nil ? "all" : "sensors", "--port", port, "--log-level", "warning"] + broker,
        environment: environment)
      try program.start()
      programs.append(program)
      while (try? await client.send(ClientRequest(.get, url + "/health/ready")))?.status != 200 {
        try expect(program.isRunning, "dos ended before it was ready: \(program.output.suffix(2_000))")
        try expect(ContinuousClock.now - began < .seconds(120), "dos was not ready within two minutes: \(program.output.suffix(2_000))")
        try await Task.sleep(for: .milliseconds(2))
      }
    }
    return ContinuousClock.now - began
  }

  func stop() async {
    for program in programs {
      await program.terminate()
      // Warnings and errors alone: whatever stands there belongs to the figures.
      for line in program.output.split(separator: "\n").prefix(20) where !line.contains("development: no OIDC issuer") {
        say("  dos said: \(line.prefix(300))")
      }
      program.forget()
    }
    programs = []
  }

  /// For the last time.
  func end() async {
    await stop()
    await opened?.close()
    await client.close()
    await sensors.close()
    await broker.close()
  }

  func usage() -> Usage { Usage(dos: pids, postmaster: server.postmaster, kafka: kafka?.pid) }

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
  func behind() async throws -> Int64 {
    let reached = try await sensors.query("select coalesce(sum(position), 0)::bigint from dos_checkpoints where subscription = 'observations'")
    return try await ends() - reached[0].value(Int64.self, at: 0)
  }

  /// The sum of the ends of all partitions with observations.
  private func ends() async throws -> Int64 {
    if let kafka {
      let broker = try opened ?? KafkaBroker.open(KafkaSettings(bootstrap: kafka.bootstrap))
      opened = broker
      var sum: Int64 = 0
      for visibility in ["public", "partner", "internal", "restricted"] {
        let ends = (try? await broker.end(of: .bench("dos.sensors.observations.\(visibility)"))) ?? []
        sum += ends.reduce(0, +)
      }
      return sum
    }
    let heads = try await broker.query(
      """
      select coalesce(sum(head), 0)::bigint from topics t join topic_partitions p on p.topic = t.id cross join lateral (
        select "offset" + 1 as head from events e where e.topic = p.topic and e.partition = p.partition order by "offset" desc limit 1) last
      where t.name like 'dos.sensors.observations.%'
      """)
    return try heads[0].value(Int64.self, at: 0)
  }

  /// Waits until everything acknowledged is in the read model, and gives the time that took.
  func catchUp() async throws -> Duration {
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
