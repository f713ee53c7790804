/// Why a text is not a moment.
public enum TimeError: Error, Equatable, Sendable {
  /// Not of the form `2026-11-21T10:00:00.000Z` (RFC 3339 section 5.6); `at` is the byte where it went wrong.
  case malformed(at: Int)
  /// A date and time, but neither `Z` nor an offset behind it: it could mean a different moment in every place.
  case zoneMissing
  /// A field beyond its range, such as the 31st of February, 24:00 or a leap second, which we do not take.
  case outOfRange(field: String, value: Int)
}

extension TimeError: CustomStringConvertible {
  /// What was wrong and what would be right, for whoever sent it.
  public var description: String {
    switch self {
    case .malformed(let at): "not a time as in 2026-11-21T10:00:00.000Z (wrong at character \(at + 1))"
    case .zoneMissing: "a time without a zone: end it with Z or an offset such as +01:00"
    case .outOfRange(let field, let value): "a time whose \(field) is impossible: \(value)"
    }
  }
}
