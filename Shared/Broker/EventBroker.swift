public import Time

/// The stream between services. `KafkaBroker` and `PostgresBroker` implement it and pass the same contract tests.
///
/// Within a partition offsets strictly increase in the order in which events were committed. Nobody may rely on more.
public protocol EventBroker: Sendable {
  /// Makes the topics exist. Repeating it is harmless; visibility and governance are brought up to date.
  /// - Throws: `BrokerError.partitionsDiffer` when a topic exists with another number of partitions.
  func declare(_ topics: [Topic]) async throws(BrokerError)

  /// Stores the events and answers when the broker has them safely, in the order given.
  ///
  /// Awaited 10 s, then `.unavailable(mayHaveArrived: true)`; repeating is safe, since consumers recognise what they have seen.
  /// Once handed over a publish is never cancelled, whoever leaves. What waits is bounded (64 MiB); beyond it `.full` at once.
  func publish(_ events: [OutgoingEvent]) async throws(BrokerError) -> [BrokerPosition]

  /// Reads a partition from the offset of the next event wanted.
  /// - Throws: `.offsetOutOfRange` when the offset lies before what retention left or beyond the end (after a restore).
  func reader(topic: Topic, partition: Int, from offset: Int64) async throws(BrokerError) -> any PartitionReader

  /// The offset the next event of each partition will have, or more exactly one past the last stored.
  func end(of topic: Topic) async throws(BrokerError) -> [Int64]

  /// The first offset of each partition that can still be read; equal to the end where there is none.
  func earliest(of topic: Topic) async throws(BrokerError) -> [Int64]

  /// The topic with as many partitions as it has by now. What is consumed and published must name it so; known once it is declared.
  func current(_ topic: Topic) -> Topic

  /// Deletes what is older than its topic's retention, where the broker does not do so by itself.
  /// - Returns: how many events are gone.
  func sweep(now: Instant) async throws(BrokerError) -> Int

  /// Says how far a subscription is, for the tools of who runs the broker: on Kafka as the offsets of the group `dos.<subscription>`. Nothing here depends on it.
  /// - Parameter progress: the next offset wanted of each partition.
  func tell(progress: [Int: Int64], of subscription: String, in topic: Topic) async throws(BrokerError)

  /// Bytes handed over and not yet answered.
  var waitingBytes: Int { get }

  /// Waits for what was handed over, then lets go of everything.
  func close() async
}

extension EventBroker {
  public func current(_ topic: Topic) -> Topic { topic }
  public func sweep(now: Instant) async throws(BrokerError) -> Int { 0 }
  public func tell(progress: [Int: Int64], of subscription: String, in topic: Topic) async throws(BrokerError) {}
}

/// One reader's place in one partition.
public protocol PartitionReader: Sendable {
  /// The next events in order, at most `limit`; empty when nothing came within `wait`. A failed call loses nothing: the next one starts at the same offset.
  func next(limit: Int, wait: Duration) async throws(BrokerError) -> [ConsumedEvent]
  func close() async
}

/// An event to be published.
public struct OutgoingEvent: Sendable {
  public let topic: Topic
  public let key: String
  /// Explicit, or nil to take it from the key. The Journal's forwarder names it, so that both logs agree.
  public let partition: Int?
  public let event: CloudEvent

  public init(topic: Topic, key: String, partition: Int? = nil, event: CloudEvent) {
    self.topic = topic
    self.key = key
    self.partition = partition
    self.event = event
  }

  /// Where it goes.
  public var targetPartition: Int { partition ?? topic.partition(forKey: key) }
}

/// Where an event stands in the broker.
public struct BrokerPosition: Sendable, Hashable {
  public let topic: String
  public let partition: Int
  public let offset: Int64

  public init(topic: String, partition: Int, offset: Int64) {
    self.topic = topic
    self.partition = partition
    self.offset = offset
  }
}

/// An event as it was read.
public struct ConsumedEvent: Sendable, Hashable {
  public let position: BrokerPosition
  public let key: String
  public let event: CloudEvent

  public init(position: BrokerPosition, key: String, event: CloudEvent) {
    self.position = position
    self.key = key
    self.event = event
  }
}
