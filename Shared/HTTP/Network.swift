import Glibc

/// A range of addresses, as in `10.0.0.0/8`, `::1` or `fd00::/8` (CIDR, RFC 4632).
public struct Network: Sendable, Hashable {
  /// IPv4 as ::ffff:a.b.c.d, so that both families compare alike.
  let address: [UInt8]
  /// Of 128 bits.
  let prefix: Int

  /// Nil for what is no numeric address with an optional prefix length, and for a prefix shorter than the bits that are set.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, let parsed = Network.bytes(of: String(first)) else { return nil }
    let width = parsed.isIPv4 ? 32 : 128
    var length = width
    if parts.count == 2 {
      guard let given = Int(parts[1]), (0...width).contains(given), String(given) == parts[1] else { return nil }
      length = given
    }
    prefix = length + (128 - width)
    address = parsed.bytes
    for bit in prefix..<128 where address[bit / 8] >> UInt8(7 - bit % 8) & 1 == 1 { return nil }
  }

  /// False for what is no numeric address.
  public func contains(_ text: String) -> Bool {
    guard let other = Network.bytes(of: text)?.bytes else { return false }
    return contains(other)
  }

  func contains(_ other: [UInt8]) -> Bool {
    let whole = prefix / 8
    guard address.prefix(whole) == other.prefix(whole) else { return false }
    guard prefix % 8 != 0 else { return true }
    return (address[whole] ^ other[whole]) >> UInt8(8 - prefix % 8) == 0
  }

  /// The 16 bytes of a numeric address.
  static func bytes(of text: String) -> (bytes: [UInt8], isIPv4: Bool)? {
    var four = in_addr()
    if unsafe inet_pton(AF_INET, text, &four) == 1 {
      let value = UInt32(bigEndian: four.s_addr)
      let tail = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
      return ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] + tail, true)
    }
    var six = in6_addr()
    guard unsafe inet_pton(AF_INET6, text, &six) == 1 else { return nil }
    return (unsafe withUnsafeBytes(of: &six) { unsafe Array($0) }, false)
  }
}
