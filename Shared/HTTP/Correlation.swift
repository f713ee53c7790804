import Synchronization

/// The id that follows a request through logs and events.
enum Correlation {
  /// `X-Correlation-ID` where it is 1 to 128 characters of letters, digits, `-`, `_`, `.`, `:`; else the trace id; else drawn.
  static func id(_ headers: Headers, traceparent: String?) -> String {
    if let given = headers["X-Correlation-ID"], (1...128).contains(given.utf8.count), given.utf8.allSatisfy(isPlain) { return given }
    if let traceparent { return String(traceparent.dropFirst(3).prefix(32)) }
    return drawn()
  }

  /// W3C Trace Context, version 00: `00-<32 hex>-<16 hex>-<2 hex>`, neither id all zeros.
  static func traceparent(_ headers: Headers) -> String? {
    guard let given = headers["traceparent"], given.utf8.count == 55 else { return nil }
    let parts = given.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard parts.count == 4, parts.map(\.count) == [2, 32, 16, 2], parts[0].elementsEqual("00".utf8) else { return nil }
    guard parts.allSatisfy({ $0.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) } }) else { return nil }
    guard parts[1].contains(where: { $0 != 0x30 }), parts[2].contains(where: { $0 != 0x30 }) else { return nil }
    return given
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x3a, 0x5f: true
    default: false
    }
  }

  /// What this process began with and how many it has drawn: asking the kernel for each took two calls per request. Distinct, and no secret.
  private static let seed = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
  private static let count = Atomic<UInt64>(0)

  private static func drawn() -> String {
    let number = count.wrappingAdd(1, ordering: .relaxed).newValue
    let words = (mixed(seed.0 &+ number &* 0x9e37_79b9_7f4a_7c15), mixed(seed.1 ^ number))
    return String(unsafeUninitializedCapacity: 32) { out in
      for at in 0..<32 {
        let word = at < 16 ? words.0 : words.1
        let digit = UInt8(truncatingIfNeeded: word >> UInt64(60 - at % 16 * 4) & 15)
        unsafe out[at] = digit < 10 ? 0x30 + digit : 0x57 + digit
      }
      return 32
    }
  }

  /// A bijection whose every bit depends on every bit (the finalizer of splitmix64), so that numbers in a row do not look like it.
  private static func mixed(_ number: UInt64) -> UInt64 {
    var word = number
    word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
    return word ^ (word >> 31)
  }
}
