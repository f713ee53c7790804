import JSON
import SensorDomain
import Time

/// The body of one reading.
struct ObservationBody: Decodable, KnownFields {
  struct Reference: Decodable, KnownFields {
    let id: Int64
    static let fields = ["@iot.id"]
    enum CodingKeys: String, CodingKey { case id = "@iot.id" }
  }

  let phenomenonTime: String?
  let result: JSONValue
  let resultTime: Instant?
  let validTime: String?
  let resultQuality: JSONValue?
  let parameters: [String: JSONValue]?
  let datastream: Reference?
  let feature: JSONValue?

  enum CodingKeys: String, CodingKey, CaseIterable {
    case phenomenonTime, result, resultTime, validTime, resultQuality, parameters
    case datastream = "Datastream"
    case feature = "FeatureOfInterest"
  }

  static let fields = CodingKeys.allCases.map(\.rawValue)
  static func ignores(_ field: String) -> Bool { STABody.isAnnotation(field) }

  /// Without a phenomenonTime it is now, as the standard says (section 8.2.6, table 13).
  ///
  /// - Parameter path: where the body stands in the whole.
  func observation(now: Instant, path: String = "") throws(JSONRejection) -> Observation {
    let (start, end) = try phenomenonTime.map { (text) throws(JSONRejection) in try Self.span(text, STABody.join(path, "phenomenonTime")) } ?? (now, nil)
    if let validTime { _ = try Self.span(validTime, STABody.join(path, "validTime")) }
    guard let result = ObservedResult(result) else {
      throw JSONRejection(path: STABody.join(path, "result"), problem: "the result is null", expected: "a value")
    }
    return Observation(
      phenomenonTime: start, phenomenonEnd: end, result: result, resultTime: resultTime, validTime: validTime,
      resultQuality: resultQuality == .null ? nil : resultQuality?.bytes, parameters: parameters.map { JSONValue.object($0).bytes })
  }

  static func span(_ text: String, _ path: String) throws(JSONRejection) -> (Instant, Instant?) {
    do throws(TimeError) {
      let (start, end) = try readTimeOrInterval(text)
      return (start, end)
    } catch {
      throw JSONRejection(path: path, problem: "\(error)", expected: "a time, or two with '/' between")
    }
  }
}
