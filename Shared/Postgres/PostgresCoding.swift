/// A value that can be a parameter or a field of COPY, in PostgreSQL's binary form (`typsend`/`typreceive`).
public protocol PostgresEncodable: Sendable {
  static var postgresType: PostgresType { get }
  var isPostgresNull: Bool { get }
  /// Appends the binary form, without its length. Not called for NULL.
  func encodePostgres(into bytes: inout [UInt8])
}

extension PostgresEncodable {
  public var isPostgresNull: Bool { false }
}

/// A value that can be read from a column. Which column types are accepted is checked, not guessed.
public protocol PostgresDecodable: Sendable {
  static func decodePostgres(_ field: PostgresField) throws(PostgresMismatch) -> Self
}

/// One field of a result, valid only while it is being decoded.
public struct PostgresField {
  public let type: PostgresType
  /// nil for NULL.
  public let bytes: UnsafeRawBufferPointer?

  public init(type: PostgresType, bytes: UnsafeRawBufferPointer?) {
    self.type = type
    self.bytes = bytes
  }

  /// The bytes, if the type is one of those accepted and the value is not NULL.
  @inline(__always)
  public func content(_ swiftType: Any.Type, accepts: PostgresType...) throws(PostgresMismatch) -> UnsafeRawBufferPointer {
    guard accepts.contains(type) else { throw .type(expected: "\(swiftType)", accepted: accepts, actual: type) }
    guard let bytes else { throw .null(expected: "\(swiftType)") }
    return bytes
  }
}

/// Why a field cannot be the Swift value that was asked for.
public enum PostgresMismatch: Error, Sendable, Equatable {
  case type(expected: String, accepted: [PostgresType], actual: PostgresType)
  case null(expected: String)
  case content(expected: String, problem: String)
  case columns(expected: Int, actual: Int)

  var text: String {
    switch self {
    case .type(let expected, let accepted, let actual):
      "is \(actual), but \(expected) reads \(accepted.map(\.description).joined(separator: " or "))"
    case .null(let expected): "is NULL, but \(expected) is not optional"
    case .content(let expected, let problem): "cannot be read as \(expected): \(problem)"
    case .columns(let expected, let actual): "is missing: \(expected) columns were asked for, the result has \(actual)"
    }
  }
}

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
  public static var postgresType: PostgresType { Wrapped.postgresType }
  public var isPostgresNull: Bool { self?.isPostgresNull ?? true }
  public func encodePostgres(into bytes: inout [UInt8]) {
    self?.encodePostgres(into: &bytes)
  }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
  @inlinable
  public static func decodePostgres(_ field: PostgresField) throws(PostgresMismatch) -> Wrapped? {
    field.bytes == nil ? nil : try Wrapped.decodePostgres(field)
  }
}

extension [UInt8] {
  /// Appends an integer in network order.
  @inline(__always)
  mutating func append(bigEndian value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
  }
}

extension UnsafeRawBufferPointer {
  /// The integer in network order at an offset, nil beyond the end.
  @inline(__always)
  func bigEndian<Integer: FixedWidthInteger>(_ type: Integer.Type, at offset: Int = 0) -> Integer? {
    guard offset >= 0, offset + MemoryLayout<Integer>.size <= count else { return nil }
    return Integer(bigEndian: loadUnaligned(fromByteOffset: offset, as: Integer.self))
  }
}
