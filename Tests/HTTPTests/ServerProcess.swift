import Foundation
import Glibc
import TestSupport

/// The test server in a process of its own. Its calls block, so it lives within `onThread`.
final class ServerProcess {
  struct Failure: Error { var call: String, number: Int32 }

  private let program: Program
  let port: UInt16

  var id: pid_t { program.id }

  /// - Parameter descriptors: the most it may have open.
  init(descriptors: Int = 4096, _ settings: String...) throws {
    // The binary that is named, for example one under sanitizers, or the one beside the tests.
    let binary: String
    if let named = ProcessInfo.processInfo.environment["DOS_ECHO_SERVER"] {
      binary = named
    } else {
      let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
      binary = "/" + tests.split(separator: "/").dropLast().joined(separator: "/") + "/EchoServer"
    }
    var ends: [Int32] = [0, 0]
    guard unsafe pipe(&ends) == 0 else { throw Failure(call: "pipe", number: errno) }
    defer { for end in ends { close(end) } }
    let script = #"export SWIFT_BACKTRACE=enable=no; ulimit -n "$1" && shift && exec "$@""#
    program = try Program("/bin/bash", ["-c", script, "bash", String(descriptors), binary] + settings, output: ends[1])
    var line = [UInt8](repeating: 0, count: 16)
    let count = unsafe Glibc.read(ends[0], &line, line.count)
    guard count > 0, let port = UInt16(String(decoding: line[..<(count - 1)], as: UTF8.self)) else { throw Failure(call: "EchoServer", number: 0) }
    self.port = port
  }

  func terminate() { program.signal(SIGTERM) }

  /// How it ended: 0 when it stopped in order and nobody was left.
  func end() -> Int32 { program.waitForEnd() }

  /// What it holds in memory now, in bytes.
  var memory: Int {
    let pages = (try? String(contentsOfFile: "/proc/\(id)/statm", encoding: .utf8))?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    return (pages ?? 0) * 4096
  }

  /// What it has computed so far, in seconds.
  var computed: Double {
    let fields = (try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8))?.split(separator: " ") ?? []
    guard fields.count > 14, let user = Double(fields[13]), let system = Double(fields[14]) else { return .infinity }
    return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// One figure of `/counts`.
  func count(_ name: String) throws -> Int? {
    let client = try RawClient(port: port)
    client.send("GET /counts HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    let pair = client.answer()?.text.split(separator: " ").first { $0.hasPrefix(name + "=") }
    return pair.flatMap { Int($0.dropFirst(name.count + 1)) }
  }

  func waits(until holds: () throws -> Bool) throws -> Bool {
    for _ in 0..<2000 {
      if try holds() { return true }
      usleep(10_000)
    }
    return false
  }
}
