import HTTP
import JSON
import Testing
import Time

@testable import ServiceKit

/// Tokens as issuers write them and as attackers do, each made here from keys of the test.
@Suite("A bearer token")
struct TokenTests {
  static let now = Instant(milliseconds: 1_790_000_000_000)
  static let seconds = now.milliseconds / 1_000

  /// An issuer with one key of each kind, and what tokens must say.
  struct Issuer {
    let rsa: SigningKey
    let p256: SigningKey
    let ed25519: SigningKey
    let keys: JSONWebKeySet
    let verifier = TokenVerifier(rules: .init(issuer: "https://idp.example", audience: "api"))

    init() throws {
      rsa = try SigningKey(.rs256, id: "r1")
      p256 = try SigningKey(.es256, id: "e1")
      ed25519 = try SigningKey(.edDSA, id: "d1")
      let encryption: JSONValue = ["kty": "RSA", "kid": "enc", "use": "enc", "n": "AQAB", "e": "AQAB"]
      keys = try JSONWebKeySet(json: JSONValue.object(["keys": [rsa.jwk, p256.jwk, ed25519.jwk, encryption]]).bytes)
    }

    func verify(_ token: String, at time: Instant = TokenTests.now) throws(TokenRefusal) -> Claims {
      try verifier.verify(token, keys: keys, now: time)
    }
  }

  static let issuer = Result { try Issuer() }
  let issuer: Issuer

  init() throws { issuer = try Self.issuer.get() }

  static func claims(_ changes: [String: JSONValue?] = [:]) -> JSONValue {
    var members: [String: JSONValue] = [
      "iss": "https://idp.example", "sub": "u1", "aud": ["api", "x"], "exp": .int(seconds + 3_600), "nbf": .int(seconds - 10), "iat": .int(seconds),
      "roles": ["reader", "unheard-of"], "city": "schwerte",
    ]
    for (name, value) in changes { members[name] = value }
    return .object(members)
  }

  func header(_ algorithm: String, _ id: String) -> JSONValue { ["alg": .string(algorithm), "kid": .string(id)] }

  /// A token from parts that need not be JSON.
  func token(header: String, claims: JSONValue = claims(), signed sign: ([UInt8]) throws -> [UInt8]) rethrows -> String {
    let input = Base64URL.encode(Array(header.utf8)) + "." + Base64URL.encode(claims.bytes)
    return input + "." + Base64URL.encode(try sign(Array(input.utf8)))
  }

  // MARK: The four good ones

  @Test("is believed when RSA, P-256 or Ed25519 signed it", arguments: SignatureAlgorithm.allCases)
  func good(_ algorithm: SignatureAlgorithm) throws {
    let key = [issuer.rsa, issuer.p256, issuer.ed25519].first { $0.algorithm == algorithm }
    let claims = try issuer.verify(try #require(key).token(Self.claims()))
    #expect(claims.subject == "u1")
    #expect(claims.roles == [.reader])
    #expect(claims.city == "schwerte")
  }

  @Test("may name its audience as a text instead of a list")
  func audienceAsText() throws {
    #expect(try issuer.verify(issuer.p256.token(Self.claims(["aud": "api"]))).subject == "u1")
  }

  // MARK: The hostile ones

  @Test("with claims that do not hold is refused, and the refusal names the claim")
  func claimsThatDoNotHold() throws {
    let cases: [([String: JSONValue?], TokenRefusal)] = [
      (["exp": .int(Self.seconds - 600)], .expired(at: Instant(milliseconds: (Self.seconds - 600) * 1_000))),
      (["nbf": .int(Self.seconds + 600)], .notYetValid(from: Instant(milliseconds: (Self.seconds + 600) * 1_000))),
      (["aud": ["other"]], .audience),
      (["iss": "https://evil.example"], .issuer),
      (["exp": .some(nil)], .claim("exp")),
      (["exp": "4000000000"], .claim("exp")),
      (["sub": ""], .claim("sub")),
    ]
    for (changes, refusal) in cases {
      let token = try issuer.rsa.token(Self.claims(changes))
      #expect(throws: refusal) { try issuer.verify(token) }
    }
  }

  @Test("has thirty seconds of leeway at both ends, and no more")
  func leeway() throws {
    let token = try issuer.ed25519.token(Self.claims(["exp": .int(Self.seconds), "nbf": .int(Self.seconds)]))
    #expect(throws: Never.self) { try issuer.verify(token, at: Self.now + .milliseconds(29_999)) }
    #expect(throws: TokenRefusal.self) { try issuer.verify(token, at: Self.now + .seconds(30)) }
    #expect(throws: Never.self) { try issuer.verify(token, at: Self.now - .seconds(30)) }
    #expect(throws: TokenRefusal.self) { try issuer.verify(token, at: Self.now - .milliseconds(30_001)) }
  }

  @Test("is refused when key id and algorithm do not pick one key")
  func keyAndAlgorithm() throws {
    for (algorithm, id) in [("RS256", "zz"), ("RS256", "e1"), ("ES256", "r1"), ("RS256", "enc")] {
      let token = try issuer.rsa.token(header: header(algorithm, id), Self.claims())
      #expect(throws: TokenRefusal.unknownKey) { try issuer.verify(token) }
    }
    let twin = try SigningKey(.edDSA, id: "d2")
    let keys = try JSONWebKeySet(json: JSONValue.object(["keys": [issuer.ed25519.jwk, twin.jwk]]).bytes)
    let nameless = try twin.token(header: ["alg": "EdDSA"], Self.claims())
    #expect(throws: TokenRefusal.unknownKey) { try issuer.verifier.verify(nameless, keys: keys, now: Self.now) }
  }

  @Test("with an algorithm outside the three is refused, whatever is signed", arguments: ["none", "None", "HS256", "RS512", "PS256", "ES384", "rs256", ""])
  func otherAlgorithms(_ algorithm: String) throws {
    let token = try issuer.rsa.token(header: header(algorithm, "r1"), Self.claims())
    #expect(throws: TokenRefusal.algorithm) { try issuer.verify(token) }
  }

  @Test("signed by another key under a known key id is refused")
  func otherKey() throws {
    let token = try SigningKey(.rs256, id: "r1").token(Self.claims())
    #expect(throws: TokenRefusal.signature) { try issuer.verify(token) }
  }

  @Test("without a signature is refused")
  func noSignature() throws {
    let token = token(header: #"{"alg":"RS256","kid":"r1"}"#) { _ in [] }
    #expect(throws: TokenRefusal.signature) { try issuer.verify(token) }
  }

  @Test("that demands an extension is refused")
  func critical() throws {
    let token = try issuer.rsa.token(header: ["alg": "RS256", "kid": "r1", "crit": ["b64"], "b64": true], Self.claims())
    #expect(throws: TokenRefusal.critical) { try issuer.verify(token) }
  }

  @Test("of another type is refused")
  func otherType() throws {
    let token = try issuer.rsa.token(header: ["alg": "RS256", "kid": "r1", "typ": "dpop+jwt"], Self.claims())
    #expect(throws: TokenRefusal.type) { try issuer.verify(token) }
  }

  @Test("with a P-256 signature in DER, of zeros or of another length is refused")
  func p256Signatures() throws {
    let header = #"{"alg":"ES256","kid":"e1"}"#
    let der = try token(header: header) { try #require(ECDSASignature.der(fromRaw: issuer.p256.signature(of: $0))) }
    let zeros = token(header: header) { _ in [UInt8](repeating: 0, count: 64) }
    let longer = try token(header: header) { try issuer.p256.signature(of: $0) + [0] }
    for token in [der, zeros, longer] { #expect(throws: TokenRefusal.signature) { try issuer.verify(token) } }
  }

  @Test("with padding, left-over bits or letters outside the alphabet is refused")
  func encoding() throws {
    let good = try issuer.p256.token(Self.claims())
    var flipped = Array(good.utf8)
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    let last = try #require(alphabet.firstIndex(of: flipped[flipped.count - 1]))
    // 64 bytes leave four bits over in the last letter; a lax reader ignores them and takes many texts for one token.
    flipped[flipped.count - 1] = alphabet[last ^ 1]
    for token in [good + "==", String(decoding: flipped, as: UTF8.self), good + " ", good + "\n", good.replacing(".", with: "..")] {
      #expect(throws: TokenRefusal.malformed) { try issuer.verify(token) }
    }
  }

  @Test("whose claims were changed after signing is refused")
  func tampered() throws {
    let parts = try issuer.p256.token(Self.claims()).split(separator: ".")
    let changed = "\(parts[0]).\(Base64URL.encode(Self.claims(["sub": "root"]).bytes)).\(parts[2])"
    #expect(throws: TokenRefusal.signature) { try issuer.verify(changed) }
  }

  @Test("with a name twice in its header or claims is refused")
  func doubled() throws {
    let header = try token(header: #"{"alg":"none","alg":"RS256","kid":"r1"}"#) { try issuer.rsa.signature(of: $0) }
    #expect(throws: TokenRefusal.malformed) { try issuer.verify(header) }
    let claims = String(decoding: Self.claims().bytes, as: UTF8.self).replacing("{", with: #"{"sub":"root","#, maxReplacements: 1)
    let input = Base64URL.encode(Array(#"{"alg":"RS256","kid":"r1"}"#.utf8)) + "." + Base64URL.encode(Array(claims.utf8))
    let doubled = input + "." + Base64URL.encode(try issuer.rsa.signature(of: Array(input.utf8)))
    #expect(throws: TokenRefusal.malformed) { try issuer.verify(doubled) }
  }

  @Test("of four parts, of one, of nothing or of 17 kB is refused")
  func shape() throws {
    let good = try issuer.p256.token(Self.claims())
    for token in [good + ".x", "x", "", "..", "a.b", "é.é.é"] { #expect(throws: TokenRefusal.malformed) { try issuer.verify(token) } }
    #expect(throws: TokenRefusal.tooLong) { try issuer.verify(String(repeating: "a", count: 17_000)) }
  }

  @Test("finds its roles where the issuer puts them")
  func rolesElsewhere() throws {
    let nested = TokenVerifier(rules: .init(issuer: "https://idp.example", audience: "api", rolesClaim: "realm_access.roles"))
    let claims = Self.claims(["roles": .some(nil), "realm_access": ["roles": ["sensor-operator"]]])
    #expect(try nested.verify(issuer.p256.token(claims), keys: issuer.keys, now: Self.now).roles == [.sensorOperator])
    let scoped = TokenVerifier(rules: .init(issuer: "https://idp.example", audience: "api", rolesClaim: "scope"))
    let scopes = Self.claims(["scope": "openid device administrator"])
    #expect(try scoped.verify(issuer.p256.token(scopes), keys: issuer.keys, now: Self.now).roles == [.device, .administrator])
  }
}

@Suite("A key set")
struct KeySetTests {
  @Test("leaves out keys that are too short, off their curve, for another purpose or for another algorithm")
  func unusable() throws {
    let short = try SigningKey(.rs256, id: "short", rsaBits: 1024)
    let good = try SigningKey(.es256, id: "good")
    guard case .object(var moved) = good.jwk else { return }
    moved["x"] = .string(Base64URL.encode([UInt8](repeating: 7, count: 32)))
    guard case .object(var other) = good.jwk else { return }
    other["alg"] = "ES384"
    guard case .object(var signing) = good.jwk else { return }
    signing["key_ops"] = ["sign"]
    let set = try JSONWebKeySet(json: JSONValue.object(["keys": [short.jwk, .object(moved), .object(other), .object(signing), good.jwk]]).bytes)
    #expect(set.keys.map(\.id) == ["good"])
  }

  @Test("that is none is refused")
  func none() {
    for text in ["", "[]", "{}", #"{"keys":{}}"#, "<html>"] {
      #expect(throws: JSONRejection.self) { try JSONWebKeySet(json: Array(text.utf8)) }
    }
  }
}
