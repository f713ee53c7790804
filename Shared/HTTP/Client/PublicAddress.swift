import Glibc

/// Which addresses a request that a stranger named may go to: none of the special ones (RFC 6890 and IANA's registries).
enum PublicAddress {
  /// False for every family but IPv4 and IPv6.
  static func includes(_ address: UnsafePointer<sockaddr>) -> Bool {
    switch Int32(address.pointee.sa_family) {
    case AF_INET:
      let number = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self).sin_addr
      return includes(withUnsafeBytes(of: number, Array.init))
    case AF_INET6:
      let number = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in6.self).sin6_addr
      return includes(withUnsafeBytes(of: number, Array.init))
    default:
      return false
    }
  }

  /// Four or sixteen bytes in network order.
  static func includes(_ bytes: [UInt8]) -> Bool {
    switch bytes.count {
    case 4: !fours.contains { $0.holds(bytes) }
    case 16: includesSix(bytes)
    default: false
    }
  }

  private static func includesSix(_ bytes: [UInt8]) -> Bool {
    // Those that carry an IPv4 address are judged by it.
    if mapped.holds(bytes) || translated.holds(bytes) { return includes(Array(bytes[12...])) }
    if sixToFour.holds(bytes) { return includes(Array(bytes[2..<6])) }
    // Only 2000::/3 is handed out for the public.
    return bytes[0] & 0xe0 == 0x20 && !sixes.contains { $0.holds(bytes) }
  }

  private struct Network: Sendable {
    let prefix: [UInt8]
    let bits: Int

    func holds(_ address: [UInt8]) -> Bool {
      for (index, byte) in prefix.enumerated() {
        let significant = min(8, bits - index * 8)
        guard significant > 0 else { return true }
        let mask = UInt8(truncatingIfNeeded: 0xff00 >> significant)
        guard address[index] & mask == byte & mask else { return false }
      }
      return true
    }
  }

  private static let fours = [
    Network(prefix: [0], bits: 8), Network(prefix: [10], bits: 8), Network(prefix: [100, 64], bits: 10), Network(prefix: [127], bits: 8),
    Network(prefix: [169, 254], bits: 16), Network(prefix: [172, 16], bits: 12), Network(prefix: [192, 0, 0], bits: 24),
    Network(prefix: [192, 0, 2], bits: 24), Network(prefix: [192, 88, 99], bits: 24), Network(prefix: [192, 168], bits: 16),
    Network(prefix: [198, 18], bits: 15), Network(prefix: [198, 51, 100], bits: 24), Network(prefix: [203, 0, 113], bits: 24),
    Network(prefix: [224], bits: 4), Network(prefix: [240], bits: 4),
  ]
  private static let mapped = Network(prefix: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff], bits: 96)
  private static let translated = Network(prefix: [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0], bits: 96)
  private static let sixToFour = Network(prefix: [0x20, 0x02], bits: 16)
  private static let sixes = [
    Network(prefix: [0x20, 0x01, 0], bits: 23), Network(prefix: [0x20, 0x01, 0x0d, 0xb8], bits: 32), Network(prefix: [0x3f, 0xff, 0], bits: 20),
  ]
}
