import Foundation
import JSON

/// What pages draw their maps on: tiles of a host that the city has set, or nothing. Without them no page fetches anything from elsewhere.
public struct MapTiles: Sendable {
  /// The tiles' address cannot be used.
  public struct Unusable: Error, Sendable, Equatable, CustomStringConvertible {
    public let template: String
    public var description: String { "the tiles' address \"\(template)\" cannot be used; expected http(s)://host/… with {z}, {x} and {y}" }
  }

  public static let none = MapTiles(json: json(nil, nil), origin: nil)

  /// What the page's script reads: `{"tiles": "https://…" or null, "attribution": "…" or null}`.
  let json: [UInt8]
  /// For the content security policy.
  let origin: String?

  /// Reads `--map-tiles` and `--map-tiles-attribution`.
  public init(_ settings: Settings) throws(Unusable) {
    try self.init(template: settings[ProcessSettings.mapTiles], attribution: settings[ProcessSettings.mapTilesAttribution])
  }

  /// - Parameters:
  ///   - template: such as `https://tiles.example.org/{z}/{x}/{y}.png`; nil shows outlines alone.
  ///   - attribution: what the tiles' licence wants to be shown, as text.
  public init(template: String?, attribution: String?) throws(Unusable) {
    var origin: String?
    if let template { origin = try Self.origin(template) }
    self.init(json: Self.json(template, attribution), origin: origin)
  }

  private init(json: [UInt8], origin: String?) {
    self.json = json
    self.origin = origin
  }

  private static func json(_ template: String?, _ attribution: String?) -> [UInt8] {
    JSONValue.object(["tiles": template.map(JSONValue.string) ?? .null, "attribution": attribution.map(JSONValue.string) ?? .null]).bytes
  }

  private static func origin(_ template: String) throws(Unusable) -> String {
    let example = template.replacing("{z}", with: "0").replacing("{x}", with: "0").replacing("{y}", with: "0").replacing("{s}.", with: "")
    guard ["{z}", "{x}", "{y}"].allSatisfy(template.contains), let origin = WebOrigin.of(example) else { throw Unusable(template: template) }
    guard template.contains("{s}."), let host = origin.range(of: "://") else { return origin }
    return origin.replacingCharacters(in: host, with: "://*.")
  }
}

/// Origins as browsers compare them (RFC 6454, section 6.2).
enum WebOrigin {
  /// Of an http or https address; nil for anything else.
  static func of(_ address: String) -> String? {
    guard let url = URL(string: address), let scheme = url.scheme?.lowercased(), ["http", "https"].contains(scheme), let host = url.host(), !host.isEmpty else {
      return nil
    }
    return scheme + "://" + host.lowercased() + (url.port.map { ":\($0)" } ?? "")
  }
}
