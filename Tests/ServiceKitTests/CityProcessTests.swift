import Broker
import Foundation
import HTTP
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import ServiceKit

@Suite("A process of the city")
struct CityProcessTests {
  /// What happened, in order.
  final class Diary: Sendable {
    private let entries = Mutex<[String]>([])
    var all: [String] { entries.withLock { $0 } }
    func write(_ entry: String) { entries.withLock { $0.append(entry) } }
  }

  struct Broken: Error, CustomStringConvertible { let description = "the projection's table is missing" }

  /// A service of two parts that says what it does.
  struct Stub: Service {
    let diary: Diary
    var steps: [Migration] = []
    var isBroken = false
    let name = "stub"
    let prefix = "/stub"
    let port = 0
    let database = "dos_stub"
    let topics = [
      Topic(
        name: "dos.stub.things", partitions: 1, visibility: .internal,
        governance: Governance(owner: "tests", purpose: "tests", legalBasis: "none", successor: "none"))
    ]

    func migrations() throws -> [SchemaSteps] { [SchemaSteps(scope: name, steps)] }

    func assemble(_ context: ServiceContext) async throws -> AssembledService {
      AssembledService(
        routes: [Route(.get, "/stub/hello", access: .everyone, info: RouteInfo("Says hello", tag: "Tests")) { _ in .text("hello") }],
        parts: [part("first"), part("second", isBroken: isBroken)])
    }

    private func part(_ name: String, isBroken: Bool = false) -> Part {
      Part(
        name,
        start: { [diary] in
          if isBroken { throw Broken() }
          diary.write("start \(name)")
        }, stop: { [diary] in diary.write("stop \(name)") })
    }

    func replays(_ context: ServiceContext) async throws -> [ReplayableProjection] { [] }
    func deadLetters(_ context: ServiceContext) async throws -> any DeadLetterBox { Empty() }

    struct Empty: DeadLetterBox {
      func list() async throws -> [DeadLetterNote] { [] }
      func retry(projection: String?) async throws -> Int { 0 }
    }
  }

  func settings(_ server: OwnServer, unsafe: Bool = true) throws -> Settings {
    var settings = Settings()
    settings[ProcessSettings.postgres] = server.conninfo
    settings[ProcessSettings.identityDatabase] = "dos_stub"
    settings[ProcessSettings.unsafeDurability] = unsafe
    settings[ProcessSettings.startLimit] = .seconds(60)
    settings[ProcessSettings.port] = 0
    settings[ProcessSettings.home] = FileManager.default.temporaryDirectory.path + "/dos-home-\(UUID().uuidString)"
    return settings
  }

  /// Connections of ours that the server still has.
  /// How many connections are left once the server has heard of those that ended.
  func connections(_ server: OwnServer) async throws -> Int64 {
    let pool = PostgresPool(server.configuration(), size: 1)
    let deadline = ContinuousClock.now + .seconds(30)
    var count: Int64
    repeat {
      let rows = try await pool.query("select count(*) from pg_stat_activity where application_name like 'dos%' and application_name <> 'dos tests'")
      count = try rows[0].value(Int64.self, at: 0)
    } while count > 0 && ContinuousClock.now < deadline
    await pool.close()
    return count
  }

  /// Whether the figures have a line; the checks are asked every five seconds.
  func figures(_ client: HTTPClient, _ port: UInt16, until line: String) async -> Bool {
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline {
      let answer = try? await client.send(ClientRequest(.get, "http://127.0.0.1:\(port)/metrics"))
      if answer?.text.contains(line + "\n") == true { return true }
      try? await Task.sleep(for: .milliseconds(50))
    }
    return false
  }

  @Test("starts its parts in order and answers once all are ready, stops in reverse, says so once, and leaves no connection behind")
  func course() async throws {
    try await OwnServer.running(fsync: false) { server in
      let diary = Diary()
      let lines = Mutex<[String]>([])
      let log = Log(form: .json) { line in lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }
      let (signals, signal) = AsyncStream.makeStream(of: Signal.self)
      let client = HTTPClient()
      try await CityProcess([Stub(diary: diary)], settings: settings(server), log: log).run(
        signals: signals,
        onListening: { port in
          diary.write("listening")
          Task {
            let hello = try? await client.send(ClientRequest(.get, "http://127.0.0.1:\(port)/stub/hello"))
            let ready = try? await client.send(ClientRequest(.get, "http://127.0.0.1:\(port)/health/ready"))
            let odd = try? await client.send(ClientRequest(.get, "http://127.0.0.1:\(port)/%ff"))
            diary.write("\(hello?.text ?? "no answer"), ready \(ready?.status ?? 0), odd \(odd?.status ?? 0)")
            diary.write(await figures(client, port, until: #"dos_check_good{check="database dos_stub"} 1"#) ? "figures" : "no figures")
            signal.yield(.terminate)
          }
        })
      await client.close()
      #expect(diary.all == ["start first", "start second", "listening", "hello, ready 200, odd 400", "figures", "stop second", "stop first"])
      #expect(lines.withLock { $0.count { $0.contains(#""message":"stopping""#) } } == 1)
      // Whoever is on duty sees that somebody sends what is no request.
      #expect(lines.withLock { $0.count { $0.contains("could not become a request") && $0.contains("UTF-8") } } == 1)
      #expect(try await connections(server) == 0)
    }
  }

  @Test("that cannot start a part names it, stops those before it, and leaves no connection behind")
  func brokenPart() async throws {
    try await OwnServer.running(fsync: false) { server in
      let diary = Diary()
      let process = CityProcess([Stub(diary: diary, isBroken: true)], settings: try settings(server), log: Log { _ in })
      do {
        try await process.run(signals: AsyncStream { _ in })
        Issue.record("started")
      } catch {
        #expect("\(error)" == "second failed: the projection's table is missing")
      }
      #expect(diary.all == ["start first", "stop first"])
      #expect(try await connections(server) == 0)
    }
  }

  @Test("whose migration fails says which, and leaves no connection behind")
  func brokenMigration() async throws {
    try await OwnServer.running(fsync: false) { server in
      let bad = Migration(version: 1, name: "0001_bad.sql", sql: "create table a (b integer); select nothing_of_this_name()")
      let process = CityProcess([Stub(diary: Diary(), steps: [bad])], settings: try settings(server), log: Log { _ in })
      do {
        try await process.run(signals: AsyncStream { _ in })
        Issue.record("started")
      } catch {
        #expect("\(error)".contains("0001_bad.sql") && "\(error)".contains("nothing_of_this_name"), "\(error)")
      }
      #expect(try await connections(server) == 0)
    }
  }

  @Test("goes on beside a newer one that has migrated further, and says which steps it does not know")
  func beyond() async throws {
    try await OwnServer.running(fsync: false) { server in
      let lines = Mutex<[String]>([])
      let log = Log(form: .json) { line in lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }
      func warnings() -> [String] { lines.withLock { $0.filter { $0.contains(#""level":"warning","message":"a newer program has migrated further"#) } } }
      let steps = [
        Migration(version: 1, name: "0001_things.sql", sql: "create table things (id bigint)"),
        Migration(version: 2, name: "0002_names.sql", sql: "alter table things add name text"),
      ]
      await (try Foundations(for: [Stub(diary: Diary(), steps: steps)], settings(server), log: log)).close()
      let broker = PostgresPool(server.configuration(database: "dos_broker"), size: 1)
      let next = try BrokerMigrations.load().count + 1
      try await broker.execute(
        "insert into dos_migrations (scope, version, name, checksum) values (\(BrokerMigrations.scope), \(Int32(next)), 'later.sql', '')")
      await broker.close()
      #expect(warnings().isEmpty)

      await (try Foundations(for: [Stub(diary: Diary(), steps: [steps[0]])], settings(server), log: log)).close()
      #expect(warnings().count == 2)
      #expect(warnings().contains { $0.contains(#""step":"stub/0002_names.sql""#) && $0.contains("dos_stub") })
      #expect(warnings().contains { $0.contains(#""step":"broker/later.sql""#) && $0.contains("dos_broker") })
    }
  }

  @Test("refuses a PostgreSQL that may lose what it acknowledged: names the setting and what to do")
  func unsafeServer() async throws {
    try await OwnServer.running(fsync: false) { server in
      let process = CityProcess([Stub(diary: Diary())], settings: try settings(server, unsafe: false), log: Log { _ in })
      do {
        try await process.run(signals: AsyncStream { _ in })
        Issue.record("started")
      } catch {
        #expect("\(error)" == "PostgreSQL runs with fsync = off and may lose what it acknowledged: set fsync = on; for tests there is --unsafe-durability")
      }
      #expect(try await connections(server) == 0)
    }
  }

  @Test("on a port that is taken names who has it, and leaves no connection behind")
  func takenPort() async throws {
    try await OwnServer.running(fsync: false) { server in
      let other = HTTPServer(settings: ServerSettings(host: "127.0.0.1", port: 0), router: try Router([]))
      try await other.start()
      var settings = try settings(server)
      settings[ProcessSettings.port] = Int(other.port)
      let diary = Diary()
      do {
        try await CityProcess([Stub(diary: diary)], settings: settings, log: Log { _ in }).run(signals: AsyncStream { _ in })
        Issue.record("started")
      } catch {
        #expect("\(error)".contains("port \(other.port)") && "\(error)".contains("process \(ProcessInfo.processInfo.processIdentifier)"), "\(error)")
      }
      #expect(diary.all == ["start first", "start second", "stop second", "stop first"])
      await other.stop()
      #expect(try await connections(server) == 0)
    }
  }

  @Test("that waits for a database which is away ends at a signal")
  func signalWhileWaiting() async throws {
    try await OwnServer.running(fsync: false) { server in
      try await server.stop(.fast)
      let (signals, signal) = AsyncStream.makeStream(of: Signal.self)
      let log = Log(form: .json) { line in if String(decoding: line, as: UTF8.self).contains("waiting for PostgreSQL") { signal.yield(.interrupt) } }
      try await CityProcess([Stub(diary: Diary())], settings: settings(server), log: log).run(signals: signals)
      try await server.start()
    }
  }
}
