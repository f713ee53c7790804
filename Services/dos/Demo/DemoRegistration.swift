import Foundation
import HTTP
import JSON

/// A datastream of the simulation as the server knows it.
struct DemoDatastream: Sendable {
  var id: Int64
  var stream: DemoThing.Stream
  /// The signal's seed: the run's own and the datastream's name, so that no two datastreams run in step.
  var seed: UInt64
}

/// Registers the simulated things where they are missing, through the same API as everyone else.
struct DemoRegistration: Sendable {
  var api: DemoAPI
  var seed: UInt64

  /// The datastreams of all simulated things, those registered before among them.
  func run() async throws -> [DemoDatastream] {
    let sensor = try await catalogued("Sensors", name: "Simulator") { writer in
      writer.key("description")
      writer.string("Erfundene, aber jedes Mal gleiche Messwerte")
      writer.key("encodingType")
      writer.string("text/html")
      writer.key("metadata")
      writer.string("https://dos2030.de/demo")
    }
    var properties: [String: Int64] = [:]
    var datastreams: [DemoDatastream] = []
    for thing in DemoThing.all {
      for property in thing.streams.map(\.property) where properties[property.name] == nil {
        properties[property.name] = try await catalogued("ObservedProperties", name: property.name) { writer in
          writer.key("definition")
          writer.string(property.definition)
          writer.key("description")
          writer.string(property.name)
        }
      }
      datastreams += try await register(thing, sensor: sensor, properties: properties)
    }
    return datastreams
  }

  /// The id of the sensor or observed property of that name, which is created when there is none.
  private func catalogued(_ set: String, name: String, _ members: (inout JSONWriter) -> Void) async throws -> Int64 {
    if let known = try await api.find(set, name: name), let id = known["@iot.id"]?.int { return id }
    var writer = JSONWriter()
    writer.object { writer in
      writer.key("name")
      writer.string(name)
      members(&writer)
    }
    let created = try await api.create(set, writer.bytes, key: "demo \(set) \(name)")
    guard let id = created["@iot.id"]?.int else { throw DemoFailure.answer("\(set) without @iot.id") }
    return id
  }

  private func register(_ thing: DemoThing, sensor: Int64, properties: [String: Int64]) async throws -> [DemoDatastream] {
    if try await api.find("Things", name: thing.name) == nil {
      _ = try await api.create("Things", body(of: thing, sensor: sensor, properties: properties), key: "demo thing \(thing.name)")
    }
    guard let known = try await api.find("Things", name: thing.name, expand: "Datastreams"), let streams = known["Datastreams"]?.array else {
      throw DemoFailure.answer("\(thing.name) was registered and is not found")
    }
    return try thing.streams.map { stream in
      let name = Self.name(of: stream, at: thing)
      guard let id = streams.first(where: { $0["name"]?.string == name })?["@iot.id"]?.int else { throw DemoFailure.answer("no datastream \(name)") }
      return DemoDatastream(id: id, stream: stream, seed: name.utf8.reduce(seed) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 })
    }
  }

  private static func name(of stream: DemoThing.Stream, at thing: DemoThing) -> String { "\(thing.name): \(stream.property.name)" }

  private func body(of thing: DemoThing, sensor: Int64, properties: [String: Int64]) -> [UInt8] {
    let point: JSONValue = ["type": "Point", "coordinates": [.number(thing.longitude), .number(thing.latitude)]]
    let location: JSONValue = [
      "name": .string(thing.name), "description": .string("Standort \(thing.name)"), "encodingType": "application/geo+json", "location": point,
    ]
    let datastreams = thing.streams.map { stream -> JSONValue in
      let unit: JSONValue = [
        "name": .string(stream.property.unitName), "symbol": .string(stream.property.symbol), "definition": .string("ucum:\(stream.property.ucum)"),
      ]
      return [
        "name": .string(Self.name(of: stream, at: thing)),
        "description": .string("\(stream.property.name), simuliert"),
        "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
        "unitOfMeasurement": unit,
        "ObservedProperty": ["@iot.id": .int(properties[stream.property.name] ?? 0)],
        "Sensor": ["@iot.id": .int(sensor)],
        "properties": [
          "dos:city": .string(thing.city),
          "dos:plausibleRange": ["min": .number(stream.plausible.lowerBound), "max": .number(stream.plausible.upperBound)],
          "dos:reporting": ["kind": "periodic", "interval": .int(Int64(stream.interval))],
          "dos:visibility": "public",
        ],
      ]
    }
    let body: JSONValue = [
      "name": .string(thing.name), "description": .string(thing.description), "properties": ["dos:city": .string(thing.city)],
      "Locations": [location], "Datastreams": .array(datastreams),
    ]
    return body.bytes
  }
}
