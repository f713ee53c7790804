import Time

/// The words of a query option. Splitting knows nothing of meaning; `STAQueryParser` does.
enum STAToken: Hashable, Sendable {
  /// A name, keyword or path: letters, digits, `_`, `$`, `@`, `.`, `:`, `-` after the first, joined by `/`.
  case word(String)
  case literal(STALiteral)
  case open
  case close
  case comma
  case semicolon
  case equals
  case star
  case end
}

/// A token and the character it begins at, counted from 1.
struct STALocatedToken: Sendable {
  let token: STAToken
  let position: Int
}

/// Splits one option's value into tokens, bounded in length.
struct STATokenizer {
  private let option: String
  private let characters: [Character]
  private var index = 0

  /// Longer values than anybody types are refused before any work is done.
  static let maximumLength = 8_192

  init(_ text: String, option: String) {
    self.option = option
    characters = Array(text)
  }

  static func tokens(_ text: String, option: String) throws(STAQueryError) -> [STALocatedToken] {
    guard text.utf8.count <= maximumLength else {
      throw STAQueryError(option: option, position: 1, problem: "has \(text.utf8.count) bytes", expected: "at most \(maximumLength) bytes")
    }
    var tokenizer = STATokenizer(text, option: option)
    var tokens: [STALocatedToken] = []
    while true {
      let next = try tokenizer.next()
      tokens.append(next)
      if next.token == .end { return tokens }
    }
  }

  private mutating func next() throws(STAQueryError) -> STALocatedToken {
    while index < characters.count, characters[index] == " " || characters[index] == "\t" { index += 1 }
    let start = index
    guard start < characters.count else { return located(.end, start) }
    let character = characters[start]
    if let single = Self.singles[character] {
      index += 1
      return located(single, start)
    }
    if character == "'" { return located(.literal(.string(try quoted())), start) }
    if character.isNumber || character == "-" || character == "+" { return located(.literal(try number()), start) }
    guard character.isLetter || character == "_" || character == "$" || character == "@" else {
      throw error(start, "has \"\(character)\"", "a name, a number, a time, or a text in single quotes")
    }
    let word = take { $0.isLetter || $0.isNumber || "_$@.:/-".contains($0) }
    if index < characters.count, characters[index] == "'" { return located(.literal(try prefixed(word, start)), start) }
    switch word {
    case "null": return located(.literal(.null), start)
    case "true": return located(.literal(.bool(true)), start)
    case "false": return located(.literal(.bool(false)), start)
    default: return located(.word(word), start)
    }
  }

  private static let singles: [Character: STAToken] = ["(": .open, ")": .close, ",": .comma, ";": .semicolon, "=": .equals, "*": .star]

  private func located(_ token: STAToken, _ start: Int) -> STALocatedToken { STALocatedToken(token: token, position: start + 1) }

  private func error(_ at: Int, _ problem: String, _ expected: String) -> STAQueryError {
    STAQueryError(option: option, position: at + 1, problem: problem, expected: expected)
  }

  private mutating func take(_ belongs: (Character) -> Bool) -> String {
    let start = index
    while index < characters.count, belongs(characters[index]) { index += 1 }
    return String(characters[start..<index])
  }

  /// A text in single quotes; a quote within is written twice (OData).
  private mutating func quoted() throws(STAQueryError) -> String {
    let start = index
    var text = ""
    index += 1
    while index < characters.count {
      let character = characters[index]
      index += 1
      if character != "'" {
        text.append(character)
      } else if index < characters.count, characters[index] == "'" {
        text.append("'")
        index += 1
      } else {
        return text
      }
    }
    throw error(start, "begins a text that does not end", "a closing single quote (a quote within a text is written twice)")
  }

  private mutating func prefixed(_ prefix: String, _ start: Int) throws(STAQueryError) -> STALiteral {
    let text = try quoted()
    switch prefix {
    case "geography", "geometry":
      return .geography(text)
    case "duration":
      guard let seconds = STADuration.seconds(text) else { throw error(start, "has the duration '\(text)'", "an ISO 8601 duration as duration'P1DT2H'") }
      return .duration(seconds)
    case "datetime", "datetimeoffset", "time":
      guard let instant = Instant(rfc3339: text) else { throw error(start, "has the time '\(text)'", Self.timeExpected) }
      return .instant(instant)
    default:
      throw error(start, "has \(prefix)'...'", "geography'...' or duration'...'")
    }
  }

  private static let timeExpected = "a time with its zone, as 2020-06-01T00:00:00Z"

  /// A number, a time or a span of two times: whatever begins with a digit or a sign.
  private mutating func number() throws(STAQueryError) -> STALiteral {
    let start = index
    if characters[index] == "-" || characters[index] == "+" { index += 1 }
    let text = String(characters[start..<index]) + take { $0.isLetter || $0.isNumber || ":.+-/".contains($0) }
    if let int = Int64(text) { return .int(int) }
    let looksLikeTime = text.contains(":") || text.filter { $0 == "-" }.count > 1
    if looksLikeTime {
      let ends = text.split(separator: "/", omittingEmptySubsequences: false).map { Instant(rfc3339: $0) }
      if ends.count == 1, let instant = ends[0] { return .instant(instant) }
      if ends.count == 2, let from = ends[0], let to = ends[1], from <= to { return .interval(from, to) }
      throw error(start, "has the time \(text.prefix(80))", Self.timeExpected)
    }
    // Double(_:) also takes hexadecimal and "nan"; numbers here are JSON's, a leading + aside.
    let plain = text.allSatisfy { ("0"..."9").contains($0) || "+-.eE".contains($0) }
    guard plain, let number = Double(text), number.isFinite else { throw error(start, "has \(text.prefix(80))", "a number or a time with its zone") }
    return .number(number)
  }
}

/// ISO 8601 durations of days and smaller.
public enum STADuration {
  /// The seconds of `P1DT2H3M4.5S`, nil where it is none; weeks stand alone, years and months have no length and are none.
  public static func seconds(_ text: String) -> Double? {
    var rest = Substring(text)
    let negative = rest.first == "-"
    if negative { rest = rest.dropFirst() }
    guard rest.first == "P" else { return nil }
    rest = rest.dropFirst()
    var inTime = false
    var units: [(Character, Double)] = [("W", 604_800), ("D", 86_400)]
    var total = 0.0
    var any = false
    while let first = rest.first {
      if first == "T", !inTime {
        inTime = true
        units = [("H", 3_600), ("M", 60), ("S", 1)]
        rest = rest.dropFirst()
        guard !rest.isEmpty else { return nil }
        continue
      }
      let digits = rest.prefix { ("0"..."9").contains($0) || $0 == "." }
      rest = rest.dropFirst(digits.count)
      guard let count = Double(digits), let unit = rest.first, let place = units.firstIndex(where: { $0.0 == unit }) else { return nil }
      guard !digits.contains(".") || unit == "S" else { return nil }
      total += count * units[place].1
      units.removeFirst(place + 1)
      rest = rest.dropFirst()
      any = true
    }
    return any ? (negative ? -total : total) : nil
  }
}
