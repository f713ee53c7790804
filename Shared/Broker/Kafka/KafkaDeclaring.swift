import CKafka

/// Makes the topics exist as they are declared.
extension KafkaTopics {
  /// Waits while the brokers are only just starting: until the first has joined its cluster there is nowhere to put a topic.
  func declare(_ topic: Topic) async throws(BrokerError) {
    let deadline = ContinuousClock.now + settings.limits.publishTime
    while true {
      if let existing = try await consumers.call({ handle in Self.partitions(of: topic.name, handle) }) {
        guard existing == topic.partitions else {
          throw .partitionsDiffer(topic: topic.name, existing: existing, declared: topic.partitions)
        }
        if settings.makesTopics { try await align(topic) }
        return
      }
      guard settings.makesTopics else { throw .unknownTopic(topic.name) }
      var trouble = BrokerError.unavailable(reason: "the topic \(topic.name) was made and is not there", mayHaveArrived: false)
      do throws(BrokerError) {
        // Another process may be first; then it is there all the same. A topic just made is known everywhere a moment later.
        try await make(topic)
      } catch {
        trouble = error
      }
      guard ContinuousClock.now < deadline else { throw trouble }
      try? await Task.sleep(for: .milliseconds(50))
    }
  }

  /// What a topic must be like, beyond the brokers' defaults.
  private func configuration(of topic: Topic) -> [String: String] {
    let retention =
      switch topic.governance.retention {
      case .forever: "-1"
      case .days(let days): "\(Int64(days) * 86_400_000)"
      }
    var configuration = [
      "cleanup.policy": "delete", "retention.ms": retention, "retention.bytes": "-1", "max.message.bytes": "\(Self.messageBytes)",
      "unclean.leader.election.enable": "false",
      // Retention counts from the arrival, not from what a clock elsewhere said.
      "message.timestamp.type": "LogAppendTime",
    ]
    if settings.replication >= 3 { configuration["min.insync.replicas"] = "2" }
    return configuration
  }

  private func make(_ topic: Topic) async throws(BrokerError) {
    let (configuration, replication) = (configuration(of: topic), Int32(settings.replication))
    try await consumers.call { handle -> Result<Void, BrokerError> in
      var reason = [CChar](repeating: 0, count: 512)
      guard let wanted = rd_kafka_NewTopic_new(topic.name, Int32(topic.partitions), replication, &reason, reason.count) else {
        return .failure(.invalid(KafkaHandle.text(reason)))
      }
      defer { rd_kafka_NewTopic_destroy(wanted) }
      for (name, value) in configuration { rd_kafka_NewTopic_set_config(wanted, name, value) }
      return handle.ask(RD_KAFKA_ADMIN_OP_CREATETOPICS) { options, queue in
        var topics: [OpaquePointer?] = [wanted]
        rd_kafka_CreateTopics(handle.raw, &topics, topics.count, options, queue)
      } answer: { event -> Result<Void, BrokerError> in
        var count = 0
        guard let result = rd_kafka_event_CreateTopics_result(event), let topics = rd_kafka_CreateTopics_result_topics(result, &count) else {
          return .success(())
        }
        return refusal(topics, count, "the topic \(topic.name) cannot be made").map { .failure($0) } ?? .success(())
      }
    }
  }

  func addPartitions(to topic: Topic) async throws(BrokerError) {
    let deadline = ContinuousClock.now + settings.limits.publishTime
    while true {
      guard let existing = try await consumers.call({ handle in Self.partitions(of: topic.name, handle) }) else { throw .unknownTopic(topic.name) }
      if existing == topic.partitions { break }
      guard existing < topic.partitions else { throw .partitionsDiffer(topic: topic.name, existing: existing, declared: topic.partitions) }
      var trouble = BrokerError.unavailable(reason: "partitions were added to \(topic.name) and are not there", mayHaveArrived: true)
      do throws(BrokerError) {
        try await enlarge(topic)
      } catch {
        trouble = error
      }
      guard ContinuousClock.now < deadline else { throw trouble }
      try? await Task.sleep(for: .milliseconds(50))
    }
    note(topic.partitions, of: topic.name)
    // Until each has a leader that answers it cannot be used.
    _ = try await offsets(of: topic.name, RD_KAFKA_OFFSET_END)
  }

  private func enlarge(_ topic: Topic) async throws(BrokerError) {
    try await consumers.call { handle -> Result<Void, BrokerError> in
      var reason = [CChar](repeating: 0, count: 512)
      guard let wanted = rd_kafka_NewPartitions_new(topic.name, topic.partitions, &reason, reason.count) else {
        return .failure(.invalid(KafkaHandle.text(reason)))
      }
      defer { rd_kafka_NewPartitions_destroy(wanted) }
      return handle.ask(RD_KAFKA_ADMIN_OP_CREATEPARTITIONS) { options, queue in
        var all: [OpaquePointer?] = [wanted]
        rd_kafka_CreatePartitions(handle.raw, &all, all.count, options, queue)
      } answer: { event -> Result<Void, BrokerError> in
        var count = 0
        guard let result = rd_kafka_event_CreatePartitions_result(event), let topics = rd_kafka_CreatePartitions_result_topics(result, &count) else {
          return .success(())
        }
        return refusal(topics, count, "the topic \(topic.name) cannot get more partitions").map { .failure($0) } ?? .success(())
      }
    }
  }

  /// Brings what is declared up to date and leaves what an operator has set beside it.
  private func align(_ topic: Topic) async throws(BrokerError) {
    let existing = try await described(topic.name)
    let declared = configuration(of: topic)
    guard declared.contains(where: { existing[$0] != $1 }) else { return }
    try await consumers.call { handle -> Result<Void, BrokerError> in
      guard let resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.name) else { return .failure(.closed) }
      defer { rd_kafka_ConfigResource_destroy(resource) }
      for (name, value) in existing.merging(declared, uniquingKeysWith: { $1 }) { rd_kafka_ConfigResource_set_config(resource, name, value) }
      return handle.ask(RD_KAFKA_ADMIN_OP_ALTERCONFIGS) { options, queue in
        var resources: [OpaquePointer?] = [resource]
        rd_kafka_AlterConfigs(handle.raw, &resources, resources.count, options, queue)
      } answer: { event -> Result<Void, BrokerError> in
        var count = 0
        guard let result = rd_kafka_event_AlterConfigs_result(event), let answers = rd_kafka_AlterConfigs_result_resources(result, &count), count > 0 else {
          return .success(())
        }
        return refusalOf(answers[0]).map { .failure($0) } ?? .success(())
      }
    }
  }

  /// What is set for this topic alone.
  private func described(_ topic: String) async throws(BrokerError) -> [String: String] {
    try await consumers.call { handle in
      guard let resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic) else { return .failure(.closed) }
      defer { rd_kafka_ConfigResource_destroy(resource) }
      return handle.ask(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS) { options, queue in
        var resources: [OpaquePointer?] = [resource]
        rd_kafka_DescribeConfigs(handle.raw, &resources, resources.count, options, queue)
      } answer: { event -> Result<[String: String], BrokerError> in
        var count = 0
        guard let result = rd_kafka_event_DescribeConfigs_result(event), let answers = rd_kafka_DescribeConfigs_result_resources(result, &count),
          count > 0
        else { return .success([:]) }
        if let refusal = refusalOf(answers[0]) { return .failure(refusal) }
        var entries = 0
        var set: [String: String] = [:]
        if let found = rd_kafka_ConfigResource_configs(answers[0], &entries) {
          for index in 0..<entries where rd_kafka_ConfigEntry_source(found[index]) == RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG {
            guard let name = rd_kafka_ConfigEntry_name(found[index]), let value = rd_kafka_ConfigEntry_value(found[index]) else { continue }
            set[String(cString: name)] = String(cString: value)
          }
        }
        return .success(set)
      }
    }
  }
}

private func refusal(_ topics: UnsafeMutablePointer<OpaquePointer?>, _ count: Int, _ what: String) -> BrokerError? {
  for index in 0..<count {
    let error = rd_kafka_topic_result_error(topics[index])
    if error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS { continue }
    let text = rd_kafka_topic_result_error_string(topics[index]).map { String(cString: $0) } ?? KafkaHandle.text(error)
    return .unavailable(reason: "\(what): \(text)", mayHaveArrived: false)
  }
  return nil
}

private func refusalOf(_ resource: OpaquePointer?) -> BrokerError? {
  guard let resource, rd_kafka_ConfigResource_error(resource) != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
  let text = rd_kafka_ConfigResource_error_string(resource).map { String(cString: $0) }
  return .unavailable(reason: text ?? KafkaHandle.text(rd_kafka_ConfigResource_error(resource)), mayHaveArrived: false)
}
