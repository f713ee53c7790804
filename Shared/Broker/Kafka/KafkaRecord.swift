import CKafka
import Foundation
import Time

extension CloudEvent {
  /// The attributes as a record's headers, which belong to the caller; nil where there is no memory for them.
  func kafkaHeaders() -> OpaquePointer? {
    let all = headers
    guard let made = rd_kafka_headers_new(all.count) else { return nil }
    for (name, value) in all {
      var (name, value) = (name, value)
      _ = name.withUTF8 { name in
        value.withUTF8 { value in
          name.withMemoryRebound(to: CChar.self) { rd_kafka_header_add(made, $0.baseAddress, $0.count, value.baseAddress, value.count) }
        }
      }
    }
    return made
  }
}

extension ConsumedEvent {
  /// Of the headers that are attributes of an event (CloudEvents Kafka protocol binding 1.0.2, section 3.2.3).
  private static let prefix = "ce_"

  /// Reads a record, whatever it is.
  init(_ message: UnsafePointer<rd_kafka_message_t>, topic: String) {
    let record = message.pointee
    let position = BrokerPosition(topic: topic, partition: Int(record.partition), offset: record.offset)
    var attributes: [String: String] = [:]
    var block: OpaquePointer?
    if rd_kafka_message_headers(message, &block) == RD_KAFKA_RESP_ERR_NO_ERROR, let block {
      attributes.reserveCapacity(rd_kafka_header_cnt(block))
      var (name, value, size): (UnsafePointer<CChar>?, UnsafeRawPointer?, Int) = (nil, nil, 0)
      var index = 0
      while rd_kafka_header_get_all(block, index, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR {
        if let name, let value, strncmp(name, Self.prefix, Self.prefix.utf8.count) == 0 {
          attributes[String(cString: name + Self.prefix.utf8.count)] = String(decoding: UnsafeRawBufferPointer(start: value, count: size), as: UTF8.self)
        }
        index += 1
      }
    }
    let (key, value) = (Self.bytes(record.key, record.key_len), Self.bytes(record.payload, record.len))
    let event: CloudEvent
    do {
      event = try CloudEvent(attributes: attributes, data: value)
    } catch {
      let arrived = Instant(milliseconds: max(0, rd_kafka_message_timestamp(message, nil)))
      event = .unreadable(at: position, key: key, value: value, time: arrived, reason: "no event: \(error)")
    }
    self.init(position: position, key: String(decoding: key, as: UTF8.self), event: event)
  }

  private static func bytes(_ start: UnsafeMutableRawPointer?, _ count: Int) -> [UInt8] {
    start.map { Array(UnsafeRawBufferPointer(start: $0, count: count)) } ?? []
  }
}
