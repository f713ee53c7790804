import Foundation
import Synchronization

/// A server made of plain sockets that answers as badly as a test wants, one thread per connection.
final class ClientPeer: Sendable {
  let port: UInt16
  private let listener: Int32
  private let received = Mutex<[String]>([])

  /// `answer` gets each connection and may do with it what it likes; it is closed afterwards.
  init(_ answer: @escaping @Sendable (ClientPeer, Connection) -> Void) throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        bind(listener, pointer, length) == 0 && listen(listener, 64) == 0 && getsockname(listener, pointer, &length) == 0
      }
    }
    guard listener >= 0, bound else { throw POSIXError(.EADDRINUSE) }
    self.listener = listener
    port = UInt16(bigEndian: address.sin_port)
    Thread.detachNewThread { [self] in
      while true {
        let accepted = accept(listener, nil, nil)
        guard accepted >= 0 else { return }
        Thread.detachNewThread {
          answer(self, Connection(descriptor: accepted))
          close(accepted)
        }
      }
    }
  }

  var url: String { "http://127.0.0.1:\(port)" }

  /// The heads and bodies that came, in order of their arrival.
  var requests: [String] { received.withLock { $0 } }

  func remember(_ request: String) { received.withLock { $0.append(request) } }

  func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

  struct Connection: Sendable {
    let descriptor: Int32

    /// One request with a body as long as its Content-Length; nil when the client left.
    func read() -> String? {
      var bytes: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 4096)
      while true {
        let text = String(decoding: bytes, as: UTF8.self)
        if let end = text.range(of: "\r\n\r\n") {
          let lengthLine = text.lowercased().split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
          let wanted = lengthLine.flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) } ?? 0
          if text[end.upperBound...].utf8.count >= wanted { return text }
        }
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { return nil }
        bytes += buffer[..<count]
      }
    }

    /// False when the client left.
    @discardableResult
    func write(_ text: String) -> Bool {
      let bytes = Array(text.utf8)
      var at = 0
      while at < bytes.count {
        let count = bytes[at...].withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        guard count > 0 else { return false }
        at += count
      }
      return true
    }

    /// Waits until the client closes its side.
    func awaitLeaving() {
      var buffer = [UInt8](repeating: 0, count: 256)
      while recv(descriptor, &buffer, buffer.count, 0) > 0 {}
    }
  }

  /// Answers every request on every connection with the same text.
  static func always(_ text: String) throws -> ClientPeer {
    try ClientPeer { peer, connection in
      while let request = connection.read() {
        peer.remember(request)
        guard connection.write(text) else { return }
      }
    }
  }
}
