import CConnections
import Dispatch
import Synchronization

/// A server that listens: what the connections' threads call, and what handlers answer through.
///
/// The C++ side lives as long as this object, and every handler's task holds it, so that an answer after the end falls on nothing.
final class RunningServer: Sendable {
  /// What is under way on a connection.
  private struct Exchange {
    /// Of the handler; nil before it waits for something for the first time, and once only an open stream is left of it.
    var task: Task<Void, Never>?
    var stream: OpenStream?
    var isRunning = true
  }

  /// Requests with a larger body are read elsewhere than on the connection's thread, which has other connections to look after.
  private static let bodyReadAtOnce = 16 << 10

  private struct State {
    var exchanges: [http_connection: Exchange] = [:]
    /// Requests under way per address that a trusted proxy named.
    var perAddress: [String: Int] = [:]
    /// Tasks that have not ended, whether or not their client is still there.
    var handlers = 0
  }

  private let settings: ServerSettings
  private let router: Router
  private let authenticate: HTTPServer.Authenticate
  private let state = Mutex(State())
  /// Set once, right after the C++ side started; a request names it too, since the first may come before.
  private let handle = Mutex(http_server(ref: 0))

  private init(_ settings: ServerSettings, router: Router, authenticate: @escaping HTTPServer.Authenticate) {
    self.settings = settings
    self.router = router
    self.authenticate = authenticate
  }

  deinit {
    let handle = handle.withLock { $0 }
    if handle.ref != 0 { http_free(handle) }
  }

  /// Tasks of handlers that have not ended.
  var handlers: Int { state.withLock { $0.handlers } }

  static func start(
    _ settings: ServerSettings, addresses: [String], router: Router, authenticate: @escaping HTTPServer.Authenticate
  ) throws(StartFailure) -> (RunningServer, UInt16) {
    let server = RunningServer(settings, router: router, authenticate: authenticate)
    let context = unsafe Unmanaged.passRetained(server)  // until `stop` has seen the last callback
    do {
      let (handle, port) = try unsafe startConnections(settings, addresses: addresses, limits: bodyLimits(router, settings), callbacks(context.toOpaque()))
      server.handle.withLock { $0 = handle }
      return (server, port)
    } catch {
      unsafe context.release()
      throw error
    }
  }

  func stop(within deadline: Duration) async {
    let handle = handle.withLock { $0 }
    http_stop(handle, deadline.milliseconds)
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        http_wait(handle)
        continuation.resume()
      }
    }
    unsafe Unmanaged.passUnretained(self).release()
    // Those cancelled just now need a moment to notice.
    for _ in 0..<50 where handlers > 0 { try? await Task.sleep(for: .milliseconds(10)) }
  }

  var counts: ServerCounts {
    let handle = handle.withLock { $0 }
    let now = http_count(handle)
    var counts = ServerCounts()
    counts.connections = Int(now.connections)
    counts.streams = Int(now.streams)
    counts.accepted = now.accepted
    counts.requests = now.requests
    counts.cut = now.cut
    counts.timeouts = now.timeouts
    counts.left = now.left
    return counts
  }

  // MARK: What the connections' threads call

  fileprivate func received(_ arrived: ArrivedRequest, on server: http_server) {
    let connection = arrived.connection
    state.withLock { state in
      state.handlers += 1
      state.exchanges[connection] = Exchange()
    }
    // On this thread until it has to wait: most answers are there before that, and going elsewhere and back costs more than they do.
    let isShort = arrived.body.count <= Self.bodyReadAtOnce
    let task = isShort ? Task.immediate { await take(arrived, on: server) } : Task { await take(arrived, on: server) }
    // Whether the client is still there is told by this same thread, so that nobody could want to cancel the task before.
    state.withLock { state in
      if state.exchanges[connection]?.isRunning == true { state.exchanges[connection]?.task = task }
    }
  }

  fileprivate func left(_ connection: http_connection) {
    guard let exchange = state.withLock({ $0.exchanges.removeValue(forKey: connection) }) else { return }
    exchange.stream?.close()
    exchange.task?.cancel()
  }

  fileprivate func refused(_ status: Int, _ reason: String, after duration: Duration) {
    router.hooks.observe(Router.Observation(refused: status, reason, after: duration))
  }

  fileprivate func flushed(_ connection: http_connection) {
    state.withLock { $0.exchanges[connection]?.stream }?.flushed()
  }

  // MARK: Answers

  private func take(_ arrived: ArrivedRequest, on server: http_server) async {
    await answer(arrived, on: server)
    state.withLock { $0.handlers -= 1 }
  }

  private func answer(_ arrived: ArrivedRequest, on handle: http_server) async {
    let client = ForwardedClient(peer: arrived.address, host: arrived.host ?? settings.host, headers: arrived.headers, trusted: settings.trustedProxies)
    guard !client.isForwarded || enter(client.address) else {
      let problem = Problem.tooManyRequests("Too many requests of this address are under way.", retryAfter: 1)
      refused(problem.status, problem.detail, after: .zero)
      return send(problem.response, to: arrived.connection, on: handle)
    }
    defer { if client.isForwarded { leave(client.address) } }
    let response: Response
    do {
      response = await router.respond(to: try arrived.request(client), authenticate: authenticate)
    } catch {
      refused(error.status, error.detail, after: .zero)
      response = error.response
    }
    switch response.body {
    case .bytes: send(response, to: arrived.connection, on: handle)
    case .stream(let stream): await open(stream, response, on: arrived.connection, handle)
    }
  }

  private func send(_ response: Response, to connection: http_connection, on handle: http_server) {
    state.withLock { $0.exchanges[connection] = nil }
    let status = Int32(clamping: (200...599).contains(response.status) ? response.status : 500)
    unsafe response.headers.withLines { fields in
      unsafe response.bytes.withUnsafeBytes { body in
        unsafe http_respond(handle, connection, status, http_bytes(fields), http_bytes(body))
      }
    }
  }

  /// Returns when the stream's writer has ended; a stream that stays open lives on without a task.
  private func open(_ stream: EventStream, _ response: Response, on connection: http_connection, _ handle: http_server) async {
    let sink = OpenStream(connection, of: self, handle: handle)
    let isThere = state.withLock { state in
      state.exchanges[connection]?.stream = sink
      return state.exchanges[connection] != nil
    }
    guard isThere else { return }
    unsafe response.headers.withLines { fields in
      unsafe http_open_stream(handle, connection, Int32(clamping: response.status), http_bytes(fields))
    }
    do {
      try await stream.run(EventStreamWriter(sink))
      guard stream.staysOpen else { return sink.end() }
      // Ten thousand of them hold no task that has nothing more to do.
      state.withLock { state in
        state.exchanges[connection]?.isRunning = false
        state.exchanges[connection]?.task = nil
      }
    } catch {
      sink.end()  // most often because nobody listens any more
    }
  }

  /// The stream ended from this side.
  func ended(_ connection: http_connection) {
    state.withLock { $0.exchanges[connection] = nil }
  }

  func pushToAll(_ bytes: [UInt8]) {
    push(bytes, to: state.withLock { state in state.exchanges.compactMap { $0.value.stream == nil ? nil : $0.key } })
  }

  private func enter(_ address: String) -> Bool {
    state.withLock { state in
      guard state.perAddress[address, default: 0] < settings.maximumPerAddress else { return false }
      state.perAddress[address, default: 0] += 1
      return true
    }
  }

  private func leave(_ address: String) {
    state.withLock { state in
      let left = state.perAddress[address, default: 1] - 1
      state.perAddress[address] = left > 0 ? left : nil
    }
  }
}

extension RunningServer: StreamGroup {
  func push(_ bytes: [UInt8], to streams: [UInt64]) {
    guard !streams.isEmpty else { return }
    let handle = handle.withLock { $0 }
    unsafe bytes.withUnsafeBytes { unsafe http_push(handle, streams, streams.count, http_bytes($0)) }
  }
}

/// `context` is an unmanaged `RunningServer` that outlives the callbacks.
private func callbacks(_ context: UnsafeMutableRawPointer) -> http_callbacks {
  unsafe http_callbacks(
    context: context,
    request: { context, request in
      guard let server = unsafe server(context) else { return }
      server.received(unsafe ArrivedRequest(request.pointee), on: unsafe request.pointee.server)
    },
    gone: { context, connection in unsafe server(context)?.left(connection) },
    refused: { context, status, detail, milliseconds in
      unsafe server(context)?.refused(Int(status), String(detail), after: .milliseconds(Int(milliseconds)))
    },
    flushed: { context, connection in unsafe server(context)?.flushed(connection) })
}

private func server(_ context: UnsafeMutableRawPointer?) -> RunningServer? {
  unsafe context.map { unsafe Unmanaged<RunningServer>.fromOpaque($0).takeUnretainedValue() }
}

extension Headers {
  /// Lends the lines as they go out. The connection itself writes how the message ends and when it was sent.
  fileprivate func withLines(_ body: (UnsafeRawBufferPointer) -> Void) {
    var lines: [UInt8] = []
    lines.reserveCapacity(fields.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 })
    for field in fields {
      switch field.name {
      case "content-length", "transfer-encoding", "connection", "keep-alive", "date": continue
      default: break
      }
      lines += field.name.utf8
      lines += ": ".utf8
      lines += field.value.utf8
      lines += "\r\n".utf8
    }
    unsafe lines.withUnsafeBytes { unsafe body($0) }
  }
}
