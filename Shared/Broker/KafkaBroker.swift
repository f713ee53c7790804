import CKafka

/// The broker on Apache Kafka, by librdkafka (2.0.2 or later).
///
/// Acknowledged when all in-sync replicas have it (`acks=all`), by an idempotent producer. Who reads says from where: offsets are kept in the reader's
/// database, and no consumer group is involved. On a single broker an acknowledged event survives a kill, not a power cut; on three it survives the loss of one.
public final class KafkaBroker: GrowableLog {
  private let settings: KafkaSettings
  private let outbox: Outbox
  private let writer: KafkaWriter
  private let consumers: KafkaConsumers
  private let topics: KafkaTopics
  private let progress: KafkaProgress

  /// Begins to connect; whether a broker answers is heard from the first call that needs one.
  /// - Throws: `BrokerError.setting` where librdkafka refuses a property.
  public static func open(_ settings: KafkaSettings) throws(BrokerError) -> KafkaBroker {
    let broker = try KafkaBroker(settings)
    do throws(BrokerError) {
      try broker.writer.start()
    } catch {
      Task { await broker.consumers.close() }
      throw error
    }
    return broker
  }

  private init(_ settings: KafkaSettings) throws(BrokerError) {
    self.settings = settings
    let pipe = try WakePipe()
    outbox = Outbox(limit: settings.limits.waitingBytes, lateReason: "no broker answered in time", filled: { pipe.wake() })
    writer = KafkaWriter(settings, outbox: outbox, pipe: pipe)
    consumers = try KafkaConsumers(settings)
    topics = KafkaTopics(consumers, settings)
    progress = KafkaProgress(settings)
  }

  public var published: Int64 { writer.published }
  public var waitingBytes: Int { outbox.waitingBytes }

  public func publish(_ events: [OutgoingEvent]) async throws(BrokerError) -> [BrokerPosition] {
    try await outbox.publish(events, settings.limits) { [topics] name throws(BrokerError) in (0, try await topics.partitions(of: name)) }
  }

  public func reader(topic: Topic, partition: Int, from offset: Int64) async throws(BrokerError) -> any PartitionReader {
    guard (0..<(try await topics.partitions(of: topic.name))).contains(partition) else {
      throw .unknownPartition(topic: topic.name, partition: partition)
    }
    try await topics.check(topic.name, partition, offset)
    let assignment = try await consumers.start(topic: topic.name, partition: partition, at: offset)
    return KafkaReader(assignment, at: offset, consumers: consumers, topics: topics)
  }

  public func end(of topic: Topic) async throws(BrokerError) -> [Int64] {
    try await topics.offsets(of: topic.name, RD_KAFKA_OFFSET_END)
  }

  public func earliest(of topic: Topic) async throws(BrokerError) -> [Int64] {
    try await topics.offsets(of: topic.name, RD_KAFKA_OFFSET_BEGINNING)
  }

  public func declare(_ topics: [Topic]) async throws(BrokerError) {
    for topic in topics { try await self.topics.declare(topic) }
  }

  public func tell(progress: [Int: Int64], of subscription: String, in topic: Topic) async throws(BrokerError) {
    if !progress.isEmpty { try await self.progress.tell(progress, of: "dos.\(subscription)", in: topic.name) }
  }

  public func addPartitions(to topic: Topic) async throws(BrokerError) { try await topics.addPartitions(to: topic) }

  public func close() async {
    outbox.close()
    await writer.end()
    await progress.close()
    await consumers.close()
  }
}
