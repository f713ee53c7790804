import JSON

/// The public keys of an issuer (RFC 7517, section 5). Keys that are not for us are left out.
public struct JSONWebKeySet: Sendable {
  let keys: [VerificationKey]

  /// Throws `JSONRejection` for what is no key set.
  public init(json: [UInt8]) throws(JSONRejection) {
    let document = try JSONValue(parsing: json)
    guard let list = document["keys"]?.array else {
      throw JSONRejection(path: "keys", problem: "there is no list of keys", expected: "a JSON Web Key Set")
    }
    keys = list.compactMap { try? VerificationKey($0) }
  }

  /// The number of keys that can be used.
  public var count: Int { keys.count }

  /// The one key that an algorithm and, where the token names one, a key id pick; nil when that is none or several.
  func key(_ algorithm: SignatureAlgorithm, id: String?) -> VerificationKey? {
    let fitting = keys.filter { $0.algorithm == algorithm && (id == nil || $0.id == id) }
    return fitting.count == 1 ? fitting.first : nil
  }
}
