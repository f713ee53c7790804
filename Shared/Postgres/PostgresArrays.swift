import Foundation
import Time

/// What can stand in an array that is a parameter or a column. `UInt8` is the odd one: `[UInt8]` is `bytea`, no array to PostgreSQL.
public protocol PostgresElement: Sendable {
  static var postgresArrayType: PostgresType { get }
  static func encodePostgresArray(_ elements: [Self], into bytes: inout [UInt8])
  static func decodePostgresArray(_ field: PostgresField) throws(PostgresMismatch) -> [Self]
}

extension Array: PostgresEncodable where Element: PostgresElement {
  public static var postgresType: PostgresType { Element.postgresArrayType }
  public func encodePostgres(into bytes: inout [UInt8]) {
    Element.encodePostgresArray(self, into: &bytes)
  }
}

extension Array: PostgresDecodable where Element: PostgresElement {
  public static func decodePostgres(_ field: PostgresField) throws(PostgresMismatch) -> [Element] {
    try Element.decodePostgresArray(field)
  }
}

extension UInt8: PostgresElement {
  public static var postgresArrayType: PostgresType { .bytea }
  public static func encodePostgresArray(_ elements: [UInt8], into bytes: inout [UInt8]) {
    bytes.append(contentsOf: elements)
  }
  public static func decodePostgresArray(_ field: PostgresField) throws(PostgresMismatch) -> [UInt8] {
    Array(try field.content([UInt8].self, accepts: .bytea))
  }
}

extension PostgresElement where Self: PostgresEncodable & PostgresDecodable {
  /// One dimension, lower bound 1 (`array_send` in src/backend/utils/adt/arrayfuncs.c).
  public static func encodePostgresArray(_ elements: [Self], into bytes: inout [UInt8]) {
    bytes.append(bigEndian: Int32(elements.isEmpty ? 0 : 1))
    bytes.append(bigEndian: Int32(elements.contains(where: \.isPostgresNull) ? 1 : 0))
    bytes.append(bigEndian: postgresType.rawValue)
    guard !elements.isEmpty else { return }
    bytes.append(bigEndian: Int32(elements.count))
    bytes.append(bigEndian: Int32(1))
    for element in elements { bytes.appendField(element) }
  }

  public static func decodePostgresArray(_ field: PostgresField) throws(PostgresMismatch) -> [Self] {
    guard let bytes = field.bytes else { throw .null(expected: "\([Self].self)") }
    let broken = PostgresMismatch.content(expected: "\([Self].self)", problem: "\(bytes.count) bytes do not form an array")
    guard field.type == postgresArrayType || (field.type == .varcharArray && postgresArrayType == .textArray) else {
      throw .type(expected: "\([Self].self)", accepted: [postgresArrayType], actual: field.type)
    }
    guard let dimensions = bytes.bigEndian(Int32.self), let elementType = bytes.bigEndian(UInt32.self, at: 8) else { throw broken }
    if dimensions == 0 { return [] }
    guard dimensions == 1, let count = bytes.bigEndian(Int32.self, at: 12), count >= 0 else {
      throw .content(expected: "\([Self].self)", problem: "it has \(dimensions) dimensions")
    }
    var elements: [Self] = []
    elements.reserveCapacity(Int(count))
    var offset = 20
    for _ in 0..<count {
      guard let length = bytes.bigEndian(Int32.self, at: offset) else { throw broken }
      offset += 4
      var content: UnsafeRawBufferPointer?
      if length >= 0 {
        guard offset + Int(length) <= bytes.count else { throw broken }
        content = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Int(length)])
        offset += Int(length)
      }
      elements.append(try decodePostgres(PostgresField(type: PostgresType(rawValue: elementType), bytes: content)))
    }
    return elements
  }
}

extension [UInt8] {
  /// Appends the length (-1 for NULL) and the binary form, as arrays and COPY have it.
  @inline(__always)
  mutating func appendField(_ value: some PostgresEncodable) {
    guard !value.isPostgresNull else { return append(bigEndian: Int32(-1)) }
    let start = count
    append(bigEndian: Int32(0))
    value.encodePostgres(into: &self)
    let length = Int32(truncatingIfNeeded: count - start - 4).bigEndian
    self.withUnsafeMutableBytes { $0.storeBytes(of: length, toByteOffset: start, as: Int32.self) }
  }
}

extension Bool: PostgresElement { public static var postgresArrayType: PostgresType { .boolArray } }
extension Int16: PostgresElement { public static var postgresArrayType: PostgresType { .int2Array } }
extension Int32: PostgresElement { public static var postgresArrayType: PostgresType { .int4Array } }
extension Int64: PostgresElement { public static var postgresArrayType: PostgresType { .int8Array } }
extension Int: PostgresElement { public static var postgresArrayType: PostgresType { .int8Array } }
extension Double: PostgresElement { public static var postgresArrayType: PostgresType { .float8Array } }
extension String: PostgresElement { public static var postgresArrayType: PostgresType { .textArray } }
extension UUID: PostgresElement { public static var postgresArrayType: PostgresType { .uuidArray } }
extension Instant: PostgresElement { public static var postgresArrayType: PostgresType { .timestamptzArray } }
extension JSONText: PostgresElement { public static var postgresArrayType: PostgresType { .jsonbArray } }
extension Array: PostgresElement where Element == UInt8 { public static var postgresArrayType: PostgresType { .byteaArray } }
extension Optional: PostgresElement where Wrapped: PostgresElement & PostgresEncodable & PostgresDecodable {
  public static var postgresArrayType: PostgresType { Wrapped.postgresArrayType }
}
