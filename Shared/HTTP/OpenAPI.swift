import JSON

/// A service's routes as an OpenAPI 3.1 document (spec.openapis.org/oas/v3.1.0), from the table that answers them.
public struct OpenAPI: Sendable {
  public var title: String
  public var version: String
  public var description: String
  /// Schemas by name, each as JSON text; routes refer to them with `BodyInfo.schema(_:)`.
  public var schemas: [String: String]

  public init(title: String, version: String = "1", description: String = "", schemas: [String: String] = [:]) {
    self.title = title
    self.version = version
    self.description = description
    self.schemas = schemas
  }

  /// The document, as JSON; paths and names in alphabetical order, so that equal tables give equal bytes.
  public func document(of routes: [Route]) -> [UInt8] {
    var json = JSONWriter(capacity: 16 << 10)
    json.object { json in
      json.member("openapi", "3.1.0")
      json.key("info")
      json.object { json in
        json.member("title", title)
        json.member("version", version)
        if !description.isEmpty { json.member("description", description) }
      }
      json.key("paths")
      json.object { json in paths(routes, &json) }
      json.key("components")
      json.object { json in components(&json) }
    }
    return json.bytes
  }

  private func paths(_ routes: [Route], _ json: inout JSONWriter) {
    let byPattern = Dictionary(grouping: routes, by: \.pattern)
    for (pattern, group) in byPattern.sorted(by: { $0.key < $1.key }) {
      json.key(name: pattern)
      json.object { json in
        for route in group.sorted(by: { $0.method.rawValue < $1.method.rawValue }) {
          json.key(name: route.method.rawValue.lowercased())
          json.object { json in Operation(route: route).write(to: &json) }
        }
      }
    }
  }

  private func components(_ json: inout JSONWriter) {
    json.key("schemas")
    json.object { json in
      var all = schemas
      all["Problem"] = OpenAPI.problemSchema
      for (name, schema) in all.sorted(by: { $0.key < $1.key }) {
        json.key(name: name)
        json.raw(schema.utf8)
      }
    }
    json.key("responses")
    json.object { json in
      json.key("Problem")
      json.object { json in
        json.member("description", "What went wrong and what would be right (RFC 9457).")
        json.content([.schema("Problem", contentType: "application/problem+json")])
      }
    }
    json.key("securitySchemes")
    json.raw(#"{"bearer":{"type":"http","scheme":"bearer","description":"A token of the city's OIDC provider, or a device's key."}}"#.utf8)
  }

  private static let problemSchema = """
    {"type":"object","required":["type","title","status","detail"],"properties":{"type":{"type":"string"},"title":{"type":"string"},\
    "status":{"type":"integer"},"detail":{"type":"string"},"correlationId":{"type":"string"},"errors":{"type":"array","items":{"type":"object",\
    "required":["path","problem","expected"],"properties":{"path":{"type":"string"},"problem":{"type":"string"},"expected":{"type":"string"}}}}}}
    """
}

extension Router {
  /// The document of this table.
  public func openAPI(_ document: OpenAPI) -> [UInt8] { document.document(of: routes) }

  public func openAPI(title: String) -> [UInt8] { openAPI(OpenAPI(title: title)) }
}

/// One route as an operation object.
private struct Operation {
  let route: Route

  func write(to json: inout JSONWriter) {
    let info = route.info
    json.member("operationId", operationID)
    json.member("summary", info.summary)
    if !info.description.isEmpty { json.member("description", info.description) }
    if !info.tag.isEmpty {
      json.key("tags")
      json.array { $0.string(info.tag) }
    }
    parameters(&json)
    requestBody(&json)
    json.key("responses")
    json.object { json in responses(&json) }
    security(&json)
  }

  /// Unique, since method and pattern are.
  private var operationID: String {
    let words = route.pattern.map { $0.isLetter || $0.isNumber || $0 == "." ? $0 : "_" }
    return route.method.rawValue.lowercased() + String(words)
  }

  private var pathNames: [String] {
    route.pattern.split(separator: "{").dropFirst().compactMap { $0.split(separator: "}", omittingEmptySubsequences: false).first.map(String.init) }
  }

  private func parameters(_ json: inout JSONWriter) {
    let named = route.info.parameters
    let silent = pathNames.filter { name in !named.contains { $0.place == .path && $0.name == name } }
    let all = silent.map { ParameterInfo($0, in: .path, "", required: true) } + named + (route.info.isTagged ? [.ifNoneMatch] : [])
    guard !all.isEmpty else { return }
    json.key("parameters")
    json.array { json in
      for parameter in all {
        json.object { json in
          json.member("name", parameter.name)
          json.member("in", parameter.place.rawValue)
          if !parameter.description.isEmpty { json.member("description", parameter.description) }
          json.key("required")
          json.bool(parameter.required || parameter.place == .path)
          json.key("schema")
          json.raw(parameter.schema.utf8)
        }
      }
    }
  }

  private func requestBody(_ json: inout JSONWriter) {
    guard let body = route.info.request else { return }
    json.key("requestBody")
    json.object { json in
      json.key("required")
      json.bool(true)
      json.member("description", "At most \(route.bodyLimit) bytes.")
      json.content([body])
    }
  }

  private func responses(_ json: inout JSONWriter) {
    let info = route.info
    json.key(name: String(info.status))
    json.object { json in
      json.member("description", Status.reason(info.status))
      headers(info.headers + (info.isTagged ? [.entityTag] : []), &json)
      json.content(info.responses)
    }
    if info.mayBeEmpty { empty(204, &json) }
    if info.isTagged { empty(304, &json) }
    json.key("default")
    json.raw(##"{"$ref":"#/components/responses/Problem"}"##.utf8)
  }

  private func empty(_ status: Int, _ json: inout JSONWriter) {
    json.key(name: String(status))
    json.object { $0.member("description", Status.reason(status)) }
  }

  private func headers(_ headers: [HeaderInfo], _ json: inout JSONWriter) {
    guard !headers.isEmpty else { return }
    json.key("headers")
    json.object { json in
      for header in headers {
        json.key(name: header.name)
        json.object { json in
          json.member("description", header.description)
          json.key("required")
          json.bool(header.isAlwaysThere)
          json.key("schema")
          json.raw(header.schema.utf8)
        }
      }
    }
  }

  private func security(_ json: inout JSONWriter) {
    json.key("security")
    json.array { json in
      guard route.access != .everyone else { return }
      json.object { json in
        json.key("bearer")
        // Since 3.1 the list may name roles for every kind of scheme (section 4.8.30.2).
        json.array { json in
          guard case .roles(let roles) = route.access else { return }
          for role in roles.sorted() { json.string(role) }
        }
      }
    }
  }
}

extension JSONWriter {
  fileprivate mutating func member(_ name: StaticString, _ value: String) {
    key(name)
    string(value)
  }

  fileprivate mutating func content(_ bodies: [BodyInfo]) {
    guard !bodies.isEmpty else { return }
    key("content")
    object { json in
      for body in bodies {
        json.key(name: body.contentType)
        json.object { json in
          json.key("schema")
          json.raw(body.schema.utf8)
          if let example = body.example {
            json.key("example")
            json.raw(example.utf8)
          }
        }
      }
    }
  }
}
