public import Broker
import Synchronization

/// The live tail of some topics for who looks on: all partitions, without a checkpoint, in one ring of five minutes.
///
/// What comes is told once, to the feed's one listener, who passes it on to everybody who has entered: they all stand at the same place. A reader who comes
/// back stands at a place of its own and `join`s: it hears what it missed from the ring, or from the broker, and enters when nothing is missing any more. Where
/// retention has passed its place (or a restore), it is told a reset.
public final class LiveFeed: Sendable {
  public enum News: Sendable, Hashable {
    case event(ConsumedEvent)
    /// What was missed cannot be told: read the state anew. What follows is from now on.
    case reset
  }

  /// Hears of one topic after the other what comes, and the place behind it in all of them.
  public typealias Listener = @Sendable (_ topic: String, News, LivePlaces) -> Void

  /// The feed does not run, or no longer.
  public struct Stopped: Error {}

  private struct Entry {
    let topic: String
    let event: ConsumedEvent
    let bytes: Int
    let arrived: ContinuousClock.Instant
  }

  private struct State {
    var ring: [Entry] = []
    var bytes = 0
    /// The places before and after the ring.
    var start = LivePlaces()
    var end = LivePlaces()
    var tails: [Task<Void, Never>] = []
    var isRunning = false
  }

  private let topics: [String: Topic]
  private let broker: any EventBroker
  private let window: Duration
  private let maximumBytes: Int
  private let listener: Listener
  private let state = Mutex(State())

  /// - Parameters:
  ///   - topics: by their names in places; neither `:` nor `,` stands in one.
  ///   - listener: called in order, under the feed's lock: it must be quick and not use the feed.
  public init(
    _ topics: [String: Topic], broker: any EventBroker, window: Duration = .seconds(300), maximumBytes: Int = 32 << 20, listener: @escaping Listener
  ) {
    self.topics = topics
    self.broker = broker
    self.window = window
    self.maximumBytes = maximumBytes
    self.listener = listener
  }

  /// Begins at the topics' ends. A broker that does not answer is waited for.
  /// - Throws: `BrokerError`, `CancellationError`.
  public func run() async throws {
    guard !state.withLock({ $0.isRunning }) else { return }
    var ends: [String: [Int64]] = [:]
    for (name, topic) in topics { ends[name] = try await end(of: topic) }
    let end = LivePlaces(ends)
    state.withLock { state in
      (state.start, state.end, state.isRunning) = (end, end, true)
      state.tails = end.offsets.flatMap { name, partitions in partitions.indices.map { partition in Task { await self.tail(name, partition) } } }
    }
  }

  private func end(of topic: Topic) async throws -> [Int64] {
    var end: [Int64]?
    while end == nil {
      do throws(BrokerError) {
        end = try await broker.end(of: topic)
      } catch {
        guard case .unavailable = error else { throw error }
        try await Task.sleep(for: .milliseconds(100))
      }
    }
    return end ?? []
  }

  public func stop() async {
    let tails = state.withLock { state in
      state.isRunning = false
      defer { state.tails = [] }
      return state.tails
    }
    for task in tails { task.cancel() }
    for task in tails { await task.value }
  }

  /// The place of who has heard everything up to now.
  public var now: LivePlaces { state.withLock { $0.end } }

  // MARK: Readers

  /// Tells a reader what it has missed, and lets it in at the moment when that is nothing any more.
  ///
  /// - Parameters:
  ///   - places: where it stands in every topic that it hears.
  ///   - tell: gets each event with the reader's place behind it, and may wait for the reader; what it throws ends the reading.
  ///   - enter: called once, under the feed's lock. What comes later is told to the feed's listener after it has returned; what came before is never told to
  ///     this reader again.
  public func join(
    at places: LivePlaces, tell: (_ topic: String, News, LivePlaces) async throws -> Void, enter: @Sendable () -> Void
  ) async throws {
    var places = places
    while true {
      try Task.checkCancellation()
      switch next(for: places, enter) {
      case .entered: return
      case .stopped: throw Stopped()
      case .reset(let topic, let now):
        places.move(topic, to: now)
        try await tell(topic, .reset, places)
      case .missed(let events): try await pass(events, &places, tell)
      case .behind(let topic, let partition, let until):
        guard let read = await catchUp(topic, partition, places, until: until) else {
          // No place of this topic: answered with a reset.
          places.move(topic, to: [])
          continue
        }
        try await pass(read.events.map { (topic, $0) }, &places, tell)
        if read.isComplete { places.move(topic, partition, to: until) }
      }
    }
  }

  private enum Step: Sendable {
    case entered
    case stopped
    case reset(topic: String, now: [Int64])
    case missed([(topic: String, event: ConsumedEvent)])
    case behind(topic: String, partition: Int, until: Int64)
  }

  private func next(for places: LivePlaces, _ enter: @Sendable () -> Void) -> Step {
    state.withLock { state in
      guard state.isRunning else { return .stopped }
      for (topic, offsets) in places.offsets {
        guard let start = state.start.offsets[topic], let end = state.end.offsets[topic] else { continue }
        guard offsets.count == end.count, zip(offsets, end).allSatisfy({ $0 <= $1 }) else { return .reset(topic: topic, now: end) }
        if let partition = offsets.indices.first(where: { offsets[$0] < start[$0] }) {
          return .behind(topic: topic, partition: partition, until: start[partition])
        }
      }
      if places.offsets.contains(where: { state.end.offsets[$0] != $1 }) {
        // As many as are told before it is looked again: a reader that is behind is not handed a whole ring at once.
        let missed = state.ring.lazy.filter { places.awaits($0.topic, $0.event.position) }.prefix(500).map { ($0.topic, $0.event) }
        if !missed.isEmpty { return .missed(Array(missed)) }
      }
      enter()
      return .entered
    }
  }

  private func pass(
    _ events: [(topic: String, event: ConsumedEvent)], _ places: inout LivePlaces,
    _ tell: (_ topic: String, News, LivePlaces) async throws -> Void
  ) async throws {
    for (topic, event) in events {
      places.move(topic, event.position.partition, to: event.position.offset + 1)
      try await tell(topic, .event(event), places)
    }
  }

  /// Reads from the broker what the ring no longer has, as fast as the reader asks for it; nil where the broker has no such place.
  private func catchUp(
    _ name: String, _ partition: Int, _ places: LivePlaces, until: Int64
  ) async -> (events: [ConsumedEvent], isComplete: Bool)? {
    guard let topic = topics[name], let from = places.offsets[name]?[partition] else { return nil }
    do throws(BrokerError) {
      let reader = try await broker.reader(topic: topic, partition: partition, from: from)
      let read: Result<[ConsumedEvent], BrokerError>
      do throws(BrokerError) {
        read = .success(try await reader.next(limit: 500, wait: .seconds(1)))
      } catch {
        read = .failure(error)
      }
      await reader.close()
      let all = try read.get()
      let events = all.filter { $0.position.offset < until }
      // Offsets may skip: where what came lies beyond, there is nothing in between.
      return (events, events.count < all.count)
    } catch {
      if case .offsetOutOfRange = error { return nil }
      try? await Task.sleep(for: .milliseconds(200))
      return ([], false)
    }
  }

  // MARK: The tail

  private func tail(_ topic: String, _ partition: Int) async {
    guard let source = topics[topic] else { return }
    while !Task.isCancelled {
      do throws(BrokerError) {
        let from = state.withLock { $0.end.offsets[topic]?[partition] ?? 0 }
        let reader = try await broker.reader(topic: source, partition: partition, from: from)
        let trouble = await follow(reader, topic)
        await reader.close()
        if let trouble { throw trouble }
      } catch {
        // The broker was restored, or retention has overtaken this process: nobody can tell what lies between.
        if case .offsetOutOfRange(_, let next) = error { begin(topic, partition, at: next) }
      }
      // Trouble of the broker is waited out; the place in the partition is kept.
      try? await Task.sleep(for: .milliseconds(200))
    }
  }

  private func follow(_ reader: any PartitionReader, _ topic: String) async -> BrokerError? {
    while !Task.isCancelled {
      do throws(BrokerError) {
        let events = try await reader.next(limit: 1_000, wait: .seconds(1))
        if !events.isEmpty { take(events, topic) }
      } catch {
        return error
      }
    }
    return nil
  }

  private func begin(_ topic: String, _ partition: Int, at offset: Int64) {
    guard !Task.isCancelled else { return }
    state.withLock { state in
      state.end.move(topic, partition, to: offset)
      if let end = state.end.offsets[topic] { state.start.move(topic, to: end) }
      state.ring.removeAll { $0.topic == topic }
      state.bytes = state.ring.reduce(0) { $0 + $1.bytes }
      listener(topic, .reset, state.end)
    }
  }

  private func take(_ events: [ConsumedEvent], _ topic: String) {
    let now = ContinuousClock.now
    state.withLock { state in
      for event in events {
        state.end.move(topic, event.position.partition, to: event.position.offset + 1)
        let size = event.event.data.count + 512
        state.ring.append(Entry(topic: topic, event: event, bytes: size, arrived: now))
        state.bytes += size
        listener(topic, .event(event), state.end)
      }
      trim(&state, now)
    }
  }

  private func trim(_ state: inout State, _ now: ContinuousClock.Instant) {
    let oldest = now - window
    // An eighth of the ring at a time, since the rest has to move up.
    let eighth = state.ring.count / 8
    guard state.bytes > maximumBytes || (eighth < state.ring.count && state.ring[eighth].arrived < oldest) else { return }
    var gone = 0
    while gone < state.ring.count, state.ring[gone].arrived < oldest || gone < eighth || state.bytes > maximumBytes {
      let entry = state.ring[gone]
      state.bytes -= entry.bytes
      state.start.move(entry.topic, entry.event.position.partition, to: entry.event.position.offset + 1)
      gone += 1
    }
    state.ring.removeFirst(gone)
  }
}
