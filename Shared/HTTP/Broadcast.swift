import Synchronization

/// Many streams that hear the same: an event is formatted once, and each server pushes it to all its streams in one call.
public final class Broadcast: Sendable {
  private struct State {
    var sinks: [ObjectIdentifier: any StreamSink] = [:]
    var sweepAt = 64
  }

  private let state = Mutex(State())

  public init() {}

  /// Streams that were open when last looked.
  public var count: Int { state.withLock { $0.sinks.count } }

  /// Whether no stream of it is open any more.
  public var isDeserted: Bool { state.withLock { !$0.sinks.values.contains { $0.isOpen } } }

  /// Adds a stream. `first` is pushed to it before anything that is broadcast later, and after nothing that
  /// was broadcast before: what a ring still holds goes there without a gap. It must not use this broadcast.
  public func join(_ sink: any StreamSink, first: () -> [[UInt8]] = { [] }) {
    state.withLock { state in
      for bytes in first() { sink.push(bytes) }
      guard sink.isOpen else { return }
      state.sinks[ObjectIdentifier(sink)] = sink
      if state.sinks.count >= state.sweepAt {
        state.sinks = state.sinks.filter { $0.value.isOpen }
        state.sweepAt = max(64, state.sinks.count * 2)
      }
    }
  }

  public func leave(_ sink: any StreamSink) {
    state.withLock { $0.sinks[ObjectIdentifier(sink)] = nil }
  }

  /// Pushes the bytes of one event or several to every stream; those that are gone are forgotten.
  public func push(_ bytes: [UInt8]) {
    state.withLock { state in
      var groups: [ObjectIdentifier: (group: any StreamGroup, streams: [UInt64])] = [:]
      var gone: [ObjectIdentifier] = []
      for (id, sink) in state.sinks {
        guard sink.isOpen else {
          gone.append(id)
          continue
        }
        if let group = sink.group {
          groups[ObjectIdentifier(group), default: (group, [])].streams.append(sink.streamID)
        } else {
          sink.push(bytes)
        }
      }
      for id in gone { state.sinks[id] = nil }
      for (_, entry) in groups { entry.group.push(bytes, to: entry.streams) }
    }
  }

  /// Ends every stream.
  public func end() {
    let sinks = state.withLock { state in
      defer { state.sinks = [:] }
      return state.sinks
    }
    for sink in sinks.values { sink.end() }
  }
}
