import Foundation
import HTTP
import JSON
import TestSupport
import Testing

@testable import Warning

@Suite("The examples in the description", .timeLimit(.minutes(5))) struct ExampleTests {
  private let document: JSONValue

  init() throws { document = try Schemas.json("openapi/warnings.json") }

  /// The example of an operation, with members set to what holds in the test.
  private func example(_ method: String, _ path: String, _ members: [String: JSONValue] = [:]) throws -> JSONValue {
    let content = document["paths"]?[path]?[method]?["requestBody"]?["content"]?["application/json"]
    return members.reduce(try #require(content?["example"], "\(method) \(path)")) { $0.with($1.key, $1.value) }
  }

  @Test("of alerts work, from the first draft to the all-clear") func alerts() async throws {
    try await WholeWarnings.run { city in
      let drafted = try await city.expect(201, .post, "/warnings/alerts", example("post", "/warnings/alerts"))
      let path = "/warnings/\(drafted["id"]?.string?.lowercased() ?? "")"
      func step(_ step: String, _ members: [String: JSONValue] = [:], status: Int = 200, as token: String = WholeWarnings.ada) async throws -> JSONValue {
        try await city.expect(status, .post, "\(path)/\(step)", example("post", "/warnings/{id}/\(step)", members), as: token)
      }
      try await city.expect(200, .put, "\(path)/draft", example("put", "/warnings/{id}/draft"))
      try await city.expect(200, .post, "\(path)/submit")
      _ = try await step("return", as: WholeWarnings.ben)
      try await city.expect(200, .post, "\(path)/submit")
      let issued = try await step("approve", ["revision": 2], as: WholeWarnings.ben)
      let updated = try await step("update", ["refersTo": issued["head"]?["message"] ?? .null], status: 201)
      #expect(updated["draft"]?["kind"]?.string == "update")
      _ = try await step("reject")
      _ = try await step("cancel", ["refersTo": issued["head"]?["message"] ?? .null], status: 201)
      _ = try await step("reject")
      _ = try await step("all-clear", ["refersTo": issued["head"]?["message"] ?? .null], status: 201)
      try await city.pass(drafted["id"]?.string ?? "")

      let alone = try await city.expect(201, .post, "/warnings/alerts", ["content": Content.flood(channels: ["app", "sirens"])])
      let other = "/warnings/\(alone["id"]?.string?.lowercased() ?? "")"
      let broken = try await city.expect(200, .post, "\(other)/break-glass", example("post", "/warnings/{id}/break-glass"))
      try await city.expect(200, .post, "\(other)/review", example("post", "/warnings/{id}/review"), as: WholeWarnings.ben)
      let confirmation = try example("post", "/warnings/{id}/deliveries/{channel}/confirm", ["message": broken["head"]?["message"] ?? .null])
      #expect(try await eventually { try await city.send(.post, "\(other)/deliveries/sirens/confirm", confirmation).status == 200 })
    }
  }

  @Test("of rules, templates, targets, releases and others' warnings work") func others() async throws {
    try await WholeWarnings.run { city in
      let rule = try await city.expect(201, .post, "/warnings/rules", example("post", "/warnings/rules"))
      let path = "/warnings/rules/\(rule["id"]?.string ?? "")"
      try await city.expect(200, .post, "\(path)/activate", example("post", "/warnings/rules/{id}/activate"))
      try await city.expect(200, .put, path, example("put", "/warnings/rules/{id}"))
      try await city.expect(200, .put, "/warnings/templates/ruhr", example("put", "/warnings/templates/{name}"))
      try await city.expect(201, .post, "/warnings/targets", example("post", "/warnings/targets"))
      let release = try await city.expect(201, .post, "/warnings/releases", example("post", "/warnings/releases"))
      let revoke = "/warnings/releases/\(release["release"]?["id"]?.string ?? "")/revoke"
      try await city.expect(200, .post, revoke, example("post", "/warnings/releases/{id}/revoke"))
      let foreign = try #require(document["paths"]?["/warnings/foreign"]?["post"]?["requestBody"]?["content"]?["application/cap+xml"]?["example"]?.string)
      let taken = try await city.client.send(
        ClientRequest(
          .post, city.origin + "/warnings/foreign", headers: ["Content-Type": "application/cap+xml", "Authorization": "Bearer \(WholeWarnings.ada)"],
          body: Array(foreign.utf8)))
      #expect(taken.status == 200 && taken.text.contains(#""remarks":[]"#), "\(taken.text)")
    }
  }
}
