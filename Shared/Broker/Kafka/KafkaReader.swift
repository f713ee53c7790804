import CKafka

/// A place in one partition of a Kafka topic. One caller at a time.
actor KafkaReader: PartitionReader {
  /// A call ends early rather than hold more than this of events' data.
  private static let callBytes = 8 << 20
  private static let pieceRecords = 1_000

  private let consumers: KafkaConsumers
  private let topics: KafkaTopics
  private let topic: String
  private let partition: Int
  private var assignment: KafkaAssignment
  private var wanted: Int64
  /// What came behind the events of the call before.
  private var trouble: Trouble?
  private var isClosed = false

  private enum Trouble {
    /// librdkafka says that the offset is not there, and has stopped to read.
    case outOfRange
    case failure(BrokerError)
  }

  init(_ assignment: KafkaAssignment, at offset: Int64, consumers: KafkaConsumers, topics: KafkaTopics) {
    self.assignment = assignment
    self.consumers = consumers
    self.topics = topics
    topic = assignment.topic
    partition = assignment.partition
    wanted = offset
  }

  func next(limit: Int, wait: Duration) async throws(BrokerError) -> [ConsumedEvent] {
    let deadline = ContinuousClock.now + wait
    while true {
      if isClosed { throw .closed }
      let events = try await take(limit)
      if !events.isEmpty { return events }
      if ContinuousClock.now >= deadline || Task.isCancelled { return [] }
      await consumers.watch.wait(for: assignment.number, until: deadline)
    }
  }

  func close() async {
    guard !isClosed else { return }
    isClosed = true
    await consumers.stop(assignment)
  }

  private func take(_ limit: Int) async throws(BrokerError) -> [ConsumedEvent] {
    switch trouble.take() {
    case .outOfRange: try await beginAgain()
    case .failure(let error): throw error
    case nil: break
    }
    var events: [ConsumedEvent] = []
    var bytes = 0
    while trouble == nil, events.count < limit, bytes < Self.callBytes {
      let count = assignment.take(limit: min(limit - events.count, Self.pieceRecords)) { message in
        guard trouble == nil else { return }
        guard message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
          note(message.pointee.err)
          return
        }
        guard message.pointee.offset >= wanted else { return }
        events.append(ConsumedEvent(message, topic: topic))
        wanted = message.pointee.offset + 1
        bytes += message.pointee.len
      }
      guard let count else { throw .closed }
      if count == 0 { break }
    }
    if events.isEmpty, trouble != nil { return try await take(limit) }
    return events
  }

  private func note(_ error: rd_kafka_resp_err_t) {
    switch error {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF: break
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE: trouble = .outOfRange
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART: trouble = .failure(.unknownTopic(topic))
    default: trouble = .failure(.unavailable(reason: KafkaHandle.text(error), mayHaveArrived: false))
    }
  }

  /// The offset is really not there, or reading begins again at it.
  private func beginAgain() async throws(BrokerError) {
    do throws(BrokerError) {
      try await topics.check(topic, partition, wanted)
    } catch {
      trouble = .outOfRange
      throw error
    }
    try await restart()
  }

  private func restart() async throws(BrokerError) {
    await consumers.stop(assignment)
    if isClosed { throw .closed }
    assignment = try await consumers.start(topic: topic, partition: partition, at: wanted)
  }
}
