import Broker
import Synchronization

/// One reader's view of a live feed. It ends when its reader is too slow, when the feed stops, or when the task is cancelled.
public struct LiveEvents: AsyncSequence, Sendable {
  public typealias Element = LiveFeed.Item
  let feed: LiveFeed
  let place: LivePlace?
  let capacity: Int

  public func makeAsyncIterator() -> Iterator {
    Iterator(feed: feed, subscriber: LiveSubscriber(capacity: capacity), place: place)
  }

  public struct Iterator: AsyncIteratorProtocol {
    let feed: LiveFeed
    let subscriber: LiveSubscriber
    /// Where the reader stands; nil begins now. Its own, since another process may have told it the partitions in another order than the ring has them.
    var place: LivePlace?
    var isLive = false
    var ready: ArraySlice<ConsumedEvent> = []

    public mutating func next() async -> LiveFeed.Item? {
      while true {
        if let event = ready.popFirst() { return told(event) }
        if isLive {
          switch await subscriber.next() {
          case .event(let event): return told(event)
          case .reset(let place): return reset(place)
          case nil: return nil
          }
        }
        if Task.isCancelled { return nil }
        switch await feed.attach(subscriber, at: place) {
        case .live(let events, let from):
          isLive = true
          place = from
          ready = events[...]
        case .reset(let now):
          isLive = true
          return reset(now)
        case .behind(let partition, let until): await catchUp(partition, until)
        }
      }
    }

    private mutating func told(_ event: ConsumedEvent) -> LiveFeed.Item {
      let after = (place ?? LivePlace(offsets: [])).after(event.position)
      place = after
      return .event(at: after, event)
    }

    private mutating func reset(_ now: LivePlace) -> LiveFeed.Item {
      place = now
      return .reset(at: now)
    }

    /// Reads from the broker what the ring no longer has, as fast as the reader asks for it.
    private mutating func catchUp(_ partition: Int, _ until: Int64) async {
      guard let from = place else { return }
      do {
        let reader = try await feed.reader(partition, from: from.offsets[partition])
        let read: [ConsumedEvent]
        do {
          read = try await reader.next(limit: 500, wait: .seconds(1))
        } catch {
          await reader.close()
          throw error
        }
        await reader.close()
        ready = read.filter { $0.position.offset < until }[...]
        // Offsets may skip: what came lies beyond, so there is nothing in between.
        if ready.isEmpty, !read.isEmpty { place = from.moved(partition, to: until) }
      } catch BrokerError.offsetOutOfRange {
        // No place of this topic: answered with a reset.
        place = LivePlace(offsets: [])
      } catch {
        try? await Task.sleep(for: .milliseconds(200))
      }
    }
  }
}

/// What waits for one reader, bounded.
final class LiveSubscriber: Sendable {
  enum News: Sendable {
    case event(ConsumedEvent)
    /// From here on, after something that nobody can tell.
    case reset(LivePlace)
  }

  private struct State {
    var items: [News] = []
    var waiting: CheckedContinuation<News?, Never>?
    var ended = false
  }

  private let state = Mutex(State())
  private let capacity: Int

  init(capacity: Int) {
    self.capacity = capacity
  }

  /// - Returns: false when the reader has gone or is cut off for being slow.
  func push(_ item: News) -> Bool {
    let (taken, waiting) = state.withLock { state -> (Bool, CheckedContinuation<News?, Never>?) in
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

  func next() async -> News? {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let (item, isKnown) = state.withLock { state -> (News?, Bool) in
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
