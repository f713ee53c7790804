import HTTP
import JSON
import Time

/// Reads and checks JSON Web Tokens (RFC 7519), as RFC 8725 advises.
///
/// The key decides the algorithm and never the token; `alg` and `kid` must pick exactly one key; nothing in the header but `alg`, `kid` and
/// `typ` is used, and `crit` is refused; `exp`, `iss`, `aud` and `sub` are required.
public struct TokenVerifier: Sendable {
  /// What tokens must say, and where roles and city stand.
  public struct Rules: Sendable {
    public var issuer: String
    public var audience: String
    /// The claim with the roles, with dots between the names that lead there: `roles`, `realm_access.roles`.
    public var rolesClaim: String
    public var cityClaim: String
    /// How far the issuer's clock and ours may differ.
    public var leeway: Duration

    public init(issuer: String, audience: String, rolesClaim: String = "roles", cityClaim: String = "city", leeway: Duration = .seconds(30)) {
      self.issuer = issuer
      self.audience = audience
      self.rolesClaim = rolesClaim
      self.cityClaim = cityClaim
      self.leeway = leeway
    }
  }

  public let rules: Rules

  public init(rules: Rules) {
    self.rules = rules
  }

  /// The claims of a token that one of the keys signed.
  public func verify(_ token: String, keys: JSONWebKeySet, now: Instant) throws(TokenRefusal) -> Claims {
    guard token.utf8.count <= 16_384 else { throw .tooLong }
    let parts = token.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 3, let header = Base64URL.decode(parts[0]), let payload = Base64URL.decode(parts[1]), let signature = Base64URL.decode(parts[2]) else {
      throw .malformed
    }
    let key = try key(for: header, among: keys)
    guard key.verifies(signature, of: Array("\(parts[0]).\(parts[1])".utf8)) else { throw .signature }
    guard let claims = try? JSONValue(parsing: payload), claims.object != nil else { throw .malformed }
    return try check(claims, now)
  }

  private func key(for header: [UInt8], among keys: JSONWebKeySet) throws(TokenRefusal) -> VerificationKey {
    // The strict reader refuses a name that stands twice: two readers could take another one each.
    guard let header = try? JSONValue(parsing: header), header.object != nil else { throw .malformed }
    guard header["crit"] == nil else { throw .critical }
    guard let algorithm = header["alg"]?.string.flatMap(SignatureAlgorithm.init) else { throw .algorithm }
    if let type = header["typ"] {
      guard let text = type.string?.lowercased(), ["jwt", "at+jwt", "application/at+jwt"].contains(text) else { throw .type }
    }
    guard header["kid"] == nil || header["kid"]?.string != nil else { throw .malformed }
    guard let key = keys.key(algorithm, id: header["kid"]?.string) else { throw .unknownKey }
    return key
  }

  private func check(_ claims: JSONValue, _ now: Instant) throws(TokenRefusal) -> Claims {
    guard let expiry = try instant(claims, "exp") else { throw .claim("exp") }
    guard now < expiry + rules.leeway else { throw .expired(at: expiry) }
    if let start = try instant(claims, "nbf"), now < start - rules.leeway { throw .notYetValid(from: start) }
    if let issued = try instant(claims, "iat"), now < issued - rules.leeway { throw .notYetValid(from: issued) }
    guard claims["iss"]?.string == rules.issuer else { throw .issuer }
    let audience = claims["aud"]?.string.map { [$0] } ?? claims["aud"]?.array?.compactMap(\.string) ?? []
    guard audience.contains(rules.audience) else { throw .audience }
    guard let subject = claims["sub"]?.string, !subject.isEmpty, subject.utf8.count <= 255 else { throw .claim("sub") }
    return Claims(subject: subject, roles: try roles(claims), city: try city(claims), expiry: expiry)
  }

  /// A NumericDate (RFC 7519, section 2): seconds since 1970, also with a fraction.
  private func instant(_ claims: JSONValue, _ name: String) throws(TokenRefusal) -> Instant? {
    guard let claim = claims[name] else { return nil }
    guard let seconds = claim.double, seconds >= 0, seconds < 1e11 else { throw .claim(name) }
    return Instant(milliseconds: Int64(seconds * 1_000))
  }

  /// A caller without a city is bound to none, so a city that cannot be read must not be taken for no city.
  private func city(_ claims: JSONValue) throws(TokenRefusal) -> String? {
    guard let claim = claims[rules.cityClaim] else { return nil }
    guard let city = claim.string, !city.isEmpty else { throw .claim(rules.cityClaim) }
    return city
  }

  /// Roles stand in a list or, as scopes do, in one text with blanks. Those we do not know mean nothing.
  private func roles(_ claims: JSONValue) throws(TokenRefusal) -> Set<Role> {
    let names = rules.rolesClaim.split(separator: ".").map(String.init)
    // A claim may itself have dots in its name, as those that are URLs have.
    let found = claims[rules.rolesClaim] ?? names.reduce(Optional(claims)) { $0?[$1] }
    guard let found else { return [] }
    let words = found.array?.compactMap(\.string) ?? found.string?.split(separator: " ").map(String.init)
    guard let words, found.array.map({ $0.count == words.count }) ?? true else { throw .claim(rules.rolesClaim) }
    return Set(words.compactMap(Role.init))
  }
}

/// What a token says that was believed.
public struct Claims: Sendable, Equatable {
  public let subject: String
  public let roles: Set<Role>
  public let city: String?
  public let expiry: Instant

  public var caller: Caller {
    Caller(id: subject, roles: Set(roles.map(\.rawValue)), city: city, kind: .person)
  }
}
