/// The binary form of `numeric` (src/backend/utils/adt/numeric.c, `numeric_send`) as decimal text, all digits kept.
enum NumericText {
  /// - Returns: for example `-12.340`, `NaN`, `Infinity`.
  static func read(_ content: UnsafeRawBufferPointer) throws(PostgresMismatch) -> String {
    guard let count = content.bigEndian(Int16.self, at: 0), let weight = content.bigEndian(Int16.self, at: 2),
      let sign = content.bigEndian(UInt16.self, at: 4), let scale = content.bigEndian(UInt16.self, at: 6),
      count >= 0, content.count == 8 + 2 * Int(count)
    else { throw .content(expected: "numeric", problem: "\(content.count) bytes do not form one") }
    switch sign {
    case 0xC000: return "NaN"
    case 0xD000: return "Infinity"
    case 0xF000: return "-Infinity"
    default: break
    }
    func group(_ index: Int) -> Int {
      index >= 0 && index < Int(count) ? Int(content.bigEndian(Int16.self, at: 8 + 2 * index) ?? 0) : 0
    }
    var text = sign == 0x4000 ? "-" : ""
    if weight < 0 {
      text += "0"
    } else {
      text += String(group(0))
      for index in stride(from: 1, through: Int(weight), by: 1) { text += padded(group(index)) }
    }
    guard scale > 0 else { return text }
    var fraction = ""
    var index = Int(weight) + 1
    while fraction.utf8.count < Int(scale) {
      fraction += padded(group(index))
      index += 1
    }
    return text + "." + fraction.prefix(Int(scale))
  }

  private static func padded(_ group: Int) -> String {
    let digits = String(group)
    return String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
  }
}
