import COpenSSL
import HTTP
import JSON
import Time

/// A private key that signs tokens: for development, where no issuer is set, and for tests.
public struct SigningKey: Sendable {
  /// OpenSSL did not do it; its own words.
  public struct Failure: Error, Sendable, CustomStringConvertible {
    public let description: String

    init(_ what: String) {
      var text = [CChar](repeating: 0, count: 256)
      ERR_error_string_n(ERR_get_error(), &text, text.count)
      ERR_clear_error()
      let words = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      description = "\(what): \(words)"
    }
  }

  public let algorithm: SignatureAlgorithm
  public let id: String
  private let handle: KeyHandle

  /// A new key; RSA of `rsaBits`.
  public init(_ algorithm: SignatureAlgorithm, id: String, rsaBits: Int32 = 2048) throws(Failure) {
    let kind =
      switch algorithm {
      case .rs256: "RSA"
      case .es256: "EC"
      case .edDSA: "ED25519"
      }
    let context = EVP_PKEY_CTX_new_from_name(nil, kind, nil)
    defer { EVP_PKEY_CTX_free(context) }
    guard EVP_PKEY_keygen_init(context) == 1 else { throw Failure("no key of kind \(kind)") }
    if algorithm == .es256 { EVP_PKEY_CTX_set_group_name(context, "P-256") }
    if algorithm == .rs256 { EVP_PKEY_CTX_set_rsa_keygen_bits(context, rsaBits) }
    var key: OpaquePointer?
    guard EVP_PKEY_generate(context, &key) == 1, let key else { throw Failure("no key of kind \(kind)") }
    handle = KeyHandle(owning: key)
    self.algorithm = algorithm
    self.id = id
  }

  /// The Ed25519 key of a seed of 32 bytes.
  init(ed25519Seed seed: [UInt8], id: String) throws(Failure) {
    guard seed.count == 32, let key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count) else {
      throw Failure("the seed is no Ed25519 key")
    }
    handle = KeyHandle(owning: key)
    algorithm = .edDSA
    self.id = id
  }

  /// A token with these claims.
  public func token(_ claims: JSONValue) throws(Failure) -> String {
    try token(header: ["alg": .string(algorithm.rawValue), "kid": .string(id), "typ": "JWT"], claims)
  }

  /// A token with whatever header; a test makes bad ones of it.
  public func token(header: JSONValue, _ claims: JSONValue) throws(Failure) -> String {
    let input = Base64URL.encode(header.bytes) + "." + Base64URL.encode(claims.bytes)
    return input + "." + Base64URL.encode(try signature(of: Array(input.utf8)))
  }

  /// The signature as JWS has it (RFC 7515, appendix A).
  public func signature(of message: [UInt8]) throws(Failure) -> [UInt8] {
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    var count = 0
    guard EVP_DigestSignInit(context, nil, algorithm.digest, nil, handle.key) == 1, EVP_DigestSign(context, nil, &count, message, message.count) == 1 else {
      throw Failure("cannot sign")
    }
    var signature = [UInt8](repeating: 0, count: count)
    guard EVP_DigestSign(context, &signature, &count, message, message.count) == 1 else { throw Failure("cannot sign") }
    signature.removeLast(signature.count - count)
    guard algorithm == .es256 else { return signature }
    guard let raw = ECDSASignature.raw(fromDER: signature) else { throw Failure("no ECDSA signature") }
    return raw
  }

  /// The public half as a JSON Web Key.
  public var jwk: JSONValue {
    var members: [String: JSONValue] = ["kid": .string(id), "alg": .string(algorithm.rawValue), "use": "sig"]
    switch algorithm {
    case .rs256:
      members["kty"] = "RSA"
      members["n"] = .string(number("n"))
      members["e"] = .string(number("e"))
    case .es256:
      var point = [UInt8](repeating: 0, count: 65)
      var count = point.count
      EVP_PKEY_get_octet_string_param(handle.key, "encoded-pub-key", &point, point.count, &count)
      members["kty"] = "EC"
      members["crv"] = "P-256"
      members["x"] = .string(Base64URL.encode(Array(point[1..<33])))
      members["y"] = .string(Base64URL.encode(Array(point[33...])))
    case .edDSA:
      var point = [UInt8](repeating: 0, count: 32)
      var count = point.count
      EVP_PKEY_get_raw_public_key(handle.key, &point, &count)
      members["kty"] = "OKP"
      members["crv"] = "Ed25519"
      members["x"] = .string(Base64URL.encode(point))
    }
    return .object(members)
  }

  /// The set with this key alone.
  public func keySet() throws(JSONRejection) -> JSONWebKeySet {
    try JSONWebKeySet(json: JSONValue.object(["keys": .array([jwk])]).bytes)
  }

  private func number(_ name: String) -> String {
    var number: OpaquePointer?
    EVP_PKEY_get_bn_param(handle.key, name, &number)
    defer { BN_free(number) }
    var bytes = [UInt8](repeating: 0, count: (Int(BN_num_bits(number)) + 7) / 8)
    BN_bn2bin(number, &bytes)
    return Base64URL.encode(bytes)
  }
}
