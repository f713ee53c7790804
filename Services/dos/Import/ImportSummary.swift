/// What became of the rows so far. Every row is accepted or refused; some of the accepted were flagged or known already.
struct ImportSummary: Sendable, Codable, Equatable {
  /// Rows refused for one reason, with the first of them.
  struct Reason: Sendable, Codable, Equatable {
    var count = 0
    /// `line 17: ...`, three at most.
    var examples: [String] = []
  }

  var rows = 0
  var accepted = 0
  /// Kept, with the verdict that the value is not plausible. Nil where the city does not tell.
  var flagged: Int?
  /// The same reading was there before. Nil where the city does not tell.
  var known: Int?
  var refused = 0
  var reasons: [String: Reason] = [:]

  /// As many different reasons are told apart; the rest are counted together.
  private static let reasonLimit = 50
  private static let exampleLimit = 3

  mutating func refuse(line: Int, _ reason: String) {
    refused += 1
    var kind = ImportSummary.kind(of: reason)
    if reasons[kind] == nil, reasons.count >= ImportSummary.reasonLimit { kind = "other reasons" }
    var entry = reasons[kind] ?? Reason()
    entry.count += 1
    if entry.examples.count < ImportSummary.exampleLimit { entry.examples.append("line \(line): \(reason.prefix(300))") }
    reasons[kind] = entry
  }

  /// The reason without what differs from row to row: numbers and what stands in quotes.
  static func kind(of reason: String) -> String {
    var out = ""
    var closing: Character?
    var wasNumber = false
    for character in reason.prefix(300) {
      if let end = closing {
        if character == end { closing = nil }
        continue
      }
      if character == "\"" || character == "'" {
        closing = character
        out += "…"
      } else if character.isNumber || (wasNumber && "-:.TZ+".contains(character)) {
        if !wasNumber { out += "…" }
        wasNumber = true
        continue
      } else {
        out.append(character)
      }
      wasNumber = false
    }
    return out
  }

  /// Non-zero where a row was refused.
  var exitCode: Int32 { refused == 0 ? 0 : 1 }

  var text: String {
    var lines = ["\(rows) rows read: \(accepted) accepted, \(refused) refused."]
    if let flagged { lines.append("\(flagged) of the accepted are flagged as implausible.") }
    if let known { lines.append("\(known) of the accepted were known already.") }
    for (kind, reason) in reasons.sorted(by: { ($1.value.count, $0.key) < ($0.value.count, $1.key) }) {
      lines.append("\(reason.count) refused: \(kind)")
      lines += reason.examples.map { "  \($0)" }
    }
    return lines.joined(separator: "\n")
  }
}
