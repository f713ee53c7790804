import HTTP
import JSON
import Synchronization

/// One thing that must hold for the process to be of use: connected, migrated, caught up.
public struct HealthCheck: Sendable {
  /// What a check found.
  public enum State: Sendable, Equatable {
    case good
    /// Why not, in words for whoever runs the city; no addresses, no credentials.
    case bad(String)
  }

  public let name: String
  public let check: @Sendable () async -> State

  public init(_ name: String, check: @escaping @Sendable () async -> State) {
    self.name = name
    self.check = check
  }
}

/// Whether the process lives and whether it may be sent requests.
public final class Health: Sendable {
  private enum Phase: Sendable { case starting, running, stopping }

  private let phase = Mutex(Phase.starting)
  private let checks = Mutex<[HealthCheck]>([])
  private let limit: Duration

  /// - Parameter limit: how long a check may take before it counts as bad.
  public init(checkLimit limit: Duration = .seconds(2)) {
    self.limit = limit
  }

  public func add(_ check: HealthCheck) { checks.withLock { $0.append(check) } }

  /// Everything has started.
  public func started() { phase.withLock { $0 = .running } }

  /// From here on a load balancer should send nothing more.
  public func stopping() { phase.withLock { $0 = .stopping } }

  /// `/health/live`: the process answers. `/health/ready`: every check is good; else 503 with the checks that are not.
  public var routes: [Route] {
    [
      Route(.get, "/health/live", access: .everyone, info: RouteInfo("Whether the process answers", tag: "Operation")) {
        [live = Self.answer(["status": "live"], status: 200)] _ in
        live
      },
      Route(.get, "/health/ready", access: .everyone, info: RouteInfo("Whether the process may be sent requests", tag: "Operation")) { [self] _ in
        let report = await report()
        return Self.answer(report.json, status: report.isReady ? 200 : 503)
      },
    ]
  }

  /// What every check says now.
  public func report() async -> Report {
    let checks = checks.withLock { $0 }
    let states = await withTaskGroup(of: (Int, HealthCheck.State).self) { group in
      for (index, check) in checks.enumerated() {
        group.addTask { [limit] in (index, await Self.run(check, within: limit)) }
      }
      return await group.reduce(into: [Int: HealthCheck.State]()) { $0[$1.0] = $1.1 }
    }
    let phase = phase.withLock { $0 }
    return Report(
      phase: phase == .running ? nil : "\(phase)",
      states: checks.enumerated().map { ($1.name, states[$0] ?? .bad("no answer")) })
  }

  /// What the checks said.
  public struct Report: Sendable {
    /// `starting` or `stopping`; nil while running.
    public let phase: String?
    public let states: [(name: String, state: HealthCheck.State)]

    public var isReady: Bool { phase == nil && states.allSatisfy { $0.state == .good } }

    var json: JSONValue {
      let checks = states.map { name, state in
        switch state {
        case .good: (name, JSONValue.object(["status": "good"]))
        case .bad(let reason): (name, JSONValue.object(["status": "bad", "reason": .string(reason)]))
        }
      }
      return ["status": .string(phase ?? (isReady ? "ready" : "not ready")), "checks": .object(Dictionary(checks) { first, _ in first })]
    }
  }

  /// A check that hangs must not hang the answer: it is left behind, cancelled.
  private static func run(_ check: HealthCheck, within limit: Duration) async -> HealthCheck.State {
    let (states, inbox) = AsyncStream.makeStream(of: HealthCheck.State.self)
    let checking = Task { inbox.yield(await check.check()) }
    let timing = Task {
      guard (try? await Task.sleep(for: limit)) != nil else { return }
      inbox.yield(.bad("no answer within \(limit)"))
    }
    defer {
      checking.cancel()
      timing.cancel()
    }
    for await state in states { return state }
    return .bad("no answer")
  }

  private static func answer(_ value: JSONValue, status: Int) -> Response {
    var response = Response.json(value.bytes, status: status)
    response.headers["Cache-Control"] = "no-store"
    return response
  }
}
