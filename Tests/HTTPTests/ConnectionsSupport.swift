import Foundation
import Glibc
import HTTP
import Synchronization

/// A client that sends exactly the bytes it is told. Its calls block, so it lives within `onThread`.
final class RawClient {
  struct Failure: Error { var call: String, number: Int32 }

  /// One answer as it came.
  struct Answer {
    var status = 0
    var fields: [(name: String, value: String)] = []
    var body: [UInt8] = []
    func field(_ name: String) -> String? { fields.first { $0.name.lowercased() == name.lowercased() }?.value }
    var text: String { String(decoding: body, as: UTF8.self) }
  }

  private let socket: Int32
  private(set) var received: [UInt8] = []
  private(set) var isAtEnd = false
  /// The other side has ended the connection in order, as far as `read` saw.
  private(set) var wasClosed = false

  /// - Parameter patience: seconds after which a read or a write is given up.
  init(port: UInt16, receiveBuffer: Int32? = nil, overIPv6: Bool = false, patience: Int = 20) throws {
    socket = Glibc.socket(overIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var patience = timeval(tv_sec: patience, tv_usec: 0)
    unsafe setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    unsafe setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    if var size = receiveBuffer { unsafe setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size)) }
    guard (overIPv6 ? connectOverIPv6(port) : connectOverIPv4(port)) == 0 else { throw Failure(call: "connect", number: errno) }
  }

  private func connectOverIPv4(_ port: UInt16) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return unsafe withUnsafePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }

  private func connectOverIPv6(_ port: UInt16) -> Int32 {
    var address = sockaddr_in6()
    address.sin6_family = sa_family_t(AF_INET6)
    address.sin6_port = port.bigEndian
    address.sin6_addr = in6addr_loopback
    return unsafe withUnsafePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) }
    }
  }

  deinit { Glibc.close(socket) }

  /// False once the other side takes no more.
  @discardableResult
  func send(_ text: String) -> Bool { send(Array(text.utf8)) }

  @discardableResult
  func send(_ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = unsafe bytes[sent...].withUnsafeBytes { unsafe Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }

  /// Reads once; false at the end, after a reset, or when nothing came for 20 s.
  @discardableResult
  func read() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = unsafe recv(socket, &buffer, buffer.count, 0)
    guard count > 0 else {
      isAtEnd = true
      wasClosed = count == 0
      return false
    }
    received += buffer[..<count]
    return true
  }

  /// Whether something can be read at once, the end included.
  func hasInput() -> Bool {
    var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
    return unsafe poll(&descriptor, 1, 0) > 0
  }

  func readToEnd() { while read() {} }

  func read(until text: String) -> Bool {
    let wanted = Array(text.utf8)
    while !contains(wanted) { guard read() else { return false } }
    return true
  }

  /// Takes the next whole answer off what was received; nil where the connection ended before it was whole.
  func answer(toHead: Bool = false) -> Answer? {
    guard read(until: "\r\n\r\n"), let end = index(of: Array("\r\n\r\n".utf8)) else { return nil }
    var answer = Answer()
    let lines = String(decoding: received[..<end], as: UTF8.self).components(separatedBy: "\r\n")
    answer.status = lines.first.flatMap { Int($0.split(separator: " ").dropFirst().first ?? "") } ?? 0
    for line in lines.dropFirst() {
      let sides = line.split(separator: ":", maxSplits: 1)
      guard sides.count == 2 else { continue }
      answer.fields.append((String(sides[0]), sides[1].trimmingCharacters(in: .whitespaces)))
    }
    received.removeSubrange(..<(end + 4))
    let length = toHead || answer.status == 204 || answer.status < 200 ? 0 : Int(answer.field("Content-Length") ?? "0") ?? 0
    while received.count < length { guard read() else { return nil } }
    answer.body = Array(received[..<length])
    received.removeSubrange(..<length)
    return answer
  }

  /// Every answer until the connection ends.
  func answersToEnd() -> [Answer] {
    var all: [Answer] = []
    while let next = answer() { all.append(next) }
    return all
  }

  func reset() {
    var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
    unsafe setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
  }

  private func contains(_ bytes: [UInt8]) -> Bool { index(of: bytes) != nil }

  private func index(of bytes: [UInt8]) -> Int? {
    guard received.count >= bytes.count else { return nil }
    return (0...(received.count - bytes.count)).first { received[$0] == bytes[0] && received[$0..<($0 + bytes.count)].elementsEqual(bytes) }
  }
}

/// Runs blocking work on a thread of its own, so that handlers keep theirs.
func onThread<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
  try await withCheckedThrowingContinuation { continuation in
    Thread.detachNewThread { continuation.resume(with: Result { try work() }) }
  }
}

/// Waits until something holds; false after 20 s.
func eventually(_ holds: () -> Bool) async -> Bool {
  for _ in 0..<4000 {
    if holds() { return true }
    try? await Task.sleep(for: .milliseconds(5))
  }
  return false
}

/// A value that happens once and can be awaited.
final class Signal: Sendable {
  private let state = Mutex<(happened: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

  var hasHappened: Bool { state.withLock { $0.happened } }

  func happen() {
    let waiting = state.withLock { state in
      defer { state = (true, []) }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }

  func wait() async {
    await withCheckedContinuation { continuation in
      let happened = state.withLock { state in
        if !state.happened { state.waiting.append(continuation) }
        return state.happened
      }
      if happened { continuation.resume() }
    }
  }
}

/// A server on a free port that says what it received: `/echo` (bodies of 1,000 bytes), `/large` (4 MiB), `/last` (202).
func withServer<T>(
  _ change: (inout ServerSettings) -> Void = { _ in }, routes: [Route] = [], _ body: (HTTPServer) async throws -> T
) async throws -> T {
  var settings = ServerSettings(port: 0)
  settings.lingerTime = .milliseconds(500)
  change(&settings)
  let echo: Route.Handler = { request in
    let fields = request.headers.fields.map { "\($0.name)=\($0.value)" }.joined(separator: ";")
    return .text(
      "\(request.method.rawValue) \(request.path) \(request.remoteAddress) \(request.origin) [\(fields)] \(String(decoding: request.body, as: UTF8.self))")
  }
  let all =
    routes + [
      Route(.get, "/echo", access: .everyone, accepts: [], info: "echo", handler: echo),
      Route(.post, "/echo", access: .everyone, bodyLimit: 1000, accepts: [], info: "echo", handler: echo),
      Route(.post, "/large", access: .everyone, bodyLimit: 4 << 20, accepts: [], info: "large") { .text(String($0.body.count)) },
      Route(.get, "/last", access: .everyone, info: "last") { _ in .text("last", status: 202) },
    ]
  let server = HTTPServer(settings: settings, router: try Router(all))
  try await server.start()
  do {
    let result = try await body(server)
    await server.stop()
    return result
  } catch {
    await server.stop()
    throw error
  }
}
