/// Who asks and under which name, as far as it can be believed: what a trusted proxy says, else the connection itself.
struct ForwardedClient: Equatable {
  var address: String
  var scheme = "http"
  var host: String
  /// The address is one a proxy named.
  var isForwarded = false

  /// `host` is what request line and Host field say.
  init(peer: String, host: String, headers: Headers, trusted: [Network]) {
    address = peer
    self.host = host
    guard !trusted.isEmpty, ForwardedClient.isTrusted(peer, trusted) else { return }
    let hops = headers.all("X-Forwarded-For").flatMap { $0.split(separator: ",") }.map { ForwardedClient.trimmed($0) }
    // From the right, each entry was written by the hop after it; the first that is no proxy of ours is the client.
    for hop in hops.reversed() {
      guard Network.bytes(of: hop) != nil else { break }
      address = hop
      isForwarded = true
      if !ForwardedClient.isTrusted(hop, trusted) { break }
    }
    if let said = headers.all("X-Forwarded-Proto").last.map({ ForwardedClient.last(of: $0).lowercased() }), said == "https" || said == "http" { scheme = said }
    if let said = headers.all("X-Forwarded-Host").last.map({ ForwardedClient.last(of: $0) }), ForwardedClient.isHost(said) { self.host = said }
  }

  private static func isTrusted(_ address: String, _ trusted: [Network]) -> Bool {
    guard let bytes = Network.bytes(of: address)?.bytes else { return false }
    return trusted.contains { $0.contains(bytes) }
  }

  private static func last(of list: String) -> String { list.split(separator: ",").last.map { trimmed($0) } ?? "" }

  private static func trimmed(_ text: Substring) -> String {
    String(text.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
  }

  /// RFC 3986, section 3.2.2, with a port; narrow, since it ends up in links.
  private static func isHost(_ text: String) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x3a, 0x5b, 0x5d, 0x5f: true
        default: false
        }
      }
  }
}
