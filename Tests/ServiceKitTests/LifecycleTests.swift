import Foundation
import Synchronization
import Testing

@testable import ServiceKit

@Suite("The life cycle")
struct LifecycleTests {
  struct Broken: Error {}

  /// What happened, in order; whoever waits for something is woken by it.
  final class Diary: Sendable {
    private let entries = Mutex<[String]>([])
    private let news = AsyncStream.makeStream(of: String.self)

    var all: [String] { entries.withLock { $0 } }

    func write(_ entry: String) {
      entries.withLock { $0.append(entry) }
      news.continuation.yield(entry)
    }

    func wait(for entry: String) async {
      for await next in news.stream where next == entry { return }
    }
  }

  let diary = Diary()
  let signals = AsyncStream.makeStream(of: Signal.self)
  let log = Log(form: .json) { _ in }

  func part(_ name: String, stopLimit: Duration = .seconds(60)) -> Part {
    Part(name, stopLimit: stopLimit, start: { [diary] in diary.write("start \(name)") }, stop: { [diary] in diary.write("stop \(name)") })
  }

  /// Runs and signals once everything is ready.
  func run(_ parts: [Part]) async throws(Lifecycle.Failure) {
    try await Lifecycle(parts, log: log).run(
      signals: signals.stream,
      onReady: { [diary, signals] in
        diary.write("ready")
        signals.continuation.yield(.terminate)
      }, onStopping: { [diary] _ in diary.write("stopping") })
  }

  @Test("starts in order, is ready when the last part is, and stops in reverse")
  func order() async throws {
    try await run([part("a"), part("b"), part("c")])
    #expect(diary.all == ["start a", "start b", "start c", "ready", "stopping", "stop c", "stop b", "stop a"])
  }

  @Test("starts nothing that stands on a part which is not ready")
  func gate() async {
    let stuck = Part("stuck", startLimit: .milliseconds(20)) { [diary] _ in
      diary.write("start stuck")
      await untilCancelled()
    }
    await #expect(throws: Lifecycle.Failure.self) { try await run([part("a"), stuck, part("c")]) }
    #expect(diary.all == ["start a", "start stuck", "stopping", "stop a"])
  }

  @Test("stops everything when one part fails after its start, and names it")
  func failure() async {
    let failing = Part("forwarder") { [diary] ready in
      ready()
      await diary.wait(for: "ready")
      throw Broken()
    }
    do {
      try await Lifecycle([part("a"), failing], log: log).run(signals: signals.stream, onReady: { [diary] in diary.write("ready") })
      Issue.record("ended without a word")
    } catch {
      #expect(error.description.hasPrefix("forwarder failed:"))
    }
    #expect(diary.all == ["start a", "ready", "stop a"])
  }

  @Test("takes a part that ends by itself for a failure")
  func endedEarly() async {
    do {
      try await Lifecycle([part("a"), Part("short") { ready in ready() }], log: log).run(signals: signals.stream)
      Issue.record("ended without a word")
    } catch {
      #expect(error.description.hasPrefix("short ended"))
    }
    #expect(diary.all == ["start a", "stop a"])
  }

  /// A part that does not end for as long as the test holds it.
  func hanging(_ name: String, stopLimit: Duration, until held: AsyncStream<Never>) -> Part {
    Part(name, stopLimit: stopLimit) { [diary] ready in
      ready()
      await untilCancelled()
      diary.write("asked \(name)")
      await Task { for await _ in held {} }.value
    }
  }

  @Test("does not wait for a part beyond its deadline, stops the others and names it")
  func deadline() async {
    let held = AsyncStream.makeStream(of: Never.self)
    do {
      try await run([part("a"), hanging("stuck", stopLimit: .milliseconds(20), until: held.stream)])
      Issue.record("ended without a word")
    } catch {
      #expect(error.description == "given up while still running: stuck")
    }
    #expect(diary.all == ["start a", "ready", "stopping", "asked stuck", "stop a"])
    held.continuation.finish()
  }

  @Test("gives up at the second signal")
  func secondSignal() async {
    let held = AsyncStream.makeStream(of: Never.self)
    let again = Task { [diary, signals] in
      await diary.wait(for: "asked stuck")
      signals.continuation.yield(.interrupt)
    }
    do {
      try await run([part("a"), hanging("stuck", stopLimit: .seconds(600), until: held.stream)])
      Issue.record("ended without a word")
    } catch {
      #expect(error.description == "given up while still running: a, stuck")
    }
    await again.value
    held.continuation.finish()
  }

  @Test("tells the supervisor through its socket")
  func notices() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("n\(UInt32.random(in: 0...UInt32.max))").path
    defer { unlink(path) }
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
    try #require(bound == 0)
    #expect(SupervisorNotice.ready.send(to: path))
    var buffer = [UInt8](repeating: 0, count: 64)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    #expect(String(decoding: buffer.prefix(max(0, count)), as: UTF8.self) == "READY=1")
    #expect(!SupervisorNotice.ready.send(to: path + "-nobody"))
    #expect(!SupervisorNotice.ready.send(to: nil))
  }
}
