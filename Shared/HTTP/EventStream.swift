/// An open answer that carries server-sent events (WHATWG HTML, section 9.2).
public struct EventStream: Sendable {
  /// Writes the events. When it returns, the stream ends, unless `staysOpen`.
  public let run: @Sendable (EventStreamWriter) async throws -> Void
  /// True where `run` only opens the stream (catches up, joins a `Broadcast`), so that no task has to wait for
  /// as long as a client listens. The server ends it when the client leaves or the service stops.
  public let staysOpen: Bool

  public init(staysOpen: Bool = false, _ run: @escaping @Sendable (EventStreamWriter) async throws -> Void) {
    self.run = run
    self.staysOpen = staysOpen
  }

  /// A stream that says `opening`, then `first`, then everything pushed into `broadcast`. What is broadcast while
  /// `opening` runs is not heard; `first` is asked at the moment of joining, so that what a ring holds follows without a gap.
  public static func joining(
    _ broadcast: Broadcast, opening: @escaping @Sendable (EventStreamWriter) async throws -> Void = { _ in },
    first: @escaping @Sendable () -> [[UInt8]] = { [] }
  ) -> EventStream {
    EventStream(staysOpen: true) { writer in
      try await opening(writer)
      broadcast.join(writer.sink, first: first)
    }
  }
}

/// One open stream as the server holds it.
public protocol StreamSink: AnyObject, Sendable {
  /// Queues bytes and returns at once. A client that does not read is cut off instead of buffered without bound.
  func push(_ bytes: [UInt8])
  /// Ends the stream after what was pushed.
  func end()
  /// False once the client left, was cut off, or the stream ended.
  var isOpen: Bool { get }
  /// Returns when the client has read most of what was pushed, or is gone.
  func ready() async
  /// Who can push the same bytes to many of its streams in one call; nil where nobody can.
  var group: (any StreamGroup)? { get }
  /// The name of this stream within `group`.
  var streamID: UInt64 { get }
}

extension StreamSink {
  public func ready() async {}
  public var group: (any StreamGroup)? { nil }
  public var streamID: UInt64 { 0 }
}

/// Pushes to many streams at once: a server.
public protocol StreamGroup: AnyObject, Sendable {
  /// Streams that are gone are passed over.
  func push(_ bytes: [UInt8], to streams: [UInt64])
}

/// The client of a stream left, or could not keep up.
public struct StreamClosed: Error, Sendable {
  public init() {}
}

/// Writes events into one stream.
public struct EventStreamWriter: Sendable {
  public let sink: any StreamSink

  public init(_ sink: any StreamSink) { self.sink = sink }

  /// Sends one event, and waits while the client is behind. Throws `StreamClosed` when nobody listens any more.
  public func send(id: String? = nil, event: String? = nil, data: [UInt8]) async throws {
    try await send(ServerSentEvent.bytes(id: id, event: event, data: data))
  }

  public func send(id: String? = nil, event: String? = nil, data: String) async throws {
    try await send(id: id, event: event, data: Array(data.utf8))
  }

  public func comment(_ text: String = "") async throws {
    try await send(ServerSentEvent.comment(text))
  }

  /// Sends bytes that `ServerSentEvent` formatted, once for many streams.
  public func send(_ formatted: [UInt8]) async throws {
    try Task.checkCancellation()
    await sink.ready()
    guard sink.isOpen else { throw StreamClosed() }
    sink.push(formatted)
  }
}

/// The bytes of events and comments.
public enum ServerSentEvent {
  /// Every line of `data` gets its own field. An id with CR, LF or NUL would end its line or be ignored by
  /// browsers, so it is left out; line ends in `event` become blanks.
  public static func bytes(id: String? = nil, event: String? = nil, data: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(data.count + 64)
    if let id, !id.utf8.contains(where: { $0 == 13 || $0 == 10 || $0 == 0 }) {
      out += "id: ".utf8
      out += id.utf8
      out.append(10)
    }
    if let event {
      out += "event: ".utf8
      out += Headers.inOneLine(event).utf8
      out.append(10)
    }
    out += "data: ".utf8
    var previous: UInt8 = 0
    for byte in data {
      if byte == 13 || (byte == 10 && previous != 13) {
        out.append(10)
        out += "data: ".utf8
      } else if byte != 10 {
        out.append(byte)
      }
      previous = byte
    }
    out.append(10)
    out.append(10)
    return out
  }

  /// An id alone: a browser remembers it and dispatches nothing.
  public static func place(_ id: String) -> [UInt8] {
    Array("id: \(Headers.inOneLine(id))\n\n".utf8)
  }

  public static func comment(_ text: String = "") -> [UInt8] {
    Array(": \(Headers.inOneLine(text))\n\n".utf8)
  }
}
