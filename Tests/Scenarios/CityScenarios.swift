import Foundation
import HTTP
import JSON
import TestSupport
import Testing
import Time

/// The whole city, as its users know it. One after the other: each is as much work as a machine has hands for.
@Suite("The city", .serialized)
struct CityScenarios {
  @Test("serves the sensors' page, which shows a reading as it comes, to mouse, keyboard and screen reader")
  func page() async throws {
    try await RunningCity.with { city in
      let device = try await city.token("device")
      let datastream = try await city.registerStation("Wetterstation Westfalenpark", token: try await city.token("sensor-operator"))
      let observations = "/sensors/v1.1/Datastreams(\(datastream))/Observations"
      #expect(try await city.post(observations, ["result": 11.5], token: device).status == 201)
      try await Browser.with { browser in
        try await browser.open(city.url + "/sensors/")
        try await browser.wait(until: "the list shows the reading", "return document.querySelector('#rows')?.textContent.includes('11,5 °C') ?? false")
        try await browser.wait(until: "the live connection stands", "return document.querySelector('#connection').textContent.startsWith('Live')")
        #expect(try await browser.run("return document.querySelectorAll('.leaflet-marker-icon').length") == 1)
        #expect(try await browser.run("return document.querySelectorAll('.leaflet-overlay-pane path').length").int ?? 0 >= 2)

        #expect(try await city.post(observations, ["result": -3.25], token: device).status == 201)
        try await browser.wait(until: "the new reading appears by itself", "return document.querySelector('#rows').textContent.includes('-3,25 °C')")

        _ = try await browser.run("document.querySelector('#rows button').focus()")
        try await browser.press("\u{E007}")
        try await browser.wait(
          until: "the chart says in words what it shows",
          "return document.querySelector('#chart').getAttribute('aria-label').includes('2 Messwerte von -3,25 bis 11,5 °C')")
        #expect(try await browser.run("return document.activeElement.id") == "detail-title")
        let complaints = try await browser.complaints()
        #expect(complaints == [])
        if let folder = ProcessInfo.processInfo.environment["DOS_SCREENSHOTS"] {
          try await browser.screenshot().write(to: URL(fileURLWithPath: folder + "/sensors.png"))
        }
      }
    }
  }

  @Test("keeps every acknowledged reading through a kill of the server in the middle of an import, and counts none twice")
  func killedInTheMiddle() async throws {
    try await RunningCity.with { city in
      let datastream = try await city.registerStation("Wetterstation Mengede", token: try await city.token("sensor-operator"))
      let device = try await city.token("device")
      let rows = 20_000
      let file = FileManager.default.temporaryDirectory.path + "/readings-\(UUID().uuidString).csv"
      defer { try? FileManager.default.removeItem(atPath: file) }
      let lines = (0..<rows).map { "\(Instant(milliseconds: 1_590_969_600_000 + Int64($0) * 60_000).rfc3339),\(datastream),\(Double($0 % 400) / 10)" }
      try ("time,datastream,value\n" + lines.joined(separator: "\n") + "\n").write(toFile: file, atomically: true, encoding: .utf8)
      let command = ["import", file, "--url", city.url, "--datastream-id", "datastream", "--batch", "200"]
      let token = ["DOS_DEVICE_TOKEN": device]

      let interrupted = try city.launch(command, environment: token)
      try await Browser.until("the import is under way") { try await count(city, datastream) > 1_000 }
      await city.end(with: SIGKILL)
      interrupted.signal(SIGKILL)
      try await interrupted.end()
      try await city.start()
      let (code, output) = try await city.run(command, environment: token)
      #expect(code == 0, "\(output)")
      // Acknowledged means with the broker: the read model follows within moments.
      try await Browser.until("every reading is there") { try await count(city, datastream) >= Int64(rows) }
      #expect(try await count(city, datastream) == Int64(rows))
    }
  }

  @Test("ends a replay of every projection with the same tables, and says how far it is")
  func replay() async throws {
    try await RunningCity.with { city in
      let datastream = try await city.registerStation("Wetterstation Hörde", token: try await city.token("sensor-operator"))
      let device = try await city.token("device")
      let start = Instant.now() - .seconds(7_200)
      for minute in 0..<60 {
        let reading: JSONValue = ["phenomenonTime": .string((start + .seconds(minute * 60)).rfc3339), "result": .number(Double(minute) / 4)]
        #expect(try await city.post("/sensors/v1.1/Datastreams(\(datastream))/Observations", reading, token: device).status == 201)
      }
      try await Browser.until("all 60 readings are there") { try await count(city, datastream) == 60 }
      for projection in ["registry", "rollups", "observations"] {
        for options in [["--verify"], [], ["--verify"]] {
          let (code, output) = try await city.run(["replay", projection] + city.storage + options)
          #expect(code == 0, "\(projection): \(output)")
          #expect(output.contains("100 %") && output.contains(options.isEmpty ? "built anew" : "0 differences"), "\(projection): \(output)")
        }
      }
      // The service goes on over the new tables.
      let later: JSONValue = ["phenomenonTime": .string((start + .seconds(3_700)).rfc3339), "result": 4.5]
      #expect(try await city.post("/sensors/v1.1/Datastreams(\(datastream))/Observations", later, token: device).status == 201)
      try await Browser.until("all 61 readings are there") { try await count(city, datastream) == 61 }
      let (code, output) = try await city.run(["replay", "rollups", "--verify"] + city.storage)
      #expect(code == 0, "\(output)")
      #expect(try await city.run(["replay", "rolups"] + city.storage).output.contains("registry, rollups, observations"))
    }
  }

  private func count(_ city: RunningCity, _ datastream: Int64) async throws -> Int64 {
    try await city.get("/sensors/v1.1/Datastreams(\(datastream))/Observations", query: [("$count", "true"), ("$top", "0")])["@iot.count"]?.int ?? -1
  }
}
