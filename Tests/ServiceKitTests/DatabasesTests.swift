import Postgres
import Synchronization
import TestSupport
import Testing

@testable import ServiceKit

@Suite("How databases are reached")
struct DatabasesTests {
  func databases(_ conninfo: String, startLimit: Duration = .seconds(60), log: Log = Log { _ in }) -> Databases {
    var settings = Settings()
    settings[ProcessSettings.postgres] = conninfo
    settings[ProcessSettings.startLimit] = startLimit
    return Databases(settings, log: log)
  }

  @Test("a name and a password are added to pairs and to URIs, whatever is in them")
  func conninfo() {
    #expect(Databases.conninfo("host=/run/x", adding: [("dbname", "dos_x"), ("password", #"a'b\c"#)]) == #"host=/run/x dbname='dos_x' password='a\'b\\c'"#)
    #expect(Databases.conninfo("postgresql://db.city/", adding: [("dbname", "dos_x")]) == "postgresql://db.city/?dbname=dos_x")
    #expect(
      Databases.conninfo("postgres://db.city/?sslmode=verify-full", adding: [("password", "a&b=ü")])
        == "postgres://db.city/?sslmode=verify-full&password=a%26b%3d%c3%bc")
  }

  @Test("a server that is away is waited for, with a word in the log; one that is there too late is named with what to set")
  func waiting() async throws {
    try await OwnServer.running(fsync: false) { server in
      try await server.stop(.fast)
      let lines = Mutex<[String]>([])
      let log = Log(form: .json) { line in lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }
      let asking = databases(server.conninfo, log: log)
      async let pool = asking.open("dos_x", size: 1)
      try await eventually { lines.withLock { $0.contains { $0.contains("waiting for PostgreSQL") && $0.contains("dos_x") } } }
      try await server.start()
      // It was missing, and we may make it.
      let made = try await pool
      #expect(try await made.query("select current_database()")[0].value(String.self, at: 0) == "dos_x")
      await made.close()

      try await server.stop(.fast)
      let impatient = databases(server.conninfo, startLimit: .milliseconds(300))
      do {
        _ = try await impatient.open("dos_x", size: 1)
        Issue.record("opened although nobody is there")
      } catch let error as Databases.Unreachable {
        #expect(error.description.contains("dos_x") && error.description.contains("DOS_POSTGRES") && error.description.contains("DOS_START_LIMIT"))
      }
      try await server.start()
    }
  }

  @Test("what a server does not live to finish during the start is done again, and what it refuses is not")
  func reaching() async throws {
    try await OwnServer.running(fsync: false) { server in
      let asking = databases(server.conninfo)
      let pool = try await asking.open("dos_x", size: 1)
      var attempts = 0
      try await asking.reaching(.database("dos_x")) {
        attempts += 1
        if attempts == 1 { try await server.stop(.immediate) }
        if attempts == 3 { try await server.start() }
        try await pool.execute("create table made ()")
      }
      #expect(attempts >= 3)
      await #expect(throws: PostgresError.self) {
        try await asking.reaching(.database("dos_x")) {
          attempts = -1
          try await pool.execute("create table made ()")
        }
      }
      #expect(attempts == -1)
      await pool.close()
    }
  }

  @Test("a database that is missing and may not be made is named with the statement that makes it")
  func missing() async throws {
    try await OwnServer.running(fsync: false) { server in
      let pool = PostgresPool(server.configuration(), size: 1)
      try await pool.execute("create role dos login")
      await pool.close()
      let host = server.conninfo.replacing(" user=postgres", with: "")
      do {
        _ = try await databases("\(host) user=dos").open("dos_y", size: 1)
        Issue.record("opened although it is missing")
      } catch let error as Databases.Missing {
        #expect(error.description.contains("create database dos_y"))
      }
    }
  }
}

/// Waits until it holds, for a minute at most.
func eventually(_ holds: () throws -> Bool) async throws {
  let deadline = ContinuousClock.now + .seconds(60)
  while try !holds(), ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(5)) }
  #expect(try holds())
}
