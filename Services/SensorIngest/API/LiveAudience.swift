import EventSourcing
import HTTP
import JSON
import SensorDomain
import Synchronization

/// Everybody who has heard what there is, and waits for what comes. They stand at one place, so that an event is written once for all who may see the same.
final class LiveAudience: Sendable {
  private struct State {
    /// By the datastream they asked for; nil for those who hear all.
    var rooms: [STAViewer: [String?: Broadcast]] = [:]
    var count = 0
    var sweepAt = 64

    mutating func room(of viewer: STAViewer, for datastream: String?) -> Broadcast {
      if let room = rooms[viewer]?[datastream] { return room }
      let room = Broadcast()
      rooms[viewer, default: [:]][datastream] = room
      count += 1
      return room
    }

    /// Forgets rooms that nobody is in any more: strangers choose what they are called.
    mutating func sweep() {
      guard count >= sweepAt else { return }
      rooms = rooms.mapValues { $0.filter { !$0.value.isDeserted } }.filter { !$0.value.isEmpty }
      count = rooms.reduce(0) { $0 + $1.value.count }
      sweepAt = max(64, count * 2)
    }
  }

  private let state = Mutex(State())

  /// Adds a stream to those who hear these datastreams, or all.
  func enter(_ sink: any StreamSink, as viewer: STAViewer, for datastreams: Set<String>?) {
    state.withLock { state in
      for datastream in datastreams.map({ $0.map(Optional.some) }) ?? [nil] { state.room(of: viewer, for: datastream).join(sink) }
      state.sweep()
    }
  }

  /// Writes what came, for all whom it concerns.
  func tell(_ topic: String, _ news: LiveFeed.News, _ places: LivePlaces) {
    state.withLock { state in
      var message: LiveMessage?
      for (viewer, rooms) in state.rooms where viewer.hears(news, of: topic) {
        let concerned = news.datastream.map { [rooms[nil], rooms[$0]].compactMap { $0 } } ?? Array(rooms.values)
        guard !concerned.isEmpty else { continue }
        guard let told = message ?? LiveMessage(news) else { return }
        message = told
        let bytes = told.bytes(at: places.only(viewer.topics))
        for room in concerned { room.push(bytes) }
      }
    }
  }

  /// Ends every stream.
  func end() {
    let rooms = state.withLock { state in
      defer { state = State() }
      return state.rooms.values.flatMap(\.values)
    }
    for room in rooms { room.end() }
  }
}

extension STAViewer {
  /// The names of the topics whose events this viewer may see, or some of them.
  var topics: [String] { visibilities.map(\.rawValue) }

  func hears(_ news: LiveFeed.News, of topic: String) -> Bool {
    guard let visibility = DatastreamVisibility(rawValue: topic), visibilities.contains(visibility) else { return false }
    guard case .event(let consumed) = news else { return true }
    return sees(visibility, city: consumed.event.city)
  }
}

extension LiveFeed.News {
  /// The datastream that an event is about; nil for what everybody must know.
  var datastream: String? {
    if case .event(let consumed) = self { consumed.key } else { nil }
  }

  func isAmong(_ wanted: Set<String>?) -> Bool {
    guard let wanted, let datastream else { return true }
    return wanted.contains(datastream)
  }
}
