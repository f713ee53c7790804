import Foundation
import HTTP
import JSON
import TestSupport
import Testing

@testable import Warning

@Suite("What no request may bring", .timeLimit(.minutes(5))) struct BadInputTests {
  @Test("is the character U+0000, wherever it stands: what was written with it could not be read") func nullCharacter() async throws {
    try await WholeWarnings.run { city in
      let headline = Content.flood("Hoch\u{0}wasser")
      for body in [["content": headline], ["template": "hochwasser", "content": ["contact": "\u{0}"]]] as [JSONValue] {
        let refused = try await city.expect(400, .post, "/warnings/alerts", body)
        #expect(refused["errors"]?.array?.first?["problem"]?.string == "holds the character U+0000")
      }
    }
  }

  @Test("is a field that a condition of its kind does not have: a mark that nobody watches would be taken for one") func otherKinds() async throws {
    try await WholeWarnings.run { city in
      let level: JSONValue = ["kind": "threshold", "datastream": 7, "direction": "above", "raiseAt": 1.2, "clearAt": 1.0, "for": 0]
      let rule: JSONValue = [
        "name": "Pegel", "description": "Steigt", "city": "dortmund", "district": "Huckarde", "place": [7.41, 51.53], "severity": "Severe", "condition": level,
      ]
      for (condition, path) in [
        (level.with("within", 600), "condition/within"), (["kind": "any", "of": [level], "atLeast": 1], "condition/atLeast"),
        (["kind": "all", "of": [level.with("by", 1)]], "condition/of/0/by"),
      ] {
        let refused = try await city.expect(400, .post, "/warnings/rules", rule.with("condition", condition))
        #expect(refused["errors"]?.array?.first?["path"]?.string == path)
      }
      try await city.expect(201, .post, "/warnings/rules", rule)
    }
  }

  @Test("are releases that nobody can understand later, and words where the query wants a truth") func nonsense() async throws {
    try await WholeWarnings.run { city in
      let release: JSONValue = ["mode": "Test", "from": "2030-06-15T13:00:00Z", "until": "2030-06-15T14:00:00Z", "reason": " "]
      try await city.expect(400, .post, "/warnings/releases", release)
      let proposed = try await city.expect(201, .post, "/warnings/releases", release.with("reason", "Warntag"))
      try await city.expect(400, .post, "/warnings/releases/\(proposed["release"]?["id"]?.string ?? "")/revoke", ["reason": ""])
      try await city.expect(400, .get, "/warnings/alerts?open=perhaps")
      try await city.expect(
        400, .post, "/warnings/targets", ["channel": "webhook", "name": "App", "address": "http://", "secret": "no secret that anybody guesses"])
    }
  }
}
