import JSON
import SensorDomain
import Time

/// An observation fact as the JSON of its event, there and back. Unknown fields are ignored when reading, so that old readers live.
enum ObservationFact: Equatable {
  case recorded(ObservationsRecorded)
  case withdrawn(ObservationWithdrawn)

  /// Reads an event's data; nil for a type that is no observation fact.
  init?(type: String, data: [UInt8]) throws(JSONRejection) {
    switch type {
    case ObservationsRecorded.type:
      let value = try JSONValue(parsing: data)
      guard let datastream = value["datastream"]?.int, let readings = value["readings"]?.array else { throw Self.malformed("datastream or readings") }
      var recorded: [RecordedReading] = []
      recorded.reserveCapacity(readings.count)
      for reading in readings { recorded.append(try Self.reading(reading)) }
      self = .recorded(ObservationsRecorded(datastream: datastream, feature: value["featureOfInterest"]?.int, readings: recorded))
    case ObservationWithdrawn.type:
      let value = try JSONValue(parsing: data)
      guard let datastream = value["datastream"]?.int, let time = value["phenomenonTime"]?.string.flatMap({ Instant(rfc3339: $0) }) else {
        throw Self.malformed("datastream or phenomenonTime")
      }
      self = .withdrawn(ObservationWithdrawn(datastream: datastream, phenomenonTime: time))
    default: return nil
    }
  }

  private static func reading(_ value: JSONValue) throws(JSONRejection) -> RecordedReading {
    guard let id = value["id"]?.int, let time = instant(value, "phenomenonTime"), let result = value["result"].flatMap(ObservedResult.init),
      let verdict = value["verdict"]?.string.flatMap(Verdict.init)
    else { throw malformed("a reading") }
    return RecordedReading(
      id: id,
      observation: Observation(
        phenomenonTime: time, phenomenonEnd: instant(value, "phenomenonEnd"), result: result, resultTime: instant(value, "resultTime"),
        validTime: value["validTime"]?.string, resultQuality: value["resultQuality"]?.bytes, parameters: value["parameters"]?.bytes,
        feature: value["featureOfInterest"]?.int),
      verdict: verdict, revises: value["revises"]?.bool ?? false)
  }

  private static func instant(_ value: JSONValue, _ name: String) -> Instant? { value[name]?.string.flatMap { Instant(rfc3339: $0) } }

  private static func malformed(_ what: String) -> JSONRejection {
    JSONRejection(path: "", problem: "\(what) cannot be read", expected: "what the event's schema says")
  }

  /// The data of the event.
  var data: [UInt8] {
    switch self {
    case .recorded(let recorded): return Self.data(datastream: recorded.datastream, feature: recorded.feature, readings: recorded.readings.map(Self.json))
    case .withdrawn(let withdrawn):
      var writer = JSONWriter()
      writer.object { writer in
        writer.key("datastream")
        writer.int(withdrawn.datastream)
        writer.key("phenomenonTime")
        writer.instant(withdrawn.phenomenonTime)
      }
      return writer.bytes
    }
  }

  /// The data of a recorded event from readings that are JSON already, so that their size could be looked at before.
  static func data(datastream: Int64, feature: Int64?, readings: [[UInt8]]) -> [UInt8] {
    var writer = JSONWriter(capacity: readings.reduce(64) { $0 + $1.count + 1 })
    writer.object { writer in
      writer.key("datastream")
      writer.int(datastream)
      if let feature {
        writer.key("featureOfInterest")
        writer.int(feature)
      }
      writer.key("readings")
      writer.beginArray()
      for reading in readings { writer.raw(reading) }
      writer.endArray()
    }
    return writer.bytes
  }

  /// One reading of a recorded event.
  static func json(_ reading: RecordedReading) -> [UInt8] {
    var writer = JSONWriter(capacity: 128)
    let observation = reading.observation
    writer.object { writer in
      writer.key("id")
      writer.int(reading.id)
      writer.key("phenomenonTime")
      writer.instant(observation.phenomenonTime)
      if let end = observation.phenomenonEnd {
        writer.key("phenomenonEnd")
        writer.instant(end)
      }
      writer.key("result")
      observation.result.write(to: &writer)
      if let time = observation.resultTime {
        writer.key("resultTime")
        writer.instant(time)
      }
      observation.writeOptionalMembers(to: &writer)
      if let feature = observation.feature {
        writer.key("featureOfInterest")
        writer.int(feature)
      }
      writer.key("verdict")
      writer.string(reading.verdict.rawValue)
      if reading.revises {
        writer.key("revises")
        writer.bool(true)
      }
    }
    return writer.bytes
  }
}

extension Observation {
  /// What few readings have, under the names that SensorThings gives it.
  func writeOptionalMembers(to writer: inout JSONWriter) {
    if let validTime {
      writer.key("validTime")
      writer.string(validTime)
    }
    if let resultQuality {
      writer.key("resultQuality")
      writer.raw(resultQuality)
    }
    if let parameters {
      writer.key("parameters")
      writer.raw(parameters)
    }
  }
}

extension ObservedResult {
  init?(_ value: JSONValue) {
    switch value {
    case .null: return nil
    case .bool(let truth): self = .truth(truth)
    case .int(let number): self = .number(Double(number))
    case .number(let number): self = .number(number)
    case .string(let text): self = .text(text)
    case .array, .object: self = .json(value.bytes)
    }
  }

  func write(to writer: inout JSONWriter) {
    switch self {
    case .number(let number): writer.double(number)
    case .truth(let truth): writer.bool(truth)
    case .text(let text): writer.string(text)
    case .json(let bytes): writer.raw(bytes)
    }
  }
}

extension Observation {
  /// What a DataArray's row says.
  init(_ reading: DataArrayReading) {
    let result: ObservedResult =
      switch reading.result {
      case .number(let number): .number(number)
      case .bool(let truth): .truth(truth)
      case .text(let text): .text(text)
      case .json(let bytes): .json(bytes)
      }
    self.init(
      phenomenonTime: reading.phenomenonTime, phenomenonEnd: reading.phenomenonEnd, result: result, resultTime: reading.resultTime,
      validTime: reading.validTime, resultQuality: reading.resultQuality, parameters: reading.parameters, feature: reading.feature)
  }
}
