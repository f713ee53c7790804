import HTTP
import JSON
import SensorDomain
import TestSupport
import Testing

@testable import SensorIngest

/// Holds what tests send to the API's description: a body that was taken must be one that the document allows.
struct APIDescription: Sendable {
  private let schemas: [String: JSONSchema]

  init(_ routes: [Route]) throws {
    let model = STAModel(STAModel.registry + [.observation])
    let api = OpenAPI(title: "", schemas: SensorIngestService.schemas(model, RegistrySettings(city: City(rawValue: "dortmund"))))
    let document = try JSONValue(parsing: api.document(of: []))
    schemas = try Dictionary(
      uniqueKeysWithValues: routes.compactMap { route in
        try route.info.request.map { (Self.name(route.method, route.pattern), JSONSchema(document, root: try JSONValue(parsing: $0.schema))) }
      })
  }

  func check(_ seen: Router.Observation) {
    guard let request = seen.request, let pattern = seen.pattern, (200..<300).contains(seen.status), !request.body.isEmpty else { return }
    guard let schema = schemas[Self.name(request.method, pattern)] else { return }
    do {
      let faults = try schema.faults(in: JSONValue(parsing: request.body))
      if !faults.isEmpty { Issue.record("\(request.method.rawValue) \(request.path) was taken, and its description does not allow it: \(faults)") }
    } catch {
      Issue.record(error)
    }
  }

  private static func name(_ method: HTTP.Method, _ pattern: String) -> String { "\(method.rawValue) \(pattern)" }
}
