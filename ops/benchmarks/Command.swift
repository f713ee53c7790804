import Foundation
import Synchronization

/// Another program, run to its end or until it is told to stop.
final class Command: Sendable {
  private let process: Mutex<Process>
  private let name: String
  private let log: String

  init(_ program: String, _ arguments: [String], environment: [String: String] = [:]) {
    name = ([program] + arguments).joined(separator: " ")
    log = FileManager.default.temporaryDirectory.path + "/bench-\(UUID().uuidString).log"
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program.contains("/") ? program : "/usr/bin/env")
    process.arguments = program.contains("/") ? arguments : [program] + arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, given in given }
    process.standardInput = FileHandle.nullDevice
    self.process = Mutex(process)
  }

  var pid: Int32 { process.withLock { $0.processIdentifier } }
  var isRunning: Bool { process.withLock { $0.isRunning } }
  var output: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }

  func start() throws {
    _ = FileManager.default.createFile(atPath: log, contents: nil)
    guard let file = FileHandle(forWritingAtPath: log) else { throw Failure("\(log) cannot be written") }
    try process.withLock { process in
      process.standardOutput = file
      process.standardError = file
      try Self.withoutBlockedSignals { try process.run() }
    }
  }

  /// A thread of a dispatch queue blocks signals, and a program begins with its parent's mask: pgbench, which ends by SIGALRM, would run for ever.
  private static func withoutBlockedSignals(_ body: () throws -> Void) rethrows {
    var none = sigset_t()
    var before = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try body()
  }

  /// Waits for its end and gives its status.
  func end() async -> Int32 {
    while isRunning { try? await Task.sleep(for: .milliseconds(2)) }
    return process.withLock { $0.terminationStatus }
  }

  func terminate() async {
    guard isRunning else { return }
    kill(pid, SIGTERM)
    _ = await end()
  }

  /// Runs it to its end.
  func run() async throws -> (status: Int32, output: String) {
    try start()
    let status = await end()
    defer { forget() }
    return (status, output)
  }

  /// Its output is read.
  func forget() { try? FileManager.default.removeItem(atPath: log) }

  /// - Throws: `Failure` where it ends with another status than 0.
  static func output(_ program: String, _ arguments: [String], environment: [String: String] = [:]) async throws -> String {
    let command = Command(program, arguments, environment: environment)
    let (status, output) = try await command.run()
    try expect(status == 0, "\(command.name) ended with \(status): \(output.suffix(2_000))")
    return output
  }
}
