import HTTP
import JSON
import Testing
import Time

@testable import ServiceKit

/// A token somebody made to be believed, and the reason why it is not.
struct HostileToken: Sendable, CustomTestStringConvertible {
  typealias Issuer = TokenTests.Issuer

  let testDescription: String
  let refusal: TokenRefusal
  let make: @Sendable (Issuer) throws -> String

  init(_ name: String, _ refusal: TokenRefusal, _ make: @escaping @Sendable (Issuer) throws -> String) {
    testDescription = name
    self.refusal = refusal
    self.make = make
  }

  /// Signed well by the issuer, with these claims changed.
  init(_ name: String, _ refusal: TokenRefusal, claims: @escaping @Sendable () -> [String: JSONValue?]) {
    self.init(name, refusal) { issuer in try issuer.rsa.token(TokenTests.claims(claims())) }
  }

  /// Signed well by the issuer, under this header.
  init(_ name: String, _ refusal: TokenRefusal, header: JSONValue) {
    self.init(name, refusal) { issuer in try issuer.rsa.token(header: header, TokenTests.claims()) }
  }

  /// Signed by somebody else, under this header.
  init(_ name: String, _ refusal: TokenRefusal, strangersHeader header: @escaping @Sendable (SigningKey) -> JSONValue) {
    self.init(name, refusal) { _ in
      let stranger = try SigningKey(.rs256, id: "evil")
      return try stranger.token(header: header(stranger), TokenTests.claims())
    }
  }

  /// Any bytes as header and payload, signed by a key of the issuer.
  static func raw(_ header: String, _ payload: [UInt8], _ key: SigningKey) throws -> String {
    let input = Base64URL.encode(Array(header.utf8)) + "." + Base64URL.encode(payload)
    return input + "." + Base64URL.encode(try key.signature(of: Array(input.utf8)))
  }
}

private let rs256 = #"{"alg":"RS256","kid":"r1"}"#
private let now = TokenTests.seconds

private let headers: [HostileToken] = [
  .init("HMAC with the public key as its secret", .algorithm) { issuer in
    let key = Array((issuer.rsa.jwk["n"]?.string ?? "").utf8)
    let input = Base64URL.encode(Array(#"{"alg":"HS256","kid":"r1"}"#.utf8)) + "." + Base64URL.encode(TokenTests.claims().bytes)
    return input + "." + Base64URL.encode(SHA256.hash(key + Array(input.utf8)))
  },
  .init("no algorithm and no signature", .algorithm) { _ in
    Base64URL.encode(Array(#"{"alg":"none"}"#.utf8)) + "." + Base64URL.encode(TokenTests.claims().bytes) + "."
  },
  .init("an algorithm in letters that look alike", .algorithm, header: ["alg": "RS\u{ff12}56", "kid": "r1"]),
  .init("an algorithm with NUL behind it", .algorithm, header: ["alg": "RS256\u{0}", "kid": "r1"]),
  .init("a list of algorithms", .algorithm, header: ["alg": ["RS256", "none"], "kid": "r1"]),
  .init("no algorithm at all", .algorithm, header: ["kid": "r1"]),
  .init("the algorithm of another key", .unknownKey, header: ["alg": "EdDSA", "kid": "r1"]),
  .init("a key id that is a path", .unknownKey, header: ["alg": "RS256", "kid": "../../../../dev/null"]),
  .init("a key id that is a URL", .unknownKey, header: ["alg": "RS256", "kid": "https://evil.example/key"]),
  .init("a key id that is SQL", .unknownKey, header: ["alg": "RS256", "kid": "r1' or '1'='1"]),
  .init("a key id with a blank behind it", .unknownKey, header: ["alg": "RS256", "kid": "r1 "]),
  .init("a key id that is a number", .malformed, header: ["alg": "RS256", "kid": 1]),
  .init("a key id of another's key and a key of its own in the header", .signature) { stranger in
    ["alg": "RS256", "kid": "r1", "jwk": stranger.jwk]
  },
  .init("a place to fetch its key from", .signature) { _ in ["alg": "RS256", "kid": "r1", "jku": "https://evil.example/keys"] },
  .init("a certificate to believe", .signature) { _ in ["alg": "RS256", "kid": "r1", "x5u": "https://evil.example/c", "x5c": ["MIIB"]] },
  .init("a key id nobody gave", .unknownKey) { stranger in ["alg": "RS256", "kid": "evil", "jwk": stranger.jwk] },
  .init("an empty list of demands", .critical, header: ["alg": "RS256", "kid": "r1", "crit": []]),
  .init("the type of a logout", .type, header: ["alg": "RS256", "kid": "r1", "typ": "logout+jwt"]),
  .init("a type that is a number", .type, header: ["alg": "RS256", "kid": "r1", "typ": 1]),
  .init("a name twice, once escaped", .malformed) { issuer in
    try HostileToken.raw(#"{"alg":"RS256","kid":"r1","k\u0069d":"e1"}"#, TokenTests.claims().bytes, issuer.rsa)
  },
  .init("a header that is a list", .malformed) { issuer in try HostileToken.raw("[\(rs256)]", TokenTests.claims().bytes, issuer.rsa) },
  .init("two headers", .malformed) { issuer in try HostileToken.raw(rs256 + rs256, TokenTests.claims().bytes, issuer.rsa) },
  .init("five parts, as encrypted ones have", .malformed) { issuer in try issuer.rsa.token(TokenTests.claims()) + ".AAAA.AAAA" },
  .init("a payload that is not encoded", .malformed) { issuer in
    let input = Base64URL.encode(Array(#"{"alg":"RS256","kid":"r1","b64":false}"#.utf8)) + #".{"sub":"root"}"#
    return input + "." + Base64URL.encode(try issuer.rsa.signature(of: Array(input.utf8)))
  },
]

private let payloads: [HostileToken] = [
  .init("claims that are a text", .malformed) { issuer in try HostileToken.raw(rs256, Array(#""root""#.utf8), issuer.rsa) },
  .init("claims with bytes that are no text", .malformed) { issuer in
    try HostileToken.raw(rs256, TokenTests.claims().bytes.map { $0 == UInt8(ascii: "u") ? 0xff : $0 }, issuer.rsa)
  },
  .init("claims as deep as a well", .malformed) { issuer in
    try HostileToken.raw(rs256, Array((String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000)).utf8), issuer.rsa)
  },
  .init("an expiry that is true", .claim("exp")) { ["exp": true] },
  .init("an expiry that is null", .claim("exp")) { ["exp": .some(.null)] },
  .init("an expiry before 1970", .claim("exp")) { ["exp": -1] },
  .init("an expiry in milliseconds", .claim("exp")) { ["exp": .int(now * 1_000)] },
  .init("an expiry beyond all time", .claim("exp")) { ["exp": .number(1e300)] },
  .init("a beginning that is a text", .claim("nbf")) { ["nbf": "0"] },
  .init("a time of issue that is a text", .claim("iat")) { ["iat": "now"] },
  .init("a time of issue that is to come", .notYetValid(from: Instant(milliseconds: (now + 600) * 1_000))) { ["iat": .int(now + 600)] },
  .init("a list of issuers", .issuer) { ["iss": ["https://idp.example"]] },
  .init("no issuer", .issuer) { ["iss": .some(nil)] },
  .init("the issuer with a slash more", .issuer) { ["iss": "https://idp.example/"] },
  .init("no audience", .audience) { ["aud": .some(nil)] },
  .init("an audience that begins like ours", .audience) { ["aud": "api2"] },
  .init("an audience within an audience", .audience) { ["aud": [["api"]]] },
  .init("an empty list of audiences", .audience) { ["aud": []] },
  .init("a subject that is a number", .claim("sub")) { ["sub": 1] },
  .init("a subject that is a novel", .claim("sub")) { ["sub": .string(String(repeating: "a", count: 256))] },
  .init("a list of cities", .claim("city")) { ["city": ["schwerte", "dortmund"]] },
  .init("a city that is a number", .claim("city")) { ["city": 1] },
  .init("an empty city", .claim("city")) { ["city": ""] },
  .init("a role among numbers", .claim("roles")) { ["roles": ["administrator", 1]] },
  .init("roles that are an object", .claim("roles")) { ["roles": ["administrator": true]] },
]

private let signatures: [HostileToken] = [
  .init("a signature that is cut short", .signature) { issuer in
    let input = Base64URL.encode(Array(rs256.utf8)) + "." + Base64URL.encode(TokenTests.claims().bytes)
    return input + "." + Base64URL.encode(try issuer.rsa.signature(of: Array(input.utf8)).dropLast())
  },
  .init("an Ed25519 signature of zeros", .signature) { issuer in
    let input = Base64URL.encode(Array(#"{"alg":"EdDSA","kid":"d1"}"#.utf8)) + "." + Base64URL.encode(TokenTests.claims().bytes)
    return input + "." + Base64URL.encode([UInt8](repeating: 0, count: 64))
  },
  .init("the signature of another token", .signature) { issuer in
    let one = try issuer.p256.token(TokenTests.claims()).split(separator: ".")
    let other = try issuer.p256.token(TokenTests.claims(["sub": "u2"])).split(separator: ".")
    return "\(one[0]).\(one[1]).\(other[2])"
  },
  .init("the other P-256 key's signature", .signature) { _ in try SigningKey(.es256, id: "e1").token(TokenTests.claims()) },
]

@Suite("A token made to deceive")
struct HostileTokenTests {
  static let issuer = Result { try TokenTests.Issuer() }

  @Test("is refused for its reason", arguments: headers + payloads + signatures)
  func refused(_ row: HostileToken) throws {
    let issuer = try Self.issuer.get()
    let token = try row.make(issuer)
    #expect(throws: row.refusal) { try issuer.verify(token) }
  }

  @Test("says nothing in its refusal that stood in it")
  func silence() throws {
    let issuer = try Self.issuer.get()
    for row in headers + payloads + signatures { #expect(!"\(row.refusal)".contains("evil"), "\(row)") }
    #expect(throws: TokenRefusal.unknownKey) { try issuer.verify(issuer.rsa.token(header: ["alg": "RS256", "kid": "<script>"], TokenTests.claims())) }
  }

  @Test("is refused where it is no device's key either")
  func deviceKeys() throws {
    let secret = String(repeating: "0123456789abcdef", count: 4)
    #expect(DeviceKey("dos_a_" + secret)?.id == "a")
    let hostile = [
      "dos_a_" + secret.dropLast(), "dos_a_" + secret + "0", "dos_a_" + secret.uppercased(), "dos_a_" + secret + " ", " dos_a_" + secret, "dos__" + secret,
      "dos_" + secret, "DOS_a_" + secret, "dos_a_b_" + secret, "dos_A_" + secret, "dos_a'_" + secret, "dos_\u{430}_" + secret,
      "dos_" + String(repeating: "a", count: 65) + "_" + secret, "dos_a_" + String(repeating: "\u{ff10}", count: 64), "dos_a_" + secret.dropLast() + "\n",
    ]
    for text in hostile { #expect(DeviceKey(text) == nil, "\(text)") }
  }

  @Test("has no help from a key that anybody could sign for", arguments: ["AQ", "Ag", "AQAC"])
  func exponents(_ exponent: String) throws {
    guard case .object(var key) = try Self.issuer.get().rsa.jwk else { return }
    key["e"] = .string(exponent)
    #expect(try JSONWebKeySet(json: JSONValue.object(["keys": [.object(key)]]).bytes).count == 0)
  }
}
