import HTTP
import SensorDomain

/// The bodies that the registry's writes take, as schemas: one of a new entity of each type and one of a change.
///
/// What no schema can say stands in the document's own words (`SensorIngestService.words`).
struct EntityBodies {
  /// Which cities a thing may belong to.
  let cities: [City]

  /// By the names of the document's components.
  var all: [String: String] {
    var all = catalogue
    all["Link"] = Shape.object([("@iot.id", Shape.id)], required: ["@iot.id"], others: .taken)
    all["NewThing"] = Shape.object(thing + [("Datastreams", Self.several(Shape.named("NewDatastreamOfThing")))], required: Self.named, others: .annotations)
    all["ThingChange"] = Shape.object(Self.texts + [("properties", properties(of: thingOwn)), ("Locations", Self.links)], others: .annotations)
    all["NewDatastream"] = datastream(within: [("Thing", Self.linked(to: "NewThing"))])
    all["NewDatastreamOfThing"] = datastream(within: [])
    all["DatastreamChange"] = Shape.object(
      Self.texts + [
        ("unitOfMeasurement", Self.unit()), ("observationType", Shape.one(of: ObservationType.allCases.map(\.rawValue))),
        ("properties", properties(of: datastreamOwn)),
      ], others: .annotations)
    all["NewHistoricalLocation"] = Shape.object(
      [("time", Shape.moment), ("Thing", Shape.named("Link")), ("Locations", Self.several(Shape.named("Link"), least: 1, areUnique: true))],
      required: ["time", "Thing", "Locations"], others: .annotations)
    all["HistoricalLocationChange"] = Shape.object([("time", Shape.moment), ("Locations", Self.links)], others: .annotations)
    all["NewOrLinkedLocation"] = Self.linked(to: "NewLocation")
    for (name, schema) in GeometrySchemas.all { all[name] = schema }
    return all
  }

  // MARK: - Catalogue

  private var catalogue: [String: String] {
    let free: Shape.Member = ("properties", Shape.free)
    let geometry: Shape.Member = ("encodingType", Shape.one(of: ["application/geo+json", "application/vnd.geo+json"]))
    let kinds: [(name: String, members: [Shape.Member])] = [
      ("Location", Self.texts + [geometry, ("location", Shape.named("GeoJSON")), free]),
      ("FeatureOfInterest", Self.texts + [geometry, ("feature", Shape.named("GeoJSON")), free]),
      ("Sensor", Self.texts + [("encodingType", Shape.text(Shape.notBlank)), ("metadata", Self.notNull), free]),
      ("ObservedProperty", Self.texts + [("definition", Shape.text(Shape.withoutBlanks, most: 2_000)), free]),
    ]
    var all: [String: String] = [:]
    for (name, members) in kinds {
      all["New\(name)"] = Shape.object(members, required: members.map(\.name).filter { $0 != "properties" }, others: .annotations)
      all["\(name)Change"] = Shape.object(members, others: .annotations)
    }
    return all
  }

  // MARK: - Things and datastreams

  private var thing: [Shape.Member] {
    Self.texts + [("properties", properties(of: thingOwn)), ("Locations", Self.several(Self.linked(to: "NewLocation")))]
  }

  private var thingOwn: [Shape.Member] {
    let words = Shape.text(Shape.notBlank, most: 500)
    return [
      ("dos:city", Shape.one(of: cities.map(\.rawValue))), ("dos:owner", words), ("dos:purpose", words), ("dos:legalBasis", words), ("dos:successor", words),
      ("dos:retention", Shape.either(Shape.one(of: ["forever"]), #"{"type":"integer","minimum":1,"maximum":36525}"#)),
    ]
  }

  private var datastreamOwn: [Shape.Member] {
    thingOwn + [
      ("dos:visibility", Shape.one(of: DatastreamVisibility.allCases.map(\.rawValue))), ("dos:reporting", Self.reporting), ("dos:plausibleRange", Self.range),
    ]
  }

  /// Free JSON, and this service's own names among it.
  private func properties(of own: [Shape.Member]) -> String { Shape.object(own, others: .taken) }

  /// What a datastream is depends on its observationType: only a measurement must have a unit, only numbers have a plausible range.
  private func datastream(within place: [Shape.Member]) -> String {
    let numeric = datastreamOwn
    let other = numeric.filter { $0.name != "dos:plausibleRange" } + [("dos:plausibleRange", "false")]
    return Shape.either(
      ObservationType.allCases.map { type in
        let members: [Shape.Member] =
          Self.texts + [
            ("observationType", Shape.one(of: [type.rawValue])), ("unitOfMeasurement", Self.unit(isRequired: type == .measurement)),
            ("properties", properties(of: type.isNumeric ? numeric : other)), ("Sensor", Self.linked(to: "NewSensor")),
            ("ObservedProperty", Self.linked(to: "NewObservedProperty")),
            ("Observations", Self.several(ObservationBodies.observation(result: ObservationBodies.result(type)))),
          ] + place
        let required = Self.named + ["observationType", "Sensor", "ObservedProperty"] + place.map(\.name)
        return Shape.object(members, required: type == .measurement ? required + ["unitOfMeasurement"] : required, others: .annotations)
      })
  }

  /// UCUM's brackets come in pairs, and none within another.
  private static func unit(isRequired: Bool = false) -> String {
    let plain = #"[!-Z\\^-z|~]"#
    let code = Shape.text(#"^ucum:("# + plain + #"|\["# + plain + #"*\]|\{"# + plain + #"*\})+$"#, most: 500)
    let uri = Shape.text(#"^(?!ucum:)[!-~]*:[!-~]*$"#, most: 500)
    let definition = Shape.either(isRequired ? [code, uri] : [code, uri, Shape.null])
    return Shape.object(
      [("name", Shape.nullable(Shape.text(most: 255))), ("symbol", Shape.nullable(Shape.text(most: 50))), ("definition", definition)],
      required: isRequired ? ["definition"] : [], others: .annotations)
  }

  private static let reporting: String = {
    let seconds = Shape.either(#"{"type":"integer","minimum":1,"maximum":31622400}"#, #"{"type":"string","format":"duration"}"#)
    let kind = { (name: String) -> Shape.Member in ("kind", Shape.one(of: [name])) }
    return Shape.either(
      Shape.object([kind("periodic"), ("interval", seconds)], required: ["kind", "interval"], others: .annotations),
      Shape.object([kind("onChange"), ("heartbeat", seconds)], required: ["kind"], others: .annotations))
  }()

  private static let range: String = {
    let ends: [Shape.Member] = [("min", Shape.nullable(Shape.number)), ("max", Shape.nullable(Shape.number))]
    return Shape.either(
      Shape.object([("min", Shape.number), ends[1]], required: ["min"], others: .annotations),
      Shape.object([ends[0], ("max", Shape.number)], required: ["max"], others: .annotations))
  }()

  // MARK: - Common

  private static let named = ["name", "description"]
  private static let texts: [Shape.Member] = [("name", Shape.text(Shape.oneLine, most: 255)), ("description", Shape.text(most: 10_000))]
  static let notNull = #"{"type":["boolean","number","string","array","object"]}"#

  /// Entities that are there already.
  private static let links = several(Shape.named("Link"), areUnique: true)

  /// A list, or a single one as clients of version 1.0 send it.
  private static func several(_ schema: String, least: Int = 0, areUnique: Bool = false) -> String {
    Shape.either(#"{"type":"array","minItems":\#(least),"maxItems":1000,"uniqueItems":\#(areUnique),"items":\#(schema)}"#, schema)
  }

  /// An entity that is there already, or a new one.
  static func linked(to name: String) -> String { Shape.either(Shape.named("Link"), Shape.named(name)) }
}
