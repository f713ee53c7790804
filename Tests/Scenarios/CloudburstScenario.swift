import Foundation
import JSON
import Testing

/// A cloudburst over a creek, from the first drop to the all-clear, as everybody who has to do with it sees it.
@Suite("A cloudburst", .serialized, .timeLimit(.minutes(10)))
struct CloudburstScenario {
  @Test(
    "pages the crew first; an officer drafts, another approves, and app, mail, webhook and CAP feed have it; it is widened, ended, and explained",
    arguments: Mode.allCases)
  func cloudburst(_ mode: Mode) async throws {
    try mode.require()
    try await Warnings.with(mode, rota: "bach") { warnings in
      let city = warnings.city
      let creek = try await city.registerStation("Pegel Rüpingsbach", .waterLevel, token: try await city.token("sensor-operator"))
      let device = try await city.token("device")
      try await warnings.activate([
        "name": "Rüpingsbach über 1,20 m", "description": "Rechen prüfen, Anlieger warnen.", "city": "dortmund", "district": "Hombruch",
        "place": [7.43, 51.47], "severity": "Severe", "rota": "bach", "condition": Warnings.above(creek, 1.2, clear: 1.0),
      ])

      // From dry to flooded.
      var level = 0.05
      let found = try await warnings.hint {
        level = min(level + 0.1, 2.4)
        let answer = try await city.post("/sensors/v1.1/Datastreams(\(creek))/Observations", ["result": .number(level)], token: device)
        #expect(answer.status == 201)
      }
      let hint = try #require(found["id"]?.string)
      try await Browser.until("the crew is paged") { warnings.crew.letters.count == 1 }
      #expect(warnings.app.letters.isEmpty && warnings.mail.mails.isEmpty)
      try await warnings.post("/warnings/hints/\(hint)/acknowledge", [:], 200)

      let (alert, first) = try await warnings.issue(Self.content("Sturzflut am Rüpingsbach", in: ["Hombruch"]), from: hint)
      try await warnings.arrived([first])
      #expect(try await warnings.active(51.465, 7.43).contains(first))

      // An update widens it, the all-clear ends it.
      let wider = Self.content("Sturzflut, auch in Hörde", in: ["Hombruch", "Hörde"])
      let second = try await warnings.follow(alert, "update", of: first, ["content": wider])
      try await warnings.arrived([first, second])
      #expect(try await warnings.active(51.475, 7.50).contains(second))
      let over = Warnings.texts("Entwarnung am Rüpingsbach", event: "Sturzflut")
      let third = try await warnings.follow(alert, "all-clear", of: second, ["texts": over])
      try await warnings.arrived([first, second, third])

      // The log explains all of it, down to the readings.
      let why = try await warnings.get("/warnings/\(alert)/why")
      #expect(why["rule"]?.array?.last?["type"]?.string == "de.dos2030.warnings.rule-drafted.v1")
      let readings = why["hint"]?.array?.last?["data"]?["finding"]?["readings"]?.array ?? []
      #expect(readings.contains { $0["datastream"]?.int == creek && ($0["result"]?.double ?? 0) >= 1.2 })
      let steps = Set((why["deliveries"]?.array ?? []).compactMap { $0["type"]?.string })
      #expect(steps.contains("de.dos2030.warnings.delivery-delivered.v1"))
    }
  }

  private static func content(_ headline: String, in districts: [String]) -> JSONValue {
    Warnings.content(headline, event: "Sturzflut", in: districts)
  }
}
