import HTTP
import JSON
import Synchronization
import Testing

@testable import ServiceKit

@Suite("The issuer's keys")
struct KeySourceTests {
  /// An OIDC provider that counts how often it is asked and whose answers can be changed.
  final class Provider: Sendable {
    struct State {
      var keys: JSONValue = ["keys": []]
      var issuer = "https://idp.example"
      var address = "https://idp.example/keys"
      var asked = 0
      var now = ContinuousClock.now
    }
    let state = Mutex(State())

    func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }
    var asked: Int { state.withLock { $0.asked } }

    func source() -> KeySource {
      KeySource(.issuer("https://idp.example"), now: { self.state.withLock { $0.now } }) { url in
        self.state.withLock { state in
          guard url.hasSuffix("/.well-known/openid-configuration") else { return state.keys.bytes }
          state.asked += 1
          return JSONValue.object(["issuer": .string(state.issuer), "jwks_uri": .string(state.address)]).bytes
        }
      }
    }

    func offer(_ ids: String...) throws {
      let keys = try ids.map { try SigningKey(.edDSA, id: $0).jwk }
      change { $0.keys = .object(["keys": .array(keys)]) }
    }
  }

  let provider = Provider()

  @Test("are asked for once, again for an unknown key, and for that at most once a minute")
  func refresh() async throws {
    try provider.offer("a")
    let source = provider.source()
    #expect(try await source.keys().count == 1)
    #expect(try await source.keys().count == 1)
    #expect(provider.asked == 1)
    #expect(try await source.keysAnew() == nil)
    try provider.offer("a", "b")
    provider.change { $0.now += .seconds(60) }
    #expect(try await source.keysAnew()?.count == 2)
    #expect(try await source.keysAnew() == nil)
    #expect(try await source.keys().count == 2)
    #expect(provider.asked == 2)
  }

  @Test("hold on while the issuer is away, and are renewed when they are old")
  func away() async throws {
    try provider.offer("a")
    let source = provider.source()
    _ = try await source.keys()
    provider.change {
      $0.now += KeySource.maximalAge
      $0.keys = "down for maintenance"
    }
    #expect(try await source.keys().count == 1)
    try provider.offer("a", "b", "c")
    provider.change { $0.now += .seconds(60) }
    #expect(try await source.keys().count == 3)
  }

  @Test("are not taken from another issuer, in the clear, or when there is none")
  func refused() async throws {
    try provider.offer("a")
    provider.change { $0.issuer = "https://evil.example" }
    await #expect(throws: IdentityUnavailable.self) { try await provider.source().keys() }
    provider.change {
      $0.issuer = "https://idp.example"
      $0.address = "http://idp.example/keys"
    }
    await #expect(throws: IdentityUnavailable.self) { try await provider.source().keys() }
    try provider.offer()
    provider.change { $0.address = "https://idp.example/keys" }
    await #expect(throws: IdentityUnavailable.self) { try await provider.source().keys() }
  }
}

@Suite("Development")
struct DevelopmentTests {
  @Test("listens on loopback", arguments: ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
  func loopback(_ host: String) { #expect(throws: Never.self) { try Identity.checkLoopback(host) } }

  @Test("listens nowhere else", arguments: ["0.0.0.0", "::", "192.168.1.1", "::ffff:10.0.0.1", "city.example", ""])
  func elsewhere(_ host: String) { #expect(throws: Identity.NotLoopback.self) { try Identity.checkLoopback(host) } }
}

@Suite("Health")
struct HealthTests {
  @Test("is ready once started and while every check is good, and names what is not")
  func ready() async throws {
    let health = Health(checkLimit: .milliseconds(50))
    let good = Mutex(true)
    health.add(HealthCheck("database") { good.withLock { $0 } ? .good : .bad("it does not answer") })
    #expect(await health.report().json["status"] == "starting")
    health.started()
    #expect(await health.report().isReady)
    good.withLock { $0 = false }
    let router = try Router(health.routes)
    let answer = await router.respond(to: try Request(method: .get, target: "/health/ready"))
    #expect(answer.status == 503)
    #expect(try JSONValue(parsing: answer.bytes)["checks"]?["database"]?["reason"] == "it does not answer")
    #expect(await router.respond(to: try Request(method: .get, target: "/health/live")).status == 200)
    good.withLock { $0 = true }
    health.stopping()
    #expect(await health.report().json["status"] == "stopping")
  }

  @Test("does not wait for a check that hangs")
  func hanging() async {
    let health = Health(checkLimit: .milliseconds(10))
    health.started()
    health.add(
      HealthCheck("stuck") {
        await untilCancelled()
        return .good
      })
    #expect(await !health.report().isReady)
  }
}
