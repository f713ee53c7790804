import Foundation
import Glibc
import Testing

/// A part of a request that has no end.
struct Flood: Sendable, CustomTestStringConvertible {
  var name: String
  var beginning: String
  var unit: String
  /// What it is answered, if the client reads it at all.
  var status: Int?
  var testDescription: String { name }

  private static let post = "POST /echo HTTP/1.1\r\nHost: x\r\n"
  private static let chunked = post + "Transfer-Encoding: chunked\r\n\r\n"

  static let all = [
    Flood(name: "of empty lines", beginning: "", unit: "\r\n", status: 400),
    Flood(name: "in the target", beginning: "GET /", unit: "a", status: 414),
    Flood(name: "in a field's name", beginning: "GET / HTTP/1.1\r\n", unit: "a", status: 431),
    Flood(name: "in a field's value", beginning: "GET / HTTP/1.1\r\nA: ", unit: "a", status: 431),
    Flood(name: "of fields", beginning: "GET / HTTP/1.1\r\n", unit: "A: b\r\n", status: 431),
    Flood(name: "in a body that is too long", beginning: post + "Content-Length: 500000000\r\n\r\n", unit: "a", status: 413),
    Flood(name: "of chunks", beginning: chunked, unit: "400\r\n\(String(repeating: "a", count: 1024))\r\n", status: 413),
    Flood(name: "of chunks of one byte", beginning: chunked, unit: "1\r\na\r\n", status: 413),
    Flood(name: "in a chunk's size", beginning: chunked, unit: "0", status: 400),
    Flood(name: "in an extension", beginning: chunked + "1;", unit: "a", status: 400),
    Flood(name: "of extensions", beginning: chunked, unit: "1;\(String(repeating: "a", count: 4096))\r\na\r\n", status: 400),
    Flood(name: "of trailers", beginning: chunked + "0\r\n", unit: "A: b\r\n", status: 400),
    Flood(name: "of requests nobody reads the answers of", beginning: "", unit: "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"),
    Flood(name: "of requests behind a slow one", beginning: "", unit: "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"),
    Flood(name: "into an event stream", beginning: "GET /events HTTP/1.1\r\nHost: x\r\n\r\n", unit: "a"),
  ]
}

/// One after the other: each keeps a core busy, and tests beside them have deadlines.
@Suite("Hostile clients of a server in a process of its own", .serialized)
struct HostileClientTests {
  /// Address sanitizer keeps what was freed for a while, so that memory tells nothing there.
  private static let isSanitized = ProcessInfo.processInfo.environment["DOS_SANITIZED"] != nil

  @Test("A flood ends after a bounded number of bytes, with its answer, and needs no memory", arguments: Flood.all)
  func floods(_ flood: Flood) async throws {
    try await onThread {
      // What ends a flood is its bytes: on a busy machine the time for a request would be up before.
      let process = try ServerProcess("linger-bytes=1048576", "write-milliseconds=500", "request-milliseconds=120000")
      #expect(try process.count("connections") == 1)
      let before = process.memory
      let client = try RawClient(port: process.port, patience: 2)
      let piece = Array(String(repeating: flood.unit, count: max(1, (64 << 10) / flood.unit.utf8.count)).utf8)
      client.send(flood.beginning)
      var sent = 0
      while sent < 32 << 20, client.send(piece) { sent += piece.count }
      #expect(sent < 32 << 20, "\(sent) bytes were taken")
      if let status = flood.status {
        // A client that writes on for ever may lose the answer to the reset that ends it; one that reads has it.
        let reader = try RawClient(port: process.port)
        reader.send(flood.beginning)
        for _ in 0..<512 where reader.send(piece) && !reader.hasInput() {}
        #expect(reader.answer()?.status == status)
      }
      if !Self.isSanitized { #expect(process.memory - before < 24 << 20) }
      #expect(try process.count("connections") != nil)
      process.terminate()
      #expect(process.end() == 0)
    }
  }

  @Test("Streams that nobody reads are cut off, and cost no more than their limit")
  func unreadStreams() async throws {
    try await onThread {
      let process = try ServerProcess("write-milliseconds=60000")
      let clients = try (0..<40).map { _ in
        let client = try RawClient(port: process.port, receiveBuffer: 4096)
        client.send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
        return client
      }
      #expect(try process.waits { try process.count("streams") == 40 })
      let before = process.memory
      let publisher = try RawClient(port: process.port)
      let event = String(repeating: "y", count: 10_000)
      var peak = before
      // What the kernel holds for a socket is not the process's: a few megabytes fill it and the limit of 256 kB behind it.
      for _ in 0..<2000 {
        publisher.send("POST /publish HTTP/1.1\r\nHost: x\r\nContent-Length: \(event.utf8.count)\r\n\r\n\(event)")
        #expect(publisher.answer()?.status == 204)
        peak = max(peak, process.memory)
        if try process.count("streams") == 0 { break }
      }
      #expect(try process.count("streams") == 0)
      #expect(try process.count("cut") == clients.count)
      if !Self.isSanitized { #expect(peak - before < 40 << 20) }
      process.terminate()
      #expect(process.end() == 0)
    }
  }

  @Test("Clients that leave, reset and pipeline at random harm nobody")
  func atRandom() async throws {
    let process = try await onThread { Confined(try ServerProcess("write-milliseconds=2000")) }
    let port = process.value.port
    let harmed = try await withThrowingTaskGroup(of: Int.self) { group in
      for seed in 0..<8 { group.addTask { try await onThread { try Self.disturb(port, seed: UInt64(seed), times: 100) } } }
      return try await group.reduce(0, +)
    }
    #expect(harmed == 0)
    try await onThread { () throws in
      let process = process.value
      #expect(try process.waits { try process.count("connections") == 1 })
      #expect(try process.count("streams") == 0)
      process.terminate()
      #expect(process.end() == 0)
    }
  }

  /// How many of the well-behaved requests among them were not answered.
  private static func disturb(_ port: UInt16, seed: UInt64, times: Int) throws -> Int {
    var random = Seeded(state: seed &* 0x9e37_79b9_7f4a_7c15 | 1)
    var harmed = 0
    func request(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n" }
    for _ in 0..<times {
      let client = try RawClient(port: port)
      switch Int.random(in: 0..<10, using: &random) {
      case 0: break
      case 1: client.send(String(request("/hello").utf8.prefix(Int.random(in: 1..<30, using: &random))) ?? "")
      case 2: client.send(request("/slow"))
      case 3: client.send(request("/events") + request("/hello"))
      case 4:
        client.send(request("/events"))
        client.read()
      case 5: client.send("POST /publish HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n" + String(repeating: "z", count: 2000))
      case 6:
        client.send(String(repeating: request("/hello"), count: Int.random(in: 1..<30, using: &random)))
        client.read()
      case 7:
        let noise = (0..<60).map { _ in UInt8.random(in: 0...255, using: &random) }
        client.send(Array("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".utf8) + noise)
      case 8:
        client.send(request("/slow"))
        usleep(UInt32.random(in: 0..<20_000, using: &random))
      default:
        client.send(request("/hello"))
        if client.answer()?.status != 200 { harmed += 1 }
      }
      if Bool.random(using: &random) { client.reset() }
    }
    return harmed
  }

  @Test("Without free descriptors the server waits without computing, and goes on when some are free again")
  func noDescriptors() async throws {
    try await onThread {
      let process = try ServerProcess(descriptors: 48)
      var clients = try (0..<100).map { _ in try RawClient(port: process.port) }
      for client in clients { client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n") }
      #expect(clients[0].answer()?.status == 200)
      usleep(300_000)
      let before = process.computed
      sleep(2)
      #expect(process.computed - before < 0.5)
      clients.removeFirst(80)
      let later = try RawClient(port: process.port)
      later.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(later.answer()?.status == 200)
      #expect(clients.allSatisfy { $0.answer()?.status == 200 })
      process.terminate()
      #expect(process.end() == 0)
    }
  }

  @Test("SIGTERM under load answers what it took, ends streams, and the process ends in order")
  func termination() async throws {
    try await onThread {
      let process = try ServerProcess()
      let streams = try (0..<30).map { _ in
        let client = try RawClient(port: process.port)
        client.send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
        return client
      }
      #expect(try process.waits { try process.count("streams") == 30 })
      let idle = try RawClient(port: process.port)
      idle.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(idle.answer()?.status == 200)
      let half = try RawClient(port: process.port)
      half.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
      let slow = try (0..<20).map { _ in
        let client = try RawClient(port: process.port)
        client.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        return client
      }
      let left = try RawClient(port: process.port)
      left.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
      left.reset()
      // The slow ones have been taken once a later request on their loops has been answered: two loops deal in turn.
      for _ in 0..<4 { #expect(try process.count("streams") == 30) }
      process.terminate()
      half.send("defghij")
      for client in slow {
        let answer = client.answer()
        #expect(answer?.text == "slow")
        #expect(answer?.field("Connection") == "close")
      }
      for client in streams {
        client.readToEnd()
        #expect(String(decoding: client.received, as: UTF8.self).hasSuffix("0\r\n\r\n"))
      }
      #expect(half.answer()?.text == "10")
      idle.readToEnd()
      #expect(idle.received.isEmpty)
      #expect(process.end() == 0)
      let port = process.port
      #expect(throws: RawClient.Failure.self) { _ = try RawClient(port: port) }
    }
  }
}

/// Handed from one thread to another, and used by one at a time: whoever made it does not use it any more.
private struct Confined<Value>: @unchecked Sendable {
  let value: Value
  init(_ value: Value) { self.value = value }
}

/// Numbers that are the same each time (xorshift64*).
private struct Seeded: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 0x2545_f491_4f6c_dd1d
  }
}
