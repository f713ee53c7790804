import JSON
import TestSupport
import Testing
import Time
import WarningDomain

@testable import Warning

@Suite("Templates", .timeLimit(.minutes(5))) struct TemplateTests {
  @Test("that the service brings along could be saved as they are, and fit every channel they name") func brought() {
    #expect(Templates.brought.count == 5)
    for (name, template) in Templates.brought { #expect(template.problems().isEmpty, "\(name)") }
  }

  @Test("fill in what a draft leaves out: where is always said anew, and what is said wins") func drafting() async throws {
    try await WholeWarnings.run { city in
      let area: JSONValue = ["description": "Entlang der Emscher", "districts": ["Huckarde"]]
      let drafted = try await city.expect(
        201, .post, "/warnings/alerts", ["template": "hochwasser", "content": ["area": area, "severity": "Extreme"]])
      let content = drafted["draft"]?["content"]
      #expect(content?["severity"]?.string == "Extreme" && content?["urgency"]?.string == "Immediate")
      #expect(content?["texts"]?.array?.first?["event"]?.string == "Hochwasser")
      let expires = try #require(content?["expires"]?.string.flatMap { Instant(rfc3339: $0) })
      #expect((Duration.seconds(43_100)...Duration.seconds(43_200)).contains(expires - city.clock.now))
      #expect(drafted["draft"]?["problems"]?.array?.isEmpty != false)
      try await city.pass(drafted["id"]?.string ?? "")

      let placeless = try await city.expect(400, .post, "/warnings/alerts", ["template": "hochwasser"])
      #expect(placeless["errors"]?.array?.first?["path"]?.string == "content/area")
      let unknown = try await city.expect(400, .post, "/warnings/alerts", ["template": "lawine", "content": ["area": area]])
      #expect(unknown["errors"]?.array?.first?["path"]?.string == "template")
    }
  }

  @Test("are saved for all officers, take the place of one brought along, and give it back when they are removed") func saving() async throws {
    try await WholeWarnings.run { city in
      let text: (String) -> JSONValue = { language in
        [
          "language": .string(language), "event": "Hochwasser", "headline": "Hochwasser an der Ruhr", "description": "Die Ruhr steigt.",
          "instruction": "Meiden Sie das Ufer.",
        ]
      }
      let content: JSONValue = [
        "categories": ["Met"], "urgency": "Expected", "severity": "Moderate", "certainty": "Likely", "responseTypes": [],
        "texts": [text("de-DE"), text("en-GB")], "channels": ["app"],
      ]
      let template: JSONValue = ["title": "Hochwasser der Ruhr", "lasts": 3_600, "content": content]
      for _ in 0..<2 { try await city.expect(200, .put, "/warnings/templates/hochwasser", template) }
      let saved = try await city.get("/warnings/templates", as: WholeWarnings.ben) { Self.title("hochwasser", $0) == "Hochwasser der Ruhr" }
      #expect(Self.title("hochwasser", saved) == "Hochwasser der Ruhr" && saved["templates"]?.array?.count == 5)
      #expect(try await city.pool.query("select 1 from journal_events where type = 'de.dos2030.warnings.template-saved.v1'").count == 1)
      for replay in city.replays { #expect(try await replay.run(true) { _ in }.differences.isEmpty) }

      try await city.expect(204, .delete, "/warnings/templates/hochwasser")
      let restored = try await city.get("/warnings/templates") { Self.title("hochwasser", $0) == "Hochwasser" }
      #expect(Self.title("hochwasser", restored) == "Hochwasser")
      try await city.expect(404, .delete, "/warnings/templates/hochwasser")

      // A repeat is answered as it was at first, whatever came since.
      try await city.expect(200, .put, "/warnings/templates/hochwasser", template, key: "saved")
      try await city.expect(204, .delete, "/warnings/templates/hochwasser", key: "removed")
      try await city.expect(200, .put, "/warnings/templates/hochwasser", template, key: "saved")
      try await city.expect(200, .put, "/warnings/templates/hochwasser", template)
      try await city.expect(204, .delete, "/warnings/templates/hochwasser", key: "removed")
    }
  }

  @Test("are refused with the field and what would be right") func refused() async throws {
    try await WholeWarnings.run { city in
      let content: JSONValue = [
        "categories": [], "urgency": "Expected", "severity": "Moderate", "certainty": "Likely", "responseTypes": [], "texts": [], "channels": ["app"],
      ]
      let empty = try await city.expect(422, .put, "/warnings/templates/ruhr", ["title": "Ruhr", "lasts": 5, "content": content])
      let paths = Set((empty["errors"]?.array ?? []).compactMap { $0["path"]?.string })
      #expect(paths == ["lasts", "content.categories", "content.texts"])
      let misspelt = try await city.expect(400, .put, "/warnings/templates/ruhr", ["title": "Ruhr", "last": 5, "content": content])
      #expect(misspelt["errors"]?.array?.first?["expected"]?.string == "'lasts'")
      try await city.expect(401, .put, "/warnings/templates/ruhr", ["title": "Ruhr", "lasts": 60, "content": content], as: nil)
    }
  }

  private static func title(_ name: String, _ list: JSONValue) -> String? {
    list["templates"]?.array?.first { $0["name"]?.string == name }?["title"]?.string
  }
}
