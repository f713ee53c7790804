public import Foundation
public import Time

/// JSON in its text form, for columns of type `jsonb` (sent with its version byte) and `json` (read only).
public struct JSONText: Sendable, Hashable, PostgresEncodable, PostgresDecodable {
  public let bytes: [UInt8]

  public init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  public init(_ text: String) {
    bytes = Array(text.utf8)
  }

  public var text: String { String(decoding: bytes, as: UTF8.self) }

  public static var postgresType: PostgresType { .jsonb }

  public func encodePostgres(into bytes: inout [UInt8]) {
    bytes.append(1)
    bytes.append(contentsOf: self.bytes)
  }

  public static func decodePostgres(_ field: PostgresField) throws(PostgresMismatch) -> JSONText {
    let content = try field.content(Self.self, accepts: .jsonb, .json)
    if field.type == .json { return JSONText(Array(content)) }
    guard content.first == 1 else { throw .content(expected: "JSONText", problem: "jsonb version \(content.first ?? 0) is not known") }
    return JSONText(Array(content.dropFirst()))
  }
}

extension Bool: PostgresEncodable, PostgresDecodable {
  public static var postgresType: PostgresType { .bool }
  public func encodePostgres(into bytes: inout [UInt8]) { bytes.append(self ? 1 : 0) }
  public static func decodePostgres(_ field: PostgresField) throws(PostgresMismatch) -> Bool {
    try field.content(Self.self, accepts: .bool).first == 1
  }
}

extension Int16: PostgresEncodable, PostgresDecodable {
  public static var postgresType: PostgresType { .int2 }
  public func encodePostgres(into bytes: inout [UInt8]) { bytes.append(bigEndian: self) }
  public static func decodePostgres(_ field: PostgresField) throws(PostgresMismatch) -> Int16 {
    try integer(field.content(Self.self, accepts: .int2), as: Int16.self)
  }
}

extension Int32: PostgresEncodable, PostgresDecodable {
  public static var postgresType: PostgresType { .int4 }
  public func encodePostgres(into bytes: inout [UInt8]) { bytes.append(bigEndian: self) }
  public static func decodePostgres(_ field: PostgresField) throws(PostgresMismatch) -> Int32 {
    let content = try field.content(Self.self, accepts: .int4, .int2)
    return field.type == .int2 ? Int32(try integer(content, as: Int16.self)) : try integer(content, as: Int32.self)
  }
}

extension Int64: PostgresEncodable, PostgresDecodable {
  public static var postgresType: PostgresType { .int8 }
  public func encodePostgres(into bytes: inout [UInt8]) { bytes.append(bigEndian: self) }
  public static func decodePostgres(_ field: PostgresField) throws(PostgresMismatch) -> Int64 {
    let content = try field.content(Self.self, accepts: .int8, .int4, .int2, .oid)
    return switch field.type {
    case .int2: Int64(try integer(content, as: Int16.self))
    case .int4: Int64(try integer(content, as: Int32.self))
    case .oid: Int64(try integer(content, as: UInt32.self))
    default: try integer(content, as: Int64.self)
    }
  }
}

extension Int: PostgresEncodable, PostgresDecodable {
  public static var postgresType: PostgresType { .int8 }
  public func encodePostgres(into bytes: inout [UInt8]) { bytes.append(bigEndian: Int64(self)) }
  public static func decodePostgres(_ field: PostgresField) throws(PostgresMismatch) -> Int {
    Int(try Int64.decodePostgres(field))
  }
}

extension Double: PostgresEncodable, PostgresDecodable {
  public static var postgresType: PostgresType { .float8 }
  public func encodePostgres(into bytes: inout [UInt8]) { bytes.append(bigEndian: bitPattern) }
  /// Reads `numeric` too, rounded to the nearest Double.
  public static func decodePostgres(_ field: PostgresField) throws(PostgresMismatch) -> Double {
    let content = try field.content(Self.self, accepts: .float8, .float4, .numeric)
    switch field.type {
    case .float8: return Double(bitPattern: try integer(content, as: UInt64.self))
    case .float4: return Double(Float(bitPattern: try integer(content, as: UInt32.self)))
    default:
      let text = try NumericText.read(content)
      guard let value = Double(text) else { throw .content(expected: "Double", problem: "numeric \(text)") }
      return value
    }
  }
}

extension String: PostgresEncodable, PostgresDecodable {
  public static var postgresType: PostgresType { .text }
  public func encodePostgres(into bytes: inout [UInt8]) { bytes.append(contentsOf: utf8) }
  /// Reads `numeric` too, with all its digits.
  public static func decodePostgres(_ field: PostgresField) throws(PostgresMismatch) -> String {
    let content = try field.content(Self.self, accepts: .text, .varchar, .name, .bpchar, .char, .unknown, .json, .numeric)
    return field.type == .numeric ? try NumericText.read(content) : String(decoding: content, as: UTF8.self)
  }
}

extension Decimal: PostgresDecodable {
  public static func decodePostgres(_ field: PostgresField) throws(PostgresMismatch) -> Decimal {
    let text = try NumericText.read(try field.content(Self.self, accepts: .numeric))
    guard let value = Decimal(string: text) else { throw .content(expected: "Decimal", problem: "numeric \(text)") }
    return value
  }
}

extension UUID: PostgresEncodable, PostgresDecodable {
  public static var postgresType: PostgresType { .uuid }
  public func encodePostgres(into bytes: inout [UInt8]) {
    withUnsafeBytes(of: uuid) { bytes.append(contentsOf: $0) }
  }
  public static func decodePostgres(_ field: PostgresField) throws(PostgresMismatch) -> UUID {
    let content = try field.content(Self.self, accepts: .uuid)
    guard content.count == 16 else { throw .content(expected: "UUID", problem: "\(content.count) bytes instead of 16") }
    return UUID(uuid: content.loadUnaligned(as: uuid_t.self))
  }
}

extension Instant: PostgresEncodable, PostgresDecodable {
  /// 2000-01-01T00:00:00Z, from which PostgreSQL counts its microseconds.
  static var postgresEpoch: Int64 { 946_684_800_000 }

  public static var postgresType: PostgresType { .timestamptz }

  /// Beyond the years PostgreSQL can count in (294276) a time becomes its `infinity` or `-infinity`.
  public func encodePostgres(into bytes: inout [UInt8]) {
    let (shifted, under) = milliseconds.subtractingReportingOverflow(Self.postgresEpoch)
    let (microseconds, over) = shifted.multipliedReportingOverflow(by: 1_000)
    bytes.append(bigEndian: under || over ? (milliseconds < 0 ? Int64.min : Int64.max) : microseconds)
  }

  /// Microseconds are cut off towards the past. `infinity` is refused.
  public static func decodePostgres(_ field: PostgresField) throws(PostgresMismatch) -> Instant {
    let microseconds = try integer(field.content(Self.self, accepts: .timestamptz), as: Int64.self)
    guard microseconds != .max, microseconds != .min else { throw .content(expected: "Instant", problem: "it is infinite") }
    let milliseconds = microseconds >= 0 ? microseconds / 1_000 : (microseconds - 999) / 1_000
    return Instant(milliseconds: milliseconds + postgresEpoch)
  }
}

private func integer<Integer: FixedWidthInteger>(
  _ content: UnsafeRawBufferPointer, as type: Integer.Type
) throws(PostgresMismatch) -> Integer {
  guard content.count == MemoryLayout<Integer>.size, let value = content.bigEndian(type) else {
    throw .content(expected: "\(type)", problem: "\(content.count) bytes instead of \(MemoryLayout<Integer>.size)")
  }
  return value
}
