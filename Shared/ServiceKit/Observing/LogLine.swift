import Foundation
import Time

/// One event of the log as the bytes of one line.
struct LogLine {
  let time: Instant
  let level: Log.Level
  let message: String
  let fields: [(String, Log.Value)]

  /// `{"time":…,"level":…,"message":…, fields…}` and a line break. A field that would hide one of the three first gets an underscore.
  var json: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(256)
    func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }
    func string(_ text: String) {
      raw("\"")
      Self.escape(text, quotes: true, into: &bytes)
      raw("\"")
    }
    raw("{\"time\":\"")
    raw(time.rfc3339)
    raw("\",\"level\":\"\(level.rawValue)\",\"message\":")
    string(message)
    for (name, value) in fields {
      raw(",")
      string(["time", "level", "message"].contains(name) ? "_" + name : name)
      raw(":")
      switch value {
      case .string(let text): string(text)
      case .int(let number): raw(String(number))
      case .double(let number): raw(number.isFinite ? String(number) : "null")
      case .bool(let bool): raw(bool ? "true" : "false")
      }
    }
    raw("}\n")
    return bytes
  }

  /// `12:30:05.123 error message name=value …` and a line break, for a person at a terminal.
  var text: [UInt8] {
    var bytes: [UInt8] = []
    func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }
    raw(time.rfc3339.dropFirst(11).dropLast() + " " + level.rawValue.padding(toLength: 7, withPad: " ", startingAt: 0) + " ")
    Self.escape(message, quotes: false, into: &bytes)
    for (name, value) in fields {
      raw("  ")
      Self.escape(name, quotes: false, into: &bytes)
      raw("=")
      switch value {
      case .string(let text): Self.escape(text, quotes: false, into: &bytes)
      case .int(let number): raw(String(number))
      case .double(let number): raw(String(number))
      case .bool(let bool): raw(String(bool))
      }
    }
    raw("\n")
    return bytes
  }

  /// Escapes as JSON does, and beyond it whatever could break a line, steer a terminal or turn the reading direction.
  private static func escape(_ text: String, quotes: Bool, into bytes: inout [UInt8]) {
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"" where quotes, "\\" where quotes: bytes += [0x5c, UInt8(truncatingIfNeeded: scalar.value)]
      case "\n": bytes += [0x5c, 0x6e]
      case "\r": bytes += [0x5c, 0x72]
      case "\t": bytes += [0x5c, 0x74]
      case "\u{0}"..."\u{1f}", "\u{7f}"..."\u{9f}", "\u{2028}"..."\u{202e}", "\u{2066}"..."\u{2069}":
        let hex = String(scalar.value, radix: 16)
        bytes.append(contentsOf: ("\\u" + String(repeating: "0", count: 4 - hex.count) + hex).utf8)
      default: bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
      }
    }
  }
}
