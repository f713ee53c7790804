import CKafka
import Dispatch
import Synchronization

/// How far consumers are, as consumer groups' offsets: for the tools of who runs the brokers. Nobody here ever reads them.
///
/// Each group has a client of its own, which commits as any consumer's does and reads nothing. The administration's request for the same
/// (AlterConsumerGroupOffsets) was seen to abort the process where the group's coordinator went away meanwhile (librdkafka 2.0.2).
final class KafkaProgress: Sendable {
  private struct State {
    var clients: [String: KafkaHandle] = [:]
    var isClosed = false
  }

  private let settings: KafkaSettings
  private let state = Mutex(State())
  /// One at a time, and never on the threads that tasks run on: it blocks.
  private let calls = DispatchQueue(label: "kafka progress")

  init(_ settings: KafkaSettings) {
    self.settings = settings
  }

  /// - Parameter positions: the next offset wanted of each partition.
  func tell(_ positions: [Int: Int64], of group: String, in topic: String) async throws(BrokerError) {
    let answer: Result<Void, BrokerError> = await withCheckedContinuation { continuation in
      calls.async { [self] in
        do throws(BrokerError) {
          continuation.resume(returning: commit(positions, in: topic, try client(of: group), group))
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
    }
    try answer.get()
  }

  func close() async {
    await withCheckedContinuation { continuation in
      calls.async { [self] in
        let clients = state.withLock { state in
          defer { state = State(isClosed: true) }
          return state.clients.values
        }
        for client in clients { client.destroy() }
        continuation.resume()
      }
    }
  }

  private func client(of group: String) throws(BrokerError) -> KafkaHandle {
    let (known, isClosed) = state.withLock { ($0.clients[group], $0.isClosed) }
    if isClosed { throw .closed }
    if let known { return known }
    let made = try KafkaHandle(RD_KAFKA_CONSUMER, settings.consumer + [("group.id", group)], trouble: settings.trouble)
    state.withLock { $0.clients[group] = made }
    return made
  }

  private func commit(_ positions: [Int: Int64], in topic: String, _ client: KafkaHandle, _ group: String) -> Result<Void, BrokerError> {
    guard let main = rd_kafka_queue_get_main(client.raw) else { return .failure(.closed) }
    defer { rd_kafka_queue_destroy(main) }
    // What it had to say since it was used last.
    _ = client.serve(main)
    guard let queue = rd_kafka_queue_new(client.raw) else { return .failure(.closed) }
    defer { rd_kafka_queue_destroy(queue) }
    guard let list = rd_kafka_topic_partition_list_new(Int32(positions.count)) else { return .failure(.closed) }
    defer { rd_kafka_topic_partition_list_destroy(list) }
    for (partition, offset) in positions { rd_kafka_topic_partition_list_add(list, topic, Int32(partition)).pointee.offset = offset }
    var error = rd_kafka_commit_queue(client.raw, list, queue, nil, nil)
    if error == RD_KAFKA_RESP_ERR_NO_ERROR {
      guard let event = rd_kafka_queue_poll(queue, KafkaConsumers.callTime.kafkaMilliseconds) else {
        return .failure(.unavailable(reason: "the offsets of the group \(group): no answer", mayHaveArrived: true))
      }
      defer { rd_kafka_event_destroy(event) }
      error = rd_kafka_event_error(event)
      // A group that has only just come to be is refused partition by partition, and not as a whole.
      if error == RD_KAFKA_RESP_ERR_NO_ERROR { error = firstError(rd_kafka_event_topic_partition_list(event)) }
    }
    guard error != RD_KAFKA_RESP_ERR_NO_ERROR else { return .success(()) }
    return .failure(.unavailable(reason: "the offsets of the group \(group): \(KafkaHandle.text(error))", mayHaveArrived: true))
  }
}

private func firstError(_ list: UnsafePointer<rd_kafka_topic_partition_list_t>?) -> rd_kafka_resp_err_t {
  guard let list else { return RD_KAFKA_RESP_ERR_NO_ERROR }
  let partitions = UnsafeBufferPointer(start: list.pointee.elems, count: Int(list.pointee.cnt))
  return partitions.lazy.map(\.err).first { $0 != RD_KAFKA_RESP_ERR_NO_ERROR } ?? RD_KAFKA_RESP_ERR_NO_ERROR
}
