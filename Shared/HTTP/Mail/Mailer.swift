import CCurl
import Dispatch
import Synchronization

/// Hands mails to an SMTP server through libcurl (RFC 5321), several at the same time, each in a session of its own.
public final class Mailer: Sendable {
  public struct Settings: Sendable {
    /// `smtp://host:587` or `smtps://host`.
    public var url: String
    public var user: String?
    public var password: String?
    /// Refuses a server that offers no TLS.
    public var requiresTLS: Bool
    public var timeout: Duration

    public init(url: String, user: String? = nil, password: String? = nil, requiresTLS: Bool = true, timeout: Duration = .seconds(30)) {
      self.url = url
      self.user = user
      self.password = password
      self.requiresTLS = requiresTLS
      self.timeout = timeout
    }
  }

  /// Why a mail was not taken.
  public struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
    public let reason: String
    /// Whether the server may have taken it all the same.
    public let mayHaveArrived: Bool
    /// Whether another attempt would be refused in the same way.
    public let isLasting: Bool

    public var description: String { reason }
  }

  private let settings: Settings
  /// Each mail blocks a thread for as long as the server takes.
  private let queue = DispatchQueue(label: "dos2030.mail", attributes: .concurrent)

  public init(_ settings: Settings) {
    _ = Mailer.library
    self.settings = settings
  }

  /// Must run before anything else of the library, once in a process; it counts.
  private static let library: CURLcode = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

  /// Returns when the server has taken the mail for all recipients.
  public func send(_ mail: Mail) async throws(Failure) {
    if let fault = mail.fault { throw Failure(reason: fault, mayHaveArrived: false, isLasting: true) }
    let settings = settings
    let result: Result<Void, Failure> = await withCheckedContinuation { continuation in
      queue.async { continuation.resume(returning: MailTransfer(mail, settings).run()) }
    }
    try result.get()
  }
}

/// One mail on the wire; used by one thread.
private final class MailTransfer {
  private let mail: Mail
  private let settings: Mailer.Settings
  private var rest: ArraySlice<UInt8>
  private var isHanded = false

  init(_ mail: Mail, _ settings: Mailer.Settings) {
    self.mail = mail
    self.settings = settings
    rest = mail.message[...]
  }

  func run() -> Result<Void, Mailer.Failure> {
    guard let handle = curl_easy_init() else { return .failure(Mailer.Failure(reason: "out of memory", mayHaveArrived: false, isLasting: false)) }
    defer { curl_easy_cleanup(handle) }
    var recipients: UnsafeMutablePointer<curl_slist>?
    for address in mail.to { recipients = curl_slist_append(recipients, "<\(address)>") ?? recipients }
    defer { curl_slist_free_all(recipients) }
    let limit = Int(settings.timeout.components.seconds * 1_000)
    house_curl_set_long(handle, CURLOPT_NOSIGNAL, 1)
    house_curl_set_long(handle, CURLOPT_TIMEOUT_MS, limit)
    house_curl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, min(limit, 10_000))
    house_curl_set_text(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps")
    house_curl_set_text(handle, CURLOPT_PROXY, "")
    house_curl_set_text(handle, CURLOPT_URL, settings.url)
    house_curl_set_long(handle, CURLOPT_USE_SSL, Int((settings.requiresTLS ? CURLUSESSL_ALL : CURLUSESSL_TRY).rawValue))
    if let user = settings.user { house_curl_set_text(handle, CURLOPT_USERNAME, user) }
    if let password = settings.password { house_curl_set_text(handle, CURLOPT_PASSWORD, password) }
    house_curl_set_text(handle, CURLOPT_MAIL_FROM, "<\(mail.from)>")
    house_curl_set_pointer(handle, CURLOPT_MAIL_RCPT, recipients)
    house_curl_set_long(handle, CURLOPT_UPLOAD, 1)
    // Unretained: this object outlives the call below, and nothing calls back after it.
    house_curl_set_pointer(handle, CURLOPT_READDATA, Unmanaged.passUnretained(self).toOpaque())
    house_curl_set_data(handle, CURLOPT_READFUNCTION) { buffer, size, count, me in
      guard let buffer, let me else { return 0 }
      return Unmanaged<MailTransfer>.fromOpaque(me).takeUnretainedValue().fill(UnsafeMutableRawBufferPointer(start: buffer, count: size * count))
    }
    let code = curl_easy_perform(handle)
    guard code != CURLE_OK else { return .success(()) }
    var status = 0
    house_curl_get_long(handle, CURLINFO_RESPONSE_CODE, &status)
    let said = String(cString: curl_easy_strerror(code))
    // 5yz is for good (RFC 5321, section 4.2.1). What was handed over whole and not answered may have been taken.
    return .failure(
      Mailer.Failure(
        reason: status >= 400 ? "\(said) (\(status))" : said, mayHaveArrived: isHanded && status < 400, isLasting: status >= 500 || code == CURLE_URL_MALFORMAT)
    )
  }

  private func fill(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
    let part = rest.prefix(buffer.count)
    buffer.copyBytes(from: part)
    rest = rest.dropFirst(part.count)
    if rest.isEmpty { isHanded = true }
    return part.count
  }
}
