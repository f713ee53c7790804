import Foundation
import HTTP
import JSON
import Postgres
import Synchronization
import TestSupport
import Testing
import Time

@testable import ServiceKit

@Suite("A device's key")
struct DeviceKeyTests {
  /// A clock that moves when told.
  final class Clock: Sendable {
    private let time = Mutex(ContinuousClock.now)
    var now: ContinuousClock.Instant { time.withLock { $0 } }
    func advance(_ duration: Duration) { time.withLock { $0 += duration } }
  }

  func withKeys<T: Sendable>(_ body: @escaping @Sendable (DeviceKeys, PostgresPool, Clock) async throws -> T) async throws -> T {
    let steps = try DeviceKeys.migrations()
    return try await withTestDatabase(migrate: [TestSchema(scope: steps.scope, migrations: steps.migrations)]) { pool in
      let clock = Clock()
      return try await body(DeviceKeys(pool: pool, now: { clock.now }), pool, clock)
    }
  }

  @Test("names its device, roles and city, and is stored as a hash alone")
  func works() async throws {
    try await withKeys { keys, pool, _ in
      let key = try await keys.create(id: "weather-1", city: "schwerte")
      #expect(key.text.wholeMatch(of: /dos_weather-1_[0-9a-f]{64}/) != nil)
      #expect(try await keys.caller(for: key.text) == Caller(id: "weather-1", roles: ["device"], city: "schwerte", kind: .device))
      let rows = try await pool.query("select row(k.*)::text, sha256 from dos_device_keys k")
      let (row, hash) = try #require(rows.first).decode(String.self, [UInt8].self)
      #expect(!row.contains(key.text.suffix(64)))
      #expect(hash == SHA256.hash(Array(key.text.utf8)))
    }
  }

  @Test("that nobody made is nobody's, however near")
  func unknown() async throws {
    try await withKeys { keys, _, _ in
      let key = try await keys.create(id: "a", city: nil).text
      let other = try await keys.create(id: "b", city: nil).text
      let near = String(key.dropLast()) + (key.hasSuffix("0") ? "1" : "0")
      for text in [near, "dos_b_" + key.suffix(64), "dos_a_" + other.suffix(64), key.uppercased(), key + "0", "dos__" + key.suffix(64), "dos_a", ""] {
        #expect(try await keys.caller(for: text) == nil, "\(text)")
      }
    }
  }

  @Test("that was revoked ends at once here, and elsewhere within the memory's time")
  func revoked() async throws {
    try await withKeys { keys, pool, clock in
      let elsewhere = DeviceKeys(pool: pool, now: { clock.now })
      let key = try await keys.create(id: "a", city: nil).text
      #expect(try await elsewhere.caller(for: key) != nil)
      #expect(try await keys.revoke(id: "a") == 1)
      #expect(try await keys.caller(for: key) == nil)
      clock.advance(DeviceKeys.memory)
      #expect(try await elsewhere.caller(for: key) == nil)
    }
  }

  @Test("gives way when its device has had five newer ones")
  func bounded() async throws {
    try await withKeys { keys, _, _ in
      var made: [String] = []
      for _ in 0..<6 { made.append(try await keys.create(id: "a", city: nil).text) }
      #expect(try await keys.caller(for: made[0]) == nil)
      for key in made.dropFirst() { #expect(try await keys.caller(for: key) != nil) }
    }
  }

  @Test("is not made for what is no device's name", arguments: ["", "a_b", "Ä", "a b", "A", String(repeating: "a", count: 65)])
  func names(_ id: String) {
    #expect(throws: DeviceKey.BadID.self) { try DeviceKey(drawingFor: id) }
  }

  @Test("has its migration in the binary")
  func embedded() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../Shared/ServiceKit/Migrations")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(try DeviceKeys.migrations().migrations.map(\.name) == files)
  }

  @Test("and a token are told apart, and what proves nothing is refused with 401")
  func authenticator() async throws {
    try await withKeys { keys, _, _ in
      let now = Instant(milliseconds: 1_790_000_000_000)
      let key = try SigningKey(.edDSA, id: DevelopmentIssuer.name)
      let token = try key.token(["iss": "dos-development", "aud": "dos2030", "sub": "u", "roles": ["reader"], "exp": .int(now.milliseconds / 1_000 + 60)])
      let source = KeySource(.fixed(try key.keySet())) { _ in [] }
      let authenticator = Authenticator(verifier: TokenVerifier(rules: DevelopmentIssuer.rules), keys: source, devices: keys, clock: { now })
      func caller(_ fields: [(String, String)]) async throws -> Caller? {
        try await authenticator.caller(of: Request(method: .get, target: "/", headers: Headers(fields)))
      }
      let device = try await keys.create(id: "a", city: nil).text
      #expect(try await caller([]) == nil)
      #expect(try await caller([("Authorization", "bearer \(device)")])?.kind == .device)
      #expect(try await caller([("Authorization", "Bearer \(token)")])?.roles == ["reader"])
      for fields in [
        [("Authorization", "Bearer \(token)"), ("Authorization", "Bearer \(token)")], [("Authorization", "Basic \(token)")], [("Authorization", token)],
        [("Authorization", "Bearer \(token)x")], [("Authorization", "Bearer dos_a_0")], [("Authorization", "Bearer")],
      ] {
        let problem = await #expect(throws: Problem.self) { try await caller(fields) }
        #expect(problem?.status == 401)
      }
    }
  }
}
