import Embedded
import Foundation
import HTTP
import JSON

/// The page at `/sensors/`: its files, which are in the binary, and the two things a city may set: its outline and a map's tiles.
///
/// Without tiles the page fetches nothing from elsewhere. The content security policy allows no inline script and no host but the tiles'.
struct SensorPages: Sendable {
  struct Settings: Sendable {
    /// A template such as `https://tiles.example.org/{z}/{x}/{y}.png`; nil shows outlines alone.
    var tiles: String?
    /// What the tiles' licence wants to be shown, as text.
    var attribution: String?
    /// A GeoJSON FeatureCollection of the cities' outlines; nil takes the one drawn by hand.
    var outline: [UInt8]?
  }

  /// A setting of the page that cannot be used.
  enum SettingError: Error, CustomStringConvertible {
    case tiles(String)
    case outline(path: String, problem: String)

    var description: String {
      switch self {
      case .tiles(let text): "the tiles' address \"\(text)\" cannot be used; expected http(s)://host/… with {z}, {x} and {y}"
      case .outline(let path, let problem): "the outline \(path) cannot be used: \(problem); expected a GeoJSON FeatureCollection"
      }
    }
  }

  private let policy: String
  private let files: [String: (type: String, bytes: [UInt8], tag: String)]
  private let settings: [UInt8]

  init(_ settings: Settings) throws(SettingError) {
    let tileOrigin = try settings.tiles.map(Self.origin)
    policy =
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:" + (tileOrigin.map { " " + $0 } ?? "")
      + "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    var files: [String: (type: String, bytes: [UInt8], tag: String)] = [:]
    for file in SensorFiles.all where file.name.hasPrefix("Pages/") || file.name.hasPrefix("Libraries/") {
      let name = String(file.name.split(separator: "/").last ?? "")
      files[name] = (Self.type(of: name), file.bytes, EntityTag.of(file.bytes))
    }
    if let outline = settings.outline { files["outline.json"] = (Self.type(of: "outline.json"), outline, EntityTag.of(outline)) }
    self.files = files
    var writer = JSONWriter()
    writer.object { writer in
      writer.key("tiles")
      if let tiles = settings.tiles { writer.string(tiles) } else { writer.null() }
      writer.key("attribution")
      if let attribution = settings.attribution { writer.string(attribution) } else { writer.null() }
    }
    self.settings = writer.bytes
  }

  var routes: [Route] {
    let page = RouteInfo("The page of the sensors", tag: "Page", responses: [.text("text/html")])
    let types = Set(files.values.map { String($0.type.prefix { $0 != ";" }) }).sorted()
    let asset = RouteInfo(
      "A file of the page", tag: "Page", parameters: [ParameterInfo("name", in: .path, "", schema: Shape.one(of: files.keys.sorted()), required: true)],
      responses: types.map { $0 == "application/json" ? BodyInfo(schema: Shape.free) : .text($0) })
    let outline = RouteInfo("The cities' outlines as GeoJSON", tag: "Page", responses: [BodyInfo(schema: Shape.free)])
    let set = RouteInfo("What the page is set to", tag: "Page", responses: [BodyInfo(schema: Shape.free)])
    return [
      Route(.get, "/sensors", access: .everyone, info: RouteInfo("To the page of the sensors", tag: "Page", status: 308)) { request in
        .redirect(to: request.path + "/", status: 308)
      },
      Route(.get, "/sensors/", access: .everyone, info: page) { request in try file("index.html", for: request) },
      Route(.get, "/sensors/assets/{name}", access: .everyone, info: asset) { request in
        try file(try request.parameter("name"), for: request)
      },
      Route(.get, "/sensors/outline.json", access: .everyone, info: outline) { request in try file("outline.json", for: request) },
      Route(.get, "/sensors/page.json", access: .everyone, info: set) { request in
        Response.json(settings).unlessUnchanged(for: request)
      },
    ]
  }

  private func file(_ name: String, for request: Request) throws(Problem) -> Response {
    guard let file = files[name] else { throw .notFound("The page has no file \(name).") }
    var response = Response(headers: ["Content-Type": file.type, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"], body: .bytes(file.bytes))
    if name == "index.html" { response.headers["Content-Security-Policy"] = policy }
    return response.unlessUnchanged(for: request, tag: file.tag)
  }

  private static func type(of name: String) -> String {
    switch name.split(separator: ".").last {
    case "html": "text/html; charset=utf-8"
    case "css": "text/css; charset=utf-8"
    case "js": "text/javascript; charset=utf-8"
    default: "application/json"
    }
  }

  private static func origin(_ template: String) throws(SettingError) -> String {
    let example = template.replacing("{z}", with: "0").replacing("{x}", with: "0").replacing("{y}", with: "0").replacing("{s}.", with: "")
    guard let url = URL(string: example), let scheme = url.scheme, ["http", "https"].contains(scheme), let host = url.host(),
      ["{z}", "{x}", "{y}"].allSatisfy(template.contains)
    else { throw .tiles(template) }
    let anywhere = template.contains("{s}.") ? "*." : ""
    return scheme + "://" + anywhere + host + (url.port.map { ":\($0)" } ?? "")
  }
}

extension SensorPages.Settings {
  /// Reads the outline's file, so that a wrong one stops the start and not a visitor.
  init(tiles: String?, attribution: String?, outlineFile: String?) throws(SensorPages.SettingError) {
    var outline: [UInt8]?
    if let outlineFile {
      guard let data = FileManager.default.contents(atPath: outlineFile) else { throw .outline(path: outlineFile, problem: "it cannot be read") }
      let bytes = [UInt8](data)
      let value: JSONValue
      do { value = try JSONValue(parsing: bytes) } catch { throw .outline(path: outlineFile, problem: "it is not JSON") }
      guard value["type"]?.string == "FeatureCollection", value["features"]?.array != nil else {
        throw .outline(path: outlineFile, problem: "it is no FeatureCollection")
      }
      outline = bytes
    }
    self.init(tiles: tiles, attribution: attribution, outline: outline)
  }
}
