/// One request as a handler sees it: decoded once, checked, with its caller.
public struct Request: Sendable {
  public var method: Method
  /// As it stood in the request line.
  public let target: String
  /// Decoded; begins with `/`.
  public let path: String
  /// The path's segments, still encoded, so that an encoded `/` divides nothing.
  let rawSegments: [Substring.UTF8View]
  /// What stood in the pattern's braces, decoded.
  public var pathParameters: [String: String] = [:]
  public let query: Query
  public var headers: Headers
  public var body: [UInt8]
  /// The client's address, behind a trusted proxy the one it names.
  public var remoteAddress: String
  /// For links: `http` or `https`, and host with port.
  public var scheme: String
  public var host: String
  public var caller: Caller?
  /// Goes with everything this request causes, into logs and events.
  public let correlationID: String
  /// The W3C trace context, where well formed.
  public let traceparent: String?
  /// At most 255 visible ASCII characters.
  public let idempotencyKey: String?

  /// Throws 400 for a target or header that cannot be meant well.
  public init(
    method: Method, target: String, headers: Headers = [:], body: [UInt8] = [], remoteAddress: String = "", scheme: String = "http", host: String = "localhost",
    caller: Caller? = nil
  ) throws(Problem) {
    self.method = method
    self.target = target
    self.headers = headers
    self.body = body
    self.remoteAddress = remoteAddress
    self.scheme = scheme
    self.host = host
    self.caller = caller
    let split = try Target(target, isForServer: method == .options && target == "*")
    path = split.path
    rawSegments = split.segments
    query = try Query(split.query)
    traceparent = Correlation.traceparent(headers)
    correlationID = Correlation.id(headers, traceparent: traceparent)
    idempotencyKey = try Request.idempotencyKey(headers)
  }

  public var lastEventID: String? { headers["Last-Event-ID"] }
  public var ifNoneMatch: String? { headers["If-None-Match"] }
  /// `https://host`, to write links.
  public var origin: String { "\(scheme)://\(host)" }

  /// A parameter of the path; 404 where the pattern has none of that name.
  public func parameter(_ name: String) throws(Problem) -> String {
    guard let value = pathParameters[name] else { throw .notFound("There is nothing here without \(name).") }
    return value
  }

  /// A path parameter that is an id: a positive integer below 2^53; 404 otherwise, since nothing can have it.
  public func integerParameter(_ name: String) throws(Problem) -> Int64 {
    let text = try parameter(name)
    guard let number = Int64(text), number > 0, number < 1 << 53, String(number) == text else {
      throw .notFound("\"\(text.prefix(40))\" is no \(name): ids are whole numbers above zero.")
    }
    return number
  }

  private static func idempotencyKey(_ headers: Headers) throws(Problem) -> String? {
    let found = headers.all("Idempotency-Key")
    guard let key = found.first else { return nil }
    guard found.count == 1, (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
      throw .badRequest(path: "Idempotency-Key", problem: "not usable as a key", expected: "one value of 1 to 255 visible ASCII characters")
    }
    return key
  }
}

/// A request target in its parts.
private struct Target {
  var path: String
  var segments: [Substring.UTF8View]
  var query: Substring

  init(_ raw: String, isForServer: Bool) throws(Problem) {
    guard !isForServer else {
      (path, segments, query) = ("*", [], "")
      return
    }
    // Over bytes: every request comes through here, and characters cost ten times as much.
    let mark = raw.utf8.firstIndex(of: UInt8(ascii: "?")) ?? raw.endIndex
    let rawPath = Target.withoutOrigin(raw[..<mark])
    query = raw[mark...].dropFirst()
    guard rawPath.utf8.first == UInt8(ascii: "/"), let decoded = Percent.decode(rawPath.utf8), !raw.utf8.contains(UInt8(ascii: "#")) else {
      throw .badRequest("The path cannot be decoded: it begins with a slash and is UTF-8, percent-encoded, without NUL.")
    }
    guard !Target.climbs(decoded.utf8) else {
      throw .badRequest("The path has a segment that climbs (. or ..); write it out.")
    }
    path = decoded
    segments = rawPath.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { Substring($0).utf8 }
  }

  /// Whether a segment is `.` or `..`.
  private static func climbs(_ path: String.UTF8View) -> Bool {
    var length = 0
    var dots = 0
    for byte in path {
      if byte == UInt8(ascii: "/") {
        if dots == length, dots == 1 || dots == 2 { return true }
        length = 0
        dots = 0
      } else {
        length += 1
        if byte == UInt8(ascii: ".") { dots += 1 }
      }
    }
    return dots == length && (dots == 1 || dots == 2)
  }

  /// A server must take the absolute form (RFC 9112, section 3.2.2).
  private static func withoutOrigin(_ text: Substring) -> Substring {
    guard text.utf8.first != UInt8(ascii: "/") else { return text }
    let lower = text.lowercased()
    for prefix in ["http://", "https://"] where lower.hasPrefix(prefix) {
      let rest = text.dropFirst(prefix.count)
      return rest.firstIndex(of: "/").map { rest[$0...] } ?? "/"
    }
    return text
  }
}
