/// The key of a device: `dos_<id>_<64 hex digits>`, a bearer token with 32 random bytes.
public struct DeviceKey: Sendable, Equatable {
  /// A device may not be called that.
  public struct BadID: Error, Sendable, CustomStringConvertible {
    public let id: String
    public var description: String { "\"\(id)\" is no device's name: expected 1 to 64 small letters, digits and hyphens" }
  }

  static let prefix = "dos_"

  public let id: String
  /// The whole text; shown once and never stored.
  public let text: String

  /// A new key.
  public init(drawingFor id: String) throws(BadID) {
    guard Self.isID(id[...]) else { throw BadID(id: id) }
    let digits = Array("0123456789abcdef".utf8)
    let hex = RandomBytes.draw(32).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    self.id = id
    text = Self.prefix + id + "_" + String(decoding: hex, as: UTF8.self)
  }

  /// A key that somebody sent; nil for what cannot be one.
  init?(_ text: String) {
    let parts = text.split(separator: "_", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "dos", Self.isID(parts[1]), parts[2].utf8.count == 64 else { return nil }
    guard parts[2].utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }) else { return nil }
    id = String(parts[1])
    self.text = text
  }

  var sha256: [UInt8] { SHA256.hash(Array(text.utf8)) }

  private static func isID(_ id: Substring) -> Bool {
    (1...64).contains(id.utf8.count) && id.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) || $0 == 0x2d }
  }
}
