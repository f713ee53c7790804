import Foundation

/// Tells systemd, or whoever set `NOTIFY_SOCKET`, how far the process is (sd_notify(3)): a datagram each, nothing when nobody listens.
public enum SupervisorNotice: String, Sendable {
  case ready = "READY=1"
  case stopping = "STOPPING=1"

  /// - Returns: whether a listener was there and took it.
  @discardableResult
  public func send(to path: String? = ProcessInfo.processInfo.environment["NOTIFY_SOCKET"]) -> Bool {
    guard let path, path.hasPrefix("/") || path.hasPrefix("@") else { return false }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var bytes = Array(path.utf8)
    // A leading @ stands for the zero byte of Linux' abstract names.
    if path.hasPrefix("@") { bytes[0] = 0 }
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
    let message = Array(rawValue.utf8)
    let sent = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { sendto(descriptor, message, message.count, Int32(MSG_NOSIGNAL), $0, length) }
    }
    return sent == message.count
  }
}
