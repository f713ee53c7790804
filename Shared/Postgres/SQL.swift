/// A statement whose values travel beside its text, never inside it.
///
///     let sql: SQL = "select name from things where id = \(id)"
///
/// Each interpolated value becomes a typed binary parameter (`$1`, `$2`, ...). A nested `SQL` is spliced in with its parameters.
/// `\(identifier: name)` quotes a table or column name; `\(unsafe: text)` puts text in as it stands and is for constants only.
public struct SQL: Sendable, ExpressibleByStringInterpolation {
  /// The text between the parameters: always one piece more than there are parameters.
  private var pieces: [String]
  /// The values in the order of their numbers.
  public private(set) var parameters: [PostgresParameter]

  public init(stringLiteral value: String) {
    pieces = [value]
    parameters = []
  }

  public init(stringInterpolation: Interpolation) {
    self = stringInterpolation.sql
  }

  /// A statement from text that is known to be trustworthy: a constant, a file of the program.
  public init(unsafe text: String) {
    self.init(stringLiteral: text)
  }

  /// The text as the server gets it, parameters as `$1`, `$2`, ...
  public var text: String {
    var text = pieces[0]
    for (index, piece) in pieces.dropFirst().enumerated() {
      text += "$\(index + 1)"
      text += piece
    }
    return text
  }

  /// This statement followed by another fragment, numbered on.
  public static func + (left: SQL, right: SQL) -> SQL {
    var sum = left
    sum.append(right)
    return sum
  }

  public static func += (left: inout SQL, right: SQL) {
    left.append(right)
  }

  private mutating func append(text: String) {
    pieces[pieces.count - 1] += text
  }

  private mutating func append(_ other: SQL) {
    append(text: other.pieces[0])
    pieces.append(contentsOf: other.pieces.dropFirst())
    parameters.append(contentsOf: other.parameters)
  }

  public struct Interpolation: StringInterpolationProtocol {
    fileprivate var sql = SQL(stringLiteral: "")

    public init(literalCapacity: Int, interpolationCount: Int) {}

    public mutating func appendLiteral(_ literal: String) {
      sql.append(text: literal)
    }

    public mutating func appendInterpolation(_ value: some PostgresEncodable) {
      sql.parameters.append(PostgresParameter(value))
      sql.pieces.append("")
    }

    public mutating func appendInterpolation(_ fragment: SQL) {
      sql.append(fragment)
    }

    public mutating func appendInterpolation(identifier name: String) {
      sql.append(text: quotedIdentifier(name))
    }

    public mutating func appendInterpolation(unsafe text: String) {
      sql.append(text: text)
    }
  }
}

/// One value as it is sent: its type and its binary form, nil for NULL.
public struct PostgresParameter: Sendable, Hashable {
  public let type: PostgresType
  public let bytes: [UInt8]?

  public init<Value: PostgresEncodable>(_ value: Value) {
    type = Value.postgresType
    if value.isPostgresNull {
      bytes = nil
    } else {
      var encoded: [UInt8] = []
      value.encodePostgres(into: &encoded)
      bytes = encoded
    }
  }
}

/// A name between double quotes; one with dots (`schema.table`) is quoted part by part.
func quotedIdentifier(_ name: String) -> String {
  // Nearly all are plain, and every read names some.
  if !name.utf8.contains(where: { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "\"") }) { return "\"" + name + "\"" }
  return name.split(separator: ".", omittingEmptySubsequences: false)
    .map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" }
    .joined(separator: ".")
}
