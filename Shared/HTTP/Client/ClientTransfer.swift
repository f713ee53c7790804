import CCurl
import Glibc

/// One request on the wire, with the handle, lists and buffers that the library points into; used by the client's thread alone.
final class ClientTransfer {
  let job: ClientJob
  let handle: UnsafeMutableRawPointer
  private var list: UnsafeMutablePointer<curl_slist>?
  private let message: UnsafeMutablePointer<CChar>
  private var body: [UInt8] = []
  private var headers = Headers()
  private var headerBytes = 0
  private var isTooLarge = false
  private var metPrivateAddress = false

  private static let headerLimit = 256 << 10

  /// Nil where the library is out of memory.
  init?(_ job: ClientJob, _ settings: HTTPClient.Settings) {
    guard let handle = curl_easy_init() else { return nil }
    self.job = job
    self.handle = handle
    message = .allocate(capacity: Int(CURL_ERROR_SIZE))
    message.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    setLimits(settings)
    setMessage(settings)
    setCallbacks(settings)
  }

  deinit {
    curl_easy_cleanup(handle)
    curl_slist_free_all(list)
    message.deallocate()
  }

  private func setLimits(_ settings: HTTPClient.Settings) {
    let request = job.request
    let left = max(.milliseconds(1), ContinuousClock.now.duration(to: job.deadline))
    set(CURLOPT_NOSIGNAL, 1)
    set(CURLOPT_TIMEOUT_MS, left.wholeMilliseconds)
    set(CURLOPT_CONNECTTIMEOUT_MS, min(left, request.connectTimeout).wholeMilliseconds)
    set(CURLOPT_PROTOCOLS_STR, "http,https")
    set(CURLOPT_REDIR_PROTOCOLS_STR, request.url.lowercased().hasPrefix("https:") ? "https" : "http,https")
    set(CURLOPT_FOLLOWLOCATION, request.redirects > 0 ? 1 : 0)
    set(CURLOPT_MAXREDIRS, max(0, request.redirects))
    set(CURLOPT_PROXY, "")
    set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
    // The library would refuse the answer to a HEAD, too, whose length is of a body that does not come.
    if request.method != .head { house_curl_set_size(handle, CURLOPT_MAXFILESIZE_LARGE, curl_off_t(max(1, request.bodyLimit))) }
  }

  private func setMessage(_ settings: HTTPClient.Settings) {
    let request = job.request
    set(CURLOPT_URL, request.url)
    set(CURLOPT_USERAGENT, settings.userAgent)
    switch request.method {
    case .get: set(CURLOPT_HTTPGET, 1)
    case .head: set(CURLOPT_NOBODY, 1)
    case .post: set(CURLOPT_POST, 1)
    case .put, .patch, .delete, .options, .trace: set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
    }
    if request.body != nil || request.method == .post { setBody(request.body ?? []) }
    for field in request.headers.fields {
      // A field without a value is written with a semicolon, or the library leaves it out.
      append(field.value.isEmpty ? "\(field.name);" : "\(field.name): \(field.value)")
    }
    // The library's own additions: a wait for 100 Continue, and the type of a web form.
    append("Expect:")
    if request.headers["Content-Type"] == nil { append("Content-Type:") }
    if request.headers["Accept"] == nil { append("Accept: */*") }
    house_curl_set_pointer(handle, CURLOPT_HTTPHEADER, list)
  }

  private func setBody(_ bytes: [UInt8]) {
    house_curl_set_size(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(bytes.count))
    guard !bytes.isEmpty else {
      set(CURLOPT_COPYPOSTFIELDS, "")
      return
    }
    _ = bytes.withUnsafeBytes { house_curl_set_pointer(handle, CURLOPT_COPYPOSTFIELDS, $0.baseAddress) }
  }

  private func setCallbacks(_ settings: HTTPClient.Settings) {
    // Unretained: the loop keeps this transfer until it has taken the handle out of the library.
    let me = Unmanaged.passUnretained(self).toOpaque()
    house_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, message)
    house_curl_set_pointer(handle, CURLOPT_WRITEDATA, me)
    house_curl_set_data(handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, me in
      ClientTransfer.of(me)?.take(UnsafeRawBufferPointer(start: bytes, count: size * count)) ?? 0
    }
    house_curl_set_pointer(handle, CURLOPT_HEADERDATA, me)
    house_curl_set_data(handle, CURLOPT_HEADERFUNCTION) { bytes, size, count, me in
      ClientTransfer.of(me)?.takeHeader(UnsafeRawBufferPointer(start: bytes, count: size * count)) ?? 0
    }
    guard settings.refusesPrivateAddresses else { return }
    house_curl_set_pointer(handle, CURLOPT_OPENSOCKETDATA, me)
    house_curl_set_open(handle) { me, _, address in
      guard let address, let transfer = ClientTransfer.of(me) else { return CURL_SOCKET_BAD }
      return transfer.open(address)
    }
  }

  private static func of(_ pointer: UnsafeMutableRawPointer?) -> ClientTransfer? {
    pointer.map { Unmanaged<ClientTransfer>.fromOpaque($0).takeUnretainedValue() }
  }

  private func take(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard body.count + bytes.count <= job.request.bodyLimit else {
      isTooLarge = true
      return 0
    }
    body.append(contentsOf: bytes)
    return bytes.count
  }

  private func takeHeader(_ bytes: UnsafeRawBufferPointer) -> Int {
    headerBytes += bytes.count
    guard headerBytes <= ClientTransfer.headerLimit else {
      isTooLarge = true
      return 0
    }
    let line = String(decoding: bytes, as: UTF8.self)
    if line.hasPrefix("HTTP/") {
      // The head of a redirect or of an interim answer came before.
      headers = Headers()
    } else if body.isEmpty, let colon = line.firstIndex(of: ":") {
      headers.add(String(line[..<colon]), line[line.index(after: colon)...].trimmingBlanks)
    }
    return bytes.count
  }

  private func open(_ address: UnsafeMutablePointer<curl_sockaddr>) -> curl_socket_t {
    guard let socketAddress = house_curl_address(address), PublicAddress.includes(socketAddress) else {
      metPrivateAddress = true
      return CURL_SOCKET_BAD
    }
    return socket(address.pointee.family, address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue), address.pointee.protocol)
  }

  /// What the library's code means.
  func result(_ code: CURLcode) -> Result<ClientResponse, HTTPClientError> {
    let request = job.request
    if isTooLarge { return .failure(.tooLarge(url: request.url, limit: request.bodyLimit)) }
    switch code {
    case CURLE_OK:
      var status = 0
      house_curl_get_long(handle, CURLINFO_RESPONSE_CODE, &status)
      return .success(ClientResponse(status: status, headers: headers, body: body))
    case CURLE_FILESIZE_EXCEEDED: return .failure(.tooLarge(url: request.url, limit: request.bodyLimit))
    case CURLE_OPERATION_TIMEDOUT: return .failure(timedOut)
    case CURLE_TOO_MANY_REDIRECTS: return .failure(.tooManyRedirects(url: request.url, limit: request.redirects))
    case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_LOGIN_DENIED: return .failure(.invalid(reason(code)))
    default:
      if metPrivateAddress { return .failure(.privateAddress(url: request.url)) }
      return .failure(wasSent ? .broken(url: request.url, reason: reason(code)) : .unreachable(url: request.url, reason: reason(code)))
    }
  }

  var timedOut: HTTPClientError { .timedOut(url: job.request.url, after: job.request.timeout, sent: wasSent) }

  private var wasSent: Bool {
    var bytes: curl_off_t = 0
    var sent = 0
    house_curl_get_long(handle, CURLINFO_REQUEST_SIZE, &sent)
    house_curl_get_size(handle, CURLINFO_SIZE_UPLOAD_T, &bytes)
    return sent > 0 || bytes > 0
  }

  private func reason(_ code: CURLcode) -> String {
    let said = String(cString: message)
    return said.isEmpty ? String(cString: curl_easy_strerror(code)) : said
  }

  private func set(_ option: CURLoption, _ value: Int) { house_curl_set_long(handle, option, value) }
  private func set(_ option: CURLoption, _ value: String) { house_curl_set_text(handle, option, value) }

  private func append(_ line: String) {
    // Nil means out of memory, and the list stays as it was.
    if let longer = curl_slist_append(list, line) { list = longer }
  }
}

extension Duration {
  fileprivate var wholeMilliseconds: Int {
    let (seconds, attoseconds) = components
    return Int(max(1, min(seconds, 1 << 40) * 1000 + attoseconds / 1_000_000_000_000_000))
  }
}

extension Substring {
  fileprivate var trimmingBlanks: String {
    let isBlank = { (byte: UInt8) in byte == 32 || byte == 9 || byte == 13 || byte == 10 }
    var rest = utf8
    while let first = rest.first, isBlank(first) { rest = rest.dropFirst() }
    while let last = rest.last, isBlank(last) { rest = rest.dropLast() }
    return String(Substring(rest))
  }
}
