import CKafka
import Synchronization

/// The topics as the brokers know them: made, compared with what is declared, and asked where they begin and end.
final class KafkaTopics: Sendable {
  /// What a record may have, above what an event may: its attributes are headers.
  static let messageBytes = 2_000_000

  let consumers: KafkaConsumers
  let settings: KafkaSettings
  private let partitions = Mutex<[String: Int]>([:])

  init(_ consumers: KafkaConsumers, _ settings: KafkaSettings) {
    self.consumers = consumers
    self.settings = settings
  }

  /// How many partitions the topic has, as it was first asked.
  func partitions(of topic: String) async throws(BrokerError) -> Int {
    if let known = partitions.withLock({ $0[topic] }) { return known }
    guard let found = try await consumers.call({ handle in Self.partitions(of: topic, handle) }) else { throw .unknownTopic(topic) }
    partitions.withLock { $0[topic] = found }
    return found
  }

  /// It has more of them now.
  func note(_ count: Int, of topic: String) { partitions.withLock { $0[topic] = count } }

  /// - Parameter mark: `RD_KAFKA_OFFSET_END` or `RD_KAFKA_OFFSET_BEGINNING`.
  func offsets(of topic: String, _ mark: Int32) async throws(BrokerError) -> [Int64] {
    let count = try await partitions(of: topic)
    return try await patiently(topic) { handle in
      guard let list = rd_kafka_topic_partition_list_new(Int32(count)) else { return .failure(KafkaRefusal(RD_KAFKA_RESP_ERR__FAIL)) }
      defer { rd_kafka_topic_partition_list_destroy(list) }
      for partition in 0..<count { rd_kafka_topic_partition_list_add(list, topic, Int32(partition)).pointee.offset = Int64(mark) }
      let error = rd_kafka_offsets_for_times(handle.raw, list, KafkaConsumers.callTime.kafkaMilliseconds)
      if error != RD_KAFKA_RESP_ERR_NO_ERROR { return .failure(KafkaRefusal(error)) }
      var offsets: [Int64] = []
      for partition in 0..<count {
        guard let found = rd_kafka_topic_partition_list_find(list, topic, Int32(partition)) else { continue }
        if found.pointee.err != RD_KAFKA_RESP_ERR_NO_ERROR { return .failure(KafkaRefusal(found.pointee.err)) }
        offsets.append(found.pointee.offset)
      }
      return .success(offsets)
    }
  }

  /// - Throws: `.offsetOutOfRange` where retention has passed the offset, or where it lies beyond the end for longer than a broker needs that has just begun
  ///   to lead the partition.
  func check(_ topic: String, _ partition: Int, _ offset: Int64) async throws(BrokerError) {
    var looks = 0
    while true {
      let (earliest, next) = try await bounds(topic, partition)
      if (earliest...next).contains(offset) { return }
      looks += 1
      if offset < earliest || looks == 4 { throw .offsetOutOfRange(earliest: earliest, next: next) }
      try? await Task.sleep(for: .milliseconds(500))
    }
  }

  private func bounds(_ topic: String, _ partition: Int) async throws(BrokerError) -> (earliest: Int64, next: Int64) {
    try await patiently(topic) { handle in
      var (earliest, next): (Int64, Int64) = (0, 0)
      let error = rd_kafka_query_watermark_offsets(
        handle.raw, topic, Int32(partition), &earliest, &next, KafkaConsumers.callTime.kafkaMilliseconds)
      return error == RD_KAFKA_RESP_ERR_NO_ERROR ? .success((earliest, max(earliest, next))) : .failure(KafkaRefusal(error))
    }
  }

  /// Asks until brokers that are only just finding out who leads the partition have done so.
  private func patiently<Outcome: Sendable>(
    _ topic: String, _ body: @escaping @Sendable (KafkaHandle) -> Result<Outcome, KafkaRefusal>
  ) async throws(BrokerError) -> Outcome {
    let deadline = ContinuousClock.now + KafkaConsumers.callTime
    while true {
      let answer: Result<Outcome, KafkaRefusal> = try await consumers.call { handle in .success(body(handle)) }
      switch answer {
      case .success(let outcome): return outcome
      case .failure(let refusal):
        guard refusal.passes, ContinuousClock.now < deadline else { throw Self.failure(refusal.error, topic) }
        try? await Task.sleep(for: .milliseconds(50))
      }
    }
  }

  static func failure(_ error: rd_kafka_resp_err_t, _ topic: String) -> BrokerError {
    switch error {
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART: .unknownTopic(topic)
    default: .unavailable(reason: KafkaHandle.text(error), mayHaveArrived: false)
    }
  }

  static func partitions(of topic: String, _ handle: KafkaHandle) -> Result<Int?, BrokerError> {
    do throws(BrokerError) {
      var metadata: UnsafePointer<rd_kafka_metadata_t>?
      let error = rd_kafka_metadata(handle.raw, 0, try handle.topic(topic), &metadata, KafkaConsumers.callTime.kafkaMilliseconds)
      guard error == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else { return .failure(failure(error, topic)) }
      defer { rd_kafka_metadata_destroy(metadata) }
      guard metadata.pointee.topic_cnt > 0 else { return .success(nil) }
      let found = metadata.pointee.topics[0]
      switch found.err {
      case RD_KAFKA_RESP_ERR_NO_ERROR: return .success(found.partition_cnt > 0 ? Int(found.partition_cnt) : nil)
      case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC: return .success(nil)
      default: return .failure(failure(found.err, topic))
      }
    } catch {
      return .failure(error)
    }
  }
}

extension Duration {
  /// As librdkafka counts what may take time.
  var kafkaMilliseconds: Int32 { Int32(clamping: Int64(self / .milliseconds(1))) }
}

/// What a broker answered, or the library for it.
struct KafkaRefusal: Error {
  let error: rd_kafka_resp_err_t

  init(_ error: rd_kafka_resp_err_t) { self.error = error }

  /// Whether the next answer will be another one: the partition's leader is not known yet, or another by now.
  var passes: Bool {
    [
      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE,
      RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH, RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH, RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE, RD_KAFKA_RESP_ERR__WAIT_COORD,
    ].contains(error)
  }
}
