/// How the text of a setting becomes a value, and what is said when it does not.
enum SettingValues {
  static func text(_ text: String) throws(ImpossibleValue) -> String {
    guard !text.isEmpty else { throw ImpossibleValue(expected: "a text that is not empty") }
    guard !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else { throw ImpossibleValue(expected: "one line without control characters") }
    return text
  }

  static func integer(_ text: String, in range: ClosedRange<Int>) throws(ImpossibleValue) -> Int {
    // Int("+5") is 5, which nobody means to write.
    guard !text.hasPrefix("+"), let number = Int(text), range.contains(number) else {
      throw ImpossibleValue(expected: "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  static func bool(_ text: String) throws(ImpossibleValue) -> Bool {
    switch text {
    case "true", "yes", "1": true
    case "false", "no", "0": false
    default: throw ImpossibleValue(expected: "true or false")
    }
  }

  /// The units a duration may be written in, in milliseconds; the longest ending first, since "ms" ends with "s" too.
  private static let units: [(ending: String, milliseconds: Int)] = [
    ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
  ]

  static func duration(_ text: String, in range: ClosedRange<Duration>) throws(ImpossibleValue) -> Duration {
    let expected = ImpossibleValue(
      expected: "a time from \(Self.text(of: range.lowerBound)) to \(Self.text(of: range.upperBound)) with its unit, such as 250ms, 5s, 3m, 2h or 1d")
    guard let unit = units.first(where: { text.hasSuffix($0.ending) }), let number = Int(text.dropLast(unit.ending.count)), number >= 0 else { throw expected }
    let (milliseconds, overflow) = number.multipliedReportingOverflow(by: unit.milliseconds)
    guard !overflow, range.contains(.milliseconds(milliseconds)) else { throw expected }
    return .milliseconds(milliseconds)
  }

  static func text(of duration: Duration) -> String {
    let milliseconds = duration / .milliseconds(1)
    let unit = units.last { milliseconds >= Double($0.milliseconds) && milliseconds.truncatingRemainder(dividingBy: Double($0.milliseconds)) == 0 }
    guard let unit else { return "\(Int(milliseconds))ms" }
    return "\(Int(milliseconds / Double(unit.milliseconds)))\(unit.ending)"
  }
}
