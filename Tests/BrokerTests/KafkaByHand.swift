import Broker
import CKafka

/// What an operator does to a Kafka, for tests.
struct KafkaByHand: Error {
  let reason: String
}

/// Takes the records of partition 0 before an offset away, as retention does.
func deleteRecords(before offset: Int64, of topic: Topic, _ bootstrap: String) async throws {
  try administer(bootstrap) { client, queue in
    let list = rd_kafka_topic_partition_list_new(1)
    defer { rd_kafka_topic_partition_list_destroy(list) }
    rd_kafka_topic_partition_list_add(list, topic.name, 0).pointee.offset = offset
    var deletions: [OpaquePointer?] = [rd_kafka_DeleteRecords_new(list)]
    rd_kafka_DeleteRecords(client, &deletions, 1, nil, queue)
    rd_kafka_DeleteRecords_destroy(deletions[0])
  } answer: { _ in
  }
}

/// What is set for a topic, defaults too.
func settings(of topic: Topic, _ bootstrap: String) throws -> [String: String] {
  var settings: [String: String] = [:]
  try administer(bootstrap) { client, queue in
    var resources: [OpaquePointer?] = [rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.name)]
    rd_kafka_DescribeConfigs(client, &resources, 1, nil, queue)
    rd_kafka_ConfigResource_destroy(resources[0])
  } answer: { event in
    var (resources, entries) = (0, 0)
    guard let found = rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &resources), resources == 1,
      let list = rd_kafka_ConfigResource_configs(found[0], &entries)
    else { return }
    for index in 0..<entries {
      if let name = rd_kafka_ConfigEntry_name(list[index]), let value = rd_kafka_ConfigEntry_value(list[index]) {
        settings[String(cString: name)] = String(cString: value)
      }
    }
  }
  return settings
}

/// Sets one thing of a topic, beside what was set for it by name.
func set(_ name: String, _ value: String, of topic: Topic, _ bootstrap: String) throws {
  let kept = try settings(of: topic, bootstrap).filter { ["retention.ms", "cleanup.policy", "max.message.bytes"].contains($0.key) }
  try administer(bootstrap) { client, queue in
    var resources: [OpaquePointer?] = [rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.name)]
    for (name, value) in kept.merging([name: value], uniquingKeysWith: { $1 }) { rd_kafka_ConfigResource_set_config(resources[0], name, value) }
    rd_kafka_AlterConfigs(client, &resources, 1, nil, queue)
    rd_kafka_ConfigResource_destroy(resources[0])
  } answer: { _ in
  }
}

/// Writes a record without headers to partition 0, and waits until it is there.
func produce(_ text: String, to topic: Topic, _ bootstrap: String) throws {
  let configuration = rd_kafka_conf_new()
  rd_kafka_conf_set(configuration, "bootstrap.servers", bootstrap, nil, 0)
  guard let client = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, nil, 0) else { throw KafkaByHand(reason: "no client") }
  defer { rd_kafka_destroy(client) }
  let target = rd_kafka_topic_new(client, topic.name, nil)
  defer { rd_kafka_topic_destroy(target) }
  var bytes = Array(text.utf8)
  guard rd_kafka_produce(target, 0, RD_KAFKA_MSG_F_COPY, &bytes, bytes.count, nil, 0, nil) == 0, rd_kafka_flush(client, 30_000) == RD_KAFKA_RESP_ERR_NO_ERROR
  else { throw KafkaByHand(reason: "not written") }
}

/// The offsets that a consumer group has of a topic's partitions.
func committed(_ group: String, _ topic: Topic, _ bootstrap: String) throws -> [Int64] {
  let configuration = rd_kafka_conf_new()
  for (name, value) in [("bootstrap.servers", bootstrap), ("group.id", group)] { rd_kafka_conf_set(configuration, name, value, nil, 0) }
  guard let client = rd_kafka_new(RD_KAFKA_CONSUMER, configuration, nil, 0) else { throw KafkaByHand(reason: "no client") }
  defer { rd_kafka_destroy(client) }
  let list = rd_kafka_topic_partition_list_new(Int32(topic.partitions))
  defer { rd_kafka_topic_partition_list_destroy(list) }
  for partition in 0..<topic.partitions { rd_kafka_topic_partition_list_add(list, topic.name, Int32(partition)) }
  let error = rd_kafka_committed(client, list, 30_000)
  guard error == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaByHand(reason: String(cString: rd_kafka_err2str(error))) }
  return (0..<topic.partitions).map { rd_kafka_topic_partition_list_find(list, topic.name, Int32($0))?.pointee.offset ?? -1 }
}

private func administer(
  _ bootstrap: String, _ ask: (_ client: OpaquePointer, _ queue: OpaquePointer) -> Void, answer: (_ event: OpaquePointer) -> Void
) throws {
  let configuration = rd_kafka_conf_new()
  rd_kafka_conf_set(configuration, "bootstrap.servers", bootstrap, nil, 0)
  guard let client = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, nil, 0) else { throw KafkaByHand(reason: "no client") }
  defer { rd_kafka_destroy(client) }
  guard let queue = rd_kafka_queue_new(client) else { throw KafkaByHand(reason: "no queue") }
  defer { rd_kafka_queue_destroy(queue) }
  ask(client, queue)
  guard let event = rd_kafka_queue_poll(queue, 30_000) else { throw KafkaByHand(reason: "no answer") }
  defer { rd_kafka_event_destroy(event) }
  guard rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR else {
    throw KafkaByHand(reason: rd_kafka_event_error_string(event).map { String(cString: $0) } ?? "refused")
  }
  answer(event)
}
