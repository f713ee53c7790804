import JSON

/// Pieces of JSON Schema (2020-12) as JSON text: what an API's description puts its schemas together from.
public enum Shape {
  /// A member of an object: its name, and its schema as JSON text.
  public typealias Member = (name: String, schema: String)

  /// A whole number from 0 that every client's floating point holds exactly.
  public static let natural = integer(in: 0...9_007_199_254_740_991)
  /// A whole number that every client's floating point holds exactly.
  public static let integer = integer(in: -9_007_199_254_740_991...9_007_199_254_740_991)
  public static let truth = #"{"type":"boolean"}"#
  public static let number = #"{"type":"number"}"#
  public static let null = #"{"type":"null"}"#
  public static let anything = "{}"
  /// An object with whatever it holds.
  public static let free = #"{"type":"object"}"#
  public static let address = #"{"type":"string","format":"uri"}"#
  /// A moment as RFC 3339 writes it, with any offset.
  public static let moment = #"{"type":"string","format":"date-time"}"#
  /// RFC 9562; in upper or lower case.
  public static let uuid = #"{"type":"string","format":"uuid","pattern":"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"}"#
  /// Words of any kind; what comes in from outside is a ``text(_:most:)``.
  public static let words = #"{"type":"string"}"#

  /// A component of the document.
  public static func named(_ name: String) -> String { "{\"$ref\":\"#/components/schemas/\(name)\"}" }

  /// A text without U+0000 that matches, of at most so many characters.
  public static func text(_ pattern: String = withoutNull, most: Int? = nil) -> String {
    #"{"type":"string","pattern":\#(quoted(pattern))\#(most.map { #","maxLength":\#($0)"# } ?? "")}"#
  }

  public static func integer(in range: ClosedRange<Int>) -> String {
    #"{"type":"integer","minimum":\#(range.lowerBound),"maximum":\#(range.upperBound)}"#
  }

  public static func one(of values: [String]) -> String { #"{"type":"string","enum":[\#(values.map(quoted).joined(separator: ","))]}"# }

  /// One of an enumeration's words.
  public static func one<Word: CaseIterable & RawRepresentable<String>>(of type: Word.Type) -> String { one(of: type.allCases.map(\.rawValue)) }

  public static func list(of schema: String, most: Int? = nil) -> String {
    #"{"type":"array",\#(most.map { #""maxItems":\#($0),"# } ?? "")"items":\#(schema)}"#
  }

  public static func either(_ choices: String...) -> String { either(choices) }

  public static func either(_ choices: [String]) -> String { #"{"anyOf":[\#(choices.joined(separator: ","))]}"# }

  public static func nullable(_ schema: String) -> String { either(schema, null) }

  /// The schema, in words too.
  public static func described(_ schema: String, _ words: String) -> String {
    #"{"description":\#(quoted(words))\#(schema == anything ? "" : ",")\#(schema.dropFirst())"#
  }

  public static func object(_ members: [Member], required: [String] = [], others: Others) -> String {
    var parts = [#""type":"object""#]
    if !required.isEmpty { parts.append(#""required":[\#(required.map(quoted).joined(separator: ","))]"#) }
    parts.append(#""properties":{\#(members.map { "\(quoted($0.name)):\($0.schema)" }.joined(separator: ","))}"#)
    switch others {
    case .taken: break
    case .refused: parts.append(#""additionalProperties":false"#)
    case .ignored(let pattern): parts.append(#""patternProperties":{\#(quoted(pattern)):{}},"additionalProperties":false"#)
    }
    return "{\(parts.joined(separator: ","))}"
  }

  /// What becomes of members that an object's schema does not name.
  public enum Others: Sendable {
    case taken
    case refused
    /// Those whose names match are passed over, and others are refused.
    case ignored(String)
  }

  public static func quoted(_ text: String) -> String {
    var json = JSONWriter()
    json.string(text)
    return String(decoding: json.bytes, as: UTF8.self)
  }

  // MARK: - Patterns

  /// Without U+0000, which the database keeps in no text.
  public static let withoutNull = #"^[^\u0000]*$"#
  /// Unicode's White_Space, as Swift sees it: other languages mean other things by \s.
  private static let blanks = #"\u0009-\u000d \u0085\u00a0\u1680\u2000\u2001\u2002-\u200a\u2028\u2029\u202f\u205f\u3000"#
  /// Of one line, with more than blanks in it.
  public static let oneLine = #"^[^\u0000\u000a-\u000d\u0085\u2028\u2029]*[^\u0000"# + blanks + #"][^\u0000\u000a-\u000d\u0085\u2028\u2029]*$"#
  /// With more than blanks in it.
  public static let notBlank = #"^[^\u0000]*[^\u0000"# + blanks + #"][^\u0000]*$"#
  public static let withoutBlanks = #"^[^\u0000"# + blanks + #"]+$"#
}
