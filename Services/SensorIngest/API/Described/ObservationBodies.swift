import HTTP
import JSON
import SensorDomain

/// The bodies that bring readings, as schemas.
enum ObservationBodies {
  static var all: [String: String] {
    // A row with a component that is not known is refused, and its request is not.
    let components = DataArrays.components.map(Shape.quoted).joined(separator: ",")
    let any = EntityBodies.notNull
    let datastream = Shape.object([("@iot.id", Shape.id)], required: ["@iot.id"], others: .refused)
    return [
      "NewObservation": observation(result: any, [("Datastream", datastream)], required: ["Datastream"]),
      "NewObservationOfDatastream": observation(result: any, [("Datastream", datastream)]),
      "ObservationChange": Shape.object(
        [
          ("phenomenonTime", time), ("result", any), ("resultTime", Shape.nullable(Shape.moment)), ("validTime", Shape.nullable(time)),
          ("resultQuality", Shape.anything), ("parameters", Shape.nullable(Shape.free)), ("FeatureOfInterest", Shape.named("Link")),
        ], others: .annotations),
      "DataArrays": Shape.list(
        of: Shape.object(
          [
            ("Datastream", datastream), ("components", Shape.list(of: #"{"type":"string","examples":[\#(components)]}"#)),
            ("dataArray", Shape.list(of: Shape.list(of: Shape.anything), most: DataArrays.rowLimit)), ("dataArray@iot.count", Shape.natural),
          ], required: ["Datastream", "components", "dataArray"], others: .refused)),
    ]
  }

  static func observation(result: String, _ place: [Shape.Member] = [], required: [String] = []) -> String {
    Shape.object(
      [
        ("phenomenonTime", Shape.nullable(time)), ("result", result), ("resultTime", Shape.nullable(Shape.moment)),
        ("validTime", Shape.nullable(time)), ("resultQuality", Shape.anything), ("parameters", Shape.nullable(Shape.free)),
        ("FeatureOfInterest", EntityBodies.linked(to: "NewFeatureOfInterest")),
      ] + place, required: ["result"] + required, others: .annotations)
  }

  /// What a datastream of that type takes.
  static func result(_ type: ObservationType) -> String {
    switch type {
    case .measurement: Shape.number
    case .count: #"{"type":"integer","minimum":0}"#
    case .truth: Shape.truth
    case .category: Shape.text()
    case .any: EntityBodies.notNull
    }
  }

  /// A moment, or two with `/` between (ISO 8601), the second not earlier.
  private static let time = Shape.either(Shape.moment, #"{"type":"string","format":"time-interval"}"#)
}
