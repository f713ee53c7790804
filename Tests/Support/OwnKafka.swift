import Foundation

/// A Kafka of one broker that belongs to one test, to be killed, paused and started by it.
///
/// `ops/kafka` starts it, from `KAFKA_HOME` or by `KAFKA_START`.
public final class OwnKafka: Sendable {
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  private static let script =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path + "/ops/kafka"

  /// Whether one can be started here, for `.enabled(if:)`.
  public static let isAtHand: Bool = (try? Program(script, ["at-hand"]))?.waitForEnd() == 0
  /// What a test says that is skipped.
  public static let missing = "no Kafka at hand: set KAFKA_HOME or KAFKA_START, and have Java 17"

  private let folder: String
  public let bootstrap: String

  /// Gives the body a running broker without topics, and removes it afterwards, whatever happened.
  ///
  /// - Parameter folder: below which it keeps everything.
  public static func running<Outcome>(
    in folder: String = "/tmp", isolation: isolated (any Actor)? = #isolation, _ body: (OwnKafka) async throws -> Outcome
  ) async throws -> Outcome {
    _ = orphansRemoved
    let kafka = try await OwnKafka(in: folder)
    let outcome: Result<Outcome, any Error>
    do {
      outcome = .success(try await body(kafka))
    } catch {
      outcome = .failure(error)
    }
    kafka.resume()
    try? await kafka.kill()
    try? FileManager.default.removeItem(atPath: kafka.folder)
    return try outcome.get()
  }

  /// A process of tests that was killed could not stop its brokers: the next one does.
  private static let orphansRemoved: Void = {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: "/tmp")) ?? [] {
      let parts = name.split(separator: "-")
      guard name.hasPrefix("dos-kafka-"), parts.count == 4, let owner = Int32(parts[2]), !ProcessTable.exists(owner) else { continue }
      if let process = process(of: "/tmp/\(name)") { Foundation.kill(process, SIGKILL) }
      try? FileManager.default.removeItem(atPath: "/tmp/\(name)")
    }
  }()

  private init(in parent: String) async throws {
    let folder = "\(parent)/dos-kafka-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    bootstrap = try await Self.start(folder)
    self.folder = folder
  }

  /// Starts it again with its data, and waits until it answers.
  public func start() async throws { _ = try await Self.start(folder) }

  private static func start(_ folder: String) async throws -> String {
    let path = folder + "/started"
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    defer { close(descriptor) }
    let code = try await Program(script, ["start", folder], output: descriptor).end()
    let text = try String(contentsOfFile: path, encoding: .utf8)
    guard code == 0, let last = text.split(separator: "\n").last else { throw Failure(description: "ops/kafka start ended with \(code): \(text)") }
    return String(last)
  }

  /// Ends it with SIGKILL, and waits until it is gone.
  public func kill() async throws {
    guard let process = Self.process(of: folder) else { throw Failure(description: "no process in \(folder)/pid") }
    Foundation.kill(process, SIGKILL)
    let deadline = ContinuousClock.now + .seconds(30)
    while ProcessTable.exists(process), ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(5)) }
  }

  /// Starts it where it has ended, by itself or not.
  public func startIfEnded() async throws {
    if let process = Self.process(of: folder), ProcessTable.exists(process) { return }
    try await start()
  }

  /// Ends every connection to it, which goes on. Only root can, and only where the kernel lets root.
  public func cutConnections() async throws {
    guard let port = bootstrap.split(separator: ":").last else { return }
    _ = try await Program("/usr/bin/ss", ["--kill", "dst", "127.0.0.1", "dport", "=", ":\(port)"]).end()
  }

  public func pause() { if let process = Self.process(of: folder) { Foundation.kill(process, SIGSTOP) } }
  public func resume() { if let process = Self.process(of: folder) { Foundation.kill(process, SIGCONT) } }

  private static func process(of folder: String) -> Int32? {
    (try? String(contentsOfFile: folder + "/pid", encoding: .utf8)).flatMap { Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
  }
}
