import CArrays
import Time

/// Reads the body of `POST CreateObservations` (OGC 18-088, SensorThings 1.1, section 13.2).
public enum DataArrays {
  /// How many rows one request may bring, over all its groups.
  public static let rowLimit = 10_000

  /// Everything in the body, read to its end before anything can be used. Throws where the body as a whole cannot be understood; a row that is no
  /// reading is `refused` and leaves the others alone.
  public static func read(body: [UInt8], rowLimit: Int = rowLimit) throws(JSONRejection) -> [DataArrayGroup] {
    let arrays = body.withUnsafeBytes { dos_arrays_read($0.baseAddress?.assumingMemoryBound(to: CChar.self) ?? emptyText, $0.count, rowLimit) }
    guard let arrays else { throw JSONRejection(path: "", problem: "the body is too large to be read", expected: "a smaller request") }
    defer { dos_arrays_free(arrays) }
    let content = dos_arrays_get(arrays)
    guard content.problem == dos_body_fine else { throw rejection(content, rowLimit: rowLimit) }
    let rows = UnsafeBufferPointer(start: content.rows, count: content.row_count)
    return UnsafeBufferPointer(start: content.groups, count: content.group_count).map { group in
      DataArrayGroup(datastream: group.datastream, rows: rows[group.first_row..<group.first_row + group.row_count].map(DataArrayRow.init))
    }
  }

  private static var emptyText: UnsafePointer<CChar> { UnsafeRawPointer(StaticString("").utf8Start).assumingMemoryBound(to: CChar.self) }

  /// What a row may hold, by the names of its columns.
  public static let components = ["phenomenonTime", "result", "resultTime", "validTime", "resultQuality", "parameters", "FeatureOfInterest/id"]

  private static func rejection(_ content: dos_arrays_content, rowLimit: Int) -> JSONRejection {
    let field = content.field.string ?? ""
    let path = field.isEmpty ? "\(content.problem_group)" : "\(content.problem_group)/\(field)"
    switch content.problem {
    case dos_body_not_json: return JSONRejection(path: "", problem: "the body is not JSON: \(field)", expected: "an array of groups of observations")
    case dos_body_not_array: return JSONRejection(path: "", problem: "the body is no array", expected: "an array of groups of observations")
    case dos_body_group_not_object: return JSONRejection(path: path, problem: "the group is no object", expected: "an object")
    case dos_body_field_unknown:
      let known = field.hasPrefix("Datastream/") ? ["Datastream/@iot.id"] : ["Datastream", "components", "dataArray", "dataArray@iot.count"]
      let nearest = nearestName(to: field, among: known).map { "'\($0)'" } ?? "one of \(known.joined(separator: ", "))"
      return JSONRejection(path: path, problem: "the field is unknown", expected: nearest)
    case dos_body_field_missing: return JSONRejection(path: path, problem: "the field is missing", expected: expectation(of: field))
    case dos_body_field_twice: return JSONRejection(path: path, problem: "the name stands twice in its object", expected: "each name once")
    case dos_body_count_differs: return JSONRejection(path: path, problem: "the count is not the number of rows", expected: "the number of rows, or no count")
    case dos_body_too_many_rows:
      return JSONRejection(path: path, problem: "the request has more than \(rowLimit) rows", expected: "at most \(rowLimit) rows in a request")
    default: return JSONRejection(path: path, problem: "the value has a wrong type", expected: expectation(of: field))
    }
  }

  private static func expectation(of field: String) -> String {
    switch field {
    case "Datastream": #"an object as {"@iot.id": 1}"#
    case "Datastream/@iot.id": "a whole number"
    case "components": "an array of names, such as phenomenonTime and result"
    default: "an array of rows, each an array"
    }
  }
}

/// The rows of one datastream, in the order they were sent.
public struct DataArrayGroup: Sendable, Equatable {
  /// The datastream's `@iot.id`; whether there is one is for the registry to say.
  public let datastream: Int64
  public let rows: [DataArrayRow]
}

/// One row of a group.
public enum DataArrayRow: Sendable, Equatable {
  /// A reading whose parts could be read; whether it is taken is for the domain to say.
  case reading(DataArrayReading)
  /// No reading, and why, for whoever sent it.
  case refused(String)
}

/// What a row says.
public struct DataArrayReading: Sendable, Equatable {
  /// When what was measured was so, or the start of the interval in which it was.
  public var phenomenonTime: Instant
  /// The end of the interval, where it was one.
  public var phenomenonEnd: Instant?
  public var result: DataArrayResult
  /// When the result was made.
  public var resultTime: Instant?
  /// A moment or an interval, RFC 3339, as sent.
  public var validTime: String?
  /// JSON.
  public var resultQuality: [UInt8]?
  /// A JSON object.
  public var parameters: [UInt8]?
  /// The id of the FeatureOfInterest that it names.
  public var feature: Int64?

  public init(
    phenomenonTime: Instant, phenomenonEnd: Instant? = nil, result: DataArrayResult, resultTime: Instant? = nil, validTime: String? = nil,
    resultQuality: [UInt8]? = nil, parameters: [UInt8]? = nil, feature: Int64? = nil
  ) {
    self.phenomenonTime = phenomenonTime
    self.phenomenonEnd = phenomenonEnd
    self.result = result
    self.resultTime = resultTime
    self.validTime = validTime
    self.resultQuality = resultQuality
    self.parameters = parameters
    self.feature = feature
  }
}

/// A result by its JSON type.
public enum DataArrayResult: Sendable, Equatable {
  case number(Double)
  case bool(Bool)
  case text(String)
  /// An object or array, as JSON.
  case json([UInt8])
}

/// A moment or an interval as SensorThings writes it: `2026-11-21T10:00:00Z` or two of them with `/` between, of which the second is not earlier.
public func readTimeOrInterval(_ text: UnsafeRawBufferPointer) throws(TimeError) -> (start: Instant, end: Instant?) {
  guard let slash = text.firstIndex(of: UInt8(ascii: "/")) else { return (try Instant(rfc3339Bytes: text), nil) }
  let start = try Instant(rfc3339Bytes: UnsafeRawBufferPointer(rebasing: text[..<slash]))
  let end = try Instant(rfc3339Bytes: UnsafeRawBufferPointer(rebasing: text[(slash + 1)...]))
  guard end >= start else { throw .outOfRange(field: "interval in seconds", value: Int((end - start).components.seconds)) }
  return (start, end)
}

/// The same from a string.
public func readTimeOrInterval(_ text: String) throws(TimeError) -> (start: Instant, end: Instant?) {
  var copy = text
  let result: Result<(Instant, Instant?), TimeError> = copy.withUTF8 { bytes in
    do throws(TimeError) { return .success(try readTimeOrInterval(UnsafeRawBufferPointer(bytes))) } catch { return .failure(error) }
  }
  return try result.get()
}

extension DataArrayRow {
  init(_ row: dos_row) {
    let name = row.component.string ?? ""
    switch row.problem {
    case dos_row_fine: self = Self.reading(from: row)
    case dos_row_not_array: self = .refused("the row is no array")
    case dos_row_too_few_cells: self = .refused("the row has no cell for \(name)")
    case dos_row_too_many_cells: self = .refused("the row has more cells than there are components")
    case dos_row_component_missing: self = .refused("the component \(name) is missing")
    case dos_row_component_twice: self = .refused("the component \(name) is named twice")
    case dos_row_component_unknown:
      let hint = nearestName(to: name, among: DataArrays.components).map { "; did you mean \($0)?" } ?? ""
      self = .refused("the component \(name) is unknown\(hint)")
    default: self = .refused("\(name) has a wrong type")
    }
  }

  private static func reading(from row: dos_row) -> DataArrayRow {
    var component = "phenomenonTime"
    do throws(TimeError) {
      let (start, end) = try readTimeOrInterval(row.phenomenon_time.buffer)
      component = "resultTime"
      let resultTime: Instant? = row.result_time.start == nil ? nil : try Instant(rfc3339Bytes: row.result_time.buffer)
      component = "validTime"
      if row.valid_time.start != nil { _ = try readTimeOrInterval(row.valid_time.buffer) }
      return .reading(
        DataArrayReading(
          phenomenonTime: start, phenomenonEnd: end, result: result(of: row), resultTime: resultTime, validTime: row.valid_time.string,
          resultQuality: row.quality.bytes, parameters: row.parameters.bytes,
          feature: row.feature == 0 ? nil : row.feature))
    } catch {
      return .refused("\(component) is \(error)")
    }
  }

  private static func result(of row: dos_row) -> DataArrayResult {
    switch row.kind {
    case dos_result_number: .number(row.number)
    case dos_result_bool: .bool(row.number == 1)
    case dos_result_text: .text(row.text.string ?? "")
    default: .json(row.text.bytes ?? [])
    }
  }
}

extension dos_slice {
  fileprivate var buffer: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : length) }
  fileprivate var bytes: [UInt8]? { start == nil ? nil : Array(buffer) }
  fileprivate var string: String? { start == nil ? nil : String(decoding: buffer, as: UTF8.self) }
}
