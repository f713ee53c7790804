import HTTP
import Synchronization

extension Metrics {
  /// `/metrics` in Prometheus' text format.
  public var route: Route {
    Route(.get, "/metrics", access: .everyone, info: RouteInfo("Figures for Prometheus", tag: "Operation")) { [self] _ in
      .text(exposition(), type: "text/plain; version=0.0.4; charset=utf-8")
    }
  }
}

/// Counts requests and how long they took, by the route's pattern: paths would be without bound.
public final class RequestFigures: Sendable {
  private struct Key: Hashable {
    let method: Method?
    let pattern: String?
    let status: Int
  }

  private let metrics: Metrics
  /// Looked up for every request, so that the figures' names are put together for the first of a kind alone. As many as the metrics have.
  private let known = Mutex<[Key: (requests: Counter, seconds: Histogram)]>([:])

  public init(_ metrics: Metrics) {
    self.metrics = metrics
  }

  public func count(_ observation: Router.Observation) {
    let key = Key(method: observation.request?.method, pattern: observation.pattern, status: observation.status)
    let (requests, seconds) = known.withLock { known in
      if let figures = known[key] { return figures }
      let figures = declared(key)
      known[key] = figures
      return figures
    }
    requests.add()
    seconds.observe(observation.duration)
  }

  private func declared(_ key: Key) -> (requests: Counter, seconds: Histogram) {
    let route = key.pattern ?? "none"
    let method = key.method?.rawValue ?? "none"
    return (
      metrics.counter("dos_http_requests_total", "Requests answered", ["method": method, "route": route, "status": String(key.status)]),
      metrics.histogram(
        "dos_http_request_seconds", "Time from the request to its answer; for a stream, to its opening", ["method": method, "route": route])
    )
  }
}
