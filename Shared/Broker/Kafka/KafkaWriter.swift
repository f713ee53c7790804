import CKafka
import Foundation
import Synchronization

/// The one thread of a process that hands events to librdkafka and hears what became of them.
///
/// Nothing that was handed over is ever dropped: a producer that failed for good is replaced, and what was not acknowledged is sent again in its order.
final class KafkaWriter: Sendable {
  /// What is taken from the line before the acknowledgements are looked at again.
  private static let batchEvents = 1_000
  private static let batchBytes = 1 << 20

  private let settings: KafkaSettings
  private let outbox: Outbox
  private let pipe: WakePipe
  private let count = Mutex<Int64>(0)
  private let ended = Mutex<(hasEnded: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

  init(_ settings: KafkaSettings, outbox: Outbox, pipe: WakePipe) {
    self.settings = settings
    self.outbox = outbox
    self.pipe = pipe
  }

  /// Events acknowledged since the start.
  var published: Int64 { count.withLock { $0 } }

  func start() throws(BrokerError) {
    // The thread's own from here on; made here, so that a wrong setting is told to who opens the broker.
    let sending = Mutex<Sending?>(try Sending(settings, pipe))
    Thread.detachNewThread { [self] in
      guard let own = sending.withLock({ $0.take() }) else { return }
      run(own)
      let waiting = ended.withLock { state in
        state.hasEnded = true
        defer { state.waiting = [] }
        return state.waiting
      }
      for continuation in waiting { continuation.resume() }
    }
  }

  /// Returns once the outbox is closed and everything in it was answered.
  func end() async {
    await withCheckedContinuation { continuation in
      let hasEnded = ended.withLock { state in
        if !state.hasEnded { state.waiting.append(continuation) }
        return state.hasEnded
      }
      if hasEnded { continuation.resume() }
    }
  }

  private func run(_ given: consuming Sending) {
    var sending = given
    var closing: ContinuousClock.Instant?
    while true {
      let batch = outbox.takeNow(events: Self.batchEvents, bytes: Self.batchBytes)
      for entry in batch { sending.send(entry, outbox) }
      let acknowledged = sending.serve(outbox)
      if acknowledged > 0 { count.withLock { $0 += Int64(acknowledged) } }
      sending.rebuildIfFatal(settings, pipe)
      let now = ContinuousClock.now
      outbox.expire(now: now)
      if outbox.isClosed, batch.isEmpty {
        // What has no answer after the time that anybody waits was answered by its deadline.
        let begun = closing ?? now
        closing = begun
        if sending.isEmpty || now > begun + settings.limits.publishTime { break }
      }
      if batch.isEmpty, acknowledged == 0 { _ = pipe.wait(atMost: outbox.isAwaited ? .milliseconds(100) : .seconds(1)) }
    }
    sending.end()
  }
}

/// A producer and what it has not acknowledged yet. Of one thread.
private struct Sending: ~Copyable {
  private var handle: KafkaHandle
  private var queue: KafkaPointer
  private var unacknowledged: [UInt: Outbox.Entry] = [:]
  private var nextID: UInt = 1

  init(_ settings: KafkaSettings, _ pipe: WakePipe) throws(BrokerError) {
    (handle, queue) = try Self.producer(settings, pipe)
  }

  var isEmpty: Bool { unacknowledged.isEmpty }

  private static func producer(_ settings: KafkaSettings, _ pipe: WakePipe) throws(BrokerError) -> (KafkaHandle, KafkaPointer) {
    let handle = try KafkaHandle(RD_KAFKA_PRODUCER, settings.producer, trouble: settings.trouble)
    guard let queue = rd_kafka_queue_get_main(handle.raw) else { throw .closed }
    var nobody: UInt64 = 0
    rd_kafka_queue_io_event_enable(queue, pipe.writeEnd, &nobody, MemoryLayout<UInt64>.size)
    return (handle, KafkaPointer(raw: queue))
  }

  mutating func send(_ entry: Outbox.Entry, _ outbox: Outbox) {
    let id = nextID
    nextID += 1
    if let reason = produce(entry, id) {
      outbox.failed([entry], reason: reason, mayHaveArrived: false)
    } else {
      unacknowledged[id] = entry
    }
  }

  /// - Returns: why it was not taken.
  private func produce(_ entry: Outbox.Entry, _ id: UInt) -> String? {
    do throws(BrokerError) {
      let topic = try handle.topic(entry.event.topic.name)
      guard let headers = entry.event.event.kafkaHeaders() else { return "no memory" }
      let key = Array(entry.event.key.utf8)
      let error = key.withUnsafeBytes { key in
        entry.event.event.data.withUnsafeBytes { data in
          shim_kafka_produce(
            handle.raw, topic, Int32(entry.event.targetPartition), key.baseAddress, key.count, data.baseAddress, data.count, headers, id)
        }
      }
      guard let error else { return nil }
      defer { rd_kafka_error_destroy(error) }
      rd_kafka_headers_destroy(headers)
      // Sent again by the next producer.
      if handle.isFatal { return nil }
      return rd_kafka_error_string(error).map { String(cString: $0) } ?? "unknown trouble"
    } catch {
      return "\(error)"
    }
  }

  /// - Returns: how many events were acknowledged.
  mutating func serve(_ outbox: Outbox) -> Int {
    var stored: [Outbox.Entry] = []
    var offsets: [Int64] = []
    var failed: [(entry: Outbox.Entry, reason: String, mayHaveArrived: Bool)] = []
    var open = unacknowledged
    unacknowledged = [:]
    let isFatal = handle.isFatal
    _ = handle.serve(queue.raw) { message in
      let id = UInt(bitPattern: message.pointee._private)
      if message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
        guard let entry = open.removeValue(forKey: id) else { return }
        stored.append(entry)
        offsets.append(message.pointee.offset)
      } else if !isFatal, !Self.isSentAgain(message.pointee.err), let entry = open.removeValue(forKey: id) {
        let mayHaveArrived = rd_kafka_message_status(message) != RD_KAFKA_MSG_STATUS_NOT_PERSISTED
        failed.append((entry, KafkaHandle.text(message.pointee.err), mayHaveArrived))
      }
    }
    unacknowledged = open
    if !stored.isEmpty { outbox.stored(stored, at: offsets) }
    for (entry, reason, mayHaveArrived) in failed { outbox.failed([entry], reason: reason, mayHaveArrived: mayHaveArrived) }
    return stored.count
  }

  /// What a producer that has failed for good gives up is not lost.
  private static func isSentAgain(_ error: rd_kafka_resp_err_t) -> Bool {
    [RD_KAFKA_RESP_ERR__FATAL, RD_KAFKA_RESP_ERR__PURGE_QUEUE, RD_KAFKA_RESP_ERR__PURGE_INFLIGHT].contains(error)
  }

  mutating func rebuildIfFatal(_ settings: KafkaSettings, _ pipe: WakePipe) {
    guard let reason = handle.fatal else { return }
    settings.trouble("the producer failed for good and is replaced, \(unacknowledged.count) events are sent again: \(reason)")
    do throws(BrokerError) {
      let next = try Self.producer(settings, pipe)
      release()
      (handle, queue) = next
      for (id, entry) in unacknowledged.sorted(by: { $0.key < $1.key }) {
        if let reason = produce(entry, id) { settings.trouble("\(entry.event.topic.name): \(reason)") }
      }
    } catch {
      settings.trouble("no new producer: \(error)")
    }
  }

  func end() { release() }

  private func release() {
    rd_kafka_purge(handle.raw, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
    rd_kafka_queue_destroy(queue.raw)
    handle.destroy()
  }
}
