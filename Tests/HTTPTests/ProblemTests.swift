import JSON
import Testing

@testable import HTTP

private struct Thing: Decodable, KnownFields {
  static let fields = ["name"]
  let name: String
}

@Suite("A problem")
struct ProblemTests {
  @Test("reads as RFC 9457 says, whatever its words are")
  func json() throws {
    var problem = Problem.badRequest(path: "a/\"b\"", problem: "line\nbreak", expected: "ü\u{1}")
    problem.type = "https://example.org/x"
    let answer = problem.response(correlationID: "c-1")
    #expect(answer.headers["Content-Type"] == "application/problem+json")
    guard case .object(let fields) = try JSONParser.parse(answer.bytes) else {
      Issue.record("no object")
      return
    }
    let values = Dictionary(fields.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    #expect(values["status"] == .int(400))
    #expect(values["title"] == .string("Bad Request"))
    #expect(values["type"] == .string("https://example.org/x"))
    #expect(values["correlationId"] == .string("c-1"))
    #expect(values["detail"] == .string("a/\"b\": line\nbreak; expected ü\u{1}."))
    guard case .array(let errors) = values["errors"] else {
      Issue.record("no errors")
      return
    }
    #expect(errors.count == 1)
  }

  @Test("carries what the client needs to go on")
  func headers() {
    #expect(Problem.unauthorized("x").response.headers["WWW-Authenticate"] == "Bearer")
    #expect(Problem.tooManyRequests(retryAfter: 5).response.headers["Retry-After"] == "5")
    #expect(Problem.unavailable("x").response.headers["Retry-After"] == "1")
    #expect(Problem.methodNotAllowed("PUT", allow: ["GET"]).response.headers["Allow"] == "GET")
    #expect(Problem.unsupportedMediaType(nil, accepted: ["application/json"]).status == 415)
  }

  @Test("comes of a body that is not what it should be")
  func rejection() async throws {
    let router = try Router([
      Route(.post, "/", access: .everyone, info: "x") { request in
        _ = try decodeStrictly(Thing.self, from: request.body)
        return .noContent
      }
    ])
    for (body, path) in [("{\"nam\":1}", "nam"), ("{\"name\":1}", "name"), ("{", "body"), ("[]", "body")] {
      let answer = await router.respond(to: try request(.post, "/", headers: ["Content-Type": "application/json"], body: body))
      #expect(answer.status == 400)
      #expect(String(decoding: answer.bytes, as: UTF8.self).contains("\"path\":\"\(path)\""), "\(body)")
    }
    #expect(await router.respond(to: try request(.post, "/", headers: ["Content-Type": "application/json"], body: "{\"name\":\"a\"}")).status == 204)
  }
}
