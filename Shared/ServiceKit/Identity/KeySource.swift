import Foundation
import HTTP
import JSON
import Synchronization

/// The issuer's keys cannot be had: nobody can be told from anybody else now.
public struct IdentityUnavailable: Error, Sendable, Equatable {
  public let reason: String
}

/// The keys of an issuer, kept and fetched again when a token names one that is not among them, at most once a minute.
public actor KeySource {
  /// Where keys come from.
  public enum Origin: Sendable {
    /// Keys that never change: those of development.
    case fixed(JSONWebKeySet)
    /// A file with a JSON Web Key Set.
    case file(String)
    /// An OIDC issuer, whose discovery document names the keys (OpenID Connect Discovery 1.0, section 4).
    case issuer(String)
  }

  /// Keys older than this are fetched anew, so that one that was withdrawn is not believed for ever.
  public static let maximalAge = Duration.seconds(3_600)
  /// Whoever sends made-up key ids makes us ask the issuer no more often than this.
  public static let minimalInterval = Duration.seconds(60)

  private let origin: Origin
  private let fetch: @Sendable (_ url: String) async throws -> [UInt8]
  private let now: @Sendable () -> ContinuousClock.Instant
  private var known: (keys: JSONWebKeySet, since: ContinuousClock.Instant)?
  private var lastTry: ContinuousClock.Instant?
  private var running: Task<JSONWebKeySet, any Error>?

  /// - Parameter fetch: gets the bytes behind a URL, or throws.
  public init(
    _ origin: Origin, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }, fetch: @escaping @Sendable (_ url: String) async throws -> [UInt8]
  ) {
    self.origin = origin
    self.now = now
    self.fetch = fetch
  }

  /// Fetches with a client, in ten seconds and a megabyte at most.
  public init(_ origin: Origin, client: HTTPClient) {
    self.init(origin) { url in
      let response = try await client.send(ClientRequest(.get, url, headers: ["Accept": "application/json"]))
      guard response.status == 200 else { throw IdentityUnavailable(reason: "\(url) answers \(response.status)") }
      return response.body
    }
  }

  /// The keys as they are known.
  public func keys() async throws(IdentityUnavailable) -> JSONWebKeySet {
    if case .fixed(let keys) = origin { return keys }
    guard let known else { return try await fetchKeys(after: .seconds(1)) }
    guard now() - known.since >= Self.maximalAge else { return known.keys }
    // An issuer that is away for a while does not lock everybody out: the old keys hold on until it is back.
    return (try? await fetchKeys(after: Self.minimalInterval)) ?? known.keys
  }

  /// The keys after another look at the issuer, because a token named one that is not known; nil when that was done within the last minute.
  public func keysAnew() async throws(IdentityUnavailable) -> JSONWebKeySet? {
    if case .fixed = origin { return nil }
    if running == nil, let lastTry, now() - lastTry < Self.minimalInterval { return nil }
    return try await fetchKeys(after: Self.minimalInterval)
  }

  private func fetchKeys(after interval: Duration) async throws(IdentityUnavailable) -> JSONWebKeySet {
    if running == nil, let lastTry, now() - lastTry < interval {
      throw IdentityUnavailable(reason: "the last attempt failed a moment ago")
    }
    let task = running ?? Task { [origin, fetch] in try await Self.read(origin, fetch) }
    if running == nil {
      running = task
      lastTry = now()
    }
    do {
      let keys = try await task.value
      if running == task {
        known = (keys, now())
        running = nil
      }
      return keys
    } catch {
      if running == task { running = nil }
      throw (error as? IdentityUnavailable) ?? IdentityUnavailable(reason: "\(error)")
    }
  }

  private static func read(_ origin: Origin, _ fetch: @Sendable (String) async throws -> [UInt8]) async throws -> JSONWebKeySet {
    let keys: JSONWebKeySet
    switch origin {
    case .fixed(let fixed): return fixed
    case .file(let path): keys = try JSONWebKeySet(json: Array(Data(contentsOf: URL(fileURLWithPath: path))))
    case .issuer(let issuer):
      let base = issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer
      let discovery = try JSONValue(parsing: try await fetch(base + "/.well-known/openid-configuration"))
      guard discovery["issuer"]?.string == issuer else { throw IdentityUnavailable(reason: "the discovery document of \(issuer) names another issuer") }
      guard let address = discovery["jwks_uri"]?.string else { throw IdentityUnavailable(reason: "the discovery document of \(issuer) names no keys") }
      // Keys that came in the clear could be anybody's.
      guard address.hasPrefix("https://") || issuer.hasPrefix("http://") else { throw IdentityUnavailable(reason: "\(issuer) offers its keys without TLS") }
      keys = try JSONWebKeySet(json: try await fetch(address))
    }
    guard keys.count > 0 else { throw IdentityUnavailable(reason: "there is no key that can be used") }
    return keys
  }
}
