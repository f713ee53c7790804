import Foundation
public import Postgres

/// A small PostgreSQL that belongs to one test, to be stopped and started by it.
///
/// The shared test server cannot be used for that: all tests would fall over.
public final class OwnServer: Sendable {
  /// How a program of the server ended that should not have.
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  /// How a server may be asked to stop (pg_ctl(1)).
  public enum Stop: String, Sendable {
    /// Open transactions are rolled back, everybody is disconnected, and what is in memory is written.
    case fast
    /// As a power cut would: nobody is waited for and nothing is written any more. The next start recovers.
    case immediate
  }

  private let folder: URL
  private let programs: String
  private let fsync: Bool

  /// Gives the body a running server with an empty cluster, and removes both afterwards, whatever happened.
  ///
  /// - Parameters:
  ///   - folder: below which it keeps everything.
  ///   - fsync: off where no test of durability needs it: the server is faster then.
  public static func running<Outcome>(
    in folder: String = "/tmp", fsync: Bool = true, isolation: isolated (any Actor)? = #isolation, _ body: (OwnServer) async throws -> Outcome
  ) async throws -> Outcome {
    _ = orphansRemoved
    let server = try OwnServer(in: folder, fsync: fsync)
    let outcome: Result<Outcome, any Error>
    do {
      try await server.initialize()
      try await server.start()
      outcome = .success(try await body(server))
    } catch {
      outcome = .failure(error)
    }
    try? await server.stop()
    try? FileManager.default.removeItem(at: server.folder)
    return try outcome.get()
  }

  /// A process of tests that was killed could not stop its servers: the next one does.
  private static let orphansRemoved: Void = {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: "/tmp")) ?? [] {
      let parts = name.split(separator: "-")
      guard name.hasPrefix("dos-server-"), parts.count == 4, let owner = Int32(parts[2]), !ProcessTable.exists(owner) else { continue }
      if let postmaster = postmaster(of: "/tmp/\(name)") { Foundation.kill(postmaster, SIGQUIT) }
      try? FileManager.default.removeItem(atPath: "/tmp/\(name)")
    }
  }()

  private init(in parent: String, fsync: Bool) throws {
    self.fsync = fsync
    let installed = try FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")
    guard let version = installed.compactMap(Int.init).max() else { throw Failure(description: "no PostgreSQL below /usr/lib/postgresql") }
    programs = "/usr/lib/postgresql/\(version)/bin"
    // Not the folder of the user's temporary files: the server's user must be able to enter it, and a socket's path ends at 107 bytes.
    folder = URL(fileURLWithPath: "\(parent)/dos-server-\(getpid())-\(UInt32.random(in: 0 ... .max))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    // initdb and postgres refuse to run as root.
    if getuid() == 0 { try FileManager.default.setAttributes([.ownerAccountName: "postgres"], ofItemAtPath: folder.path) }
  }

  /// Where its data lie.
  public var data: String { "\(folder.path)/data" }

  /// How the server is reached, without a database's name.
  public var conninfo: String { "host=\(folder.path) user=postgres" }

  public func configuration(database: String = "postgres") -> PostgresConfiguration {
    PostgresConfiguration(conninfo: "\(conninfo) dbname=\(database)", applicationName: "dos tests")
  }

  /// Starts the server and waits until it answers.
  public func start() async throws {
    var settings = "-c listen_addresses='' -c unix_socket_directories=\(folder.path) -c shared_buffers=16MB -c max_connections=100 -c max_wal_size=256MB"
    if !fsync { settings += " -c fsync=off -c full_page_writes=off" }
    try await run("pg_ctl", "start", "--wait", "--silent", "--pgdata=\(folder.path)/data", "--log=\(folder.path)/log", "--options=\(settings)")
  }

  /// Stops the server and waits for its end.
  public func stop(_ mode: Stop = .immediate) async throws {
    try await run("pg_ctl", "stop", "--wait", "--silent", "--mode=\(mode.rawValue)", "--pgdata=\(folder.path)/data")
  }

  /// Ends every process of the server with SIGKILL, and waits until they are gone.
  public func kill() async throws {
    let postmaster = try postmaster()
    // Held, so that it makes no further children meanwhile.
    Foundation.kill(postmaster, SIGSTOP)
    let all = [postmaster] + ProcessTable.children(of: postmaster)
    for process in all { Foundation.kill(process, SIGKILL) }
    // Ended is not enough: until init has taken notice the next server would think that the one before still runs.
    let deadline = ContinuousClock.now + .seconds(30)
    while all.contains(where: ProcessTable.exists), ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(2)) }
  }

  /// Ends one of the server's processes with SIGKILL: the server then ends the others, which is waited for, and recovers by itself.
  public func killOne(using random: inout some RandomNumberGenerator) async throws {
    let server = try postmaster()
    let all = ProcessTable.children(of: server)
    guard let one = all.sorted().randomElement(using: &random) else { return }
    Foundation.kill(one, SIGKILL)
    let deadline = ContinuousClock.now + .seconds(10)
    while !Set(ProcessTable.children(of: server)).isDisjoint(with: all), ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(5)) }
  }

  /// Starts it where it has ended, by itself or not.
  public func startIfEnded() async throws {
    if let process = Self.postmaster(of: folder.path), ProcessTable.exists(process) { return }
    try await start()
  }

  /// Halts every process of the server.
  /// - Returns: them, for `resume`.
  public func pause() throws -> [Int32] {
    let postmaster = try postmaster()
    Foundation.kill(postmaster, SIGSTOP)
    let all = [postmaster] + ProcessTable.children(of: postmaster)
    for process in all { Foundation.kill(process, SIGSTOP) }
    return all
  }

  public static func resume(_ processes: [Int32]) { for process in processes { Foundation.kill(process, SIGCONT) } }

  /// Ends every connection to the server, which goes on.
  public func cutConnections() async throws {
    let pool = PostgresPool(configuration(), size: 1)
    _ = try? await pool.query("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'")
    await pool.close()
  }

  private func postmaster() throws -> Int32 {
    guard let process = Self.postmaster(of: folder.path) else { throw Failure(description: "no process in postmaster.pid") }
    return process
  }

  private static func postmaster(of folder: String) -> Int32? {
    let text = try? String(contentsOfFile: "\(folder)/data/postmaster.pid", encoding: .utf8)
    return text?.split(separator: "\n").first.flatMap { Int32($0) }
  }

  private func initialize() async throws {
    try await run("initdb", "--pgdata=\(folder.path)/data", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
  }

  private func run(_ program: String, _ arguments: String...) async throws {
    let user = getuid() == 0 ? ["--reuid=postgres", "--regid=postgres", "--init-groups"] : []
    let status = try await Program("/usr/bin/setpriv", user + ["\(programs)/\(program)"] + arguments, directory: "/").end()
    guard status == 0 else {
      let log = (try? String(contentsOfFile: "\(folder.path)/log", encoding: .utf8)) ?? ""
      throw Failure(description: "\(program) \(arguments.first ?? "") ended with \(status); the server's log: \(log.suffix(2_000))")
    }
  }
}
