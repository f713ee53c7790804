import CPostgreSQL

/// Takes the rows of a COPY and sends them on in pieces of about 64 kB.
public struct CopyWriter {
  private let session: Session
  private let columnCount: Int
  private let statement: String
  private var buffer: [UInt8] = []

  /// Every 64 kB go to the server: enough to make the call cheap, little enough to stay in the cache.
  private static let pieceSize = 65_536

  init(_ session: Session, columnCount: Int, statement: String) {
    self.session = session
    self.columnCount = columnCount
    self.statement = statement
    buffer.reserveCapacity(Self.pieceSize + 4_096)
    // The signature, no flags, no header extension (section "Binary Format" of COPY in PostgreSQL's manual).
    buffer += [0x50, 0x47, 0x43, 0x4F, 0x50, 0x59, 0x0A, 0xFF, 0x0D, 0x0A, 0x00, 0, 0, 0, 0, 0, 0, 0, 0]
  }

  /// Adds a row. Each value's type must be exactly its column's: COPY converts nothing (`Int64` for `bigint`, `Int32` for `integer`).
  public mutating func row<each Value: PostgresEncodable>(_ values: repeat each Value) throws(PostgresError) {
    let start = buffer.count
    buffer.append(bigEndian: Int16(0))
    var count = 0
    for value in repeat each values {
      buffer.appendField(value)
      count += 1
    }
    guard count == columnCount else {
      buffer.removeLast(buffer.count - start)
      throw PostgresError(kind: .decoding, message: "a row of \(count) values for \(columnCount) columns", statement: statement)
    }
    buffer[start] = UInt8(truncatingIfNeeded: count >> 8)
    buffer[start + 1] = UInt8(truncatingIfNeeded: count)
    if buffer.count >= Self.pieceSize { try flush() }
  }

  mutating func finish() throws(PostgresError) {
    buffer.append(bigEndian: Int16(-1))
    try flush()
  }

  private mutating func flush() throws(PostgresError) {
    try session.putCopyData(buffer, statement: statement)
    buffer.removeAll(keepingCapacity: true)
  }
}

extension PostgresConnection {
  /// Loads rows by binary COPY, the fastest way in. Give it a transaction when a failure shall leave nothing behind beyond this call;
  /// the call itself stores all rows or none.
  ///
  /// - Parameters:
  ///   - table: a name, or `schema.name`; it is quoted.
  ///   - write: adds the rows. If it throws, the COPY is ended without effect and its error is passed on.
  /// - Returns: the number of rows.
  @discardableResult
  public func copy(into table: String, columns: [String], _ write: (inout CopyWriter) throws -> Void) throws -> Int {
    let session = try ready()
    let list = columns.map(quotedIdentifier).joined(separator: ", ")
    let statement = "copy \(quotedIdentifier(table)) (\(list)) from stdin (format binary)"
    return try session.copy(statement, columnCount: columns.count, deadline: deadline, write)
  }
}

extension Session {
  fileprivate func copy(
    _ statement: String, columnCount: Int, deadline: ContinuousClock.Instant?, _ write: (inout CopyWriter) throws -> Void
  ) throws -> Int {
    try start(statement)
    defer { finish() }
    var exchange = Exchange(self, statement: statement, deadline: deadline)
    _ = try exchange.collect(PQsendQuery(pointer, statement))
    do {
      var writer = CopyWriter(self, columnCount: columnCount, statement: statement)
      try write(&writer)
      try writer.finish()
    } catch {
      // A failure of our own is told to the server, which then answers that it ended the COPY for it: that answer says nothing new. But
      // where the server had failed it before (a broken connection, a cancelled task), its reason is the real one.
      let ended = PQputCopyEnd(pointer, Self.endedByWriter)
      do throws(PostgresError) {
        _ = try exchange.collect(ended)
      } catch {
        if error.kind == .connection || error.kind == .cancelled || error.kind == .deadline { throw error }
      }
      throw error
    }
    return try exchange.collect(PQputCopyEnd(pointer, nil)).last?.affected ?? 0
  }

  private static var endedByWriter: String { "the rows could not be written" }

  fileprivate func putCopyData(_ bytes: [UInt8], statement: String) throws(PostgresError) {
    let sent = bytes.withUnsafeBytes { bytes in
      PQputCopyData(pointer, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count))
    }
    guard sent == 1 else { throw PostgresError(kind: .connection, message: message(of: pointer), statement: statement) }
  }
}
