import JSON

/// Finds the route of a request and answers it: access, media type, limits, errors, all in one place and testable without a socket.
public struct Router: Sendable {
  /// What a request came to, for metrics and logs.
  public struct Observation: Sendable {
    /// Nil where there was none that could be read: the answer then is a refusal of its bytes, its target or its connection.
    public let request: Request?
    /// The route's pattern; nil where none was found.
    public let pattern: String?
    public let status: Int
    public let duration: Duration
    /// Why there is no request, in words for whoever looks after the server; nil where there is one.
    public let refusal: String?

    init(_ request: Request, pattern: String?, status: Int, duration: Duration) {
      self.request = request
      self.pattern = pattern
      self.status = status
      self.duration = duration
      refusal = nil
    }

    init(refused status: Int, _ reason: String, after duration: Duration) {
      request = nil
      pattern = nil
      self.status = status
      self.duration = duration
      refusal = reason
    }
  }

  /// What a service adds to routing.
  public struct Hooks: Sendable {
    /// Turns an error of the service into its problem; nil where it does not know it (500).
    public var mapError: @Sendable (any Error) -> Problem?
    /// Called for errors nobody knew, so that the log has them under the correlation id.
    public var report: @Sendable (any Error, Request) -> Void
    /// Called for every answer, also for those that no route had a part in.
    public var observe: @Sendable (Observation) -> Void

    public init(
      mapError: @escaping @Sendable (any Error) -> Problem? = { _ in nil }, report: @escaping @Sendable (any Error, Request) -> Void = { _, _ in },
      observe: @escaping @Sendable (Observation) -> Void = { _ in }
    ) {
      self.mapError = mapError
      self.report = report
      self.observe = observe
    }
  }

  public let routes: [Route]
  public let hooks: Hooks
  private let table: RouteTable

  /// Throws `RouteConflict` for two routes that answer the same, or a pattern that cannot be read.
  public init(_ routes: [Route], hooks: Hooks = Hooks()) throws(RouteConflict) {
    self.routes = routes
    self.hooks = hooks
    table = try RouteTable(routes)
  }

  /// The largest body any route takes: what a server may have to hold.
  public var largestBody: Int { routes.map(\.bodyLimit).max() ?? 0 }

  /// Never throws and always answers. `authenticate` tells who asks; what it throws is answered like a handler's error.
  public func respond(
    to original: Request, authenticate: @Sendable (Request) async throws -> Caller? = { $0.caller }
  ) async -> Response {
    let started = ContinuousClock.now
    var request = original
    var pattern: String?
    var answer: Response
    do {
      answer = try await routed(&request, &pattern, authenticate)
    } catch {
      answer = problem(for: error, request).response(correlationID: request.correlationID)
    }
    answer.headers["x-correlation-id"] = request.correlationID
    if original.method == .head, case .stream = answer.body { answer.body = .bytes([]) }
    hooks.observe(Observation(request, pattern: pattern, status: answer.status, duration: started.duration(to: .now)))
    return answer
  }

  /// The answer to what failed outside of a handler, such as a request that could not be read.
  public func problem(for error: any Error, _ request: Request) -> Problem {
    if let problem = error as? Problem { return problem }
    // What fails because its client left, or because the service stops, is nobody's fault: neither the log nor the count of errors should tell of one.
    if Task.isCancelled { return .left }
    if let problem = hooks.mapError(error) { return problem }
    if let rejection = error as? JSONRejection { return Problem(rejection) }
    if error is CancellationError { return .unavailable("The request was ended before it was answered.") }
    hooks.report(error, request)
    return .internalError(correlationID: request.correlationID)
  }

  private func routed(
    _ request: inout Request, _ pattern: inout String?, _ authenticate: @Sendable (Request) async throws -> Caller?
  ) async throws -> Response {
    // RFC 9110, section 9.3.7: about the server and none of its resources.
    if request.target == "*" {
      return Response(status: 204, headers: ["Allow": Method.allCases.filter { $0 != .trace }.map(\.rawValue).joined(separator: ", ")])
    }
    guard let found = table.find(request.rawSegments) else { throw Problem.notFound("There is nothing at \(request.path).") }
    let wanted = request.method == .head && found.routes[.head] == nil ? .get : request.method
    guard let index = found.routes[wanted] else {
      pattern = found.pattern
      if request.method == .options { return Response(status: 204, headers: ["Allow": found.allow.joined(separator: ", ")]) }
      throw Problem.methodNotAllowed(request.method.rawValue, allow: found.allow)
    }
    let route = routes[index]
    pattern = route.pattern
    request.pathParameters = found.parameters(of: index)
    request.caller = try await authenticate(request)
    if let refusal = route.access.refusal(for: request.caller) { throw refusal }
    guard request.body.count <= route.bodyLimit else { throw Problem.payloadTooLarge(limit: route.bodyLimit) }
    try MediaType.check(request, accepts: route.accepts)
    return try await route.handler(request)
  }
}
