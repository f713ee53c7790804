import Broker
import HTTP
import Time

/// `dos serve`: one process with some services or all of them, from the databases to the open port.
public struct CityProcess: Sendable {
  private let services: [any Service]
  private let settings: Settings
  private let log: Log
  private let health = Health()

  public init(_ services: [any Service], settings: Settings, log: Log) {
    self.services = services
    self.settings = settings
    self.log = log
  }

  /// Runs until a signal or a failure.
  ///
  /// - Parameter onListening: everything is ready; tells the port.
  /// - Throws: `Lifecycle.Failure` with the part at fault, or why the start was refused.
  public func run(signals: AsyncStream<Signal>, onListening: @escaping @Sendable (UInt16) -> Void = { _ in }) async throws {
    if settings[ProcessSettings.oidcIssuer] == nil { try Identity.checkLoopback(settings[ProcessSettings.host]) }
    // Built within a part of its own, so that a signal ends the wait for a database that is away.
    let city = Part("dos", startLimit: settings[ProcessSettings.startLimit] + .seconds(600), stopLimit: .seconds(60)) { ready in
      try await live(ready, onListening)
    }
    do {
      try await Lifecycle([city], log: log).run(
        signals: signals,
        onStopping: { [health, log] signal in
          if let signal { log.info("stopping", ["signal": .string(signal.name)]) }
          health.stopping()
          SupervisorNotice.stopping.send()
        })
    } catch .failed(_, let error) {
      throw error
    }
  }

  private func live(_ ready: @escaping @Sendable () -> Void, _ onListening: @escaping @Sendable (UInt16) -> Void) async throws {
    let metrics = Metrics()
    let foundations = try await Foundations(for: services, settings, log: log, metrics: metrics)
    let client = HTTPClient()
    do {
      let (parts, server) = try await assemble(foundations, client, metrics)
      let (stop, stopping) = AsyncStream.makeStream(of: Signal.self)
      // In a task of its own: a cancelled one could not wait any more for the parts to end.
      let running = Task { [health, log] in
        try await Lifecycle(parts, log: log).run(
          signals: stop,
          onReady: {
            health.started()
            SupervisorNotice.ready.send()
            log.info("listening", ["host": .string(server.settings.host), "port": .int(Int(server.port))])
            onListening(server.port)
            ready()
          })
      }
      try await withTaskCancellationHandler {
        try await running.value
      } onCancel: {
        stopping.yield(.terminate)
      }
    } catch {
      await client.close()
      await foundations.close()
      throw error
    }
    await client.close()
    await foundations.close()
  }

  private func assemble(_ foundations: Foundations, _ client: HTTPClient, _ metrics: Metrics) async throws -> (parts: [Part], server: HTTPServer) {
    let identity = try Identity(settings, devices: foundations.devices, client: client)
    if identity.isDevelopment { log.warning("development: no OIDC issuer is set; tokens of the local key are believed") }
    var routes = health.routes + [metrics.route] + IndexPage(pages: services.flatMap(\.pages)).routes
    var parts = [retention(foundations.broker)]
    for check in foundations.checks { health.add(check) }
    for service in services {
      let assembled = try await service.assemble(foundations.context(for: service))
      routes += assembled.routes.map { Self.inContext($0, service.name) }
      if let api = assembled.api { routes.append(Self.description(api, of: assembled.routes, at: service.prefix)) }
      parts += assembled.parts
      for check in assembled.checks { health.add(check) }
    }
    let server = HTTPServer(
      settings: try serverSettings(), router: try Router(routes, hooks: hooks(metrics)), authenticate: { try await identity.authenticator.caller(of: $0) })
    measure(server, metrics)
    parts.append(health.watch(metrics))
    // Last to start and first to stop: no request meets a service that is not there.
    let stopLimit = server.settings.stopTime + .seconds(5)
    parts.append(Part("HTTP", stopLimit: stopLimit, start: { try await server.start() }, stop: { _ = await server.stop() }))
    return (parts, server)
  }

  /// What became too old for its topic is deleted each hour.
  private func retention(_ broker: any EventBroker) -> Part {
    Part("retention") { [log] ready in
      ready()
      while !Task.isCancelled {
        do throws(BrokerError) {
          let gone = try await broker.sweep(now: Instant.now())
          if gone > 0 { log.info("deleted what is older than its topic keeps", ["events": .int(gone)]) }
        } catch {
          log.repeating(.warning, "retention", "cannot delete what is older than its topic keeps: \(error)")
        }
        try? await Task.sleep(for: .seconds(3_600))
      }
    }
  }

  private func serverSettings() throws -> ServerSettings {
    let alone = services.count == 1 ? services.first?.port : nil
    var server = ServerSettings(host: settings[ProcessSettings.host], port: UInt16(settings[ProcessSettings.port] ?? alone ?? 8_080))
    server.trustedProxies = try settings[ProcessSettings.trustedProxies].map { text in
      guard let network = Network(text) else {
        throw SettingsRejection([.impossible(.flag("--trusted-proxy"), value: text, expected: "a network such as 10.0.0.0/8 or fd00::/8")])
      }
      return network
    }
    return server
  }

  private func hooks(_ metrics: Metrics) -> Router.Hooks {
    Router.Hooks(
      mapError: { [log] error in
        let problem = ErrorMapping.problem(for: error)
        // The caller learns that it is not their fault; why stands here.
        if let problem, problem.status == 503 { log.repeating(.warning, "503 \(problem.detail)", "answered 503", ["cause": .string("\(error)")]) }
        return problem
      },
      report: { [log] error, request in
        log.error(
          "answered 500",
          [
            "correlation_id": .string(request.correlationID), "method": .string(request.method.rawValue), "path": .string(request.path),
            "cause": .string("\(error)"),
          ])
      },
      observe: { [log, figures = RequestFigures(metrics)] observation in
        figures.count(observation)
        guard let reason = observation.refusal else { return }
        log.repeating(
          .info, "refused", every: .seconds(1), "refused what could not become a request", ["status": .int(observation.status), "reason": .string(reason)])
      })
  }

  private func measure(_ server: HTTPServer, _ metrics: Metrics) {
    ProcessFigures.declare(in: metrics)
    metrics.measure("dos_http_connections", "Connections that are open") { Double(server.counts.connections) }
    metrics.measure("dos_http_streams", "Event streams that are open") { Double(server.counts.streams) }
    metrics.measure(total: "dos_http_streams_cut_total", "Event streams cut off because their client did not keep up") { server.counts.cut }
  }

  /// Whatever a request's handler logs carries the request's correlation id and the service's name.
  private static func inContext(_ route: Route, _ service: String) -> Route {
    var route = route
    let handler = route.handler
    route.handler = { request in
      try await LogContext.$current.withValue(LogContext(correlationID: request.correlationID, service: service)) { try await handler(request) }
    }
    return route
  }

  private static func description(_ api: OpenAPI, of routes: [Route], at prefix: String) -> Route {
    let document = api.document(of: routes)
    return Route(.get, prefix + "/openapi.json", access: .everyone, info: RouteInfo("The description of this API", tag: "API")) { _ in .json(document) }
  }
}
