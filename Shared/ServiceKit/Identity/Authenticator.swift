import HTTP
import Time

/// Tells who sends a request: a device by its key, a person or system by a token of the issuer.
public struct Authenticator: Sendable {
  private let verifier: TokenVerifier
  private let keys: KeySource
  private let devices: DeviceKeys?
  private let clock: @Sendable () -> Instant

  /// - Parameter devices: nil where this process takes no device keys.
  public init(verifier: TokenVerifier, keys: KeySource, devices: DeviceKeys?, clock: @escaping @Sendable () -> Instant = { Instant.now() }) {
    self.verifier = verifier
    self.keys = keys
    self.devices = devices
    self.clock = clock
  }

  /// The caller, or nil for a request that claims to be nobody. One that claims to be somebody and cannot prove it is refused with 401, on
  /// public routes too: an app with an expired token should learn that, and not be served as a stranger.
  public func caller(of request: Request) async throws -> Caller? {
    let fields = request.headers.all("Authorization")
    guard let field = fields.first else { return nil }
    let words = field.split(separator: " ", omittingEmptySubsequences: true)
    guard fields.count == 1, words.count == 2, words[0].lowercased() == "bearer" else {
      throw refusal("Send one Authorization header: Bearer, a blank and the token.")
    }
    let token = String(words[1])
    if token.hasPrefix(DeviceKey.prefix), let devices {
      guard let caller = try await devices.caller(for: token) else { throw refusal("The device key is unknown or was revoked.") }
      return caller
    }
    do {
      return try await claims(of: token).caller
    } catch let error as TokenRefusal {
      throw refusal("The bearer token is not accepted: \(error).")
    }
  }

  private func claims(of token: String) async throws -> Claims {
    let known = try await keys.keys()
    do {
      return try verifier.verify(token, keys: known, now: clock())
    } catch TokenRefusal.unknownKey {
      // The issuer may have changed its key since we asked.
      guard let anew = try await keys.keysAnew() else { throw TokenRefusal.unknownKey }
      return try verifier.verify(token, keys: anew, now: clock())
    }
  }

  /// RFC 6750, section 3.
  private func refusal(_ detail: String) -> Problem {
    var problem = Problem.unauthorized(detail)
    problem.headers["WWW-Authenticate"] = #"Bearer error="invalid_token""#
    return problem
  }
}
