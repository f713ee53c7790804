import HTTP
import SensorDomain
import ServiceKit

/// What every resource of the registry needs to say what may be done to it.
struct RegistryRoutes: Sendable {
  let service: STAService

  static let writers = Access.roles(.sensorOperator)

  func post(
    _ set: String, _ summary: String, _ decide: @escaping @Sendable (inout RegistryCommands, Request, JSONBody) async throws -> STAService.Written
  ) -> Route {
    route(.post, "\(STAService.prefix)/\(set)", summary, status: 201, decide)
  }

  func patch(
    _ set: String, _ summary: String, _ decide: @escaping @Sendable (inout RegistryCommands, Request, JSONBody) async throws -> STAService.Written
  ) -> Route {
    route(.patch, "\(STAService.prefix)/\(set)({id})", summary, status: 200, decide)
  }

  func delete(
    _ set: String, _ summary: String, _ decide: @escaping @Sendable (inout RegistryCommands, Request, JSONBody) async throws -> STAService.Written
  ) -> Route {
    route(.delete, "\(STAService.prefix)/\(set)({id})", summary, status: 200, decide)
  }

  private func route(
    _ method: Method, _ pattern: String, _ summary: String, status: Int,
    _ decide: @escaping @Sendable (inout RegistryCommands, Request, JSONBody) async throws -> STAService.Written
  ) -> Route {
    let info = RouteInfo(summary, tag: "Registry", status: status)
    return Route(method, pattern, access: Self.writers, accepts: method == .delete ? [] : ["application/json"], info: info) { request in
      try await service.write(request) { commands, body in try await decide(&commands, request, body) }
    }
  }

  /// One of this service's own commands, which SensorThings does not have.
  func own(
    _ path: String, _ summary: String, _ decide: @escaping @Sendable (inout RegistryCommands, Request, JSONBody) async throws -> STAService.Written
  ) -> Route {
    let info = RouteInfo(summary, tag: "Registry", status: 204)
    return Route(.post, "/sensors/v1/\(path)", access: Self.writers, accepts: [], info: info) { request in
      try await service.write(request) { commands, body in try await decide(&commands, request, body) }
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
