import JSON
import SensorDomain

extension RegistryUnit {
  /// An entity as it is after what was decided: the answer to a write does not wait for the read models.
  /// - Parameter given: its values, where they stand in no stream of its own.
  func entity(_ type: STAEntityType, _ id: Int64, given: [(String, FreeValue?)]? = nil) -> STAEntity {
    var entity = STAEntity(type: type, id: id)
    for (name, value) in given ?? fields(type, id) {
      guard let value else { continue }
      entity.properties.key(name: name)
      entity.properties.raw(value.json.bytes)
    }
    return entity
  }

  private func fields(_ type: STAEntityType, _ id: Int64) -> [(String, FreeValue?)] {
    switch type.name {
    case "Thing":
      guard case .active(let thing, _)? = known(ThingDecider.self, id) else { return [] }
      return [("name", .string(thing.name)), ("description", .string(thing.description)), ("properties", thing.shownProperties)]
    case "Datastream":
      guard case .open(let stream)? = known(DatastreamDecider.self, id) else { return [] }
      return [
        ("name", .string(stream.name)), ("description", .string(stream.description)), ("unitOfMeasurement", stream.unitOfMeasurement.shown),
        ("observationType", .string(stream.observationType.rawValue)), ("properties", stream.shownProperties),
      ]
    case "Location": return entry(Location.self, id)
    case "Sensor": return entry(Sensor.self, id)
    case "ObservedProperty": return entry(ObservedProperty.self, id)
    default: return entry(FeatureOfInterest.self, id)
    }
  }

  private func entry<Entry: STAEntry>(_ type: Entry.Type, _ id: Int64) -> [(String, FreeValue?)] {
    guard case .listed(let entry)? = known(CatalogueDecider<Entry>.self, id) else { return [] }
    return entry.shown
  }
}
