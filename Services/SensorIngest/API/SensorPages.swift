import Embedded
import Foundation
import HTTP
import JSON
import ServiceKit

/// The page at `/sensors/`, with the cities' outlines on its map: those that a city has set, or the ones drawn by hand.
struct SensorPages: Sendable {
  /// The outline's file cannot be used.
  struct OutlineUnusable: Error, CustomStringConvertible {
    let path: String
    let problem: String
    var description: String { "the outline \(path) cannot be used: \(problem); expected a GeoJSON FeatureCollection" }
  }

  private let files: PageFiles

  /// - Parameter outline: a GeoJSON FeatureCollection; nil takes the one drawn by hand.
  init(map: MapTiles, outline: [UInt8]?) {
    let own = outline.map { [EmbeddedFile(name: "Pages/outline.json", bytes: $0)] } ?? []
    files = PageFiles(
      "/sensors", pages: [PageFiles.Page("/sensors/", file: "index.html", summary: "The page of the sensors")], files: SensorFiles.all + own, map: map)
  }

  var routes: [Route] {
    let outline = RouteInfo("The cities' outlines as GeoJSON", tag: "Page", responses: [BodyInfo(schema: Shape.free)], isTagged: true)
    return files.routes + [
      Route(.get, "/sensors/outline.json", access: .everyone, info: outline) { request in try files.file("outline.json").unlessUnchanged(for: request) }
    ]
  }

  /// Reads an outline's file, so that a wrong one stops the start and not a visitor.
  static func outline(path: String) throws(OutlineUnusable) -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: path) else { throw OutlineUnusable(path: path, problem: "it cannot be read") }
    let bytes = [UInt8](data)
    let value: JSONValue
    do { value = try JSONValue(parsing: bytes) } catch { throw OutlineUnusable(path: path, problem: "it is not JSON") }
    guard value["type"]?.string == "FeatureCollection", value["features"]?.array != nil else {
      throw OutlineUnusable(path: path, problem: "it is no FeatureCollection")
    }
    return bytes
  }
}
