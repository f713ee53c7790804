/// Reads CSV (RFC 4180) record by record from bytes that come in chunks, so that a file of any size needs little memory.
///
/// The first record names the columns. Fields may be quoted; lines end with CRLF, LF or CR; a byte order mark is skipped, blank lines too. Refused, with
/// the line: a quote that is not closed or stands inside an unquoted field, text behind a closing quote, a record with another number of fields
/// than the first, text that is not UTF-8, a record over 1 MiB.
public struct CSVReader {
  /// The names of the first record.
  public let columns: [String]

  private var scanner: CSVScanner

  /// Reads the names. `more` gives the next chunk, an empty one at the end.
  public init(delimiter: Character = ",", from more: @escaping () throws(CSVError) -> [UInt8]) throws(CSVError) {
    guard let byte = delimiter.asciiValue, byte != UInt8(ascii: "\""), byte >= 0x20 || byte == 0x09 else { throw .delimiter(delimiter) }
    scanner = CSVScanner(delimiter: byte, more: more)
    guard let names = try scanner.next() else { throw .empty }
    columns = (0..<names.count).map { names.text($0) }
    for (index, name) in columns.enumerated() where columns[..<index].contains(name) { throw .columnTwice(name) }
  }

  /// Reads from bytes that are all there.
  public init(bytes: [UInt8], delimiter: Character = ",") throws(CSVError) {
    var rest: [UInt8]? = bytes
    try self.init(delimiter: delimiter) { () throws(CSVError) in
      defer { rest = nil }
      return rest ?? []
    }
  }

  /// Reads a file in chunks of 256 KiB.
  public init(path: String, delimiter: Character = ",") throws(CSVError) {
    let file = try ChunkedFile(path: path)
    try self.init(delimiter: delimiter) { () throws(CSVError) in try file.next() }
  }

  /// The column of that name.
  public func column(_ name: String) throws(CSVError) -> Int {
    guard let index = columns.firstIndex(of: name) else { throw .columnUnknown(name, known: columns) }
    return index
  }

  /// The next record; nil at the end.
  public mutating func next() throws(CSVError) -> CSVRecord? {
    guard let record = try scanner.next() else { return nil }
    guard record.count == columns.count else { throw .fieldCount(line: record.line, expected: columns.count, found: record.count) }
    return record
  }
}

/// One record: its fields in the order of the columns.
public struct CSVRecord: Sendable, Equatable {
  /// The line it begins on, the first being 1.
  public let line: Int
  private let bytes: [UInt8]
  private let ends: [Int]

  init(line: Int, bytes: [UInt8], ends: [Int]) {
    self.line = line
    self.bytes = bytes
    self.ends = ends
  }

  /// How many fields it has.
  public var count: Int { ends.count }

  /// The field of a column, quotes undone.
  public func text(_ column: Int) -> String { String(decoding: field(column), as: UTF8.self) }

  /// The field's bytes, quotes undone.
  public func field(_ column: Int) -> ArraySlice<UInt8> { bytes[(column == 0 ? 0 : ends[column - 1])..<ends[column]] }
}

/// Why a text is not the CSV that was asked for.
public enum CSVError: Error, Equatable, Sendable {
  case unreadable(path: String, reason: String)
  case empty
  case delimiter(Character)
  case columnUnknown(String, known: [String])
  case columnTwice(String)
  case fieldCount(line: Int, expected: Int, found: Int)
  case quoteOpen(line: Int)
  case quoteInside(line: Int)
  case textBehindQuote(line: Int)
  case notUTF8(line: Int)
  case recordTooLong(line: Int)
}

extension CSVError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unreadable(let path, let reason): "\(path) cannot be read: \(reason)"
    case .empty: "there is no line with the columns' names"
    case .delimiter(let character): "'\(character)' cannot separate fields: use one ASCII character such as ',' or ';'"
    case .columnUnknown(let name, let known): "there is no column '\(name)'; there are \(known.map { "'\($0)'" }.joined(separator: ", "))"
    case .columnTwice(let name): "the column '\(name)' is named twice"
    case .fieldCount(let line, let expected, let found): "line \(line) has \(found) fields instead of \(expected)"
    case .quoteOpen(let line): "a quote opened in line \(line) is not closed"
    case .quoteInside(let line): "line \(line) has a quote inside an unquoted field: quote the field and double the quote"
    case .textBehindQuote(let line): "line \(line) has text behind a closing quote"
    case .notUTF8(let line): "line \(line) is not UTF-8"
    case .recordTooLong(let line): "the record of line \(line) is longer than 1 MiB"
    }
  }
}
