import CEpoll
import Foundation
import Synchronization

/// Plain sockets, since a load of ten thousand streams must cost next to nothing on the machine it loads.
enum Sockets {
  /// A port of 127.0.0.1 that nobody listens on.
  static func freePort() throws -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = loopback(host: 1, port: 0)
    try check(withAddress(&address) { bind(descriptor, $0, $1) } == 0, "no port is free")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let found = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
    }
    try check(found == 0, "the port cannot be told")
    return UInt16(bigEndian: address.sin_port)
  }

  /// A connection to 127.0.0.1 from 127.0.`host / 250`.`host % 250 + 1`, with the request sent: a server bounds the connections of each address.
  static func request(_ text: String, port: UInt16, from host: Int) throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try check(descriptor >= 0, "no further socket: see ulimit -n")
    var source = loopback(host: host, port: 0)
    var target = loopback(host: 1, port: port)
    let connected = withAddress(&source) { bind(descriptor, $0, $1) } == 0 && withAddress(&target) { connect(descriptor, $0, $1) } == 0
    let sent = connected && text.utf8.withContiguousStorageIfAvailable { send(descriptor, $0.baseAddress, $0.count, 0) } == text.utf8.count
    guard sent else {
      let reason = String(cString: strerror(errno))
      close(descriptor)
      throw Failure("no connection to port \(port): \(reason)")
    }
    return descriptor
  }

  private static func loopback(host: Int, port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0000 + (host / 250) << 8 + host % 250 + (host >= 250 ? 1 : 0)).bigEndian
    return address
  }

  private static func withAddress(_ address: inout sockaddr_in, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }

  private static func check(_ holds: Bool, _ problem: String) throws {
    try expect(holds, "\(problem): \(String(cString: strerror(errno)))")
  }
}

/// Event streams that are open, read by one thread, which counts the readings or alerts that came on each.
final class OpenStreams: Sendable {
  private struct State {
    var opened = 0
    var ended = 0
    /// Readings by stream.
    var readings: [Int]
    var total = 0
    var last = ContinuousClock.now
    var closing = false
  }

  private let state: Mutex<State>
  private let descriptors: [Int32]
  private let mark: [UInt8]

  /// Opens that many streams, and returns when all are answered.
  ///
  /// - Parameter mark: what each event that counts has once. No part of it but the whole begins like it, so that one number per stream says how far the match is.
  init(_ count: Int, path: String, mark: [UInt8], port: UInt16) async throws {
    self.mark = mark
    var descriptors: [Int32] = []
    for index in 0..<count {
      let request = "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nAccept: text/event-stream\r\n\r\n"
      descriptors.append(try Sockets.request(request, port: port, from: 2 + index / 400))
    }
    self.descriptors = descriptors
    state = Mutex(State(readings: [Int](repeating: 0, count: count)))
    Thread.detachNewThread { [self] in read() }
    let deadline = ContinuousClock.now + .seconds(60)
    while opened < count {
      try expect(ContinuousClock.now < deadline && ended == 0, "\(opened) of \(count) streams opened, \(ended) ended")
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  private var opened: Int { state.withLock { $0.opened } }
  /// Streams that the server ended.
  var ended: Int { state.withLock { $0.ended } }
  /// Readings that came, over all streams, and when the last did.
  var received: (total: Int, last: ContinuousClock.Instant) { state.withLock { ($0.total, $0.last) } }
  /// The fewest and the most readings that came on one.
  var extremes: (least: Int, most: Int) { state.withLock { ($0.readings.min() ?? 0, $0.readings.max() ?? 0) } }

  /// Waits until that many readings came over all streams; gives the moment of the last.
  func wait(for total: Int) async throws -> ContinuousClock.Instant {
    let deadline = ContinuousClock.now + .seconds(30)
    while received.total < total {
      try expect(ContinuousClock.now < deadline, "\(received.total) of \(total) readings came on the streams, and \(ended) streams ended")
      try await Task.sleep(for: .milliseconds(2))
    }
    return received.last
  }

  func end() { state.withLock { $0.closing = true } }

  /// The mark of a reading.
  static let reading = Array("@iot.id".utf8)
  /// The mark of an alert.
  static let alert = Array(": alert\n".utf8)

  private func read() {
    let poll = epoll_create1(0)
    for (index, descriptor) in descriptors.enumerated() {
      var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data(u64: UInt64(index)))
      epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event)
    }
    var events = [epoll_event](repeating: epoll_event(), count: 512)
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    var matched = [Int](repeating: -1, count: descriptors.count)
    while !state.withLock({ $0.closing }) {
      let ready = Int(epoll_wait(poll, &events, Int32(events.count), 50))
      var found: [(index: Int, readings: Int)] = []
      var (opened, ended) = (0, 0)
      for event in events.prefix(max(0, ready)) {
        let index = Int(event.data.u64)
        let size = recv(descriptors[index], &buffer, buffer.count, 0)
        if size <= 0 {
          ended += 1
          epoll_ctl(poll, EPOLL_CTL_DEL, descriptors[index], nil)
          continue
        }
        if matched[index] < 0 {
          matched[index] = 0
          if buffer.starts(with: Array("HTTP/1.1 200".utf8)) { opened += 1 } else { ended += 1 }
        }
        let readings = count(in: buffer, size, &matched[index])
        if readings > 0 { found.append((index, readings)) }
      }
      if found.isEmpty, opened + ended == 0 { continue }
      state.withLock { state in
        state.opened += opened
        state.ended += ended
        for (index, readings) in found {
          state.readings[index] += readings
          state.total += readings
        }
        if !found.isEmpty { state.last = .now }
      }
    }
    for descriptor in descriptors { close(descriptor) }
    close(poll)
  }

  private func count(in buffer: [UInt8], _ size: Int, _ matched: inout Int) -> Int {
    var count = 0
    var place = matched
    for index in 0..<size {
      let byte = buffer[index]
      place = byte == mark[place] ? place + 1 : byte == mark[0] ? 1 : 0
      if place == mark.count {
        count += 1
        place = 0
      }
    }
    matched = place
    return count
  }
}
