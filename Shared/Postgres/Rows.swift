import CPostgreSQL

/// The rows of a result, in order.
public struct Rows: Sendable, RandomAccessCollection {
  let result: ResultHandle
  let statement: String

  public var startIndex: Int { 0 }
  public var endIndex: Int { result.rowCount }

  public subscript(index: Int) -> Row {
    precondition(index >= 0 && index < result.rowCount, "row \(index) of \(result.rowCount)")
    return Row(result: result, statement: statement, index: index)
  }

  /// The columns' names as the server gave them.
  public var columns: [String] {
    (0..<result.columnCount).map(result.name(of:))
  }

  /// How many rows the statement inserted, changed, deleted or returned.
  public var affected: Int { result.affected }
}

/// One row of a result.
public struct Row: Sendable {
  @usableFromInline let result: ResultHandle
  let statement: String
  @usableFromInline let index: Int

  /// Reads the first columns in order: `let (id, name) = try row.decode(Int64.self, String?.self)`.
  ///
  /// - Throws: `PostgresError` of kind `.decoding` that names the column, what was expected and what is there.
  public func decode<each Value: PostgresDecodable>(_ types: repeat (each Value).Type) throws(PostgresError) -> (repeat each Value) {
    var column = 0
    return (repeat try next((each types), &column))
  }

  /// Reads one column by its number, from 0.
  @inlinable
  public func value<Value: PostgresDecodable>(_ type: Value.Type = Value.self, at column: Int) throws(PostgresError) -> Value {
    guard column >= 0, column < result.columnCount else { throw failure(column, .columns(expected: column + 1, actual: result.columnCount)) }
    do {
      return try Value.decodePostgres(PostgresField(type: result.type(of: column), bytes: result.bytes(row: index, column: column)))
    } catch {
      throw failure(column, error)
    }
  }

  /// Reads one column by its name.
  public func value<Value: PostgresDecodable>(_ type: Value.Type = Value.self, named name: String) throws(PostgresError) -> Value {
    guard let column = result.column(named: name) else {
      throw PostgresError(kind: .decoding, message: "the result has no column \(name)", statement: statement)
    }
    return try value(type, at: column)
  }

  /// The raw bytes of a column, nil for NULL, without a copy. The pointer must not leave the closure.
  public func withBytes<Outcome>(at column: Int, _ body: (UnsafeRawBufferPointer?) throws -> Outcome) rethrows -> Outcome {
    precondition(column >= 0 && column < result.columnCount, "column \(column) of \(result.columnCount)")
    return try withExtendedLifetime(result) { try body(result.bytes(row: index, column: column)) }
  }

  /// Gives the UTF-8 of a column that is a text or JSON to the body, without a copy.
  ///
  /// - Returns: whether there is one; for NULL the body is not called.
  public func withText(at column: Int, _ body: (Span<UInt8>) -> Void) throws(PostgresError) -> Bool {
    guard column >= 0, column < result.columnCount else { throw failure(column, .columns(expected: column + 1, actual: result.columnCount)) }
    let type = result.type(of: column)
    guard var bytes = result.bytes(row: index, column: column) else { return false }
    switch type {
    case .text, .varchar, .json: break
    case .jsonb:
      guard bytes.first == 1 else { throw failure(column, .content(expected: "text", problem: "jsonb version \(bytes.first ?? 0) is not known")) }
      bytes = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
    default: throw failure(column, .type(expected: "text", accepted: [.text, .varchar, .json, .jsonb], actual: type))
    }
    withExtendedLifetime(result) { bytes.withMemoryRebound(to: UInt8.self) { body($0.span) } }
    return true
  }

  /// A copy of a column's raw bytes, nil for NULL.
  public func bytes(at column: Int) -> [UInt8]? {
    withBytes(at: column) { $0.map(Array.init) }
  }

  private func next<Value: PostgresDecodable>(_ type: Value.Type, _ column: inout Int) throws(PostgresError) -> Value {
    defer { column += 1 }
    return try value(type, at: column)
  }

  @usableFromInline
  func failure(_ column: Int, _ mismatch: PostgresMismatch) -> PostgresError {
    let name = column < result.columnCount ? result.name(of: column) : "number \(column + 1)"
    return PostgresError(kind: .decoding, message: "column \(name) \(mismatch.text)", statement: statement)
  }
}

/// A finished `PGresult`.
///
/// `@unchecked Sendable`: libpq does not touch a result once it has handed it over, reading it changes nothing, and it is freed once, in
/// `deinit`, when the last row is gone.
@usableFromInline
final class ResultHandle: @unchecked Sendable {
  private let pointer: OpaquePointer
  let rowCount: Int
  @usableFromInline let columnCount: Int
  private let types: [PostgresType]

  init(_ pointer: OpaquePointer) {
    self.pointer = pointer
    rowCount = Int(PQntuples(pointer))
    columnCount = Int(PQnfields(pointer))
    types = (0..<PQnfields(pointer)).map { PostgresType(rawValue: PQftype(pointer, $0)) }
  }

  deinit {
    PQclear(pointer)
  }

  var affected: Int {
    PQcmdTuples(pointer).flatMap { Int(String(cString: $0)) } ?? 0
  }

  /// The command's word, `ROLLBACK` for a COMMIT of a failed transaction.
  var command: String {
    PQcmdStatus(pointer).map { String(cString: $0) } ?? ""
  }

  @usableFromInline
  func type(of column: Int) -> PostgresType { types[column] }

  func name(of column: Int) -> String {
    PQfname(pointer, Int32(column)).map { String(cString: $0) } ?? ""
  }

  func column(named name: String) -> Int? {
    (0..<columnCount).first { self.name(of: $0) == name }
  }

  @usableFromInline
  func bytes(row: Int, column: Int) -> UnsafeRawBufferPointer? {
    let (row, column) = (Int32(row), Int32(column))
    let count = PQgetlength(pointer, row, column)
    // NULL has the length 0 too.
    if count == 0, PQgetisnull(pointer, row, column) == 1 { return nil }
    return UnsafeRawBufferPointer(start: PQgetvalue(pointer, row, column), count: Int(count))
  }
}
