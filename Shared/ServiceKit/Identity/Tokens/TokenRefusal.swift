import Time

/// Why a bearer token is not believed. What reaches the caller names the rule and never a part of the token.
public enum TokenRefusal: Error, Equatable, Sendable, CustomStringConvertible {
  /// Not three parts of base64url without padding, or not JSON objects with every name once.
  case malformed
  /// Over 16 KiB.
  case tooLong
  /// An algorithm that is not RS256, ES256 or EdDSA.
  case algorithm
  /// `crit` demands what this does not know (RFC 7515, section 4.1.11).
  case critical
  /// `typ` says it is a token for something else (RFC 8725, section 3.11).
  case type
  /// Algorithm and key id pick no key of the issuer, or several.
  case unknownKey
  case signature
  /// A claim is missing or no such value: `exp`, `sub`, ...
  case claim(String)
  case expired(at: Instant)
  case notYetValid(from: Instant)
  case issuer
  case audience

  public var description: String {
    switch self {
    case .malformed: "it is no JSON Web Token"
    case .tooLong: "it is longer than 16 KiB"
    case .algorithm: "its algorithm is none of RS256, ES256 and EdDSA"
    case .critical: "its header demands an extension (crit) that is not known here"
    case .type: "its header says that it is a token for something else (typ)"
    case .unknownKey: "its algorithm and key id name no key of the issuer"
    case .signature: "its signature does not fit"
    case .claim(let name): "its claim \(name) is missing or not usable"
    case .expired(let time): "it expired at \(time.rfc3339)"
    case .notYetValid(let time): "it is valid only from \(time.rfc3339)"
    case .issuer: "another issuer wrote it"
    case .audience: "it is meant for another audience"
    }
  }
}
