import Foundation
import Postgres

/// What this machine can do without the city: each is measured when it is first asked for, so in the same run as what stands beside it.
actor Limits {
  private let server: Server
  private let settings: Settings
  private var known: [String: Double] = [:]

  init(server: Server, settings: Settings) {
    self.server = server
    self.settings = settings
  }

  /// COPY into a table like `observations`, with its key and index.
  func copy() async throws -> Figure.Limit {
    Figure.Limit(name: "COPY with key and index, rows/s", value: try await once("copy") { try await loaded(indexed: true) })
  }

  /// COPY into a table without an index.
  func plainCopy() async throws -> Figure.Limit {
    Figure.Limit(name: "COPY without index, rows/s", value: try await once("plain copy") { try await loaded(indexed: false) })
  }

  /// Transactions of one row each.
  func inserts(clients: Int) async throws -> Figure.Limit {
    let value = try await once("inserts \(clients)") { try await pgbench("insert into raw (stream, data) values ('s', '{\"n\":1}');", clients: clients) }
    return Figure.Limit(name: "pgbench insert, \(clients) client\(clients == 1 ? "" : "s"), tx/s", value: value)
  }

  /// Milliseconds that one transaction of one row takes, alone.
  func commit() async throws -> Figure.Limit {
    Figure.Limit(name: "pgbench insert, 1 client, ms", value: 1_000 / (try await inserts(clients: 1).value))
  }

  /// Rows in transactions of several.
  func groupedInserts(clients: Int, rows: Int) async throws -> Figure.Limit {
    let value = try await once("grouped inserts") {
      try await pgbench("insert into raw (stream, data) select 's', '{\"n\":1}' from generate_series(1, \(rows));", clients: clients) * Double(rows)
    }
    return Figure.Limit(name: "pgbench insert of \(rows) rows, \(clients) clients, rows/s", value: value)
  }

  /// Writes of 8 kB made durable one after another.
  func fsync() async throws -> Figure.Limit {
    let value = try await once("fsync") {
      say("limit: pg_test_fsync")
      let file = server.data + "/bench-fsync"
      let test = Command(server.programs + "/pg_test_fsync", ["-s", "1", "-f", file])
      try test.start()
      // The method that PostgreSQL takes on Linux is the second of the first table; the rest of the tables says nothing about it.
      var rate: Double?
      while rate == nil {
        rate = test.output.split(separator: "\n").first { $0.contains("fdatasync") && $0.contains("ops/sec") }
          .flatMap { $0.split(separator: " ").dropFirst().first }.flatMap { Double($0) }
        try expect(rate != nil || test.isRunning, "pg_test_fsync said nothing: \(test.output)")
        try await Task.sleep(for: .milliseconds(20))
      }
      await test.terminate()
      test.forget()
      try? FileManager.default.removeItem(atPath: file)
      return rate ?? 0
    }
    return Figure.Limit(name: "pg_test_fsync fdatasync, ops/s", value: value)
  }

  /// A script of pgbench's on the city's database: what a read costs the database alone.
  func select(_ what: String, _ script: String) async throws -> Figure.Limit {
    Figure.Limit(name: "pgbench, \(what), tx/s", value: try await once(what) { try await pgbench(script, clients: 16, database: "dos_sensors") })
  }

  /// nginx's constant answer of that many bytes.
  func nginx(connections: Int, bytes: Int) async throws -> Figure.Limit {
    let value = try await once("nginx \(connections) \(bytes)") {
      say("limit: nginx's constant answer")
      return try await Nginx.withServer(bytes: bytes) { url in try await Wrk(connections: connections, threads: 2).run(url, seconds: settings.limitSeconds).rate
      }
    }
    return Figure.Limit(name: "nginx, \(bytes) bytes, requests/s", value: value)
  }

  private func once(_ name: String, _ measure: () async throws -> Double) async throws -> Double {
    if let value = known[name] { return value }
    let value = try await measure()
    known[name] = value
    return value
  }

  private func loaded(indexed: Bool) async throws -> Double {
    say("limit: COPY \(indexed ? "with key and index" : "without index")")
    let rows = settings.isQuick ? 100_000 : 1_000_000
    return try await server.withDatabase("bench_raw", size: 1) { pool in
      try await pool.execute(
        """
        create table filled (datastream_id bigint not null, phenomenon_time timestamptz not null, phenomenon_end timestamptz, id bigint not null,
          number double precision, truth boolean, text text, json jsonb, result_time timestamptz, valid_time text, result_quality jsonb, parameters jsonb,
          implausible boolean not null, withdrawn boolean not null, log_offset bigint not null, log_index integer not null)
        """)
      try await pool.execute("create table raw (like filled)")
      // In the order in which readings come: 10 of a datastream, then 10 of another.
      try await pool.execute(
        """
        insert into filled (datastream_id, phenomenon_time, id, number, implausible, withdrawn, log_offset, log_index)
        select n / 10 % 1000, timestamptz '2026-01-01' + (n / 10000 * 10 + n % 10) * interval '1 second', n, n % 4000 / 100.0, false, false, n / 10, n % 10
        from generate_series(0, \(Int64(rows)) - 1) n
        """)
      if indexed {
        try await pool.execute("alter table raw add primary key (datastream_id, phenomenon_time)")
        try await pool.execute("create index on raw (id)")
      }
      let file = server.data + "/bench.copy"
      defer { try? FileManager.default.removeItem(atPath: file) }
      try await pool.execute("copy filled to '\(unsafe: file)' (format binary)")
      try await pool.execute("checkpoint")
      let began = ContinuousClock.now
      try await pool.execute("copy raw from '\(unsafe: file)' (format binary)")
      let seconds = (ContinuousClock.now - began) / .seconds(1)
      let stored = try await pool.query("select count(*) from raw")[0].value(Int64.self, at: 0)
      try expect(stored == Int64(rows), "COPY stored \(stored) of \(rows) rows")
      return Double(rows) / seconds
    }
  }

  private func pgbench(_ script: String, clients: Int, database: String? = nil) async throws -> Double {
    say("limit: pgbench, \(clients) client\(clients == 1 ? "" : "s"): \(script.prefix(60).replacing("\n", with: " "))")
    let file = FileManager.default.temporaryDirectory.path + "/bench-\(UUID().uuidString).sql"
    try script.write(toFile: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: file) }
    let run: @Sendable (String) async throws -> Double = { [server, settings] database in
      let output = try await Command.output(
        server.programs + "/pgbench",
        [
          "-n", "-M", "prepared", "-h", server.socket, "-U", "postgres", "-c", "\(clients)", "-j", "\(min(2, clients))", "-T", "\(settings.limitSeconds)",
          "-f", file, database,
        ])
      let line = output.split(separator: "\n").first { $0.hasPrefix("tps = ") }
      guard let rate = line?.split(separator: " ").dropFirst(2).first.flatMap({ Double($0) }) else { throw Failure("pgbench said: \(output.suffix(500))") }
      return rate
    }
    if let database { return try await run(database) }
    return try await server.withDatabase("bench_raw", size: 1) { pool in
      try await pool.execute("create table raw (id bigint generated always as identity primary key, stream text, data json)")
      return try await run("bench_raw")
    }
  }
}

/// nginx as far as it serves a constant.
enum Nginx {
  static func withServer<Outcome: Sendable>(
    bytes: Int, isolation: isolated (any Actor)? = #isolation, _ body: (String) async throws -> Outcome
  ) async throws -> Outcome {
    let folder = FileManager.default.temporaryDirectory.path + "/bench-nginx-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let port = try Sockets.freePort()
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(folder)/\($0);" }.joined(separator: " ")
    let configuration = """
      daemon off; worker_processes auto; pid \(folder)/pid; error_log \(folder)/error.log;
      events { worker_connections 1024; }
      http {
        access_log off; keepalive_requests 1000000000; \(temporary)
        server { listen 127.0.0.1:\(port) backlog=1024; default_type application/json; location / { return 200 '\(String(repeating: "x", count: bytes))'; } }
      }
      """
    try configuration.write(toFile: folder + "/nginx.conf", atomically: true, encoding: .utf8)
    let nginx = Command("nginx", ["-p", folder, "-e", folder + "/error.log", "-c", folder + "/nginx.conf"])
    try nginx.start()
    let url = "http://127.0.0.1:\(port)/"
    var ready = false
    for _ in 0..<500 where !ready {
      ready = (try? await Command("curl", ["-fsS", "-o", "/dev/null", url]).run().status) == 0
      if !ready { try expect(nginx.isRunning, "nginx ended: \(nginx.output)") }
    }
    let outcome: Result<Outcome, any Error>
    do { outcome = .success(try await body(url)) } catch { outcome = .failure(error) }
    await nginx.terminate()
    nginx.forget()
    return try outcome.get()
  }
}
