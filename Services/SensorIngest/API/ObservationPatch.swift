import JSON
import SensorDomain
import Time

/// What a PATCH says of an observation. What it does not name stays; null takes away what may be absent.
enum ObservationPatch {
  static let fields = ["phenomenonTime", "result", "resultTime", "validTime", "resultQuality", "parameters", "FeatureOfInterest"]

  static func apply(_ bytes: [UInt8], to observation: Observation) throws(JSONRejection) -> Observation {
    let value = try JSONValue(parsing: bytes)
    if value["Datastream"] != nil {
      throw JSONRejection(path: "Datastream", problem: "cannot change", expected: "a new observation of the other datastream, and this one deleted")
    }
    let body = try STABody(value, path: "", known: fields)
    var changed = observation
    if let text = try body.optionalText("phenomenonTime") {
      (changed.phenomenonTime, changed.phenomenonEnd) = try ObservationBody.span(text, "phenomenonTime")
    }
    if let value = body["result"] {
      guard let result = ObservedResult(value) else { throw JSONRejection(path: "result", problem: "the result is null", expected: "a value") }
      changed.result = result
    }
    if let text = try nullable(body, "resultTime") { changed.resultTime = try text.map(time) }
    if let text = try nullable(body, "validTime") {
      if let text { _ = try ObservationBody.span(text, "validTime") }
      changed.validTime = text
    }
    if let value = body["resultQuality"] { changed.resultQuality = value == .null ? nil : value.bytes }
    if let value = body["parameters"] {
      guard value == .null || value.object != nil else { throw JSONRejection(path: "parameters", problem: "is \(value.kind)", expected: "a JSON object") }
      changed.parameters = value == .null ? nil : value.bytes
    }
    if let value = body["FeatureOfInterest"] {
      guard let link = try STABody.link(value, path: "FeatureOfInterest") else {
        throw JSONRejection(path: "FeatureOfInterest", problem: "brings an entity along", expected: "{\"@iot.id\": ...} of one that is there; POST it first")
      }
      changed.feature = link
    }
    return changed
  }

  /// Nil where the field is absent; a nil within where it is null.
  private static func nullable(_ body: STABody, _ name: String) throws(JSONRejection) -> String?? {
    guard let value = body[name] else { return nil }
    if value == .null { return .some(nil) }
    return .some(try body.text(name))
  }

  private static func time(_ text: String) throws(JSONRejection) -> Instant {
    guard let time = Instant(rfc3339: text) else {
      throw JSONRejection(path: "resultTime", problem: "'\(text.prefix(40))' is no time", expected: "a time with a zone, as 2026-11-21T10:00:00Z")
    }
    return time
  }
}
