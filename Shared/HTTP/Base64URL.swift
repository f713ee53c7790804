/// Base64 with the alphabet for URLs and without padding (RFC 4648, section 5). Reads nothing that it would not write.
public enum Base64URL {
  public static func encode(_ bytes: [UInt8]) -> String {
    var out: [UInt8] = []
    out.reserveCapacity((bytes.count * 4 + 2) / 3)
    var at = 0
    while at < bytes.count {
      let chunk = bytes[at..<min(at + 3, bytes.count)]
      let word = chunk.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - chunk.count))
      for place in 0...chunk.count { out.append(alphabet[word >> (18 - 6 * place) & 63]) }
      at += 3
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// Nil for another character, an impossible length, or bits set that carry nothing.
  public static func decode(_ text: String) -> [UInt8]? {
    var out: [UInt8] = []
    var word = 0
    var bits = 0
    for byte in text.utf8 {
      guard let value = value(of: byte) else { return nil }
      word = word << 6 | value
      bits += 6
      if bits >= 8 {
        bits -= 8
        out.append(UInt8(truncatingIfNeeded: word >> bits))
        word &= (1 << bits) - 1
      }
    }
    return bits < 6 && word == 0 ? out : nil
  }

  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

  private static func value(of byte: UInt8) -> Int? {
    switch byte {
    case 0x41...0x5a: Int(byte) - 0x41
    case 0x61...0x7a: Int(byte) - 0x61 + 26
    case 0x30...0x39: Int(byte) - 0x30 + 52
    case 0x2d: 62
    case 0x5f: 63
    default: nil
    }
  }
}
