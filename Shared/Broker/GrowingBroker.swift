import Foundation
import JSON
import Synchronization
import Time

/// A broker beneath `GrowingBroker`.
public protocol GrowableLog: EventBroker {
  /// Adds empty partitions until the topic has as many as the given one. Those that are there stay as they are. Repeating it is harmless. A broker that was
  /// opened before may refuse to publish to the new ones for some minutes.
  /// - Throws: `BrokerError.partitionsDiffer` where it has more.
  func addPartitions(to topic: Topic) async throws(BrokerError)
}

/// A broker whose topics of facts can get more partitions, on any log.
///
/// Adding partitions to a log sends a key's later events to another partition, where offsets begin anew; whoever orders by offsets, or reads from the
/// beginning, would take them for earlier ones. Here a new partition goes on where its parent ended (`GrownPartition`), so that nothing is copied and every
/// promise about order holds over the growth as before it. That a topic grew, and where its partitions ended, is a decision in the topic `dos.topics`.
public final class GrowingBroker: EventBroker {
  /// Which topics grew, and when.
  public static let topic = Topic(
    name: "dos.topics", partitions: 1, visibility: .internal,
    governance: Governance(
      owner: "the city's operations", purpose: "which topics got more partitions, and where their keys' events go on", legalBasis: "no personal data",
      successor: "the city's operations"))

  /// A topic that has grown.
  private struct Grown {
    var growths: [TopicGrown] = []
    var partitions: [GrownPartition] = []

    /// Left out where somebody else was first: the earlier decision holds.
    mutating func add(_ growth: TopicGrown) {
      guard growths.last == nil || growths.last?.to == growth.from else { return }
      growths.append(growth)
      partitions = (0..<growth.to).map { GrownPartition($0, of: growth.to, growths: growths) }
    }
  }

  private let log: any GrowableLog
  private let grown = Mutex<[String: Grown]>([:])

  public init(_ log: any GrowableLog) {
    self.log = log
  }

  public var waitingBytes: Int { log.waitingBytes }

  public func declare(_ topics: [Topic]) async throws(BrokerError) {
    try await log.declare([Self.topic])
    try await readGrowths()
    for topic in topics {
      let current = current(topic)
      do throws(BrokerError) {
        try await log.declare([current])
      } catch {
        if case .partitionsDiffer(_, let existing, _) = error, existing == growths(of: topic).last?.from {
          throw .growing(topic: topic.name, to: current.partitions)
        }
        throw error
      }
    }
  }

  public func current(_ topic: Topic) -> Topic {
    growths(of: topic).last.map { topic.with(partitions: $0.to) } ?? topic
  }

  public func publish(_ events: [OutgoingEvent]) async throws(BrokerError) -> [BrokerPosition] {
    let partitions = grown.withLock { $0.mapValues(\.partitions) }
    if partitions.isEmpty { return try await log.publish(events) }
    for event in events {
      guard let now = partitions[event.topic.name]?.count, now != event.topic.partitions else { continue }
      throw .partitionsDiffer(topic: event.topic.name, existing: now, declared: event.topic.partitions)
    }
    return try await log.publish(events).map { position in
      let shift = partitions[position.topic]?[position.partition].shift ?? 0
      return BrokerPosition(topic: position.topic, partition: position.partition, offset: position.offset + shift)
    }
  }

  public func reader(topic: Topic, partition: Int, from offset: Int64) async throws(BrokerError) -> any PartitionReader {
    let partitions = partitions(of: topic)
    // What an old partition holds since it grew is its own, at its own offsets.
    let isPlain = !partitions.indices.contains(partition) || partitions[partition].isPlain(from: offset)
    if isPlain { return try await log.reader(topic: topic, partition: partition, from: offset) }
    do throws(BrokerError) {
      return try await GrownReader(log, current(topic), partitions[partition], from: offset)
    } catch {
      guard case .offsetOutOfRange = error else { throw error }
      throw .offsetOutOfRange(earliest: try await earliest(of: topic)[partition], next: try await end(of: topic)[partition])
    }
  }

  public func end(of topic: Topic) async throws(BrokerError) -> [Int64] {
    let ends = try await log.end(of: topic)
    let partitions = partitions(of: topic)
    return partitions.isEmpty ? ends : zip(ends, partitions).map { $0 + $1.shift }
  }

  public func earliest(of topic: Topic) async throws(BrokerError) -> [Int64] {
    let earliest = try await log.earliest(of: topic)
    let partitions = partitions(of: topic)
    return partitions.isEmpty ? earliest : partitions.map { $0.earliest(earliest) }
  }

  public func sweep(now: Instant) async throws(BrokerError) -> Int { try await log.sweep(now: now) }

  public func tell(progress: [Int: Int64], of subscription: String, in topic: Topic) async throws(BrokerError) {
    let partitions = partitions(of: topic)
    guard !partitions.isEmpty else { return try await log.tell(progress: progress, of: subscription, in: topic) }
    // Who is still reading its parent's events has not begun with what is stored in the partition.
    let stored = progress.reduce(into: [Int: Int64]()) { $0[$1.key] = max(0, $1.value - partitions[$1.key].shift) }
    try await log.tell(progress: stored, of: subscription, in: topic)
  }

  public func close() async { await log.close() }

  /// Gives a topic more partitions. Nobody may publish to it or consume it meanwhile, and who does so afterwards opens the broker anew. A growth that was
  /// interrupted is finished by asking for it again, and until then `declare` refuses the topic.
  ///
  /// - Parameter place: told the decision before it takes effect, and once more where the growth was interrupted; whoever keeps places in the topic makes those
  ///   in the new partitions now, at their parents'.
  /// - Throws: `BrokerError.cannotGrow` for topics of decisions, whose partitions are their Journal's, and for a number that is not a multiple; what `place` throws.
  @discardableResult
  public func grow(_ topic: Topic, to count: Int, place: (TopicGrown) async throws -> Void) async throws -> TopicGrown {
    try await log.declare([Self.topic])
    try await readGrowths()
    let now = current(topic)
    if case .forever = topic.governance.retention { throw BrokerError.cannotGrow(topic: topic.name, from: now.partitions, to: count) }
    if let last = growths(of: topic).last, last.to == count {
      try await place(last)
      try await log.addPartitions(to: now)
      return last
    }
    guard count > now.partitions, count % now.partitions == 0, count <= Self.mostPartitions else {
      throw BrokerError.cannotGrow(topic: topic.name, from: now.partitions, to: count)
    }
    try await log.declare([now])
    let grown = TopicGrown(topic: topic.name, from: now.partitions, to: count, ends: try await end(of: now))
    let event = CloudEvent(
      id: UUID(), source: "/operations", type: TopicGrown.type, subject: topic.name, time: Instant.now(), city: "all",
      data: Array(try JSONEncoder().encode(grown)))
    _ = try await log.publish([OutgoingEvent(topic: Self.topic, key: topic.name, event: event)])
    self.grown.withLock { $0[topic.name, default: Grown()].add(grown) }
    try await place(grown)
    try await log.addPartitions(to: current(topic))
    return grown
  }

  /// What tables and clients of Kafka take without complaint.
  private static let mostPartitions = 1_024

  private func growths(of topic: Topic) -> [TopicGrown] { grown.withLock { $0[topic.name]?.growths ?? [] } }

  /// None where the topic has never grown.
  private func partitions(of topic: Topic) -> [GrownPartition] { grown.withLock { $0[topic.name]?.partitions ?? [] } }

  private func readGrowths() async throws(BrokerError) {
    let (earliest, end) = (try await log.earliest(of: Self.topic)[0], try await log.end(of: Self.topic)[0])
    var found: [String: Grown] = [:]
    var read = earliest
    guard read < end else { return }
    let reader = try await log.reader(topic: Self.topic, partition: 0, from: earliest)
    while read < end {
      let events = try await reader.next(limit: 1_000, wait: .seconds(5))
      guard let last = events.last else {
        await reader.close()
        throw .unavailable(reason: "the topic \(Self.topic.name) cannot be read to its end", mayHaveArrived: false)
      }
      for grown in events.compactMap({ TopicGrown($0.event) }) { found[grown.topic, default: Grown()].add(grown) }
      read = last.position.offset + 1
    }
    await reader.close()
    grown.withLock { $0 = found }
  }
}
