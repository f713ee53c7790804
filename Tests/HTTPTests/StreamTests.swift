import Synchronization
import Testing

@testable import HTTP

/// A stream whose client is the test.
private final class Listener: StreamSink {
  private let state = Mutex((text: "", isOpen: true))
  let group: (any StreamGroup)?
  let streamID: UInt64

  init(_ group: (any StreamGroup)? = nil, id: UInt64 = 0) {
    self.group = group
    streamID = id
  }

  func push(_ bytes: [UInt8]) { state.withLock { if $0.isOpen { $0.text += String(decoding: bytes, as: UTF8.self) } } }
  func end() { state.withLock { $0.isOpen = false } }
  var isOpen: Bool { state.withLock { $0.isOpen } }
  var text: String { state.withLock { $0.text } }
}

private final class Pushes: StreamGroup {
  private let pushes = Mutex<[(String, [UInt64])]>([])
  func push(_ bytes: [UInt8], to streams: [UInt64]) {
    pushes.withLock { $0.append((String(decoding: bytes, as: UTF8.self), streams.sorted())) }
  }
  var all: [(String, [UInt64])] { pushes.withLock { $0 } }
}

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

@Suite("A stream of events")
struct StreamTests {
  @Test("writes events as browsers read them")
  func format() {
    #expect(text(ServerSentEvent.bytes(data: Array("a".utf8))) == "data: a\n\n")
    #expect(text(ServerSentEvent.bytes(id: "7", event: "reading", data: Array("{}".utf8))) == "id: 7\nevent: reading\ndata: {}\n\n")
    #expect(text(ServerSentEvent.bytes(data: [])) == "data: \n\n")
    #expect(text(ServerSentEvent.comment()) == ": \n\n")
  }

  @Test("gives each line of data its field, whichever way it ends")
  func lines() {
    #expect(text(ServerSentEvent.bytes(data: Array("a\nb\r\nc\rd\n".utf8))) == "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n")
  }

  @Test("lets no id, name or comment begin another line")
  func injection() {
    for id in ["1\n2", "1\r2", "1\u{0}2"] { #expect(text(ServerSentEvent.bytes(id: id, data: [])) == "data: \n\n") }
    #expect(text(ServerSentEvent.bytes(event: "a\ndata: x", data: [])) == "event: a data: x\ndata: \n\n")
    #expect(text(ServerSentEvent.comment("a\r\n\r\ndata: x")) == ": a    data: x\n\n")
  }

  @Test("tells its writer that nobody listens any more")
  func closed() async throws {
    let listener = Listener()
    let writer = EventStreamWriter(listener)
    try await writer.send(id: "1", data: "a")
    try await writer.comment("still here")
    listener.end()
    await #expect(throws: StreamClosed.self) { try await writer.send(data: "b") }
    #expect(listener.text == "id: 1\ndata: a\n\n: still here\n\n")
  }

  @Test("hears what is broadcast after it joined, and first what it missed")
  func broadcast() async throws {
    let broadcast = Broadcast()
    let (early, late) = (Listener(), Listener())
    broadcast.join(early)
    broadcast.push(Array("1".utf8))
    broadcast.join(late) { [Array("0".utf8), Array("1".utf8)] }
    broadcast.push(Array("2".utf8))
    #expect(early.text == "12")
    #expect(late.text == "012")
    early.end()
    broadcast.push(Array("3".utf8))
    #expect(broadcast.count == 1)
    broadcast.end()
    #expect(!late.isOpen)
    #expect(broadcast.count == 0)
  }

  @Test("is pushed to with all others of its server in one call")
  func groups() {
    let server = Pushes()
    let broadcast = Broadcast()
    let listeners = (1...3).map { Listener(server, id: $0) }
    for listener in listeners { broadcast.join(listener) }
    let alone = Listener()
    broadcast.join(alone)
    broadcast.push(Array("x".utf8))
    listeners[1].end()
    broadcast.leave(listeners[2])
    broadcast.push(Array("y".utf8))
    #expect(server.all.map(\.0) == ["x", "y"])
    #expect(server.all.map(\.1) == [[1, 2, 3], [1]])
    #expect(alone.text == "xy")
  }

  @Test("is forgotten when it has ended, even where nothing is broadcast")
  func forgotten() {
    let broadcast = Broadcast()
    for _ in 0..<1000 {
      let listener = Listener()
      broadcast.join(listener)
      listener.end()
    }
    #expect(broadcast.count <= 64)
  }

  @Test("joins a broadcast after its opening, and stays open without a task")
  func joining() async throws {
    let broadcast = Broadcast()
    let listener = Listener()
    let stream = EventStream.joining(broadcast) { writer in
      try await writer.send(data: "hello")
    } first: {
      [ServerSentEvent.comment("ring")]
    }
    #expect(stream.staysOpen)
    try await stream.run(EventStreamWriter(listener))
    broadcast.push(ServerSentEvent.bytes(data: Array("news".utf8)))
    #expect(listener.text == "data: hello\n\n: ring\n\ndata: news\n\n")
    #expect(listener.isOpen)
  }
}
