public import Embedded
public import HTTP
import JSON

/// A service's pages: their files, which are in the binary, and the policy that they allow nothing beyond.
///
/// A page runs no inline script or style and asks no host but its own, the map's tiles where a city has set them, and those a page names. Beside a service's
/// files stand those that pages share: Leaflet and `login.js`.
public struct PageFiles: Sendable {
  /// One page.
  public struct Page: Sendable {
    /// Where it is, with a slash at its end: `/sensors/`.
    public let path: String
    /// Its file: `index.html`.
    public let file: String
    public let summary: String
    /// Further origins that it may talk to.
    public let connecting: [String]

    public init(_ path: String, file: String, summary: String, connecting: [String] = []) {
      self.path = path
      self.file = file
      self.summary = summary
      self.connecting = connecting
    }
  }

  private struct File {
    let type: String
    let bytes: [UInt8]
    let tag: String
  }

  private let prefix: String
  private let pages: [Page]
  private let map: MapTiles
  private let files: [String: File]

  /// - Parameters:
  ///   - prefix: below which `assets/` and `page.json` are: `/sensors`.
  ///   - files: those below `Pages/` and `Libraries/`, known by their last name; others are passed over. A later one of the same name takes an earlier one's place.
  public init(_ prefix: String, pages: [Page], files: [EmbeddedFile], map: MapTiles) {
    self.prefix = prefix
    self.pages = pages
    self.map = map
    var known: [String: File] = [:]
    for file in ServiceKitFiles.all + files where file.name.hasPrefix("Pages/") || file.name.hasPrefix("Libraries/") {
      let name = String(file.name.split(separator: "/").last ?? "")
      known[name] = File(type: Self.type(of: name), bytes: file.bytes, tag: EntityTag.of(file.bytes))
    }
    self.files = known
  }

  public var routes: [Route] {
    let types = Set(files.values.map { String($0.type.prefix { $0 != ";" }) }).sorted()
    let names = files.keys.sorted().map { "\"\($0)\"" }.joined(separator: ",")
    let asset = RouteInfo(
      "A file of the pages", tag: "Page",
      parameters: [ParameterInfo("name", in: .path, "", schema: "{\"type\":\"string\",\"enum\":[\(names)]}", required: true)],
      responses: types.map { $0 == "application/json" ? BodyInfo(schema: Shape.free) : .text($0) }, isTagged: true)
    let set = RouteInfo("What the map is set to", tag: "Page", responses: [BodyInfo(schema: Shape.free)], isTagged: true)
    return pages.flatMap(routes) + [
      Route(.get, prefix + "/assets/{name}", access: .everyone, accepts: [], info: asset) { request in
        let response = try file(try request.parameter("name"))
        return response.unlessUnchanged(for: request, tag: response.headers["ETag"])
      },
      Route(.get, prefix + "/page.json", access: .everyone, accepts: [], info: set) { request in Response.json(map.json).unlessUnchanged(for: request) },
    ]
  }

  private func routes(of page: Page) -> [Route] {
    let policy = policy(of: page)
    let info = RouteInfo(page.summary, tag: "Page", responses: [.text("text/html")], isTagged: true)
    return [
      Route(.get, String(page.path.dropLast()), access: .everyone, accepts: [], info: RouteInfo("To: " + page.summary, tag: "Page", status: 308)) { request in
        .redirect(to: request.path + "/", status: 308)
      },
      Route(.get, page.path, access: .everyone, accepts: [], info: info) { request in
        var response = try file(page.file)
        response.headers["Content-Security-Policy"] = policy
        // Where somebody came from may name what they looked at.
        response.headers["Referrer-Policy"] = "no-referrer"
        return response.unlessUnchanged(for: request, tag: response.headers["ETag"])
      },
    ]
  }

  private func policy(of page: Page) -> String {
    let connecting = ["'self'"] + page.connecting
    let images = ["'self'", "data:"] + (map.origin.map { [$0] } ?? [])
    return "default-src 'none'; script-src 'self'; style-src 'self'; connect-src \(connecting.joined(separator: " ")); img-src \(images.joined(separator: " "))"
      + "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
  }

  /// A file of the pages, as an answer with its tag.
  public func file(_ name: String) throws(Problem) -> Response {
    guard let file = files[name] else { throw .notFound("The pages have no file \(name.prefix(80)).") }
    return Response(
      headers: ["Content-Type": file.type, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff", "ETag": file.tag], body: .bytes(file.bytes))
  }

  private static func type(of name: String) -> String {
    switch name.split(separator: ".").last {
    case "html": "text/html; charset=utf-8"
    case "css": "text/css; charset=utf-8"
    case "js": "text/javascript; charset=utf-8"
    default: "application/json"
    }
  }
}
