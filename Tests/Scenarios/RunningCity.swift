import Broker
import Foundation
import HTTP
import JSON
import Postgres
import Synchronization
import TestSupport
import Testing

/// How a city runs.
enum Mode: String, Sendable, CaseIterable, CustomTestStringConvertible {
  /// One process, with PostgreSQL as its broker.
  case oneMachine
  /// Each service in processes of its own, two of each, with a database role of its own and Kafka between them.
  case distributed

  var testDescription: String { rawValue }

  /// Those that can run here; a test says so of those that cannot.
  func require() throws {
    if self == .distributed, !OwnKafka.isAtHand { try Test.cancel("\(OwnKafka.missing)") }
  }
}

/// The city as its users know it: the program itself, started as a process on a PostgreSQL of its own, spoken to over HTTP.
final class RunningCity: Sendable {
  enum Failure: Error, CustomStringConvertible {
    case noProgram(String)
    case ended(String)
    case answer(Int, String)

    var description: String {
      switch self {
      case .noProgram(let path): "\(path) is missing: run `swift build`"
      case .ended(let log): "the city ended before it was ready:\n\(log)"
      case .answer(let status, let text): "answered with \(status): \(text)"
      }
    }
  }

  /// Of the first instance.
  var url: String { urls[0] }
  /// Of every instance; they are the same city.
  let urls: [String]
  let database: OwnServer
  /// In distributed mode.
  let kafka: OwnKafka?
  /// Of PostgreSQL and Kafka, where it was asked for and can be had.
  let disk: SmallDisk?
  let home: String
  let client = HTTPClient()
  private let isDurable: Bool
  private let firstProgram: String?
  private let servers: Mutex<[Program?]>
  /// What the servers are told beside where their databases are.
  private let environment: [String: String]
  /// Where warnings are served; nil where they are not asked for.
  let warnings: String?
  /// In distributed mode, where warnings are asked for: their process.
  private let warningServer = Mutex<Program?>(nil)

  private init(_ database: OwnServer, _ kafka: OwnKafka?, _ disk: SmallDisk?, isDurable: Bool, program: String?, warnings: [String: String]?) throws {
    self.database = database
    self.disk = disk
    self.kafka = kafka
    self.isDurable = isDurable
    firstProgram = program
    let count = kafka == nil ? 1 : 2
    urls = try (0..<count).map { _ in "http://127.0.0.1:\(try freePort())" }
    servers = Mutex(Array(repeating: nil, count: count))
    environment = warnings ?? [:]
    self.warnings = warnings == nil ? nil : kafka == nil ? urls[0] : "http://127.0.0.1:\(try freePort())"
    home = FileManager.default.temporaryDirectory.path + "/dos-scenario-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
  }

  /// A new city without things, started and ready; stopped afterwards.
  ///
  /// - Parameters:
  ///   - durable: PostgreSQL writes through to the disk, and the program insists on it.
  ///   - smallDisk: PostgreSQL and Kafka lie on a disk that can be filled, where one can be had.
  ///   - program: what its instances are started as; nil for the program under test, which whatever else is run always is.
  ///   - warnings: settings of the warning service, which then runs too: in distributed mode as a process of its own.
  static func with<T>(
    _ mode: Mode = .oneMachine, durable: Bool = false, smallDisk: Bool = false, program: String? = nil, warnings: [String: String]? = nil,
    _ body: (RunningCity) async throws -> T
  ) async throws -> T {
    let disk = smallDisk ? SmallDisk() : nil
    let folder = disk?.folder ?? "/tmp"
    return try await OwnServer.running(in: folder, fsync: durable) { database in
      switch mode {
      case .oneMachine: return try await with(database, nil, disk, durable, program, warnings, body)
      case .distributed:
        return try await OwnKafka.running(in: folder) { kafka in
          try await makeRoles(database)
          return try await with(database, kafka, disk, durable, program, warnings, body)
        }
      }
    }
  }

  private static func with<T>(
    _ database: OwnServer, _ kafka: OwnKafka?, _ disk: SmallDisk?, _ durable: Bool, _ program: String?, _ warnings: [String: String]?,
    _ body: (RunningCity) async throws -> T
  ) async throws -> T {
    let city = try RunningCity(database, kafka, disk, isDurable: durable, program: program, warnings: warnings)
    defer { try? FileManager.default.removeItem(atPath: city.home) }
    let result: T
    do {
      try await city.start()
      result = try await body(city)
    } catch {
      for instance in city.instances { await city.end(with: SIGKILL, instance) }
      await city.endWarnings(with: SIGKILL)
      throw error
    }
    await city.endWarnings(with: SIGTERM)
    for instance in city.instances { await city.end(with: SIGTERM, instance) }
    await city.client.close()
    return result
  }

  /// As an administrator does before the first start: each service owns its database, and nothing else.
  private static func makeRoles(_ database: OwnServer) async throws {
    let pool = PostgresPool(database.configuration(), size: 1)
    for service in ["sensors", "warnings"] {
      try await pool.execute(SQL(unsafe: "create role dos_\(service) login"))
      try await pool.execute(SQL(unsafe: "create database dos_\(service) owner dos_\(service)"))
    }
    await pool.close()
    // An extension in C may be created by a superuser only.
    let own = PostgresPool(database.configuration(database: "dos_warnings"), size: 1)
    try await own.execute("create extension postgis")
    await own.close()
  }

  var instances: Range<Int> { urls.indices }

  /// Starts every instance and waits until it is ready.
  func start() async throws {
    for instance in instances {
      let process = try launchServer(instance, program: firstProgram)
      try await Browser.until("the city is ready") {
        guard process.isRunning else { throw Failure.ended(log) }
        return try await health("ready", instance).status == 200
      }
    }
    guard warnsApart else { return }
    try launchWarnings()
    try await Browser.until("the warnings are ready") {
      guard warningServer.withLock({ $0?.isRunning }) == true else { throw Failure.ended(log) }
      return try await warningsAreReady()
    }
  }

  /// In distributed mode, where warnings are asked for: their process, which has not ended, nor was ended.
  var warningProcess: Program? { warningServer.withLock { $0 } }

  /// Whether warnings have a process of their own.
  var warnsApart: Bool { kafka != nil && warnings != nil }

  /// Where warnings have a process of their own: starts it and does not wait.
  func launchWarnings() throws {
    guard warnsApart else { return }
    let port = warnings?.split(separator: ":").last.map(String.init) ?? ""
    let process = try program(
      ["serve", "warnings", "--port", port] + storage, output: home + "/log-warnings", environment: environment.merging(ofWarnings) { $1 })
    warningServer.withLock { $0 = process }
  }

  /// As whom the warning service reaches its database.
  private var ofWarnings: [String: String] { kafka == nil ? [:] : ["DOS_POSTGRES": database.conninfo + " user=dos_warnings"] }

  func warningsAreReady() async throws -> Bool {
    guard let warnings else { return false }
    return (try? await client.send(ClientRequest(.get, warnings + "/health/ready")))?.status == 200
  }

  /// Ends the process that serves warnings: in one machine's mode that is the whole city.
  func endWarnings(with signal: Int32) async {
    guard let process = warningServer.withLock({ $0.take() }) else { return }
    process.signal(signal)
    _ = try? await process.end()
  }

  /// Starts an instance and does not wait.
  ///
  /// - Parameter program: as what; nil for the program under test.
  @discardableResult
  func launchServer(_ instance: Int = 0, program path: String? = nil) throws -> Program {
    let port = urls[instance].split(separator: ":").last.map(String.init) ?? ""
    let arguments = ["serve", kafka == nil ? "all" : "sensors", "--port", port] + storage
    let process = try program(arguments, as: path, output: home + "/log-\(instance)", environment: environment)
    servers.withLock { $0[instance] = process }
    return process
  }

  /// An instance that has not ended, nor was ended.
  func server(_ instance: Int = 0) -> Program? { servers.withLock { $0[instance] } }

  /// What commands that reach the databases must be told: where the broker is, and that they may go on without durability.
  var storage: [String] {
    durability + (kafka.map { ["--broker", "kafka", "--kafka-bootstrap", $0.bootstrap, "--kafka-replication", "1"] } ?? [])
  }

  private var durability: [String] { isDurable ? [] : ["--unsafe-durability"] }

  /// What the servers have logged since the city was made.
  var log: String {
    (instances.map(String.init) + ["warnings"]).map { (try? String(contentsOfFile: home + "/log-\($0)", encoding: .utf8)) ?? "" }.joined(separator: "\n")
  }

  /// The broker of this city, for who looks behind it.
  func broker() async throws -> any EventBroker {
    if let kafka { return try KafkaBroker.open(KafkaSettings(bootstrap: kafka.bootstrap)) }
    return try await PostgresBroker.open(database.configuration(database: "dos_broker"), unsafeDurability: true)
  }

  /// `/health/live` or `/health/ready`; status 0 where nobody answers.
  func health(_ kind: String, _ instance: Int = 0) async throws -> ClientResponse {
    do {
      return try await client.send(ClientRequest(.get, "\(urls[instance])/health/\(kind)"))
    } catch {
      return ClientResponse(status: 0)
    }
  }

  /// What each instance says of itself, and what it has said last.
  var state: String {
    get async {
      var text = ""
      for instance in instances {
        let ready = try? await health("ready", instance)
        let log = (try? String(contentsOfFile: home + "/log-\(instance)", encoding: .utf8)) ?? ""
        text += "instance \(instance): \(ready?.status ?? 0) \(ready?.text ?? "")\n" + log.split(separator: "\n").suffix(20).joined(separator: "\n") + "\n"
      }
      if warnsApart {
        let ready = (try? await warningsAreReady()) ?? false
        let log = (try? String(contentsOfFile: home + "/log-warnings", encoding: .utf8)) ?? ""
        text += "warnings: \(ready ? "ready" : "not ready")\n" + log.split(separator: "\n").suffix(20).joined(separator: "\n") + "\n"
      }
      return text
    }
  }

  /// Sends a signal to an instance and waits for its end.
  func end(with signal: Int32, _ instance: Int = 0) async {
    guard let process = servers.withLock({ $0[instance].take() }) else { return }
    process.signal(signal)
    _ = try? await process.end()
  }

  /// Runs a command of the program to its end.
  func run(_ arguments: [String], environment: [String: String] = [:]) async throws -> (code: Int32, output: String) {
    let path = home + "/output-\(UUID().uuidString)"
    let code = try await program(arguments, output: path, environment: environment).end()
    return (code, try String(contentsOfFile: path, encoding: .utf8))
  }

  /// What `dos replay --verify` says of each read model that is not what its log makes of it.
  func differencesFromRebuild() async throws -> [String] {
    var differences: [String] = []
    for projection in ["registry", "rollups", "observations"] {
      let (code, output) = try await run(["replay", projection, "--verify"] + storage)
      if code != 0 { differences.append("\(projection): \(output)") }
    }
    if warnings != nil {
      let (code, output) = try await run(["replay", "warnings", "--verify"] + storage, environment: ofWarnings)
      if code != 0 { differences.append("warnings: \(output)") }
    }
    return differences
  }

  /// A command that goes on; whoever starts it ends it.
  func launch(_ arguments: [String], environment: [String: String] = [:]) throws -> Program {
    try program(arguments, output: home + "/output-\(UUID().uuidString)", environment: environment)
  }

  /// A token of development with a role.
  func token(_ role: String, subject: String? = nil, city: String? = nil) async throws -> String {
    let who = (subject.map { ["--subject", $0] } ?? []) + (city.map { ["--city", $0] } ?? [])
    let (code, output) = try await run(["token", "--role", role] + who)
    guard code == 0 else { throw Failure.ended(output) }
    return output.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  func get(_ path: String, query: [(String, String)] = []) async throws -> JSONValue {
    let text = query.map { name, value in "\(name)=\(value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? value)" }.joined(separator: "&")
    let response = try await client.send(ClientRequest(.get, url + path + (text.isEmpty ? "" : "?" + text)))
    guard response.isSuccess else { throw Failure.answer(response.status, response.text) }
    return try JSONValue(parsing: response.body)
  }

  func post(_ path: String, _ body: JSONValue, token: String) async throws -> ClientResponse {
    try await client.send(.json(.post, url + path, body.bytes, headers: ["Authorization": "Bearer \(token)"]))
  }

  private func program(
    _ arguments: [String], as given: String? = nil, output path: String, environment: [String: String] = [:]
  ) throws -> Program {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let program = given ?? ProcessInfo.processInfo.environment["DOS_PROGRAM"] ?? root.appendingPathComponent(".build/debug/dos").path
    guard FileManager.default.isExecutableFile(atPath: program) else { throw Failure.noProgram(program) }
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Failure.noProgram(path) }
    defer { close(descriptor) }
    let user = kafka == nil ? "" : " user=dos_sensors"
    let own = ["PATH": "/usr/bin:/bin", "DOS_HOME": home, "DOS_POSTGRES": database.conninfo + user]
    return try Program(program, arguments, environment: own.merging(environment) { _, given in given }, output: descriptor)
  }
}
