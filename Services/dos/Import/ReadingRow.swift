import Formats
import JSON
import Time

/// One row of the file as it goes into a request.
struct ReadingRow: Sendable {
  let line: Int
  /// What stands in the datastream's column.
  let key: String
  let content: Content

  enum Content: Sendable {
    /// `result` is JSON.
    case reading(time: Instant, result: [UInt8])
    /// Refused here already, and why.
    case refused(String)
  }
}

/// The file's rows, with the columns that the plan names.
struct ReadingRows {
  private var reader: CSVReader
  private let time: Int
  private let value: Int
  private let key: Int

  init(_ plan: ImportPlan) throws(ImportFailure) {
    do throws(CSVError) {
      reader = try CSVReader(path: plan.file, delimiter: plan.delimiter)
      time = try reader.column(plan.timeColumn)
      value = try reader.column(plan.valueColumn)
      key = try reader.column(plan.datastream.column)
    } catch {
      throw .file("\(error)")
    }
  }

  /// How many rows the file has.
  static func count(_ plan: ImportPlan) throws(ImportFailure) -> Int {
    var rows = try ReadingRows(plan)
    var count = 0
    while try rows.record() != nil { count += 1 }
    return count
  }

  mutating func skip(_ count: Int) throws(ImportFailure) {
    for _ in 0..<count { guard try record() != nil else { return } }
  }

  mutating func next(_ limit: Int) throws(ImportFailure) -> [ReadingRow] {
    var rows: [ReadingRow] = []
    while rows.count < limit, let record = try record() {
      switch record {
      case .success(let record): rows.append(row(record))
      case .failure(let bad): rows.append(ReadingRow(line: bad.line, key: "", content: .refused(bad.reason)))
      }
    }
    return rows
  }

  private struct BadRecord: Error {
    let line: Int
    let reason: String
  }

  /// A record with a field too many or too few is one bad row; whatever else is wrong leaves no way to tell rows apart.
  private mutating func record() throws(ImportFailure) -> Result<CSVRecord, BadRecord>? {
    do throws(CSVError) {
      return try reader.next().map { .success($0) }
    } catch {
      guard case .fieldCount(let line, let expected, let found) = error else { throw .file("\(error)") }
      return .failure(BadRecord(line: line, reason: "the row has \(found) fields instead of \(expected)"))
    }
  }

  private func row(_ record: CSVRecord) -> ReadingRow {
    let key = record.text(key)
    guard !key.isEmpty else { return ReadingRow(line: record.line, key: key, content: .refused("the row names no datastream")) }
    let text = record.text(time)
    guard let moment = Instant(rfc3339: text) else {
      let why = "\"\(text)\" is no moment: expected RFC 3339 with a zone, such as 2020-06-01T00:00:00Z"
      return ReadingRow(line: record.line, key: key, content: .refused(why))
    }
    guard let result = ReadingRows.result(record.text(value)) else { return ReadingRow(line: record.line, key: key, content: .refused("the row has no value")) }
    return ReadingRow(line: record.line, key: key, content: .reading(time: moment, result: result))
  }

  /// A number stays as it was written, to the last digit; true and false are truth values; all else is text.
  static func result(_ text: String) -> [UInt8]? {
    guard !text.isEmpty else { return nil }
    if text == "true" || text == "false" { return Array(text.utf8) }
    switch try? JSONValue(parsing: text) {
    case .int, .number: return Array(text.utf8)
    default:
      var json = JSONWriter()
      json.string(text)
      return json.bytes
    }
  }
}
