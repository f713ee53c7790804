import JSON
import SensorDomain

/// What a request says under `properties`: free JSON, and among it this service's own, whose names begin with `dos:`.
struct DosProperties {
  /// What is not ours; nil where nothing was said about it.
  var free: FreeValue?
  var city: City?
  var owner: String?
  var purpose: String?
  var legalBasis: String?
  var retention: Retention?
  var successor: String?
  var visibility: DatastreamVisibility?
  var reporting: Reporting?
  var plausibleRange: PlausibleRange?

  typealias Retention = SensorDomain.Retention

  init(_ body: STABody, known: [String]) throws(JSONRejection) {
    guard let value = body["properties"] else { return }
    let path = body.at("properties")
    guard let object = value.object else { throw JSONRejection(path: path, problem: "is \(value.kind)", expected: "a JSON object") }
    let own = object.filter { $0.key.hasPrefix("dos:") }
    let rest = object.filter { !$0.key.hasPrefix("dos:") }
    // Who sends nothing but our own names says nothing about the rest.
    if !rest.isEmpty || own.isEmpty { free = FreeValue(.object(rest)) }
    let fields = try STABody(.object(own), path: path, known: known)
    city = try fields.optionalText("dos:city").map(City.init)
    owner = try fields.optionalText("dos:owner")
    purpose = try fields.optionalText("dos:purpose")
    legalBasis = try fields.optionalText("dos:legalBasis")
    successor = try fields.optionalText("dos:successor")
    retention = try Self.retention(fields)
    visibility = try Self.visibility(fields)
    reporting = try Self.reporting(fields)
    plausibleRange = try Self.range(fields)
  }

  /// The governance with what was said, the rest as it was.
  func governance(over base: SensorDomain.Governance) -> SensorDomain.Governance {
    SensorDomain.Governance(
      owner: owner ?? base.owner, purpose: purpose ?? base.purpose, legalBasis: legalBasis ?? base.legalBasis, retention: retention ?? base.retention,
      successor: successor ?? base.successor)
  }

  private static func retention(_ fields: STABody) throws(JSONRejection) -> Retention? {
    guard let value = fields["dos:retention"] else { return nil }
    if value.string == "forever" { return .forever }
    if let days = value.int, let number = Int(exactly: days) { return .days(number) }
    throw JSONRejection(path: fields.at("dos:retention"), problem: "is \(value.kind)", expected: "\"forever\" or a number of days")
  }

  private static func visibility(_ fields: STABody) throws(JSONRejection) -> DatastreamVisibility? {
    guard let text = try fields.optionalText("dos:visibility") else { return nil }
    guard let visibility = DatastreamVisibility(rawValue: text) else {
      let names = DatastreamVisibility.allCases.map(\.rawValue).joined(separator: ", ")
      throw JSONRejection(path: fields.at("dos:visibility"), problem: "is \"\(text.prefix(40))\"", expected: "one of \(names)")
    }
    return visibility
  }

  private static func reporting(_ fields: STABody) throws(JSONRejection) -> Reporting? {
    guard let value = fields["dos:reporting"] else { return nil }
    let object = try STABody(value, path: fields.at("dos:reporting"), known: ["kind", "interval", "heartbeat"])
    switch try object.text("kind") {
    case "periodic":
      guard let interval = try seconds(object, "interval") else {
        throw JSONRejection(path: object.at("interval"), problem: "the field is missing", expected: "seconds, or a duration as \"PT1M\"")
      }
      if object.has("heartbeat") { throw JSONRejection(path: object.at("heartbeat"), problem: "does not go with periodic", expected: "interval alone") }
      return .periodic(interval: interval)
    case "onChange":
      if object.has("interval") { throw JSONRejection(path: object.at("interval"), problem: "does not go with onChange", expected: "heartbeat, or none") }
      return try seconds(object, "heartbeat").map { .onChangeWithHeartbeat($0) } ?? .onChange
    case let kind:
      throw JSONRejection(path: object.at("kind"), problem: "is \"\(kind.prefix(40))\"", expected: "periodic or onChange")
    }
  }

  /// Whole seconds, written as a number or as an ISO 8601 duration.
  private static func seconds(_ object: STABody, _ name: String) throws(JSONRejection) -> Int? {
    guard let value = object[name] else { return nil }
    let seconds = value.double ?? value.string.flatMap(STADuration.seconds)
    guard let seconds, let whole = Int(exactly: seconds) else {
      throw JSONRejection(path: object.at(name), problem: "is no duration in whole seconds", expected: "seconds, or a duration as \"PT1M\"")
    }
    return whole
  }

  private static func range(_ fields: STABody) throws(JSONRejection) -> PlausibleRange? {
    guard let value = fields["dos:plausibleRange"] else { return nil }
    let object = try STABody(value, path: fields.at("dos:plausibleRange"), known: ["min", "max"])
    return PlausibleRange(min: try end(object, "min"), max: try end(object, "max"))
  }

  private static func end(_ object: STABody, _ name: String) throws(JSONRejection) -> Double? {
    guard let value = object[name], value != .null else { return nil }
    guard let number = value.double else { throw JSONRejection(path: object.at(name), problem: "is \(value.kind)", expected: "a number") }
    return number
  }
}
