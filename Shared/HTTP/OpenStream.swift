import CConnections
import Synchronization

/// An event stream on a connection of this server.
final class OpenStream: StreamSink {
  /// Pushed bytes after which a writer waits until they are written: below the limit at which a stream is cut off.
  private static let pause = 64 << 10

  private struct State {
    var isOpen = true
    var unflushed = 0
    var isFlushing = false
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  let streamID: http_connection
  private let server: RunningServer
  private let handle: http_server
  private let state = Mutex(State())

  init(_ connection: http_connection, of server: RunningServer, handle: http_server) {
    streamID = connection
    self.server = server
    self.handle = handle
  }

  var group: (any StreamGroup)? { server }
  var isOpen: Bool { state.withLock { $0.isOpen } }

  func push(_ bytes: [UInt8]) {
    let isOpen = state.withLock { state in
      state.unflushed += bytes.count
      return state.isOpen
    }
    guard isOpen else { return }
    withUnsafePointer(to: streamID) { id in
      unsafe bytes.withUnsafeBytes { unsafe http_push(handle, id, 1, http_bytes($0)) }
    }
  }

  func end() {
    guard close() else { return }
    server.ended(streamID)
    http_end_stream(handle, streamID)
  }

  func ready() async {
    guard state.withLock({ $0.isOpen && $0.unflushed > OpenStream.pause }) else { return }
    await withCheckedContinuation { continuation in
      let (resumes, flushes) = state.withLock { state in
        guard state.isOpen else { return (true, false) }
        state.waiting.append(continuation)
        defer { state.isFlushing = true }
        return (false, !state.isFlushing)
      }
      if resumes { continuation.resume() }
      if flushes { http_flush(handle, streamID) }
    }
  }

  /// All that had been pushed was written.
  func flushed() {
    let waiting = state.withLock { state in
      defer { state.waiting = [] }
      state.unflushed = 0
      state.isFlushing = false
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }

  /// Nobody listens any more. False where that was known.
  @discardableResult
  func close() -> Bool {
    let (wasOpen, waiting) = state.withLock { state in
      defer {
        state.isOpen = false
        state.waiting = []
      }
      return (state.isOpen, state.waiting)
    }
    for continuation in waiting { continuation.resume() }
    return wasOpen
  }
}
