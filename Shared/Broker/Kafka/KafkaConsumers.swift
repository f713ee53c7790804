import CKafka
import Dispatch
import Synchronization

/// The consumers of a process. A client of librdkafka reads a partition once, so that there are as many clients as readers of the same partition.
final class KafkaConsumers: Sendable {
  /// What a call to the brokers may take before they count as away.
  static let callTime = Duration.seconds(5)

  private struct Place: Hashable {
    let topic: String
    let partition: Int
  }

  private struct Client {
    let handle: KafkaHandle
    let main: KafkaPointer
    let number: UInt64
    var places: Set<Place> = []
  }

  private struct State {
    var clients: [Client] = []
    var assignments: [UInt64: KafkaAssignment] = [:]
    var isClosed = false
  }

  private let settings: KafkaSettings
  private let state = Mutex(State())
  /// librdkafka blocks where it asks brokers something; never on the threads that tasks run on.
  private let calls = DispatchQueue(label: "kafka calls", attributes: .concurrent)
  let watch: KafkaWatch

  init(_ settings: KafkaSettings) throws(BrokerError) {
    self.settings = settings
    watch = try KafkaWatch()
    let first = try client()
    state.withLock { $0.clients.append(first) }
  }

  /// Runs what blocks where it disturbs nobody, with a client for questions.
  func call<Outcome: Sendable>(
    _ body: @escaping @Sendable (KafkaHandle) -> Result<Outcome, BrokerError>
  ) async throws(BrokerError) -> Outcome {
    guard let handle = state.withLock({ $0.clients.first?.handle }) else { throw .closed }
    return try await run { body(handle) }.get()
  }

  /// Begins to read a partition at an offset. Whether that is there was looked at before.
  func start(topic: String, partition: Int, at offset: Int64) async throws(BrokerError) -> KafkaAssignment {
    let place = Place(topic: topic, partition: partition)
    let handle = try handle(for: place)
    let number = watch.number()
    let result: Result<KafkaAssignment, BrokerError> = await run { [self] in
      do throws(BrokerError) {
        let assignment = try KafkaAssignment(
          handle, topic: topic, partition: partition, at: offset, number: number, descriptor: watch.descriptor)
        state.withLock { $0.assignments[number] = assignment }
        return .success(assignment)
      } catch {
        return .failure(error)
      }
    }
    if case .failure = result { give(place, of: handle) }
    return try result.get()
  }

  func stop(_ assignment: KafkaAssignment) async {
    watch.forget(assignment.number)
    _ = await run { .success(assignment.stop()) }
    state.withLock { $0.assignments[assignment.number] = nil }
    give(Place(topic: assignment.topic, partition: assignment.partition), of: assignment.handle)
  }

  func close() async {
    let numbers = state.withLock { state in
      state.isClosed = true
      return state.clients.map(\.number)
    }
    for number in numbers { watch.forget(number) }
    watch.close()
    await withCheckedContinuation { continuation in
      // Behind whatever was begun before, so that nobody uses what is destroyed here; what comes later finds it closed.
      calls.async(flags: .barrier) { [self] in
        let (clients, assignments) = state.withLock { state in
          defer { (state.clients, state.assignments) = ([], [:]) }
          return (state.clients, Array(state.assignments.values))
        }
        for assignment in assignments { assignment.stop() }
        for client in clients {
          rd_kafka_queue_destroy(client.main.raw)
          client.handle.destroy()
        }
        continuation.resume()
      }
    }
  }

  private func run<Outcome: Sendable>(_ body: @escaping @Sendable () -> Result<Outcome, BrokerError>) async -> Result<Outcome, BrokerError> {
    await withCheckedContinuation { continuation in
      calls.async { [self] in continuation.resume(returning: state.withLock(\.isClosed) ? .failure(.closed) : body()) }
    }
  }

  private func client() throws(BrokerError) -> Client {
    let handle = try KafkaHandle(RD_KAFKA_CONSUMER, settings.consumer, trouble: settings.trouble)
    guard let queue = rd_kafka_queue_get_main(handle.raw) else { throw .closed }
    let main = KafkaPointer(raw: queue)
    let number = watch.number { [self] in
      calls.async { [self] in if !state.withLock(\.isClosed) { _ = handle.serve(main.raw) } }
    }
    var payload = number
    rd_kafka_queue_io_event_enable(main.raw, watch.descriptor, &payload, MemoryLayout<UInt64>.size)
    return Client(handle: handle, main: main, number: number)
  }

  /// The first client that does not read the partition yet; another one where all do.
  private func handle(for place: Place) throws(BrokerError) -> KafkaHandle {
    if let handle = take(place) { return handle }
    if state.withLock(\.isClosed) { throw .closed }
    let another = try client()
    state.withLock { $0.clients.append(another) }
    return try handle(for: place)
  }

  private func take(_ place: Place) -> KafkaHandle? {
    state.withLock { state in
      guard let index = state.clients.firstIndex(where: { !$0.places.contains(place) }) else { return nil }
      state.clients[index].places.insert(place)
      return state.clients[index].handle
    }
  }

  private func give(_ place: Place, of handle: KafkaHandle) {
    state.withLock { state in
      guard let index = state.clients.firstIndex(where: { $0.handle === handle }) else { return }
      state.clients[index].places.remove(place)
    }
  }
}

/// A partition that is being read: its own queue, which librdkafka fills ahead.
final class KafkaAssignment: Sendable {
  let handle: KafkaHandle
  let topic: String
  let partition: Int
  /// By which the watch knows the queue.
  let number: UInt64
  private let queue: Mutex<KafkaPointer?>

  /// Blocks.
  fileprivate init(
    _ handle: KafkaHandle, topic: String, partition: Int, at offset: Int64, number: UInt64, descriptor: Int32
  ) throws(BrokerError) {
    guard let made = rd_kafka_queue_new(handle.raw) else { throw .closed }
    var payload = number
    rd_kafka_queue_io_event_enable(made, descriptor, &payload, MemoryLayout<UInt64>.size)
    (self.handle, self.topic, self.partition, self.number) = (handle, topic, partition, number)
    queue = Mutex(KafkaPointer(raw: made))
    guard rd_kafka_consume_start_queue(try handle.topic(topic), Int32(partition), offset, made) == 0 else {
      let reason = KafkaHandle.text(rd_kafka_last_error())
      rd_kafka_queue_destroy(made)
      throw .unavailable(reason: reason, mayHaveArrived: false)
    }
  }

  /// What has come, at most `limit` records, each of them shown to the body. Never waits.
  /// - Returns: how many; nil when reading was stopped.
  func take(limit: Int, _ body: (UnsafePointer<rd_kafka_message_t>) -> Void) -> Int? {
    var messages = [UnsafeMutablePointer<rd_kafka_message_t>?](repeating: nil, count: limit)
    let count: Int? = queue.withLock { queue in
      queue.map { Int(rd_kafka_consume_batch_queue($0.raw, 0, &messages, messages.count)) }
    }
    guard let count else { return nil }
    for case let message? in messages.prefix(max(0, count)) {
      body(message)
      rd_kafka_message_destroy(message)
    }
    return max(0, count)
  }

  /// Blocks until nothing more comes. Repeating it is harmless.
  fileprivate func stop() {
    guard let queue = queue.withLock({ $0.take() }) else { return }
    if let topic = try? handle.topic(topic) { rd_kafka_consume_stop(topic, Int32(partition)) }
    rd_kafka_queue_destroy(queue.raw)
  }
}
