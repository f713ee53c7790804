import COpenSSL
import Foundation
import HTTP
import JSON
import Time

/// Issues tokens where no OIDC issuer is set. Its key lies in the state's folder, readable by its owner alone; a process that believes it
/// listens on loopback only.
public struct DevelopmentIssuer: Sendable {
  /// Why there is no key.
  public enum Failure: Error, Sendable, CustomStringConvertible {
    case unreadable(path: String, reason: String)
    case notWritable(path: String, reason: String)
    /// Others than the owner may read or write the file.
    case open(path: String, mode: String)
    case malformed(path: String)
    case signing(SigningKey.Failure)

    public var description: String {
      switch self {
      case .unreadable(let path, let reason): "cannot read the development key \(path): \(reason)"
      case .notWritable(let path, let reason): "cannot write the development key \(path): \(reason); choose another folder with DOS_HOME"
      case .open(let path, let mode): "others may use the development key \(path) (mode \(mode)): chmod 600 \(path), or delete it"
      case .malformed(let path): "\(path) is no development key: delete it, and a new one is made"
      case .signing(let failure): failure.description
      }
    }
  }

  public static let name = "dos-development"
  public static let audience = "dos2030"

  /// What tokens of this issuer say.
  public static var rules: TokenVerifier.Rules { TokenVerifier.Rules(issuer: name, audience: audience) }

  public let key: SigningKey

  /// The key in `folder`, made when it is not there yet.
  public init(folder: String) throws(Failure) {
    let path = folder + "/development-key"
    if !FileManager.default.fileExists(atPath: path) { try Self.create(path, in: folder) }
    var status = stat()
    guard stat(path, &status) == 0 else { throw .unreadable(path: path, reason: String(cString: strerror(errno))) }
    guard status.st_mode & 0o077 == 0 else { throw .open(path: path, mode: String(status.st_mode & 0o777, radix: 8)) }
    let text: String
    do { text = try String(contentsOfFile: path, encoding: .utf8) } catch { throw .unreadable(path: path, reason: error.localizedDescription) }
    guard let seed = Base64URL.decode(text.trimmingCharacters(in: .newlines)), seed.count == 32 else { throw .malformed(path: path) }
    do throws(SigningKey.Failure) {
      key = try SigningKey(ed25519Seed: seed, id: Self.name)
    } catch {
      throw .signing(error)
    }
  }

  /// A token for somebody with these roles.
  public func token(subject: String, roles: Set<Role>, city: String?, issued: Instant, validFor time: Duration) throws(SigningKey.Failure) -> String {
    var claims: [String: JSONValue] = [
      "iss": .string(Self.name), "aud": .string(Self.audience), "sub": .string(subject), "roles": .array(roles.map(\.rawValue).sorted().map { .string($0) }),
      "iat": .int(issued.milliseconds / 1_000), "exp": .int((issued + time).milliseconds / 1_000),
    ]
    if let city { claims["city"] = .string(city) }
    return try key.token(.object(claims))
  }

  /// Writes beside and links into place, so that of two processes one makes the key and both read the same.
  private static func create(_ path: String, in folder: String) throws(Failure) {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw .notWritable(path: path, reason: error.localizedDescription)
    }
    let draft = path + ".\(getpid())"
    let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .notWritable(path: path, reason: String(cString: strerror(errno))) }
    defer { unlink(draft) }
    let text = Array((Base64URL.encode(RandomBytes.draw(32)) + "\n").utf8)
    let written = write(descriptor, text, text.count)
    close(descriptor)
    guard written == text.count, link(draft, path) == 0 || errno == EEXIST else {
      throw .notWritable(path: path, reason: String(cString: strerror(errno)))
    }
  }
}
