import HTTP
import JSON

/// A word of a list: another is refused with those that are there, or the one that was probably meant.
struct OneOf<Word: RawRepresentable & CaseIterable & Sendable>: Decodable, Sendable where Word.RawValue == String {
  let word: Word

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let word = Word(rawValue: text) else {
      let names = Word.allCases.map(\.rawValue)
      throw JSONRejection(
        path: container.codingPath.map(\.stringValue).joined(separator: "/"), problem: "is \"\(text.prefix(80))\"",
        expected: nearestName(to: String(text.prefix(80)), among: names) ?? "one of \(names.joined(separator: ", "))")
    }
    self.word = word
  }
}
