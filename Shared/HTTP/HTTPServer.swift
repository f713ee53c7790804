import CConnections
import Dispatch
import Synchronization

/// Answers HTTP/1.1 on one address: one task per request, which is cancelled when its client leaves.
///
/// `start` and `stop` pair up; a server that was stopped may be started again.
public final class HTTPServer: Sendable {
  /// Tells who asks; throws a `Problem` (401) for credentials that do not hold.
  public typealias Authenticate = @Sendable (Request) async throws -> Caller?

  private struct State {
    var running: RunningServer?
    var heartbeat: Task<Void, Never>?
    var port: UInt16 = 0
  }

  public let settings: ServerSettings
  private let router: Router
  private let authenticate: Authenticate
  private let state = Mutex(State())

  public init(settings: ServerSettings, router: Router, authenticate: @escaping Authenticate = { _ in nil }) {
    self.settings = settings
    self.router = router
    self.authenticate = authenticate
  }

  /// Where it listens; 0 before `start`.
  public var port: UInt16 { state.withLock { $0.port } }

  /// Zeros before `start` and after `stop`.
  public var counts: ServerCounts { state.withLock { $0.running }?.counts ?? ServerCounts() }

  /// Listens when it returns. Throws `CannotListen`, with the owner of a taken port where that can be seen.
  public func start() async throws {
    let (running, port) = try listen()
    let interval = settings.heartbeat
    state.withLock { state in
      state.running = running
      state.port = port
      state.heartbeat = Task {
        let comment = ServerSentEvent.comment()
        while (try? await Task.sleep(for: interval)) != nil { running.pushToAll(comment) }
      }
    }
  }

  /// Stops accepting, ends idle connections and streams, answers what runs, and returns when every connection has ended, at the latest after
  /// `settings.stopTime`. Tells how many handlers run on nevertheless: their tasks are cancelled, and what they answer goes nowhere.
  @discardableResult
  public func stop() async -> Int {
    let (running, heartbeat) = state.withLock { state in
      defer {
        state.running = nil
        state.heartbeat = nil
      }
      return (state.running, state.heartbeat)
    }
    heartbeat?.cancel()
    guard let running else { return 0 }
    await running.stop(within: settings.stopTime)
    return running.handlers
  }

  private func listen() throws(CannotListen) -> (RunningServer, UInt16) {
    var attempts = [[settings.host]]
    // A machine without IPv6 still gets its server.
    if settings.host == "localhost" { attempts = [["127.0.0.1", "::1"], ["127.0.0.1"]] }
    if settings.host == "::" { attempts = [["::"], ["0.0.0.0"]] }
    var failure = StartFailure(number: 0, reason: "no address given")
    for addresses in attempts {
      do {
        return try RunningServer.start(settings, addresses: addresses, router: router, authenticate: authenticate)
      } catch {
        failure = error
        if failure.isTaken { break }
      }
    }
    let owner = failure.isTaken ? PortOwner.of(port: settings.port) : nil
    throw CannotListen(host: settings.host, port: settings.port, reason: failure.reason, owner: owner)
  }
}
