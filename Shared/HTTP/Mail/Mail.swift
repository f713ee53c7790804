public import Time

/// A mail of plain text, as it stands on the wire (RFC 5322, with MIME of RFC 2045 and 2047).
public struct Mail: Sendable, Hashable {
  public var from: String
  public var to: [String]
  public var subject: String
  public var text: String
  /// Without angle brackets: `id@host`. A mail that is sent again carries the same, so that whoever has it knows it.
  public var messageID: String
  public var date: Instant

  public init(from: String, to: [String], subject: String, text: String, messageID: String, date: Instant) {
    self.from = from
    self.to = to
    self.subject = subject
    self.text = text
    self.messageID = messageID
    self.date = date
  }

  /// Why it cannot be sent; nil where it can. An address with a line end or a bracket would write headers or commands of its own.
  public var fault: String? {
    if to.isEmpty { return "it has no recipient" }
    for address in [from, messageID] + to {
      let fits = address.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && !"<>,;:\\\"()[]".utf8.contains($0) } && address.utf8.count <= 320
      let parts = address.split(separator: "@", omittingEmptySubsequences: false)
      guard fits, parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) else { return "\"\(address.prefix(100))\" is no address" }
    }
    return nil
  }

  /// The message with its headers. It says that a machine wrote it, so that no other machine answers (RFC 3834).
  public var message: [UInt8] {
    var lines = [
      "Date: \(Self.date(date))", "From: <\(from)>", "To: \(to.map { "<\($0)>" }.joined(separator: ",\r\n "))", "Subject: \(Self.words(subject))",
      "Message-ID: <\(messageID)>", "Auto-Submitted: auto-generated", "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
      "Content-Transfer-Encoding: base64", "",
    ]
    let encoded = Array(Base64.encode(Array(text.utf8)).utf8)
    for start in stride(from: 0, to: encoded.count, by: 76) {
      lines.append(String(decoding: encoded[start..<min(start + 76, encoded.count)], as: UTF8.self))
    }
    return Array((lines.joined(separator: "\r\n") + "\r\n").utf8)
  }

  /// Encoded words of at most 75 characters, none of which cuts a character (RFC 2047, section 2 and 5).
  static func words(_ text: String) -> String {
    let line = Headers.inOneLine(text)
    if line.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }), line.utf8.count <= 60 { return line }
    var words: [String] = []
    var piece: [UInt8] = []
    for character in line {
      if piece.count + character.utf8.count > 42 {
        words.append("=?utf-8?B?\(Base64.encode(piece))?=")
        piece = []
      }
      piece += character.utf8
    }
    words.append("=?utf-8?B?\(Base64.encode(piece))?=")
    return words.joined(separator: "\r\n ")
  }

  /// `Sat, 15 Jun 2030 12:00:00 +0000` (RFC 5322, section 3.3).
  static func date(_ instant: Instant) -> String {
    let text = instant.rfc3339
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    let day = days[Int(((instant.milliseconds / 86_400_000) % 7 + 7) % 7)]
    let parts = text.prefix(10).split(separator: "-")
    let month = months[(Int(parts[1]) ?? 1) - 1]
    return "\(day), \(parts[2]) \(month) \(parts[0]) \(text.dropFirst(11).prefix(8)) +0000"
  }
}

/// Base64 with padding (RFC 4648, section 4).
enum Base64 {
  private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func encode(_ bytes: [UInt8]) -> String {
    var out: [UInt8] = []
    out.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let count = min(3, bytes.count - start)
      let group = UInt32(bytes[start]) << 16 | (count > 1 ? UInt32(bytes[start + 1]) << 8 : 0) | (count > 2 ? UInt32(bytes[start + 2]) : 0)
      for index in 0..<4 { out.append(index <= count ? letters[Int(group >> (18 - 6 * UInt32(index)) & 63)] : UInt8(ascii: "=")) }
    }
    return String(decoding: out, as: UTF8.self)
  }
}
