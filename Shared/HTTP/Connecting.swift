import CConnections

/// Why the C++ side could not start.
struct StartFailure: Error {
  /// errno; 0 where there is none.
  var number: Int32
  var reason: String
  var isTaken: Bool { number == 98 }  // EADDRINUSE on Linux
}

/// Calls `http_start` with everything it needs in memory that lasts for the call.
func startConnections(
  _ settings: ServerSettings, addresses: [String], limits: [(suffix: String, bytes: Int)], _ callbacks: http_callbacks
) throws(StartFailure) -> (http_server, UInt16) {
  var port: UInt16 = 0
  var failure = StartFailure(number: 0, reason: "")
  var text = [CChar](repeating: 0, count: 256)
  let texts = addresses + limits.map(\.suffix)
  let flat = texts.flatMap { Array($0.utf8) }
  let trusted = settings.trustedProxies.map { network in
    var value = http_network()
    value.prefix = UInt32(network.prefix)
    unsafe withUnsafeMutableBytes(of: &value.address) { unsafe $0.copyBytes(from: network.address) }
    return value
  }
  let server = unsafe flat.withUnsafeBytes { memory in
    var offset = 0
    let pieces = unsafe texts.map { text in
      defer { offset += text.utf8.count }
      return unsafe http_bytes(UnsafeRawBufferPointer(rebasing: memory[offset..<offset + text.utf8.count]))
    }
    let names = unsafe Array(pieces.prefix(addresses.count))
    let bodies = unsafe zip(pieces.dropFirst(addresses.count), limits).map { unsafe http_body_limit(suffix: $0, bytes: UInt64(max(0, $1.bytes))) }
    return unsafe names.withUnsafeBufferPointer { names in
      unsafe bodies.withUnsafeBufferPointer { bodies in
        unsafe trusted.withUnsafeBufferPointer { trusted in
          var given = unsafe http_settings()
          unsafe given.addresses = names.baseAddress
          unsafe given.address_count = names.count
          unsafe given.body_limits = bodies.baseAddress
          unsafe given.body_limit_count = bodies.count
          unsafe given.trusted = trusted.baseAddress
          unsafe given.trusted_count = trusted.count
          unsafe given.take(settings)
          return unsafe http_start(given, callbacks, &port, &failure.number, &text, text.count)
        }
      }
    }
  }
  guard server.ref != 0 else {
    failure.reason = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    throw failure
  }
  return (server, port)
}

/// The routes' own limits, by how their paths end, so that a body too large is refused before it is read. What ends in a
/// parameter has no such end: the limit for all others is then the largest among those.
func bodyLimits(_ router: Router, _ settings: ServerSettings) -> [(suffix: String, bytes: Int)] {
  var limits: [String: Int] = ["": 1 << 20]
  for route in router.routes where [.post, .put, .patch].contains(route.method) {
    let suffix = route.pattern.split(separator: "}", omittingEmptySubsequences: false).last.map(String.init) ?? ""
    limits[suffix] = max(limits[suffix] ?? 0, route.bodyLimit)
  }
  return limits.map { (suffix: $0.key, bytes: min($0.value, settings.bodyLimit)) }
}

extension http_settings {
  fileprivate mutating func take(_ settings: ServerSettings) {
    unsafe port = settings.port
    unsafe threads = UInt32(clamping: max(1, settings.threads))
    unsafe max_connections = UInt32(clamping: settings.maximumConnections)
    unsafe max_per_address = UInt32(clamping: settings.maximumPerAddress)
    unsafe header_limit = UInt32(clamping: settings.headerLimit)
    unsafe body_limit = UInt64(clamping: settings.bodyLimit)
    unsafe stream_limit = UInt32(clamping: settings.streamLimit)
    unsafe request_time = settings.requestTime.milliseconds
    unsafe idle_time = settings.idleTime.milliseconds
    unsafe write_time = settings.writeTime.milliseconds
    unsafe linger_time = settings.lingerTime.milliseconds
    unsafe linger_limit = UInt64(clamping: settings.lingerLimit)
  }
}

extension Duration {
  /// Whole milliseconds, as the C++ side counts.
  var milliseconds: UInt32 {
    let (seconds, attoseconds) = components
    return UInt32(clamping: seconds.multipliedReportingOverflow(by: 1000).partialValue + attoseconds / 1_000_000_000_000_000)
  }
}

extension http_bytes {
  init(_ bytes: UnsafeRawBufferPointer) { unsafe self.init(data: bytes.baseAddress, size: bytes.count) }
}

/// A request as it came, copied out of the connection's memory.
struct ArrivedRequest: Sendable {
  let connection: http_connection
  let method: String
  let target: String
  let address: String
  let headers: Headers
  let body: [UInt8]

  init(_ request: http_request) {
    unsafe connection = request.connection
    unsafe method = String(request.method)
    unsafe target = String(request.target)
    unsafe address = String(request.address)
    unsafe body = [UInt8](UnsafeRawBufferPointer(start: request.body.data, count: request.body.size))
    var headers = Headers()
    for field in unsafe UnsafeBufferPointer(start: request.fields, count: request.field_count) {
      unsafe headers.add(String(field.name), String(field.value))
    }
    self.headers = headers
  }

  /// The host asked for: that of an absolute target, which overrules the field (RFC 9112, section 3.2.2).
  var host: String? {
    guard target.utf8.first != UInt8(ascii: "/"), let scheme = target.range(of: "://") else { return headers["Host"] }
    return String(target[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" })
  }

  func request(_ client: ForwardedClient) throws(Problem) -> Request {
    guard let method = Method(rawValue: method) else { throw Problem(status: 501, detail: "This method is not known here.") }
    return try Request(
      method: method, target: target, headers: headers, body: body, remoteAddress: client.address, scheme: client.scheme, host: client.host)
  }
}

extension String {
  init(_ bytes: http_bytes) {
    unsafe self.init(decoding: UnsafeRawBufferPointer(start: bytes.data, count: bytes.size), as: UTF8.self)
  }
}
