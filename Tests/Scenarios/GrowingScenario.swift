import Foundation
import HTTP
import JSON
import TestSupport
import Testing
import Time

/// What `dos topics grow` promises, as an administrator runs it.
@Suite("A city whose topics get more partitions", .serialized)
struct GrowingScenario {
  private static let topic = "dos.sensors.observations.public"

  @Test("goes on where it was: what was measured stays, and what is said of it later holds", arguments: Mode.allCases)
  func goesOn(_ mode: Mode) async throws {
    try mode.require()
    try await RunningCity.with(mode) { city in
      let token = try await city.token("sensor-operator")
      let device = try await city.token("device")
      var stations: [Station] = []
      for name in ["Rathaus", "Ruhrwiesen", "Phoenixsee", "Hafen", "Hombruch", "Holzen"] {
        stations.append(try await Station.register(name, in: city, token))
      }

      let running = try await city.run(["topics", "grow", "\(Self.topic)=32"] + city.storage)
      #expect(running.code == 1 && running.output.contains("stop every instance"), "\(running.output)")
      for instance in city.instances { await city.end(with: SIGTERM, instance) }
      // Those that were killed rather than stopped count for three seconds more.
      let grown = try await city.run(["topics", "grow", "\(Self.topic)=32"] + city.storage)
      #expect(grown.code == 0 && grown.output.contains("\(Self.topic): 16 partitions, 32 from now on."), "\(grown.output)")
      for wrong in ["\(Self.topic)=48", "\(Self.topic)=16", "dos.sensors.registry=2", "dos.sensors.nothing=32"] {
        let refused = try await city.run(["topics", "grow", wrong] + city.storage)
        #expect(refused.code == 1 && refused.output.contains(wrong.split(separator: "=")[0]), "\(refused.output)")
      }
      try await city.start()

      // The first reading of each is revised, and one more is taken.
      let results = [20.5] + Station.results.dropFirst() + [21.5]
      for station in stations {
        for (minute, result) in [(0, results[0]), (3, results[3])] {
          let body: JSONValue = ["phenomenonTime": .string((station.start + .seconds(minute * 60)).rfc3339), "result": .number(result)]
          let answer = try await city.post("/sensors/v1.1/Datastreams(\(station.datastream))/Observations", body, token: device)
          #expect(answer.status == 201, "\(answer.text)")
        }
      }
      for station in stations {
        try await Browser.until("what was said last of \(station.name) holds") {
          let found = try await city.get("/sensors/v1.1/Datastreams(\(station.datastream))/Observations", query: [("$orderby", "phenomenonTime")])
          return found["value"]?.array?.compactMap { $0["result"]?.double } == results
        }
      }
      for projection in ["rollups", "observations"] {
        let (code, output) = try await city.run(["replay", projection, "--verify"] + city.storage)
        #expect(code == 0 && output.contains("0 differences"), "\(projection): \(output)")
      }
    }
  }
}
