import Foundation

/// A TCP port on loopback that nobody listens on, for whoever must know it before it is taken or take it twice. Below those that the system hands out by
/// itself, so that no other test has it meanwhile.
public func freePort() throws -> UInt16 {
  for _ in 0..<100 {
    let candidate = UInt16.random(in: 20_000..<32_000)
    if try isFree(candidate) { return candidate }
  }
  throw CocoaError(.featureUnsupported, userInfo: [NSLocalizedDescriptionKey: "of 100 ports none was free"])
}

private func isFree(_ port: UInt16) throws -> Bool {
  let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  guard socket >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
  defer { close(socket) }
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
  address.sin_port = port.bigEndian
  return withUnsafePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
  }
}
