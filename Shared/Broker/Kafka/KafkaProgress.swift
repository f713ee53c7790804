import CKafka

/// How far consumers are, as a consumer group's offsets: for the tools of who runs the brokers. Nobody here ever reads them.
extension KafkaTopics {
  /// - Parameter positions: the next offset wanted of each partition.
  func tell(_ positions: [Int: Int64], of group: String, in topic: String) async throws(BrokerError) {
    try await consumers.call { handle -> Result<Void, BrokerError> in
      guard let list = rd_kafka_topic_partition_list_new(Int32(positions.count)) else { return .failure(.closed) }
      defer { rd_kafka_topic_partition_list_destroy(list) }
      for (partition, offset) in positions { rd_kafka_topic_partition_list_add(list, topic, Int32(partition)).pointee.offset = offset }
      guard let wanted = rd_kafka_AlterConsumerGroupOffsets_new(group, list) else { return .failure(.closed) }
      defer { rd_kafka_AlterConsumerGroupOffsets_destroy(wanted) }
      return handle.ask(RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS) { options, queue in
        var all: [OpaquePointer?] = [wanted]
        rd_kafka_AlterConsumerGroupOffsets(handle.raw, &all, all.count, options, queue)
      } answer: { event -> Result<Void, BrokerError> in
        var count = 0
        guard let result = rd_kafka_event_AlterConsumerGroupOffsets_result(event),
          let groups = rd_kafka_AlterConsumerGroupOffsets_result_groups(result, &count), count > 0
        else { return .success(()) }
        // A group that has only just come to be is refused partition by partition, and not as a whole.
        let error = rd_kafka_group_result_error(groups[0]).map(rd_kafka_error_code) ?? firstError(rd_kafka_group_result_partitions(groups[0]))
        guard error != RD_KAFKA_RESP_ERR_NO_ERROR else { return .success(()) }
        return .failure(.unavailable(reason: "the offsets of the group \(group): \(KafkaHandle.text(error))", mayHaveArrived: true))
      }
    }
  }
}

private func firstError(_ list: UnsafePointer<rd_kafka_topic_partition_list_t>?) -> rd_kafka_resp_err_t {
  guard let list else { return RD_KAFKA_RESP_ERR_NO_ERROR }
  let partitions = UnsafeBufferPointer(start: list.pointee.elems, count: Int(list.pointee.cnt))
  return partitions.lazy.map(\.err).first { $0 != RD_KAFKA_RESP_ERR_NO_ERROR } ?? RD_KAFKA_RESP_ERR_NO_ERROR
}
