import Broker
import CKafka
import Synchronization

/// librdkafka's own cluster within the process. It knows no administration, so topics are made by hand before they are declared, and it keeps about 5 MB a
/// partition.
///
/// `@unchecked Sendable`: the library's functions may be called from any thread, and the pointers never change; destroyed by the owner alone, at the end.
final class MockKafka: @unchecked Sendable {
  private let client: OpaquePointer
  private let cluster: OpaquePointer

  struct NotMade: Error {}

  init(brokers: Int32 = 1) throws {
    let configuration = rd_kafka_conf_new()
    // It needs no brokers, and would say that it has none.
    rd_kafka_conf_set(configuration, "log_level", "3", nil, 0)
    guard let client = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, nil, 0) else { throw NotMade() }
    guard let cluster = rd_kafka_mock_cluster_new(client, brokers) else { throw NotMade() }
    (self.client, self.cluster) = (client, cluster)
  }

  deinit {
    rd_kafka_mock_cluster_destroy(cluster)
    rd_kafka_destroy(client)
  }

  var bootstrap: String { rd_kafka_mock_cluster_bootstraps(cluster).map { String(cString: $0) } ?? "" }

  /// Making one that is there changes nothing.
  func make(_ topic: Topic) { _ = rd_kafka_mock_topic_create(cluster, topic.name, Int32(topic.partitions), 1) }

  /// The next requests of a kind (Kafka's number of it) are answered with these errors.
  func fail(_ kind: Int16, with errors: [rd_kafka_resp_err_t]) {
    var errors = errors
    rd_kafka_mock_push_request_errors_array(cluster, kind, errors.count, &errors)
  }

  func setDown(_ isDown: Bool) {
    _ = isDown ? rd_kafka_mock_broker_set_down(cluster, 1) : rd_kafka_mock_broker_set_up(cluster, 1)
  }
}

/// A `KafkaBroker` on a `MockKafka`.
struct MockedKafkaBroker: EventBroker {
  let mock: MockKafka
  let broker: KafkaBroker

  init(_ mock: MockKafka, limits: BrokerLimits = BrokerLimits()) throws {
    self.mock = mock
    broker = try KafkaBroker.open(KafkaSettings(bootstrap: mock.bootstrap, makesTopics: false, limits: limits))
  }

  var waitingBytes: Int { broker.waitingBytes }

  func declare(_ topics: [Topic]) async throws(BrokerError) {
    for topic in topics { mock.make(topic) }
    try await broker.declare(topics)
  }

  func publish(_ events: [OutgoingEvent]) async throws(BrokerError) -> [BrokerPosition] { try await broker.publish(events) }
  func reader(topic: Topic, partition: Int, from offset: Int64) async throws(BrokerError) -> any PartitionReader {
    try await broker.reader(topic: topic, partition: partition, from: offset)
  }
  func end(of topic: Topic) async throws(BrokerError) -> [Int64] { try await broker.end(of: topic) }
  func earliest(of topic: Topic) async throws(BrokerError) -> [Int64] { try await broker.earliest(of: topic) }
  func close() async { await broker.close() }
}
