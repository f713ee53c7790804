/// Collects what is wrong, so that who draws a rule up learns all of it at once.
struct RuleProblems {
  private(set) var found: [ContentProblem] = []

  mutating func add(_ path: String, _ problem: String, expected: String) {
    found.append(ContentProblem(path, problem, expected: expected))
  }

  /// A text that people read: not blank, no longer than `limit` characters as JSON Schema counts them.
  mutating func check(text: String, at path: String, limit: Int, lines: Bool = false) {
    let count = text.unicodeScalars.count
    if text.unicodeScalars.allSatisfy(\.properties.isWhitespace) {
      add(path, "is blank", expected: "1 to \(limit) characters")
    } else if count > limit {
      add(path, "has \(count) characters", expected: "1 to \(limit) characters")
    } else if !lines, text.contains(where: \.isNewline) {
      add(path, "has more than one line", expected: "one line")
    }
  }

  mutating func check(seconds: Int, at path: String, within allowed: ClosedRange<Int>) {
    if !allowed.contains(seconds) { add(path, "is \(seconds) s", expected: "\(allowed.lowerBound) to \(allowed.upperBound) seconds") }
  }

  /// Answers whether the numbers are ones at all, so that comparing them makes sense.
  mutating func check(finite numbers: [(String, Double)], at path: String) -> Bool {
    let before = found.count
    for (name, number) in numbers where !number.isFinite { add("\(path).\(name)", "is not finite", expected: "a finite number") }
    return found.count == before
  }
}
