import CCurl
import Synchronization

/// Sends requests through libcurl: one thread drives every transfer, connections are kept and reused per host.
///
/// Nothing of the environment is used: no proxy, no cookies, no netrc. Only http and https.
public final class HTTPClient: Sendable {
  public struct Settings: Sendable {
    /// Further requests to a host wait their turn, within their own time-out.
    public var connectionsPerHost: Int
    /// Connections kept open between requests.
    public var idleConnections: Int
    /// For URLs that strangers name (webhooks): addresses of private, local and special networks are refused after
    /// the name is resolved, so that no name can lead there (RFC 6890).
    public var refusesPrivateAddresses: Bool
    public var userAgent: String

    public init(connectionsPerHost: Int = 8, idleConnections: Int = 64, refusesPrivateAddresses: Bool = false, userAgent: String = "dos2030") {
      self.connectionsPerHost = connectionsPerHost
      self.idleConnections = idleConnections
      self.refusesPrivateAddresses = refusesPrivateAddresses
      self.userAgent = userAgent
    }
  }

  private let inbox: ClientInbox
  private let nextID = Atomic<UInt64>(0)

  public init(_ settings: Settings = Settings()) {
    _ = HTTPClient.library
    inbox = ClientInbox()
    ClientLoop.start(inbox, settings)
  }

  deinit { inbox.stop() }

  /// Must run before anything else of the library, once in a process.
  private static let library: CURLcode = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

  /// Sends a request and waits for the whole answer. A cancelled task ends its transfer.
  public func send(_ request: ClientRequest) async throws(HTTPClientError) -> ClientResponse {
    if let why = ClientRequestCheck.fault(of: request) { throw .invalid(why) }
    let id = nextID.add(1, ordering: .relaxed).newValue
    let result: Result<ClientResponse, HTTPClientError> = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let job = ClientJob(id: id, request: request, deadline: .now + request.timeout, continuation: continuation)
        guard inbox.submit(job) else {
          continuation.resume(returning: .failure(.closed))
          return
        }
        // A task that was cancelled before this point had no job to cancel yet.
        if Task.isCancelled { inbox.cancel(id) }
      }
    } onCancel: {
      inbox.cancel(id)
    }
    return try result.get()
  }

  /// Ends every transfer with `HTTPClientError.closed` and returns when the thread is gone.
  public func close() async {
    inbox.stop()
    await inbox.ended()
  }
}

/// A request on its way to the thread.
struct ClientJob: Sendable {
  let id: UInt64
  let request: ClientRequest
  let deadline: ContinuousClock.Instant
  let continuation: CheckedContinuation<Result<ClientResponse, HTTPClientError>, Never>
}

/// What the other threads leave for the one that drives the transfers.
final class ClientInbox: Sendable {
  struct Contents {
    var jobs: [ClientJob] = []
    var cancelled: [UInt64] = []
    var stops = false

    var isEmpty: Bool { jobs.isEmpty && cancelled.isEmpty && !stops }
  }

  private struct State {
    var contents = Contents()
    /// Nil before the thread has made its handle and after it freed it, so that a wake-up never touches a dead one.
    var multi: ClientMulti?
    var hasEnded = false
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  /// False where the client is closed.
  func submit(_ job: ClientJob) -> Bool {
    change { contents in
      guard !contents.stops else { return false }
      contents.jobs.append(job)
      return true
    }
  }

  func cancel(_ id: UInt64) {
    change { $0.cancelled.append(id) }
  }

  func stop() {
    change { $0.stops = true }
  }

  func take() -> Contents {
    state.withLock { state in
      let taken = state.contents
      state.contents = Contents(stops: taken.stops)
      return taken
    }
  }

  func begin(with multi: ClientMulti) {
    state.withLock { $0.multi = multi }
  }

  /// The thread is about to free its handle. Returns what came in meanwhile.
  func end() -> Contents {
    let (contents, waiting) = state.withLock { state in
      defer { state.waiting = [] }
      state.multi = nil
      state.contents.stops = true
      state.hasEnded = true
      return (state.contents, state.waiting)
    }
    for continuation in waiting { continuation.resume() }
    return contents
  }

  func ended() async {
    await withCheckedContinuation { continuation in
      let over = state.withLock { state in
        if !state.hasEnded { state.waiting.append(continuation) }
        return state.hasEnded
      }
      if over { continuation.resume() }
    }
  }

  @discardableResult
  private func change<T: Sendable>(_ body: (inout Contents) -> T) -> T {
    state.withLock { state in
      let wasEmpty = state.contents.isEmpty
      let result = body(&state.contents)
      if wasEmpty, let multi = state.multi { curl_multi_wakeup(multi.handle) }
      return result
    }
  }
}

/// The library's handle of all transfers.
///
/// Sendable: only the client's thread uses it, but for `curl_multi_wakeup`, which the library allows from any thread
/// and which the inbox calls only while the handle lives.
struct ClientMulti: @unchecked Sendable {
  let handle: UnsafeMutableRawPointer
}

/// What can be seen to be wrong before anything is sent.
enum ClientRequestCheck {
  static func fault(of request: ClientRequest) -> String? {
    let url = request.url
    let lower = url.lowercased()
    guard lower.hasPrefix("http://") || lower.hasPrefix("https://") else { return "the URL does not begin with http:// or https://" }
    guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return "the URL has a character that must be percent-encoded" }
    guard url.utf8.count <= 8192 else { return "the URL is longer than 8192 characters" }
    if request.method == .get || request.method == .head, request.body != nil { return "\(request.method.rawValue) carries no body" }
    guard request.timeout > .zero, request.connectTimeout > .zero else { return "a time-out is not above zero" }
    guard request.timeout <= longestTimeout else { return "the time-out is longer than a day" }
    return nil
  }

  private static let longestTimeout = Duration.seconds(86_400)
}
