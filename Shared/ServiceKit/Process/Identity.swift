import HTTP
import Postgres

/// Who may be believed: the city's OIDC provider, or in development a local key.
public struct Identity: Sendable {
  /// A process that believes a local key must not be reachable from elsewhere.
  public struct NotLoopback: Error, Sendable, Equatable, CustomStringConvertible {
    public let host: String
    public var description: String {
      "no OIDC issuer is set, so this is development, which listens on loopback only and not on \(host): set DOS_OIDC_ISSUER, or listen on 127.0.0.1"
    }
  }

  /// Whether tokens are signed with a local key.
  public let isDevelopment: Bool
  public let authenticator: Authenticator

  /// - Throws: `NotLoopback`, `DevelopmentIssuer.Failure`.
  public init(_ settings: Settings, devices: DeviceKeys?, client: HTTPClient) throws {
    isDevelopment = settings[ProcessSettings.oidcIssuer] == nil
    if let issuer = settings[ProcessSettings.oidcIssuer] {
      let rules = TokenVerifier.Rules(
        issuer: issuer, audience: settings[ProcessSettings.oidcAudience], rolesClaim: settings[ProcessSettings.rolesClaim],
        cityClaim: settings[ProcessSettings.cityClaim])
      let origin = settings[ProcessSettings.oidcKeys].map { KeySource.Origin.file($0) } ?? .issuer(issuer)
      authenticator = Authenticator(verifier: TokenVerifier(rules: rules), keys: KeySource(origin, client: client), devices: devices)
    } else {
      try Self.checkLoopback(settings[ProcessSettings.host])
      let key = try DevelopmentIssuer(folder: settings[ProcessSettings.home]).key
      let keys = KeySource(.fixed(try key.keySet()), client: client)
      authenticator = Authenticator(verifier: TokenVerifier(rules: DevelopmentIssuer.rules), keys: keys, devices: devices)
    }
  }

  static func checkLoopback(_ host: String) throws(NotLoopback) {
    let loopback = Network("127.0.0.0/8")?.contains(host) == true || host == "::1" || host == "localhost"
    guard loopback else { throw NotLoopback(host: host) }
  }
}
