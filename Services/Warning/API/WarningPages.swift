import Geo
import HTTP
import JSON
import ServiceKit

/// The page for everybody at `/warnings/`, that of the officers on duty at `/warnings/officer/`, and the districts that both draw.
struct WarningPages: Sendable {
  static let listed = [
    ServicePage(title: "Warnungen", summary: "Was gerade gilt, wo ich bin, mit Aushang zum Drucken", path: "/warnings/"),
    ServicePage(title: "Warnungen: Dienstseite", summary: "Hinweise, Entwürfe, Freigaben und Zustellungen; mit Anmeldung", path: "/warnings/officer/"),
  ]

  private let files: PageFiles
  private let login: PageLogin
  private let areas: [UInt8]

  init(_ directory: AreaDirectory, _ context: ServiceContext) throws {
    let cities = Set(directory.districts.map(\.city) + directory.authorities.map(\.authority.id)).sorted()
    login = PageLogin("/warnings/officer/", roles: [.warningOfficer, .controlRoom], cities: cities, context.settings)
    files = PageFiles(
      "/warnings",
      pages: [
        PageFiles.Page("/warnings/", file: "index.html", summary: "What holds now, as a page"),
        PageFiles.Page("/warnings/officer/", file: "officer.html", summary: "The page of the officers on duty", connecting: login.origins),
      ], files: WarningFiles.all, map: try MapTiles(context.settings))
    areas = try Self.collection(directory)
  }

  var routes: [Route] {
    let info = RouteInfo("The districts as GeoJSON, by which areas can be named", tag: "Public", responses: [.schema("Districts")], isTagged: true)
    return files.routes + login.routes + [
      Route(.get, "/warnings/areas.json", access: .everyone, accepts: [], info: info) { [areas] request in
        var response = Response.json(areas)
        response.headers["Cache-Control"] = "no-cache"
        return response.unlessUnchanged(for: request)
      }
    ]
  }

  private static func collection(_ directory: AreaDirectory) throws -> [UInt8] {
    let districts = try directory.districts.map { district -> JSONValue in
      let geometry = try JSONValue(parsing: WarningJSON.bytes(Geometry.multiPolygon(district.outline)))
      return .object([
        "type": .string("Feature"), "geometry": geometry,
        "properties": .object(["name": .string(district.name), "city": .string(district.city)]),
      ])
    }
    return JSONValue.object(["type": .string("FeatureCollection"), "features": .array(districts)]).bytes
  }
}
