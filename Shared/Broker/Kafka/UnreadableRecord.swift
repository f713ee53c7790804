import Foundation
import JSON
import Time

/// A record that is no event: somebody wrote to the topic who should not, or wrote it wrongly.
///
/// It becomes an event of a type of its own, alone in its stream, so that whoever consumes the topic parks it where an operator sees it, and goes on.
extension CloudEvent {
  static let unreadableType = "de.dos2030.broker.unreadable.v1"

  /// Why the record is no event; nil for an event.
  public var unreadable: String? {
    guard type == Self.unreadableType, let data = try? JSONValue(parsing: data) else { return nil }
    return data["reason"]?.string ?? "unknown"
  }

  static func unreadable(at position: BrokerPosition, key: [UInt8], value: [UInt8], time: Instant, reason: String) -> CloudEvent {
    var writer = JSONWriter(capacity: value.count * 4 / 3 + 256)
    writer.beginObject()
    writer.key("reason")
    writer.string(reason)
    writer.key("key")
    writer.string(Data(key).base64EncodedString())
    writer.key("value")
    writer.string(Data(value).base64EncodedString())
    writer.endObject()
    return CloudEvent(
      id: id(of: position), source: "/broker", type: unreadableType, subject: "unreadable/\(position.partition)/\(position.offset)", time: time,
      city: "unknown",
      data: writer.bytes)
  }

  /// The same for everybody who reads it (UUIDv8, RFC 9562, section 5.8).
  private static func id(of position: BrokerPosition) -> UUID {
    var bytes: [UInt8] = []
    withUnsafeBytes(of: murmur2(position.topic.utf8).bigEndian) { bytes += $0 }
    withUnsafeBytes(of: UInt32(truncatingIfNeeded: position.partition).bigEndian) { bytes += $0 }
    withUnsafeBytes(of: position.offset.bigEndian) { bytes += $0 }
    bytes[6] = 0x80 | (bytes[6] & 0x0f)
    bytes[8] = 0x80 | (bytes[8] & 0x3f)
    return NSUUID(uuidBytes: bytes) as UUID
  }
}
