import Foundation
import HTTP
import Synchronization
import Testing

private let listen = "GET /events HTTP/1.1\r\nHost: x\r\n\r\n"

@Suite("Event streams on connections")
struct ConnectionsStreamTests {
  @Test("A stream carries its events in chunks and ends with the last one")
  func events() async throws {
    let events = Route(.get, "/events", access: .everyone, info: "events") { request in
      .stream { writer in try await writer.send(id: "8", event: "reading", data: "after \(request.lastEventID ?? "-")") }
    }
    let text = try await withServer(routes: [events]) { server in
      let port = server.port
      return try await onThread {
        let client = try RawClient(port: port)
        client.send("GET /events HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 7\r\n\r\n")
        client.readToEnd()
        return String(decoding: client.received, as: UTF8.self)
      }
    }
    #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
    #expect(text.contains("Transfer-Encoding: chunked\r\n"))
    #expect(text.contains("content-type: text/event-stream"))
    #expect(text.hasSuffix("\r\n\r\n24\r\nid: 8\nevent: reading\ndata: after 7\n\n\r\n0\r\n\r\n"))
  }

  @Test("Who listens hears what is broadcast, and a comment when nothing is")
  func broadcast() async throws {
    let all = Broadcast()
    let events = Route(.get, "/events", access: .everyone, info: "events") { _ in .stream(.joining(all)) }
    try await withServer({ $0.heartbeat = .milliseconds(50) }, routes: [events]) { server in
      let port = server.port
      let heard = (0..<5).map { _ in
        Task {
          try await onThread {
            let client = try RawClient(port: port)
            client.send(listen)
            return client.read(until: "data: hello\n\n") && client.read(until: "\n\n\r\n4\r\n: \n\n")
          }
        }
      }
      #expect(await eventually { all.count == 5 })
      all.push(ServerSentEvent.bytes(data: Array("hello".utf8)))
      for listener in heard {
        let hasHeard = try await listener.value
        #expect(hasHeard)
      }
      #expect(await eventually { server.counts.streams == 0 })
      #expect(server.counts.left == 5)
    }
  }

  @Test("A client that leaves cancels its stream")
  func leaving() async throws {
    let ended = Signal()
    let events = Route(.get, "/events", access: .everyone, info: "events") { _ in
      .stream { writer in
        defer { ended.happen() }
        try await writer.send(data: "hello")
        try await Task.sleep(for: .seconds(60))
      }
    }
    try await withServer(routes: [events]) { server in
      let port = server.port
      try await onThread {
        let client = try RawClient(port: port)
        client.send(listen)
        _ = client.read(until: "hello")
      }
      await ended.wait()
      #expect(await eventually { server.counts.streams == 0 })
    }
  }

  @Test("A stream whose client does not read is cut off, and its memory is bounded")
  func slowReader() async throws {
    let cut = Signal()
    let events = Route(.get, "/events", access: .everyone, info: "events") { _ in
      .stream { writer in
        defer { cut.happen() }
        let event = ServerSentEvent.bytes(data: [UInt8](repeating: 0x78, count: 16_000))
        // Far beyond the limit and yet bounded, for a server that would not cut it off.
        for _ in 0..<10_000 where writer.sink.isOpen {
          writer.sink.push(event)
          await Task.yield()
        }
        while writer.sink.isOpen { try await Task.sleep(for: .milliseconds(5)) }
      }
    }
    try await withServer({ $0.writeTime = .seconds(600) }, routes: [events]) { server in
      let port = server.port
      let client = Task {
        try await onThread {
          let client = try RawClient(port: port, receiveBuffer: 4096)
          client.send(listen)
          while !cut.hasHappened { usleep(1000) }
        }
      }
      await cut.wait()
      try await client.value
      #expect(server.counts.cut == 1)
      #expect(await eventually { server.counts.connections == 0 })
    }
  }

  @Test("A writer waits for a client that is behind, so that more than the limit can be caught up")
  func catchingUp() async throws {
    let events = Route(.get, "/events", access: .everyone, info: "events") { _ in
      .stream { writer in
        for _ in 0..<400 { try await writer.send(data: [UInt8](repeating: 0x78, count: 16_000)) }
      }
    }
    let (count, cut) = try await withServer(routes: [events]) { server in
      let port = server.port
      let count = try await onThread {
        let client = try RawClient(port: port, receiveBuffer: 65536)
        client.send(listen)
        client.readToEnd()
        return client.received.count
      }
      return (count, server.counts.cut)
    }
    #expect(count > 400 * 16_000)
    #expect(cut == 0)
  }

  @Test("HEAD and HTTP/1.0 get no stream")
  func noStream() async throws {
    let events = Route(.get, "/events", access: .everyone, info: "events") { _ in .stream { _ in try await Task.sleep(for: .seconds(60)) } }
    let statuses = try await withServer(routes: [events]) { server in
      let port = server.port
      return try await onThread {
        let head = try RawClient(port: port)
        head.send("HEAD /events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        let old = try RawClient(port: port)
        old.send("GET /events HTTP/1.0\r\n\r\n")
        return [head.answer(toHead: true)?.status, old.answer()?.status]
      }
    }
    #expect(statuses == [200, 505])
  }
}
