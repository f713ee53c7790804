public import HTTP
import JSON

/// Holds what a service takes and answers to its OpenAPI document: a body that was taken must be one that the document allows, and an answer must be described,
/// every member of it.
public struct APIDescription: Sendable {
  private let document: JSONValue

  /// - Parameter document: the document, as JSON.
  public init(_ document: [UInt8]) throws { self.document = try JSONValue(parsing: document) }

  /// The route, with each of its answers looked at.
  /// - Parameter report: gets what is otherwise than described.
  public func holding(_ route: Route, report: @escaping @Sendable (String) -> Void) -> Route {
    var held = route
    held.handler = { request in
      let response = try await route.handler(request)
      do {
        for fault in try faults(of: route, request, response) { report("\(request.method.rawValue) \(request.path) (\(response.status)) \(fault)") }
      } catch {
        report("\(route.method.rawValue) \(route.pattern) cannot be checked: \(error)")
      }
      return response
    }
    return held
  }

  private func faults(of route: Route, _ request: Request, _ response: Response) throws -> [String] {
    guard response.status < 400 else { return [] }
    guard let operation = document["paths"]?[route.pattern]?[route.method.rawValue.lowercased()] else { return ["is not in the document"] }
    var found: [String] = []
    if !request.body.isEmpty, let schema = operation["requestBody"]?["content"]?["application/json"]?["schema"] {
      found += try JSONSchema(document, root: schema).faults(in: JSONValue(parsing: request.body)).map { "took what its description does not allow: \($0)" }
    }
    guard let answer = operation["responses"]?[String(response.status)] else { return found + ["answers with a status that is not described"] }
    for (name, header) in answer["headers"]?.object ?? [:] where header["required"]?.bool == true && response.headers[name] == nil {
      found.append("answers without \(name)")
    }
    guard case .bytes(let bytes) = response.body, !bytes.isEmpty else { return found }
    let type = String((response.headers["Content-Type"] ?? "").prefix { $0 != ";" })
    guard let content = answer["content"]?[type], let schema = content["schema"] else { return found + ["answers \(type), which is not described"] }
    guard type.hasSuffix("json") else { return found }
    return found + (try JSONSchema(document, root: schema, closed: true).faults(in: JSONValue(parsing: bytes)).map { "answers what is not described: \($0)" })
  }
}
