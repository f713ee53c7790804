import CKafka

extension KafkaHandle {
  /// Asks the brokers' administration something and waits for its answer.
  func ask<Outcome>(
    _ operation: rd_kafka_admin_op_t, _ begin: (_ options: OpaquePointer, _ queue: OpaquePointer) -> Void,
    answer: (_ event: OpaquePointer) -> Result<Outcome, BrokerError>
  ) -> Result<Outcome, BrokerError> {
    guard let queue = rd_kafka_queue_new(raw) else { return .failure(.closed) }
    defer { rd_kafka_queue_destroy(queue) }
    guard let options = rd_kafka_AdminOptions_new(raw, operation) else { return .failure(.closed) }
    defer { rd_kafka_AdminOptions_destroy(options) }
    let time = KafkaConsumers.callTime.kafkaMilliseconds
    rd_kafka_AdminOptions_set_request_timeout(options, time, nil, 0)
    begin(options, queue)
    // The answer comes in any case; the request has a time-out of its own.
    guard let event = rd_kafka_queue_poll(queue, 2 * time) else { return .failure(.unavailable(reason: "no answer", mayHaveArrived: true)) }
    defer { rd_kafka_event_destroy(event) }
    if rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR {
      let reason = rd_kafka_event_error_string(event).map { String(cString: $0) } ?? "unknown trouble"
      return .failure(.unavailable(reason: reason, mayHaveArrived: true))
    }
    return answer(event)
  }
}
