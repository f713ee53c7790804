import HTTP

extension Metrics {
  /// `/metrics` in Prometheus' text format.
  public var route: Route {
    Route(.get, "/metrics", access: .everyone, info: RouteInfo("Figures for Prometheus", tag: "Operation")) { [self] _ in
      .text(exposition(), type: "text/plain; version=0.0.4; charset=utf-8")
    }
  }

  /// Counts a request and how long it took, by the route's pattern: paths would be without bound.
  public func observe(_ observation: Router.Observation) {
    let route = observation.pattern ?? "none"
    let method = observation.request?.method.rawValue ?? "none"
    counter("dos_http_requests_total", "Requests answered", ["method": method, "route": route, "status": String(observation.status)]).add()
    histogram("dos_http_request_seconds", "Time from the request to its answer; for a stream, to its opening", ["method": method, "route": route])
      .observe(observation.duration)
  }
}
