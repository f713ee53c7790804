import COpenSSL
import HTTP
import JSON

/// A public key of the issuer. It carries exactly one algorithm, taken from its kind and curve, so that no token chooses another.
struct VerificationKey: Sendable {
  /// Why a key of a set cannot be used.
  enum Unusable: Error, Equatable {
    /// Another kind, curve, algorithm or purpose than ours; RFC 7517, section 5, has such keys ignored.
    case notForUs
    case malformed
    /// RSA under 2048 bits.
    case tooShort
  }

  let id: String?
  let algorithm: SignatureAlgorithm
  private let context: VerificationContext

  /// A JSON Web Key (RFC 7517).
  init(_ jwk: JSONValue) throws(Unusable) {
    guard jwk["use"] == nil || jwk["use"] == "sig" else { throw .notForUs }
    if let operations = jwk["key_ops"] {
      guard let list = operations.array, list.contains("verify") else { throw .notForUs }
    }
    let algorithm: SignatureAlgorithm
    switch (jwk["kty"]?.string, jwk["crv"]?.string) {
    case ("RSA", nil): algorithm = .rs256
    case ("EC", "P-256"): algorithm = .es256
    case ("OKP", "Ed25519"): algorithm = .edDSA
    default: throw .notForUs
    }
    guard jwk["alg"] == nil || jwk["alg"]?.string == algorithm.rawValue || (algorithm == .edDSA && jwk["alg"] == "Ed25519") else { throw .notForUs }
    self.algorithm = algorithm
    if let id = jwk["kid"] {
      guard let text = id.string else { throw .malformed }
      self.id = text
    } else {
      id = nil
    }
    let key =
      switch algorithm {
      case .rs256: try PublicKeys.rsa(modulus: Self.bytes(jwk["n"]), exponent: Self.bytes(jwk["e"]))
      case .es256: try PublicKeys.p256(x: Self.bytes(jwk["x"]), y: Self.bytes(jwk["y"]))
      case .edDSA: try PublicKeys.ed25519(Self.bytes(jwk["x"]))
      }
    guard let context = VerificationContext(key, algorithm) else { throw .malformed }
    self.context = context
  }

  func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
    guard algorithm == .es256 else { return context.verifies(signature, of: message) }
    guard let der = ECDSASignature.der(fromRaw: signature) else { return false }
    return context.verifies(der, of: message)
  }

  private static func bytes(_ member: JSONValue?) throws(Unusable) -> [UInt8] {
    guard let text = member?.string, let bytes = Base64URL.decode(text), !bytes.isEmpty else { throw .malformed }
    return bytes
  }
}

/// OpenSSL's state for one key, set up once and copied per signature, which is three times as fast as setting it up.
///
/// Unchecked because Swift cannot see it: after `init` the state is only read, by `EVP_MD_CTX_copy_ex`, which takes it as const.
private final class VerificationContext: @unchecked Sendable {
  private let key: KeyHandle
  private let state: OpaquePointer

  init?(_ key: KeyHandle, _ algorithm: SignatureAlgorithm) {
    guard let state = EVP_MD_CTX_new() else { return nil }
    self.key = key
    self.state = state
    guard EVP_DigestVerifyInit(state, nil, algorithm.digest, nil, key.key) == 1 else {
      ERR_clear_error()
      return nil
    }
  }

  deinit { EVP_MD_CTX_free(state) }

  func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
    guard let copy = EVP_MD_CTX_new() else { return false }
    defer { EVP_MD_CTX_free(copy) }
    guard EVP_MD_CTX_copy_ex(copy, state) == 1 else { return false }
    let good = EVP_DigestVerify(copy, signature, signature.count, message, message.count) == 1
    // A bad signature leaves its reason in the thread's queue, where the next user of OpenSSL would find it.
    if !good { ERR_clear_error() }
    return good
  }
}

/// Public keys from their numbers, checked: a point on its curve, a modulus of a sensible length.
private enum PublicKeys {
  static func rsa(modulus: [UInt8], exponent: [UInt8]) throws(VerificationKey.Unusable) -> KeyHandle {
    // Over 8192 bits a single verification takes long enough to be an attack.
    guard modulus.count <= 1024, exponent.count <= 4 else { throw .malformed }
    guard let n = BN_bin2bn(modulus, Int32(modulus.count), nil) else { throw .malformed }
    defer { BN_free(n) }
    guard let e = BN_bin2bn(exponent, Int32(exponent.count), nil) else { throw .malformed }
    defer { BN_free(e) }
    guard BN_num_bits(n) >= 2048 else { throw .tooShort }
    return try build("RSA") { builder in
      OSSL_PARAM_BLD_push_BN(builder, name("n"), n) == 1 && OSSL_PARAM_BLD_push_BN(builder, name("e"), e) == 1
    }
  }

  static func p256(x: [UInt8], y: [UInt8]) throws(VerificationKey.Unusable) -> KeyHandle {
    guard x.count == 32, y.count == 32 else { throw .malformed }
    let point = [4] + x + y
    let built: Result<KeyHandle, VerificationKey.Unusable> = point.withUnsafeBytes { point in
      do throws(VerificationKey.Unusable) {
        return .success(
          try build("EC") { builder in
            OSSL_PARAM_BLD_push_utf8_string(builder, name("group"), name("P-256"), 0) == 1
              && OSSL_PARAM_BLD_push_octet_string(builder, name("pub"), point.baseAddress, point.count) == 1
          })
      } catch {
        return .failure(error)
      }
    }
    return try built.get()
  }

  static func ed25519(_ point: [UInt8]) throws(VerificationKey.Unusable) -> KeyHandle {
    guard point.count == 32, let key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, point, point.count) else {
      ERR_clear_error()
      throw .malformed
    }
    return KeyHandle(owning: key)
  }

  /// The builder keeps the pointers it is given, so names are static strings, whose memory stays.
  private static func name(_ text: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
  }

  private static func build(_ kind: StaticString, _ fill: (OpaquePointer) -> Bool) throws(VerificationKey.Unusable) -> KeyHandle {
    defer { ERR_clear_error() }
    guard let builder = OSSL_PARAM_BLD_new() else { throw .malformed }
    defer { OSSL_PARAM_BLD_free(builder) }
    guard fill(builder), let parameters = OSSL_PARAM_BLD_to_param(builder) else { throw .malformed }
    defer { OSSL_PARAM_free(parameters) }
    let context = EVP_PKEY_CTX_new_from_name(nil, name(kind), nil)
    defer { EVP_PKEY_CTX_free(context) }
    var key: OpaquePointer?
    guard EVP_PKEY_fromdata_init(context) == 1, EVP_PKEY_fromdata(context, &key, shim_EVP_PKEY_PUBLIC_KEY, parameters) == 1, let key else {
      throw .malformed
    }
    let handle = KeyHandle(owning: key)
    let check = EVP_PKEY_CTX_new_from_pkey(nil, key, nil)
    defer { EVP_PKEY_CTX_free(check) }
    guard EVP_PKEY_public_check(check) == 1 else { throw .malformed }
    return handle
  }
}
