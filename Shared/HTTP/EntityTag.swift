/// Strong entity tags and `If-None-Match` (RFC 9110, sections 8.8.3 and 13.1.2).
public enum EntityTag {
  /// A tag of the bytes: equal bytes have equal tags in every process and after every start. 128 bits against
  /// chance, not against an attacker, who could only deceive a cache of answers that he already has.
  public static func of(_ bytes: [UInt8]) -> String {
    var first: UInt64 = 0x9e37_79b9_7f4a_7c15 ^ UInt64(bytes.count)
    var second: UInt64 = 0xd1b5_4a32_d192_ed03
    bytes.withUnsafeBytes { raw in
      var at = 0
      while at + 8 <= raw.count {
        take(UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: at, as: UInt64.self)), &first, &second)
        at += 8
      }
      var rest: UInt64 = 0
      for (shift, index) in (at..<raw.count).enumerated() { rest |= UInt64(raw[index]) << UInt64(shift * 8) }
      take(rest, &first, &second)
    }
    take(second, &first, &second)
    take(first, &first, &second)
    return "\"" + hex(first) + hex(second) + "\""
  }

  /// True where the field names this tag, or any (`*`). Compared weakly, as the field demands.
  public static func matches(_ field: String?, _ tag: String) -> Bool {
    guard let field else { return false }
    let wanted = opaque(tag[...])
    return field.split(separator: ",").map { $0.drop { $0 == " " || $0 == "\t" } }.contains { candidate in
      let end = candidate.lastIndex { $0 != " " && $0 != "\t" }
      guard let end else { return false }
      let trimmed = candidate[...end]
      return trimmed == "*" || opaque(trimmed) == wanted
    }
  }

  private static func opaque(_ tag: Substring) -> Substring { tag.hasPrefix("W/") ? tag.dropFirst(2) : tag }

  /// Two products of 64 by 64 bits, folded; each lane feeds the other.
  private static func take(_ word: UInt64, _ first: inout UInt64, _ second: inout UInt64) {
    let one = (first ^ word).multipliedFullWidth(by: 0xa076_1d64_78bd_642f)
    let two = (second ^ word &+ 0xe703_7ed1_a0b4_28db).multipliedFullWidth(by: 0x8ebc_6af0_9c88_c6e3)
    first = one.high ^ one.low &+ second
    second = two.high &+ (two.low ^ first.byteSwapped)
  }

  private static func hex(_ word: UInt64) -> String {
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

extension Response {
  /// The answer with its tag, or 304 without a body where the request already has it. For GET and HEAD with 200;
  /// anything else is left as it is. `tag`, quoted, where the handler knows one cheaper than hashing the body.
  public func unlessUnchanged(for request: Request, tag: String? = nil) -> Response {
    guard status == 200, request.method == .get || request.method == .head, case .bytes(let bytes) = body else { return self }
    let tag = tag ?? EntityTag.of(bytes)
    var answer = self
    answer.headers["ETag"] = tag
    if answer.headers["Cache-Control"] == nil { answer.headers["Cache-Control"] = "no-cache" }
    guard EntityTag.matches(request.ifNoneMatch, tag) else { return answer }
    answer.status = 304
    answer.body = .bytes([])
    answer.headers["Content-Type"] = nil
    return answer
  }
}
