import HTTP
import SensorDomain
import ServiceKit

/// What every resource of the registry needs to say what may be done to it.
struct RegistryRoutes: Sendable {
  let service: STAService

  static let writers = Access.roles(.sensorOperator)

  typealias Decide = @Sendable (inout RegistryCommands, Request, JSONBody) async throws -> STAService.Written

  /// - Parameters:
  ///   - path: where, if not at the type's set.
  ///   - schema: of the body, if not that of a new entity.
  func post(_ type: STAEntityType, at path: String? = nil, takes schema: String? = nil, _ summary: String, _ decide: @escaping Decide) -> Route {
    let info = info(summary, path ?? "", takes: schema ?? "New\(type.name)", answers: type, status: 201)
    return route(.post, "\(STAService.prefix)/\(path ?? type.set)", info, decide)
  }

  func patch(_ type: STAEntityType, _ summary: String, _ decide: @escaping Decide) -> Route {
    let path = "\(type.set)({id})"
    return route(.patch, "\(STAService.prefix)/\(path)", info(summary, path, takes: "\(type.name)Change", answers: type, status: 200), decide)
  }

  func delete(_ type: STAEntityType, _ summary: String, _ decide: @escaping Decide) -> Route {
    let path = "\(type.set)({id})"
    return route(.delete, "\(STAService.prefix)/\(path)", info(summary, path, status: 200), decide)
  }

  /// One of this service's own commands, which SensorThings does not have.
  func own(_ path: String, _ summary: String, _ decide: @escaping Decide) -> Route {
    route(.post, "/sensors/v1/\(path)", info(summary, path, status: 204), decide)
  }

  private func info(_ summary: String, _ path: String, takes schema: String? = nil, answers type: STAEntityType? = nil, status: Int) -> RouteInfo {
    RouteInfo(
      summary, tag: "Registry", parameters: (path.contains("{id}") ? [.id] : []) + [.idempotencyKey], request: schema.map { .schema($0) },
      responses: type.map { [.schema($0.name)] } ?? [], status: status,
      headers: (status == 201 ? [.location] : []) + [.position])
  }

  private func route(_ method: Method, _ pattern: String, _ info: RouteInfo, _ decide: @escaping Decide) -> Route {
    let takesBody = info.request != nil
    return Route(method, pattern, access: Self.writers, accepts: takesBody ? ["application/json"] : [], info: info) { request in
      try await service.write(request, takesBody: takesBody) { commands, body in try await decide(&commands, request, body) }
    }
  }

  /// The datastreams that a way leads to, whoever may see them, closed ones too.
  func datastreams(_ column: String, _ id: Int64) async throws -> [Int64] {
    try await service.caughtUp([])
    let rows = try await service.pool.query("select id from datastreams where \(identifier: column) = \(id) order by id limit 10001")
    guard rows.count <= 10_000 else { throw Problem.conflict("More than 10,000 datastreams would go with it. Delete them first.") }
    return try rows.map { try $0.value(Int64.self, at: 0) }
  }

  func all() -> [Route] { things() + locations() + sensors() + observedProperties() + featuresOfInterest() + historicalLocations() + datastreams() }
}
