import Synchronization
import Testing

@testable import HTTP

/// A request as a test writes it.
func request(
  _ method: HTTP.Method, _ target: String, headers: Headers = [:], body: String = "", caller: Caller? = nil
) throws(Problem) -> Request {
  try Request(method: method, target: target, headers: headers, body: Array(body.utf8), caller: caller)
}

func request(_ target: String, headers: Headers = [:], caller: Caller? = nil) throws(Problem) -> Request {
  try request(.get, target, headers: headers, caller: caller)
}

private func route(_ pattern: String, access: Access = .everyone) -> Route { route(.get, pattern, access: access) }

private func route(_ method: HTTP.Method, _ pattern: String, access: Access = .everyone) -> Route {
  Route(method, pattern, access: access, info: "x") { request in
    let parameters = request.pathParameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    return .text(([pattern] + parameters).joined(separator: " "))
  }
}

private func text(_ response: Response) -> String { String(decoding: response.bytes, as: UTF8.self) }

/// What hooks were told.
private final class Notes: Sendable {
  private let notes = Mutex<[String]>([])
  func add(_ note: String) { notes.withLock { $0.append(note) } }
  var all: [String] { notes.withLock { $0 } }
}

private struct Odd: Error {}
private struct Busy: Error {}

@Suite("Routes")
struct RouteTests {
  private let router: Router

  init() throws {
    router = try Router([
      route("/"), route("/things"), route(.post, "/things"), route("/things/{id}"), route("/things/mine"),
      route("/v1/Things({id})"), route("/v1/Things({id})/Datastreams"), route("/v1/Things"), route("/v1/{rest}"),
      route("/maps/{z}/{x}-{y}.png"), route("/secret", access: .roles(["editor", "chief"])), route("/self", access: .authenticated),
      route(.delete, "/things/{name}"),
    ])
  }

  @Test(
    "are found by path, parameters decoded",
    arguments: [
      ("/", "/"), ("/things", "/things"), ("/things/7", "/things/{id} id=7"), ("/things/mine", "/things/mine"),
      ("/things/a%2Fb%20c", "/things/{id} id=a/b c"), ("/v1/Things(12)", "/v1/Things({id}) id=12"), ("/v1/Things%2812%29", "/v1/Things({id}) id=12"),
      ("/v1/Things(12)/Datastreams?$top=1", "/v1/Things({id})/Datastreams id=12"), ("/v1/Things", "/v1/Things"), ("/v1/Things()", "/v1/{rest} rest=Things()"),
      ("/maps/3/10-20.png", "/maps/{z}/{x}-{y}.png x=10 y=20 z=3"), ("http://elsewhere/things/7", "/things/{id} id=7"), ("/things/%C3%BC", "/things/{id} id=ü"),
    ])
  func found(_ target: String, _ expected: String) async throws {
    let answer = await router.respond(to: try request(target))
    #expect(answer.status == 200)
    #expect(text(answer) == expected)
  }

  @Test("answer 404 for what is nowhere", arguments: ["/nothing", "/things/7/more", "/things/", "/v1/Things(12/Datastreams", "/maps/3/10-.png", "/v1//"])
  func missing(_ target: String) async throws {
    let answer = await router.respond(to: try request(target))
    #expect(answer.status == 404)
    #expect(answer.headers["Content-Type"] == "application/problem+json")
  }

  @Test("answer 405 with what is possible, and OPTIONS with the same")
  func wrongMethod() async throws {
    let answer = await router.respond(to: try request(.put, "/things"))
    #expect(answer.status == 405)
    #expect(answer.headers["Allow"] == "GET, HEAD, POST, OPTIONS")
    let options = await router.respond(to: try request(.options, "/things/4"))
    #expect(options.status == 204)
    #expect(options.headers["Allow"] == "GET, HEAD, DELETE, OPTIONS")
  }

  @Test("keep each route's own names of parameters")
  func ownNames() async throws {
    let answer = await router.respond(to: try request(.delete, "/things/4"))
    #expect(text(answer) == "/things/{name} name=4")
  }

  @Test("let literal segments win, and turn back where they lead nowhere")
  func backtracking() async throws {
    let router = try Router([route("/a/b/c"), route("/a/{x}/d"), route("/{y}/b/e")])
    #expect(text(await router.respond(to: try request("/a/b/d"))) == "/a/{x}/d x=b")
    #expect(text(await router.respond(to: try request("/a/b/e"))) == "/{y}/b/e y=a")
    #expect(text(await router.respond(to: try request("/a/b/c"))) == "/a/b/c")
  }

  @Test("answer HEAD through GET")
  func head() async throws {
    let answer = await router.respond(to: try request(.head, "/things"))
    #expect(answer.status == 200)
    #expect(text(answer) == "/things")
  }

  @Test("cannot be there twice, nor be unreadable")
  func conflicts() {
    #expect(throws: RouteConflict.self) { try Router([route("/a/{x}"), route("/a/{y}")]) }
    for pattern in ["a", "/{x", "/{}", "/{a}{b}", "/{a}/{a}"] {
      #expect(throws: RouteConflict.self, "\(pattern)") { try Router([route(pattern)]) }
    }
  }

  @Test("ask who is there, and for the role they name")
  func access() async throws {
    let nobody = await router.respond(to: try request("/secret"))
    #expect(nobody.status == 401)
    #expect(nobody.headers["WWW-Authenticate"] == "Bearer")
    #expect(text(nobody).contains("chief, editor"))
    let other = Caller(id: "anna", roles: ["reader"], kind: .person)
    let refused = await router.respond(to: try request("/secret", caller: other))
    #expect(refused.status == 403)
    #expect(text(refused).contains("chief, editor"))
    #expect(await router.respond(to: try request("/self", caller: other)).status == 200)
    #expect(await router.respond(to: try request("/self")).status == 401)
    let editor = Caller(id: "berta", roles: ["reader", "editor"], kind: .person)
    #expect(await router.respond(to: try request("/secret", caller: editor)).status == 200)
  }

  @Test("take the caller from whoever authenticates, and answer his refusal")
  func authentication() async throws {
    let chief = Caller(id: "carla", roles: ["chief"], kind: .person)
    #expect(await router.respond(to: try request("/secret")) { _ in chief }.status == 200)
    #expect(await router.respond(to: try request("/things")) { _ in throw Problem.unauthorized("The token is over.") }.status == 401)
  }

  @Test(
    "take the media types they name, in UTF-8",
    arguments: [
      ("application/json", 200), ("Application/JSON; charset=UTF-8", 200), ("application/json;charset=\"utf-8\"", 200),
      ("application/json; charset=latin1", 415),
      ("text/plain", 415), ("application/jsonx", 415), ("", 415),
    ])
  func mediaTypes(_ type: String, _ status: Int) async throws {
    let answer = await router.respond(to: try request(.post, "/things", headers: ["Content-Type": type], body: "{}"))
    #expect(answer.status == status)
    #expect(await router.respond(to: try request(.post, "/things", body: "{}")).status == 415)
    #expect(await router.respond(to: try request(.post, "/things")).status == 200)
  }

  @Test("take a body up to their limit")
  func bodyLimit() async throws {
    let router = try Router([Route(.post, "/x", access: .everyone, bodyLimit: 4, accepts: [], info: "x") { _ in .noContent }])
    #expect(router.largestBody == 4)
    #expect(await router.respond(to: try request(.post, "/x", body: "1234")).status == 204)
    #expect(await router.respond(to: try request(.post, "/x", body: "12345")).status == 413)
  }

  @Test("turn errors into problems, and keep to themselves what nobody knew")
  func errors() async throws {
    let reported = Notes()
    let hooks = Router.Hooks(
      mapError: { $0 is Busy ? .unavailable("Later.", retryAfter: 3) : nil },
      report: { error, request in reported.add("\(error) \(request.correlationID)") })
    let router = try Router(
      [
        Route(.get, "/busy", access: .everyone, info: "x") { _ in throw Busy() }, Route(.get, "/odd", access: .everyone, info: "x") { _ in throw Odd() },
        Route(.get, "/conflict", access: .everyone, info: "x") { _ in throw Problem.conflict("No.") },
      ], hooks: hooks)
    let busy = await router.respond(to: try request("/busy"))
    #expect(busy.status == 503)
    #expect(busy.headers["Retry-After"] == "3")
    let odd = await router.respond(to: try request("/odd", headers: ["X-Correlation-ID": "abc-1"]))
    #expect(odd.status == 500)
    #expect(odd.headers["X-Correlation-ID"] == "abc-1")
    #expect(text(odd).contains("abc-1"))
    #expect(!text(odd).contains("Odd"))
    #expect(reported.all == ["Odd() abc-1"])
    #expect(await router.respond(to: try request("/conflict")).status == 409)
  }

  @Test("report nothing for a request that was ended")
  func cancelled() async throws {
    let reported = Notes()
    let hooks = Router.Hooks(report: { error, _ in reported.add("\(error)") })
    let router = try Router([Route(.get, "/", access: .everyone, info: "x") { _ in throw CancellationError() }], hooks: hooks)
    #expect(await router.respond(to: try request("/")).status == 503)
    #expect(reported.all.isEmpty)
  }

  @Test("report nothing for a request whose client left, whatever that made fail, and call it neither an error nor answered")
  func left() async throws {
    struct Broken: Error {}
    let seen = Notes()
    let hooks = Router.Hooks(
      mapError: { error in
        seen.add("mapped \(error)")
        return nil
      }, report: { error, _ in seen.add("reported \(error)") }, observe: { seen.add("observed \($0.status)") })
    let began = Signal()
    let route = Route(.get, "/", access: .everyone, info: "x") { _ in
      began.happen()
      try? await Task.sleep(for: .seconds(600))
      throw Broken()
    }
    let router = try Router([route], hooks: hooks)
    let asked = try request("/")
    let task = Task { await router.respond(to: asked) }
    await began.wait()
    task.cancel()
    _ = await task.value
    #expect(seen.all == ["observed 499"])
  }

  @Test("tell their pattern, status and duration")
  func observation() async throws {
    let seen = Notes()
    let hooks = Router.Hooks(observe: { observation in
      seen.add("\(observation.request?.method.rawValue ?? "-") \(observation.pattern ?? "-") \(observation.status)")
    })
    let router = try Router([route("/things/{id}")], hooks: hooks)
    _ = await router.respond(to: try request("/things/1"))
    _ = await router.respond(to: try request("/other"))
    _ = await router.respond(to: try request(.put, "/things/1"))
    #expect(seen.all == ["GET /things/{id} 200", "GET - 404", "PUT /things/{id} 405"])
  }

  @Test("answer 304 to who has it already")
  func entityTags() async throws {
    let router = try Router([Route(.get, "/x", access: .everyone, info: "x") { request in Response.json(Array("[1]".utf8)).unlessUnchanged(for: request) }])
    let first = await router.respond(to: try request("/x"))
    let tag = try #require(first.headers["ETag"])
    for field in [tag, "*", "\"a\", \(tag)", "W/\(tag)"] {
      let again = await router.respond(to: try request("/x", headers: ["If-None-Match": field]))
      #expect(again.status == 304, "\(field)")
      #expect(again.bytes.isEmpty)
      #expect(again.headers["ETag"] == tag)
    }
    #expect(await router.respond(to: try request("/x", headers: ["If-None-Match": "\"a\""])).status == 200)
  }

  @Test("have tags that differ with every bit and every length")
  func tagsDiffer() {
    var tags: Set<String> = []
    for count in 0..<40 {
      tags.insert(EntityTag.of([UInt8](repeating: 0, count: count)))
      for bit in 0..<count * 8 {
        var bytes = [UInt8](repeating: 0, count: count)
        bytes[bit / 8] = 1 << UInt8(bit % 8)
        tags.insert(EntityTag.of(bytes))
      }
    }
    #expect(tags.count == 40 + 8 * (0..<40).reduce(0, +))
    #expect(EntityTag.of(Array("Dortmund".utf8)) == EntityTag.of(Array("Dortmund".utf8)))
  }
}
