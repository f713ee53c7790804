import HTTP

/// What reads and writes answer, as schemas made from the model that answers them. With `$select` every member may be absent.
enum Answers {
  static func schemas(of model: STAModel) -> [String: String] {
    var all: [String: String] = ["References": page(of: Shape.object([("@iot.selfLink", Shape.address)], others: .taken))]
    for type in model.types {
      all[type.name] = entity(type, model)
      all[type.set] = page(of: Shape.named(type.name))
    }
    all["DataArray"] = Shape.object(
      [
        ("Datastream@iot.navigationLink", Shape.address), ("components", Shape.list(of: #"{"type":"string"}"#)), ("dataArray@iot.count", Shape.natural),
        ("dataArray", Shape.list(of: Shape.list(of: Shape.anything))),
      ], required: ["Datastream@iot.navigationLink", "components", "dataArray@iot.count", "dataArray"], others: .taken)
    let observation = STAEntityType.observation
    all[observation.set] = page(of: Shape.either(Shape.named("DataArray"), Shape.named(observation.name)))
    return all
  }

  private static func entity(_ type: STAEntityType, _ model: STAModel) -> String {
    var members: [Shape.Member] = [("@iot.id", Shape.id), ("@iot.selfLink", Shape.address)]
    members += type.properties.map { ($0.name, schema($0)) }
    for navigation in type.navigations {
      guard let target = model.target(of: navigation) else { continue }
      members.append(("\(navigation.name)@iot.navigationLink", Shape.address))
      let one = Shape.named(target.name)
      members.append((navigation.name, navigation.isMany ? Shape.list(of: one) : Shape.nullable(one)))
      if navigation.isMany { members += [("\(navigation.name)@iot.count", Shape.natural), ("\(navigation.name)@iot.nextLink", Shape.address)] }
    }
    return Shape.object(members, others: .taken)
  }

  private static func page(of schema: String) -> String {
    Shape.object(
      [("@iot.count", Shape.natural), ("@iot.nextLink", Shape.address), ("value", Shape.list(of: schema))], required: ["value"], others: .taken)
  }

  private static func schema(_ property: STAProperty) -> String {
    if case .span = property.shown { return #"{"type":"string"}"# }
    return switch property.kind {
    case .text: #"{"type":"string"}"#
    case .instant: property.writesNull ? Shape.nullable(Shape.moment) : Shape.moment
    case .int: #"{"type":"integer"}"#
    case .number: Shape.number
    case .bool: Shape.truth
    case .json, .result, .interval, .duration, .geometry, .null: Shape.anything
    }
  }
}
