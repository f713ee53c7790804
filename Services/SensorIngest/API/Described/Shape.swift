import JSON

/// Pieces of JSON Schema (2020-12) as JSON text: what the API's description puts its schemas together from.
enum Shape {
  typealias Member = (name: String, schema: String)

  /// An `@iot.id`.
  static let id = #"{"type":"integer","minimum":1,"maximum":9007199254740991}"#
  static let natural = #"{"type":"integer","minimum":0,"maximum":9007199254740991}"#
  static let truth = #"{"type":"boolean"}"#
  static let number = #"{"type":"number"}"#
  static let null = #"{"type":"null"}"#
  static let anything = "{}"
  static let free = #"{"type":"object"}"#
  static let address = #"{"type":"string","format":"uri"}"#

  /// A component of the document.
  static func named(_ name: String) -> String { "{\"$ref\":\"#/components/schemas/\(name)\"}" }

  /// A text without U+0000, which the database keeps in none.
  static func text(_ pattern: String = #"^[^\u0000]*$"#, most: Int? = nil) -> String {
    var json = JSONWriter()
    json.object { json in
      json.key("type")
      json.string("string")
      json.key("pattern")
      json.string(pattern)
      if let most {
        json.key("maxLength")
        json.int(most)
      }
    }
    return String(decoding: json.bytes, as: UTF8.self)
  }

  static func one(of values: [String]) -> String { #"{"type":"string","enum":[\#(values.map(quoted).joined(separator: ","))]}"# }

  static func list(of schema: String, most: Int? = nil) -> String {
    #"{"type":"array",\#(most.map { #""maxItems":\#($0),"# } ?? "")"items":\#(schema)}"#
  }

  static func either(_ choices: String...) -> String { either(choices) }

  static func either(_ choices: [String]) -> String { #"{"anyOf":[\#(choices.joined(separator: ","))]}"# }

  static func nullable(_ schema: String) -> String { either(schema, null) }

  static func object(_ members: [Member], required: [String] = [], others: Others) -> String {
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
  enum Others {
    case taken
    case refused
    /// Those whose names match are passed over, and others are refused.
    case ignored(String)

    /// As `STABody` reads: SensorThings' own annotations may come along.
    static let annotations = Others.ignored(#"@iot\."#)
  }

  static func quoted(_ text: String) -> String {
    var json = JSONWriter()
    json.string(text)
    return String(decoding: json.bytes, as: UTF8.self)
  }
}
