import JSON
import Testing
import Time

/// A thing with a datastream and the ids of its readings.
struct Station: Sendable {
  let name: String
  let thing: Int64
  let datastream: Int64
  let readings: [Int64]
  /// When the first was measured; each of the others a minute after the one before.
  let start: Instant

  static let results = [11.5, 12.25, 13]

  /// Registers a weather station and sends it three readings, all of it acknowledged.
  static func register(_ name: String, in city: RunningCity, _ token: String) async throws -> Station {
    let datastream = try await city.registerStation(name, token: token)
    let thing = try await city.get("/sensors/v1.1/Datastreams(\(datastream))/Thing")["@iot.id"]?.int
    let device = try await city.token("device")
    let start = Instant(milliseconds: Instant.now().milliseconds / 1_000 * 1_000) - .seconds(600)
    var readings: [Int64] = []
    for (minute, result) in results.enumerated() {
      let body: JSONValue = ["phenomenonTime": .string((start + .seconds(minute * 60)).rfc3339), "result": .number(result)]
      let answer = try await city.post("/sensors/v1.1/Datastreams(\(datastream))/Observations", body, token: device)
      readings.append(try #require(try JSONValue(parsing: answer.body)["@iot.id"]?.int, "answered with \(answer.status) \(answer.text)"))
    }
    return Station(name: name, thing: try #require(thing), datastream: datastream, readings: readings, start: start)
  }
}

/// What a station measures.
struct Measured: Sendable {
  let property: String
  let unit: (name: String, symbol: String, definition: String)
  let sensor: String
  let plausible: (min: Int64, max: Int64)

  static let airTemperature = Measured(
    property: "Lufttemperatur", unit: ("Grad Celsius", "°C", "ucum:Cel"), sensor: "PT100", plausible: (-40, 50))
  static let waterLevel = Measured(property: "Wasserstand", unit: ("Meter", "m", "ucum:m"), sensor: "Radarsonde", plausible: (-1, 20))
}

extension RunningCity {
  /// A station with one public datastream; returns the datastream's id.
  func registerStation(_ name: String, _ measured: Measured = .airTemperature, token: String) async throws -> Int64 {
    let created = try await post("/sensors/v1.1/Things", Self.station(name, measured), token: token)
    guard created.status == 201 else { throw Failure.answer(created.status, created.text) }
    // A read waits a quarter of a second for what was written; a busy machine takes longer.
    let deadline = ContinuousClock.now + .seconds(30)
    var found: JSONValue
    repeat {
      found = try await get("/sensors/v1.1/Datastreams", query: [("$filter", "name eq '\(name): \(measured.property)'")])
    } while found["value"]?.array?.isEmpty == true && ContinuousClock.now < deadline
    guard let id = found["value"]?.array?.first?["@iot.id"]?.int else { throw Failure.answer(200, String(decoding: found.bytes, as: UTF8.self)) }
    return id
  }

  /// The body that registers a station with everything in it.
  static func station(_ name: String, _ measured: Measured = .airTemperature) -> JSONValue {
    let datastream: JSONValue = [
      "name": .string("\(name): \(measured.property)"), "description": .string(measured.property),
      "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
      "unitOfMeasurement": [
        "name": .string(measured.unit.name), "symbol": .string(measured.unit.symbol), "definition": .string(measured.unit.definition),
      ],
      "ObservedProperty": [
        "name": .string(measured.property), "definition": .string("http://example.org/\(measured.property)"), "description": .string(measured.property),
      ],
      "Sensor": ["name": .string(measured.sensor), "description": "Sensor", "encodingType": "text/html", "metadata": "https://example.org"],
      "properties": [
        "dos:city": "dortmund", "dos:visibility": "public", "dos:plausibleRange": ["min": .int(measured.plausible.min), "max": .int(measured.plausible.max)],
        "dos:reporting": ["kind": "periodic", "interval": 60],
      ],
    ]
    let location: JSONValue = [
      "name": .string(name), "description": "Standort", "encodingType": "application/geo+json",
      "location": ["type": "Point", "coordinates": [7.478, 51.497]],
    ]
    return [
      "name": .string(name), "description": "Station", "properties": ["dos:city": "dortmund"], "Locations": [location], "Datastreams": [datastream],
    ]
  }
}
