import CKafka
import Synchronization

/// A pointer of librdkafka's.
///
/// `@unchecked Sendable`: all functions of the library may be called from any thread (its `INTRODUCTION.md`, "Threads and callbacks"); that nothing is used after
/// it was destroyed is what the owners of these see to.
struct KafkaPointer: @unchecked Sendable {
  let raw: OpaquePointer
}

/// One client of librdkafka, with threads of its own: a producer, or a consumer that reads any number of partitions, each at most once.
final class KafkaHandle: Sendable {
  private let pointer: KafkaPointer
  private let topics = Mutex<[String: KafkaPointer]>([:])
  private let trouble: @Sendable (String) -> Void

  /// - Parameter settings: pairs by librdkafka's names; later ones win.
  init(_ kind: rd_kafka_type_t, _ settings: [(String, String)], trouble: @escaping @Sendable (String) -> Void) throws(BrokerError) {
    var reason = [CChar](repeating: 0, count: 512)
    let configuration = rd_kafka_conf_new()
    for (name, value) in settings {
      guard rd_kafka_conf_set(configuration, name, value, &reason, reason.count) == RD_KAFKA_CONF_OK else {
        rd_kafka_conf_destroy(configuration)
        throw .setting(name: name, reason: Self.text(reason))
      }
    }
    rd_kafka_conf_set_events(configuration, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG)
    guard let made = rd_kafka_new(kind, configuration, &reason, reason.count) else {
      rd_kafka_conf_destroy(configuration)
      throw .setting(name: "bootstrap.servers", reason: Self.text(reason))
    }
    rd_kafka_set_log_queue(made, nil)
    pointer = KafkaPointer(raw: made)
    self.trouble = trouble
  }

  var raw: OpaquePointer { pointer.raw }

  /// The topic as this client knows it.
  func topic(_ name: String) throws(BrokerError) -> OpaquePointer {
    let known = topics.withLock { topics -> KafkaPointer? in
      if let known = topics[name] { return known }
      guard let made = rd_kafka_topic_new(raw, name, nil) else { return nil }
      topics[name] = KafkaPointer(raw: made)
      return topics[name]
    }
    guard let known else { throw .unknownTopic(name) }
    return known.raw
  }

  /// Serves what the library has to say, without waiting.
  /// - Parameter delivered: gets every message that was acknowledged or given up.
  func serve(_ queue: OpaquePointer, delivered: (UnsafePointer<rd_kafka_message_t>) -> Void = { _ in }) -> Bool {
    var any = false
    while let event = rd_kafka_queue_poll(queue, 0) {
      any = true
      switch rd_kafka_event_type(event) {
      case RD_KAFKA_EVENT_DR:
        while let message = rd_kafka_event_message_next(event) { delivered(message) }
      case RD_KAFKA_EVENT_ERROR: trouble(rd_kafka_event_error_string(event).map { String(cString: $0) } ?? "unknown trouble")
      case RD_KAFKA_EVENT_LOG:
        var (facility, text, level): (UnsafePointer<CChar>?, UnsafePointer<CChar>?, Int32) = (nil, nil, 0)
        if rd_kafka_event_log(event, &facility, &text, &level) == 0, let text { trouble(String(cString: text)) }
      default: break
      }
      rd_kafka_event_destroy(event)
    }
    return any
  }

  /// Whether the producer can do nothing any more.
  var isFatal: Bool { rd_kafka_fatal_error(raw, nil, 0) != RD_KAFKA_RESP_ERR_NO_ERROR }

  /// Why; nil while it can.
  var fatal: String? {
    guard isFatal else { return nil }
    var reason = [CChar](repeating: 0, count: 512)
    rd_kafka_fatal_error(raw, &reason, reason.count)
    return Self.text(reason)
  }

  /// Blocks until the library's threads have ended. Nothing of this client may be used afterwards.
  func destroy() {
    for topic in topics.withLock({ $0.values }) { rd_kafka_topic_destroy(topic.raw) }
    rd_kafka_destroy(raw)
  }

  static func text(_ buffer: [CChar]) -> String { String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) }

  static func text(_ error: rd_kafka_resp_err_t) -> String { rd_kafka_err2str(error).map { String(cString: $0) } ?? "error \(error.rawValue)" }
}
