import COpenSSL
public import Foundation

/// A command's key: scoped to who calls what, and stored with a hash of the body in the append's own transaction.
///
/// A repeat gets the first outcome; the same key with another body is refused with ``JournalError/keyReused``. Refusals are not stored, so a repeat decides
/// anew. Source: the IETF draft "The Idempotency-Key HTTP Header Field".
public struct IdempotencyKey: Sendable, Hashable {
  public let caller: String
  public let method: String
  public let path: String
  public let key: String
  /// SHA-256 of the body.
  public let bodyHash: [UInt8]

  public init(caller: String, method: String, path: String, key: String, bodyHash: [UInt8]) {
    self.caller = caller
    self.method = method
    self.path = path
    self.key = key
    self.bodyHash = bodyHash
  }

  /// As above, with the hash taken here.
  public init(caller: String, method: String, path: String, key: String, body: [UInt8]) {
    self.init(caller: caller, method: method, path: path, key: key, bodyHash: sha256(body))
  }

  /// An id for what this command opens. A repeat derives the same id, and so meets the same stream, partition and lock.
  public var derivedID: UUID { .nameBased("idempotency key", caller, method, path, key) }

  /// What the table keys on: a hash, so that rows stay small and callers' names stay out of it.
  var scope: [UInt8] { sha256(framed([caller, method, path, key])) }
}

/// Each part with its length before it: no two lists of parts have the same bytes.
func framed(_ parts: [String]) -> [UInt8] {
  var bytes: [UInt8] = []
  for part in parts {
    withUnsafeBytes(of: UInt64(part.utf8.count).bigEndian) { bytes.append(contentsOf: $0) }
    bytes.append(contentsOf: part.utf8)
  }
  return bytes
}

func sha256(_ bytes: [UInt8]) -> [UInt8] {
  var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
  SHA256(bytes, bytes.count, &digest)
  return digest
}
