import JSON
import SensorDomain

extension CreateObservations {
  /// The reading as an answer shows it before the read model has it.
  static func entity(_ reading: RecordedReading, link: String) -> [UInt8] {
    var writer = JSONWriter()
    let observation = reading.observation
    writer.object { writer in
      writer.key("@iot.id")
      writer.int(reading.id)
      writer.key("@iot.selfLink")
      writer.string(link)
      writer.key("phenomenonTime")
      if let end = observation.phenomenonEnd { writer.string("\(observation.phenomenonTime)/\(end)") } else { writer.instant(observation.phenomenonTime) }
      writer.key("result")
      observation.result.write(to: &writer)
      writer.key("resultTime")
      if let time = observation.resultTime { writer.instant(time) } else { writer.null() }
      observation.writeOptionalMembers(to: &writer)
      writer.key("dos:verdict")
      writer.string(reading.verdict.rawValue)
      writer.key("Datastream@iot.navigationLink")
      writer.string("\(link)/Datastream")
      writer.key("FeatureOfInterest@iot.navigationLink")
      writer.string("\(link)/FeatureOfInterest")
    }
    return writer.bytes
  }
}
