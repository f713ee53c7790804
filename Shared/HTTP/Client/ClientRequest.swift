/// One request to another server.
public struct ClientRequest: Sendable {
  public var method: Method
  /// `http` or `https`, without a user in it.
  public var url: String
  public var headers: Headers
  /// Nil: none is sent, not even an empty one.
  public var body: [UInt8]?
  /// From `send` to the last byte of the answer, waiting for a connection and redirects included.
  public var timeout: Duration
  public var connectTimeout: Duration
  /// Bytes of answer taken; more is an error.
  public var bodyLimit: Int
  /// How many redirects are followed. `https` is never left for `http`.
  public var redirects: Int

  public init(
    _ method: Method = .get, _ url: String, headers: Headers = [:], body: [UInt8]? = nil, timeout: Duration = .seconds(10),
    connectTimeout: Duration = .seconds(5),
    bodyLimit: Int = 1 << 20, redirects: Int = 0
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.timeout = timeout
    self.connectTimeout = connectTimeout
    self.bodyLimit = bodyLimit
    self.redirects = redirects
  }

  /// A JSON document, already written.
  public static func json(_ method: Method = .post, _ url: String, _ body: [UInt8], headers: Headers = [:]) -> ClientRequest {
    var request = ClientRequest(method, url, headers: headers, body: body)
    request.headers["Content-Type"] = "application/json"
    return request
  }
}

/// What the other server answered; any status is an answer, not an error.
public struct ClientResponse: Sendable {
  public let status: Int
  /// Of the last answer, where redirects were followed; trailers are left out.
  public let headers: Headers
  public let body: [UInt8]

  public init(status: Int, headers: Headers = [:], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  public var isSuccess: Bool { (200..<300).contains(status) }
  public var text: String { String(decoding: body, as: UTF8.self) }

  /// Whole seconds of `Retry-After`, where given as a number.
  public var retryAfter: Int? { headers["Retry-After"].flatMap(Int.init) }
}

/// Why there is no answer.
public enum HTTPClientError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The request itself cannot be sent.
  case invalid(String)
  /// No connection came about: nothing was sent.
  case unreachable(url: String, reason: String)
  /// The host resolves to an address of a private network, which this client refuses.
  case privateAddress(url: String)
  /// `sent` tells whether the request may have arrived.
  case timedOut(url: String, after: Duration, sent: Bool)
  case tooLarge(url: String, limit: Int)
  case tooManyRedirects(url: String, limit: Int)
  /// The connection broke, or the answer was no HTTP: the request may have arrived.
  case broken(url: String, reason: String)
  case cancelled
  /// The client was closed.
  case closed

  /// True where a repeat could succeed.
  public var isTransient: Bool {
    switch self {
    case .unreachable, .timedOut, .broken: true
    case .invalid, .privateAddress, .tooLarge, .tooManyRedirects, .cancelled, .closed: false
    }
  }

  /// True where the other side may have acted on the request.
  public var mayHaveArrived: Bool {
    switch self {
    case .timedOut(_, _, let sent): sent
    case .broken, .tooLarge, .tooManyRedirects, .cancelled, .closed: true
    case .invalid, .unreachable, .privateAddress: false
    }
  }

  public var description: String {
    switch self {
    case .invalid(let why): "The request cannot be sent: \(why)."
    case .unreachable(let url, let reason): "\(url) is not reachable: \(reason)."
    case .privateAddress(let url): "\(url) leads into a private network; that is not allowed here."
    case .timedOut(let url, let after, _): "\(url) did not answer within \(after)."
    case .tooLarge(let url, let limit): "\(url) answers with more than \(limit) bytes."
    case .tooManyRedirects(let url, let limit): "\(url) redirects more than \(limit) times."
    case .broken(let url, let reason): "The connection to \(url) broke: \(reason)."
    case .cancelled: "The request was cancelled."
    case .closed: "The client is closed."
    }
  }
}
