/// A city's short name as configuration lists it: `dortmund`, `schwerte`. A third city joins by configuration alone, so this is no enum.
public struct City: Hashable, Sendable, Codable, RawRepresentable {
  public let rawValue: String

  public init(rawValue: String) { self.rawValue = rawValue }

  public init(from decoder: any Decoder) throws { rawValue = try decoder.singleValueContainer().decode(String.self) }

  public func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    try value.encode(rawValue)
  }

  func check(_ faults: inout Faults, at path: String = "properties/dos:city") {
    let letters = rawValue.utf8.allSatisfy { ($0 >= 0x61 && $0 <= 0x7a) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x2d }
    if rawValue.isEmpty || !letters { faults.add(path, "is \"\(rawValue)\"", expected: "a city's short name, as dortmund") }
  }
}

/// Who answers for data and on what ground it is kept: every thing and every datastream names all of it.
public struct Governance: Hashable, Sendable, Codable {
  public var owner: String
  public var purpose: String
  public var legalBasis: String
  public var retention: Retention
  /// Who takes over when the project ends; nil where the owner stays.
  public var successor: String?

  public init(owner: String, purpose: String, legalBasis: String, retention: Retention, successor: String? = nil) {
    self.owner = owner
    self.purpose = purpose
    self.legalBasis = legalBasis
    self.retention = retention
    self.successor = successor
  }

  func check(_ faults: inout Faults) {
    for (path, text) in [("dos:owner", owner), ("dos:purpose", purpose), ("dos:legalBasis", legalBasis), ("dos:successor", successor ?? "-")] {
      if text.allSatisfy(\.isWhitespace) { faults.add("properties/\(path)", "is blank", expected: "a text of 1 to 500 characters") }
      faults.check(text: text, at: "properties/\(path)", limit: 500)
    }
    if case .days(let days) = retention, !(1...36_525).contains(days) {
      faults.add("properties/dos:retention", "is \(days) days", expected: "1 to 36525 days, or \"forever\"")
    }
  }
}

/// How long data is kept. As JSON either `"forever"` or a number of days.
public enum Retention: Hashable, Sendable, Codable {
  case forever
  case days(Int)

  public init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if let days = try? value.decode(Int.self) {
      self = .days(days)
    } else if try value.decode(String.self) == "forever" {
      self = .forever
    } else {
      throw DecodingError.dataCorruptedError(in: value, debugDescription: "expected \"forever\" or a number of days")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    switch self {
    case .forever: try value.encode("forever")
    case .days(let days): try value.encode(days)
    }
  }
}
