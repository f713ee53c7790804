public import Broker

/// Where a subscription's events come from: a service's own Journal, or a topic of the broker.
public protocol EventSource: Sendable {
  var topic: Topic { get }
  /// The first offset of each partition that can be read.
  func earliest() async throws -> [Int64]
  /// One past the last offset of each partition.
  func end() async throws -> [Int64]
  /// - Throws: `EpochLoss` when the consumer has seen events that a restore took back, `BrokerError.offsetOutOfRange`.
  func reader(partition: Int, from checkpoint: Checkpoint) async throws -> any SourceReader
  /// Says how far a subscription is, where somebody else may want to see it.
  func tell(progress: [Int: Int64], of subscription: String) async throws
}

extension EventSource {
  public func tell(progress: [Int: Int64], of subscription: String) async throws {}
}

/// One consumer's place in one partition of a source.
public protocol SourceReader: Sendable {
  /// The next events in order; empty when nothing came within `wait`.
  func next(limit: Int, wait: Duration) async throws -> [ProjectedEvent]
  func close() async
}

/// A topic of the broker as a source.
public struct TopicSource: EventSource {
  public let topic: Topic
  private let broker: any EventBroker

  public init(_ topic: Topic, broker: any EventBroker) {
    self.topic = topic
    self.broker = broker
  }

  public func earliest() async throws -> [Int64] { try await broker.earliest(of: topic) }
  public func end() async throws -> [Int64] { try await broker.end(of: topic) }

  public func tell(progress: [Int: Int64], of subscription: String) async throws {
    try await broker.tell(progress: progress, of: subscription, in: topic)
  }

  public func reader(partition: Int, from checkpoint: Checkpoint) async throws -> any SourceReader {
    TopicSourceReader(reader: try await broker.reader(topic: topic, partition: partition, from: checkpoint.position))
  }
}

private struct TopicSourceReader: SourceReader {
  let reader: any PartitionReader

  func next(limit: Int, wait: Duration) async throws -> [ProjectedEvent] {
    try await reader.next(limit: limit, wait: wait).map(ProjectedEvent.init)
  }

  func close() async { await reader.close() }
}

/// A service's own Journal as a source: read models of its own decisions need no broker.
public struct JournalSource: EventSource {
  private let journal: Journal

  public init(_ journal: Journal) {
    self.journal = journal
  }

  public var topic: Topic { journal.topic }
  public func earliest() async throws -> [Int64] { Array(repeating: 0, count: topic.partitions) }

  public func end() async throws -> [Int64] {
    var ends = Array(repeating: Int64(0), count: topic.partitions)
    for position in try await journal.end() { ends[position.partition] = position.offset + 1 }
    return ends
  }

  public func reader(partition: Int, from checkpoint: Checkpoint) async throws -> any SourceReader {
    if let seen = checkpoint.journal, let loss = try await journal.loss(for: seen) { throw loss }
    return JournalSourceReader(journal: journal, partition: partition, wanted: checkpoint.position)
  }
}

private actor JournalSourceReader: SourceReader {
  private let journal: Journal
  private let partition: Int
  private var wanted: Int64

  init(journal: Journal, partition: Int, wanted: Int64) {
    self.journal = journal
    self.partition = partition
    self.wanted = wanted
  }

  func next(limit: Int, wait: Duration) async throws -> [ProjectedEvent] {
    let deadline = ContinuousClock.now + wait
    var pause = Duration.milliseconds(5)
    while true {
      let recorded = try await journal.read(partition: partition, after: wanted - 1, limit: limit)
      if let last = recorded.last {
        wanted = last.position.offset + 1
        return recorded.map { event in
          ProjectedEvent(
            position: BrokerPosition(topic: journal.topic.name, partition: partition, offset: event.position.offset), key: event.stream,
            event: event.cloudEvent(source: journal.source, city: journal.city))
        }
      }
      let left = ContinuousClock.now.duration(to: deadline)
      if left <= .zero || Task.isCancelled { return [] }
      // Woken by this process's own appends; what others append is found within 50 ms.
      _ = await journal.commits.wait(partition, beyond: wanted - 1, atMost: min(pause, left))
      pause = min(pause * 2, .milliseconds(50))
    }
  }

  func close() {}
}
