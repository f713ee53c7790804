public import Broker
import Synchronization

/// The live tail of a topic for who looks on: all partitions, without a checkpoint, in one ring of five minutes.
///
/// An event's id is the vector of the offsets wanted next after it, in every partition. Who comes back with one goes on from the ring, then from the
/// broker; where retention has passed it (or a restore), the stream opens with `.reset`.
public actor LiveFeed {
  public enum Item: Sendable, Hashable {
    case event(id: String, ConsumedEvent)
    /// What was missed cannot be told: read the state anew. What follows is from now on.
    case reset(id: String)
  }

  private struct Entry {
    let item: Item
    let partition: Int
    let offset: Int64
    let bytes: Int
    let arrived: ContinuousClock.Instant
  }

  private let broker: any EventBroker
  private let topic: Topic
  private let window: Duration
  private let maximumBytes: Int
  private var ring: [Entry] = []
  private var bytes = 0
  /// The vectors before and after the ring.
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

  /// - Parameters:
  ///   - id: what `Last-Event-ID` said; nil begins now.
  ///   - capacity: how many events may wait for a slow reader before its stream ends.
  public func events(after id: String? = nil, capacity: Int = 1_024) -> LiveEvents {
    LiveEvents(feed: self, id: id, capacity: capacity)
  }

  /// Goes live from a vector, or says which partition has to be read from the broker first.
  func attach(_ subscriber: LiveSubscriber, at vector: [Int64]?) -> Attachment {
    let vector = vector ?? end
    guard vector.count == end.count, zip(vector, end).allSatisfy({ $0 <= $1 }) else {
      enter(subscriber)
      return .live([.reset(id: Self.text(end))])
    }
    if let behind = vector.indices.first(where: { vector[$0] < start[$0] }) { return .behind(partition: behind, until: start[behind]) }
    enter(subscriber)
    return .live(ring.filter { $0.offset >= vector[$0.partition] }.map(\.item))
  }

  enum Attachment {
    case live([Item])
    case behind(partition: Int, until: Int64)
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
      if let reader = try? await broker.reader(topic: topic, partition: partition, from: end[partition]) {
        while !Task.isCancelled, let events = try? await reader.next(limit: 1_000, wait: .seconds(1)) {
          for event in events { append(event) }
          trim()
        }
        await reader.close()
      }
      // Trouble of the broker is waited out; the place in the partition is kept.
      try? await Task.sleep(for: .milliseconds(200))
    }
  }

  private func append(_ event: ConsumedEvent) {
    end[event.position.partition] = event.position.offset + 1
    let item = Item.event(id: Self.text(end), event)
    let size = event.event.data.count + 512
    ring.append(Entry(item: item, partition: event.position.partition, offset: event.position.offset, bytes: size, arrived: .now))
    bytes += size
    for (id, subscriber) in subscribers where !subscriber.push(item) { subscribers[id] = nil }
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

  static func text(_ vector: [Int64]) -> String {
    vector.map { String($0) }.joined(separator: ".")
  }

  static func vector(_ text: String) -> [Int64]? {
    let numbers = text.split(separator: ".", omittingEmptySubsequences: false).map { Int64($0) ?? -1 }
    return numbers.allSatisfy { $0 >= 0 } ? numbers : nil
  }
}

/// One reader's view of a live feed. It ends when its reader is too slow, when the feed stops, or when the task is cancelled.
public struct LiveEvents: AsyncSequence, Sendable {
  public typealias Element = LiveFeed.Item
  let feed: LiveFeed
  let id: String?
  let capacity: Int

  public func makeAsyncIterator() -> Iterator {
    Iterator(feed: feed, subscriber: LiveSubscriber(capacity: capacity), cursor: id.map { LiveFeed.vector($0) ?? [] })
  }

  public struct Iterator: AsyncIteratorProtocol {
    let feed: LiveFeed
    let subscriber: LiveSubscriber
    /// Where it stands while it is not live yet; nil begins now.
    var cursor: [Int64]?
    var isLive = false
    var ready: ArraySlice<LiveFeed.Item> = []

    public mutating func next() async -> LiveFeed.Item? {
      while ready.isEmpty && !isLive {
        if Task.isCancelled { return nil }
        switch await feed.attach(subscriber, at: cursor) {
        case .live(let items):
          isLive = true
          ready = items[...]
        case .behind(let partition, let until): await catchUp(partition, until)
        }
      }
      if let item = ready.popFirst() { return item }
      return await subscriber.next()
    }

    /// Reads from the broker what the ring no longer has, as fast as the reader asks for it.
    private mutating func catchUp(_ partition: Int, _ until: Int64) async {
      guard var vector = cursor else { return }
      do {
        let reader = try await feed.reader(partition, from: vector[partition])
        for event in try await reader.next(limit: 500, wait: .seconds(1)) where event.position.offset < until {
          vector[partition] = event.position.offset + 1
          ready.append(.event(id: LiveFeed.text(vector), event))
        }
        await reader.close()
        cursor = vector
      } catch BrokerError.offsetOutOfRange {
        // A vector of the wrong length is answered with a reset.
        cursor = []
      } catch {
        try? await Task.sleep(for: .milliseconds(200))
      }
    }
  }
}

/// What waits for one reader, bounded.
final class LiveSubscriber: Sendable {
  private struct State {
    var items: [LiveFeed.Item] = []
    var waiting: CheckedContinuation<LiveFeed.Item?, Never>?
    var ended = false
  }

  private let state = Mutex(State())
  private let capacity: Int

  init(capacity: Int) {
    self.capacity = capacity
  }

  /// - Returns: false when the reader has gone or is cut off for being slow.
  func push(_ item: LiveFeed.Item) -> Bool {
    let (taken, waiting) = state.withLock { state -> (Bool, CheckedContinuation<LiveFeed.Item?, Never>?) in
      if state.ended { return (false, nil) }
      if let waiting = state.waiting {
        state.waiting = nil
        return (true, waiting)
      }
      if state.items.count >= capacity {
        state.ended = true
        return (false, nil)
      }
      state.items.append(item)
      return (true, nil)
    }
    waiting?.resume(returning: item)
    return taken
  }

  func next() async -> LiveFeed.Item? {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let (item, isKnown) = state.withLock { state -> (LiveFeed.Item?, Bool) in
          if !state.items.isEmpty { return (state.items.removeFirst(), true) }
          if state.ended { return (nil, true) }
          state.waiting = continuation
          return (nil, false)
        }
        if isKnown { continuation.resume(returning: item) }
      }
    } onCancel: {
      finish()
    }
  }

  func finish() {
    let waiting = state.withLock { state in
      state.ended = true
      defer { state.waiting = nil }
      return state.waiting
    }
    waiting?.resume(returning: nil)
  }
}
