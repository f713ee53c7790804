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

  /// The open datastreams that a way leads to, whoever may see them.
  func openDatastreams(_ column: String, _ id: Int64) async throws -> [Int64] {
    try await service.caughtUp([])
    let rows = try await service.pool.query("select id from datastreams where \(identifier: column) = \(id) and closed_at is null order by id limit 10000")
    return try rows.map { try $0.value(Int64.self, at: 0) }
  }

  func all() -> [Route] { things() + locations() + sensors() + observedProperties() + featuresOfInterest() + datastreams() }
}
