/// Percent-decoding, once and strictly (RFC 3986, section 2.1).
enum Percent {
  /// Nil for a `%` without two hex digits, for a NUL, and for what is no UTF-8 afterwards.
  static func decode(_ text: some Collection<UInt8>, plusIsBlank: Bool = false) -> String? {
    // Nearly all that comes stands for itself.
    let isPlain = text.allSatisfy { $0 != UInt8(ascii: "%") && $0 != 0 && !(plusIsBlank && $0 == UInt8(ascii: "+")) }
    if isPlain { return String(validating: text, as: UTF8.self) }
    var out: [UInt8] = []
    var bytes = text.makeIterator()
    while let byte = bytes.next() {
      switch byte {
      case UInt8(ascii: "%"):
        guard let high = bytes.next().flatMap(digit), let low = bytes.next().flatMap(digit) else { return nil }
        out.append(high << 4 | low)
      case UInt8(ascii: "+") where plusIsBlank: out.append(32)
      default: out.append(byte)
      }
    }
    guard !out.contains(0) else { return nil }
    return String(validating: out, as: UTF8.self)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
  }
}
