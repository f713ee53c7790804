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

  private static func drawn() -> String {
    var random = SystemRandomNumberGenerator()
    let digits = Array("0123456789abcdef".utf8)
    var out: [UInt8] = []
    for _ in 0..<2 {
      let word = random.next()
      for shift in stride(from: 60, through: 0, by: -4) { out.append(digits[Int(word >> UInt64(shift) & 15)]) }
    }
    return String(decoding: out, as: UTF8.self)
  }
}
