import Foundation
import HTTP
import Testing

@Suite("The OpenAPI document")
struct OpenAPITests {
  private let router: Router

  init() throws {
    let info = RouteInfo(
      "One thing", tag: "Things", parameters: [ParameterInfo("$top", "At most so many.", schema: #"{"type":"integer","minimum":0}"#)],
      responses: [.schema("Thing"), .text("text/plain")], mayBeEmpty: true, headers: [HeaderInfo("X-Left", "How many are left", isAlwaysThere: false)])
    router = try Router([
      Route(.get, "/v1/Things({id})", access: .everyone, info: info) { _ in .noContent },
      Route(.delete, "/v1/Things({id})", access: .roles(["editor", "chief"]), info: RouteInfo("Retire a thing", status: 204)) { _ in .noContent },
      Route(.post, "/v1/Things", access: .authenticated, info: RouteInfo("Register a thing", request: .schema("Thing", example: #"{"name":"a"}"#), status: 201))
      { _ in .noContent },
      Route(.get, "/v1/Things", access: .everyone, info: RouteInfo("All things", responses: [.schema("Thing")], isTagged: true)) { _ in .noContent },
    ])
  }

  private func document() throws -> [String: Any] {
    let bytes = router.openAPI(OpenAPI(title: "Sensors", schemas: ["Thing": #"{"type":"object"}"#]))
    return try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
  }

  private func part(_ path: String...) throws -> Any {
    var value: Any = try document()
    for name in path {
      if let list = value as? [Any], let index = Int(name) {
        value = list[index]
      } else {
        value = try #require((value as? [String: Any])?[name], "\(name) of \(path)")
      }
    }
    return value
  }

  @Test("names its version and every route of the table")
  func paths() throws {
    #expect(try part("openapi") as? String == "3.1.0")
    #expect(try part("info", "title") as? String == "Sensors")
    let paths = try #require(try part("paths") as? [String: [String: Any]])
    #expect(paths.mapValues { $0.keys.sorted() } == ["/v1/Things": ["get", "post"], "/v1/Things({id})": ["delete", "get"]])
  }

  @Test("describes parameters of path and query")
  func parameters() throws {
    let list = try #require(try part("paths", "/v1/Things({id})", "get", "parameters") as? [[String: Any]])
    #expect(list.map { $0["name"] as? String } == ["id", "$top"])
    #expect(list.map { $0["in"] as? String } == ["path", "query"])
    #expect(list.map { $0["required"] as? Bool } == [true, false])
    #expect(try part("paths", "/v1/Things({id})", "get", "parameters", "1", "schema", "minimum") as? Int == 0)
  }

  @Test("describes bodies, and the problem as every other answer")
  func bodies() throws {
    let answer = try part("paths", "/v1/Things({id})", "get", "responses", "200", "content", "application/json", "schema", "$ref")
    #expect(answer as? String == "#/components/schemas/Thing")
    _ = try part("paths", "/v1/Things({id})", "get", "responses", "200", "content", "text/plain", "schema")
    _ = try part("paths", "/v1/Things({id})", "get", "responses", "204", "description")
    let asked = try part("paths", "/v1/Things", "post", "requestBody", "content", "application/json", "schema", "$ref")
    #expect(asked as? String == "#/components/schemas/Thing")
    #expect(try part("paths", "/v1/Things", "post", "responses", "default", "$ref") as? String == "#/components/responses/Problem")
    _ = try part("components", "responses", "Problem", "content", "application/problem+json", "schema", "$ref")
    _ = try part("components", "schemas", "Problem", "properties", "errors")
    _ = try part("paths", "/v1/Things({id})", "delete", "responses", "204")
  }

  @Test("shows an example of a body, and the fields of an answer's head")
  func heads() throws {
    #expect(try part("paths", "/v1/Things", "post", "requestBody", "content", "application/json", "example", "name") as? String == "a")
    #expect(try part("paths", "/v1/Things({id})", "get", "responses", "200", "headers", "X-Left", "required") as? Bool == false)
  }

  @Test("says of what has a tag how to ask for it again")
  func tags() throws {
    #expect(try part("paths", "/v1/Things", "get", "parameters", "0", "name") as? String == "If-None-Match")
    #expect(try part("paths", "/v1/Things", "get", "responses", "200", "headers", "ETag", "required") as? Bool == true)
    _ = try part("paths", "/v1/Things", "get", "responses", "304", "description")
  }

  @Test("names the roles of each operation")
  func security() throws {
    #expect(try (part("paths", "/v1/Things({id})", "get", "security") as? [Any])?.isEmpty == true)
    #expect(try part("paths", "/v1/Things({id})", "delete", "security", "0", "bearer") as? [String] == ["chief", "editor"])
    #expect(try (part("paths", "/v1/Things", "post", "security", "0", "bearer") as? [Any])?.isEmpty == true)
    _ = try part("components", "securitySchemes", "bearer")
  }

  @Test("has the same bytes for the same table")
  func stable() {
    #expect(router.openAPI(title: "x") == router.openAPI(title: "x"))
  }
}
