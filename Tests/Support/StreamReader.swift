import Foundation
import Synchronization

/// Reads an event stream as a browser would, until it has seen enough.
public enum StreamReader {
  /// - Parameter enough: gets all that came so far, each time that something came.
  public static func read(_ url: String, lastEventID: String? = nil, until enough: @escaping @Sendable (String) -> Bool) async throws -> String {
    guard let parsed = URL(string: url), let host = parsed.host(), let port = parsed.port else { return "" }
    let head =
      "GET \(parsed.path()) HTTP/1.1\r\nHost: \(host)\r\nAccept: text/event-stream\r\n" + (lastEventID.map { "Last-Event-ID: \($0)\r\n" } ?? "") + "\r\n"
    return await withCheckedContinuation { continuation in
      Thread.detachNewThread { continuation.resume(returning: blocking(UInt16(port), head, enough)) }
    }
  }

  private static func blocking(_ port: UInt16, _ head: String, _ enough: (String) -> Bool) -> String {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var limit = timeval(tv_sec: 30, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
    }
    guard connected, send(descriptor, head, head.utf8.count, 0) == head.utf8.count else { return "" }
    var text = ""
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while !enough(text) {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      guard count > 0 else { break }
      text += String(decoding: buffer[..<count], as: UTF8.self)
    }
    return text
  }
}

/// Keeps an event stream open and what came of it, until the server ends it.
public final class StreamListener: Sendable {
  private final class Heard: Sendable {
    let text = Mutex("")
  }

  private let heard = Heard()

  public init(_ url: String) {
    let heard = heard
    Task.detached {
      _ = try? await StreamReader.read(url) { text in
        heard.text.withLock { $0 = text }
        return false
      }
    }
  }

  public var text: String { heard.text.withLock { $0 } }
}
