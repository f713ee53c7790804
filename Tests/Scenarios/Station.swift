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
    let datastream = try await city.registerWeatherStation(name, token: token)
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
