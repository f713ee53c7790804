public import Broker

/// The live tail of a topic for who looks on: all partitions, without a checkpoint, in one ring of five minutes.
///
/// Each reader has a place of its own: the offsets it wants next, in every partition. Who comes back with one, to this process or another, goes on from the
/// ring, then from the broker; where retention has passed it (or a restore), the stream opens with `.reset`.
public actor LiveFeed {
  public enum Item: Sendable, Hashable {
    /// An event, and where its reader stands after it.
    case event(at: LivePlace, ConsumedEvent)
    /// What was missed cannot be told: read the state anew. What follows is from now on.
    case reset(at: LivePlace)
  }

  private struct Entry {
    let event: ConsumedEvent
    let bytes: Int
    let arrived: ContinuousClock.Instant
    var partition: Int { event.position.partition }
    var offset: Int64 { event.position.offset }
  }

  private let broker: any EventBroker
  private let topic: Topic
  private let window: Duration
  private let maximumBytes: Int
  private var ring: [Entry] = []
  private var bytes = 0
  /// The places before and after the ring.
  private var start: [Int64] = []
  private var end: [Int64] = []
  private var tails: [Task<Void, Never>] = []
  private var subscribers: [Int: LiveSubscriber] = [:]
  private var nextID = 0

  public init(_ topic: Topic, broker: any EventBroker, window: Duration = .seconds(300), maximumBytes: Int = 64 << 20) {
    self.topic = topic
    self.broker = broker
    self.window = window
    self.maximumBytes = maximumBytes
  }

  /// Begins at the topic's end.
  public func run() async throws {
    guard tails.isEmpty else { return }
    end = try await broker.end(of: topic)
    start = end
    tails = end.indices.map { partition in Task { await self.tail(partition) } }
  }

  public func stop() async {
    let ending = tails
    tails = []
    for task in ending { task.cancel() }
    for task in ending { await task.value }
    for subscriber in subscribers.values { subscriber.finish() }
    subscribers = [:]
  }

  /// The place of who has heard everything up to now.
  public var now: LivePlace { LivePlace(offsets: end) }

  /// - Parameters:
  ///   - place: where to go on; nil begins now. One that is no place of this topic is answered with a reset.
  ///   - capacity: how many events may wait for a slow reader before its stream ends.
  public func events(after place: LivePlace? = nil, capacity: Int = 1_024) -> LiveEvents {
    LiveEvents(feed: self, place: place, capacity: capacity)
  }

  enum Attachment {
    case live([ConsumedEvent], from: LivePlace)
    case reset(LivePlace)
    case behind(partition: Int, until: Int64)
  }

  /// Goes live from a place, or says which partition has to be read from the broker first.
  func attach(_ subscriber: LiveSubscriber, at place: LivePlace?) -> Attachment {
    let offsets = place?.offsets ?? end
    guard offsets.count == end.count, zip(offsets, end).allSatisfy({ $0 <= $1 }) else {
      enter(subscriber)
      return .reset(now)
    }
    if let behind = offsets.indices.first(where: { offsets[$0] < start[$0] }) { return .behind(partition: behind, until: start[behind]) }
    enter(subscriber)
    return .live(ring.filter { $0.offset >= offsets[$0.partition] }.map(\.event), from: LivePlace(offsets: offsets))
  }

  func reader(_ partition: Int, from offset: Int64) async throws(BrokerError) -> any PartitionReader {
    try await broker.reader(topic: topic, partition: partition, from: offset)
  }

  private func enter(_ subscriber: LiveSubscriber) {
    nextID += 1
    subscribers[nextID] = subscriber
  }

  private func tail(_ partition: Int) async {
    while !Task.isCancelled {
      do throws(BrokerError) {
        let reader = try await broker.reader(topic: topic, partition: partition, from: end[partition])
        let trouble = await follow(reader)
        await reader.close()
        if let trouble { throw trouble }
      } catch {
        // The broker was restored, or retention has overtaken this process: nobody can tell what lies between.
        if case .offsetOutOfRange(_, let next) = error { begin(partition, at: next) }
      }
      // Trouble of the broker is waited out; the place in the partition is kept.
      try? await Task.sleep(for: .milliseconds(200))
    }
  }

  private func follow(_ reader: any PartitionReader) async -> BrokerError? {
    while !Task.isCancelled {
      do throws(BrokerError) {
        for event in try await reader.next(limit: 1_000, wait: .seconds(1)) { append(event) }
        trim()
      } catch {
        return error
      }
    }
    return nil
  }

  private func begin(_ partition: Int, at offset: Int64) {
    guard !Task.isCancelled else { return }
    end[partition] = offset
    start = end
    ring = []
    bytes = 0
    tell(.reset(now))
  }

  private func append(_ event: ConsumedEvent) {
    end[event.position.partition] = event.position.offset + 1
    let size = event.event.data.count + 512
    ring.append(Entry(event: event, bytes: size, arrived: .now))
    bytes += size
    tell(.event(event))
  }

  private func tell(_ news: LiveSubscriber.News) {
    for (id, subscriber) in subscribers where !subscriber.push(news) { subscribers[id] = nil }
  }

  private func trim() {
    let oldest = ContinuousClock.now - window
    var gone = 0
    while gone < ring.count, ring[gone].arrived < oldest || bytes > maximumBytes {
      bytes -= ring[gone].bytes
      start[ring[gone].partition] = ring[gone].offset + 1
      gone += 1
    }
    ring.removeFirst(gone)
  }
}

/// Where a reader of a live feed stands: the offset it wants next in each partition. Its text is an event's id.
public struct LivePlace: Sendable, Hashable {
  public let offsets: [Int64]

  public init(offsets: [Int64]) {
    self.offsets = offsets
  }

  /// nil where the text is no place.
  public init?(text: String) {
    let numbers = text.split(separator: ".", omittingEmptySubsequences: false).map { Int64($0) ?? -1 }
    guard numbers.allSatisfy({ $0 >= 0 }) else { return nil }
    offsets = numbers
  }

  /// `12.0.7`
  public var text: String { offsets.map { String($0) }.joined(separator: ".") }

  /// After an event.
  func after(_ position: BrokerPosition) -> LivePlace { moved(position.partition, to: position.offset + 1) }

  func moved(_ partition: Int, to offset: Int64) -> LivePlace {
    var offsets = offsets
    offsets[partition] = offset
    return LivePlace(offsets: offsets)
  }
}
