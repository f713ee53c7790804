import COpenSSL

/// The signatures that are taken (RFC 7518, section 3; RFC 8037). A closed list: `none` and the shared-secret ones are not in it.
public enum SignatureAlgorithm: String, Sendable, CaseIterable {
  case rs256 = "RS256"
  case es256 = "ES256"
  case edDSA = "EdDSA"

  /// Ed25519 hashes by itself.
  var digest: OpaquePointer? { self == .edDSA ? nil : EVP_sha256() }
}

/// An OpenSSL key that is freed with its last user.
///
/// Unchecked because Swift cannot see it: `EVP_PKEY` is counted by reference with atomics and, once built, only read; OpenSSL allows
/// that from several threads at once (openssl-threads(7)).
final class KeyHandle: @unchecked Sendable {
  let key: OpaquePointer

  /// Takes the key over.
  init(owning key: OpaquePointer) {
    self.key = key
  }

  deinit { EVP_PKEY_free(key) }
}

/// ECDSA signatures as JWS has them, r and s of 32 bytes each, and as OpenSSL has them, in DER.
enum ECDSASignature {
  /// Nil unless the signature is exactly 64 bytes.
  static func der(fromRaw raw: [UInt8]) -> [UInt8]? {
    guard raw.count == 64 else { return nil }
    func integer(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
      let significant = bytes.drop { $0 == 0 }
      guard let first = significant.first else { return [2, 1, 0] }
      let padded = first >= 0x80 ? [0] + significant : Array(significant)
      return [2, UInt8(padded.count)] + padded
    }
    let body = integer(raw[..<32]) + integer(raw[32...])
    return [0x30, UInt8(body.count)] + body
  }

  /// Nil for what is not two integers of at most 32 bytes.
  static func raw(fromDER der: [UInt8]) -> [UInt8]? {
    guard der.count > 4, der[0] == 0x30, Int(der[1]) == der.count - 2 else { return nil }
    var rest = der[2...]
    var raw: [UInt8] = []
    for _ in 0..<2 {
      guard rest.popFirst() == 2, let length = rest.popFirst(), rest.count >= Int(length) else { return nil }
      let value = rest.prefix(Int(length)).drop { $0 == 0 }
      guard value.count <= 32 else { return nil }
      raw += [UInt8](repeating: 0, count: 32 - value.count) + value
      rest = rest.dropFirst(Int(length))
    }
    return rest.isEmpty ? raw : nil
  }
}
