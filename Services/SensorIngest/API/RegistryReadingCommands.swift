import JSON
import SensorDomain

/// Observations in the body of the datastream that they belong to. They are judged before anything is stored, so that one that is wrong refuses all of it.
extension RegistryCommands {
  mutating func readings(_ list: [(value: JSONValue, path: String)], of id: Int64, _ datastream: Datastream) async throws -> ReadingsOfDatastream {
    let observed = ObservedDatastream(
      id: id, observationType: datastream.observationType, plausibleRange: datastream.plausibleRange, isClosed: false)
    let (feature, isPlaced) = try await place(of: datastream.thing)
    let registered = RegisteredDatastream(
      id: id, thing: datastream.thing, isOpen: true, visibility: datastream.visibility, observationType: datastream.observationType,
      plausibleRange: datastream.plausibleRange, reporting: datastream.reporting, city: datastream.city, feature: feature, isPlaced: isPlaced)
    var group = ReadingsOfDatastream(datastream: registered, readings: [])
    for (value, path) in list {
      let body = try decodeStrictly(ObservationBody.self, from: value, at: path.split(separator: "/").map(String.init))
      if body.datastream != nil {
        throw JSONRejection(path: path + "/Datastream", problem: "is given twice", expected: "no Datastream here, since it stands within one")
      }
      var observation = try body.observation(now: time, path: path)
      if let given = body.feature { observation.feature = try await entry(FeatureOfInterest.self, given, path: path + "/FeatureOfInterest") }
      if observation.feature == nil, !isPlaced {
        throw JSONRejection(path: path + "/FeatureOfInterest", problem: "the field is missing", expected: "one, since the thing has no Location")
      }
      do throws(ObservationRefusal) {
        group.readings.append((observation, try observation.verdict(for: observed, now: time)))
      } catch {
        throw JSONRejection(path: path, problem: "\(error)", expected: "a reading that the datastream takes")
      }
    }
    return group
  }

  /// What readings of a thing are about where they name nothing, and whether it stands anywhere.
  private mutating func place(of thing: Int64) async throws -> (feature: Int64?, isPlaced: Bool) {
    guard case .active(_, let locations) = try await unit.state(ThingDecider.self, thing) else { return (nil, false) }
    var features: [Int64] = []
    for id in locations {
      guard case .listed(let location) = try await unit.state(CatalogueDecider<Location>.self, id), let feature = location.featureOfInterest,
        case .listed = try await unit.state(CatalogueDecider<FeatureOfInterest>.self, feature)
      else { continue }
      features.append(feature)
    }
    return (features.min(), !locations.isEmpty)
  }
}
