import Foundation
import HTTP
import Synchronization
import Testing

private let chunked = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
private let get = "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"

@Suite("Connections")
struct ConnectionsTests {
  @Test("Requests sent at once are answered in their order")
  func pipelining() async throws {
    let answers = try await withServer { server in
      let port = server.port
      return try await onThread {
        let client = try RawClient(port: port)
        client.send((0..<50).map { "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n\($0 + 10)" }.joined())
        return (0..<50).compactMap { _ in client.answer()?.text.suffix(2) }.map(String.init)
      }
    }
    #expect(answers == (10..<60).map(String.init))
  }

  @Test("HEAD gets the length of the body and no body")
  func head() async throws {
    let (length, status) = try await withServer { server in
      let port = server.port
      return try await onThread {
        let client = try RawClient(port: port)
        client.send("HEAD /last HTTP/1.1\r\nHost: x\r\n\r\nGET /last HTTP/1.1\r\nHost: x\r\n\r\n")
        return (client.answer(toHead: true)?.field("Content-Length"), client.answer()?.status)
      }
    }
    #expect(length == "4")
    #expect(status == 202)
  }

  @Test("Who expects 100 gets it before the body, and 413 instead where the body would be too large")
  func expectation() async throws {
    let statuses = try await withServer { server in
      let port = server.port
      return try await onThread {
        let client = try RawClient(port: port)
        client.send("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        let first = client.answer()?.status
        client.send("hello")
        let second = client.answer()?.status
        client.send("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5000\r\n\r\n")
        return [first, second, client.answer()?.status]
      }
    }
    #expect(statuses == [100, 200, 413])
  }

  @Test("An answer carries the date, and nothing in its fields can end a line")
  func fields() async throws {
    let hostile = Route(.get, "/hostile", access: .everyone, info: "hostile") { _ in
      Response(headers: ["X-Note": "a\r\nSet-Cookie: evil=1", "Content-Length": "99", "Transfer-Encoding": "chunked", "X\r\nY": "z"])
    }
    let answer = try await withServer(routes: [hostile]) { server in
      let port = server.port
      return try await onThread {
        let client = try RawClient(port: port)
        client.send("GET /hostile HTTP/1.1\r\nHost: x\r\n\r\n")
        return client.answer()
      }
    }
    #expect(answer?.field("X-Note") == "a  Set-Cookie: evil=1")
    #expect(answer?.field("Set-Cookie") == nil)
    #expect(answer?.field("Content-Length") == "0")
    #expect(answer?.field("Transfer-Encoding") == nil)
    let date = try #require(answer?.field("Date"))
    #expect(date.wholeMatch(of: /(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT/) != nil)
  }

  @Test("A client of IPv6 is answered, counted by its network, and named as it is")
  func overIPv6() async throws {
    let answers = try await withServer({
      $0.host = "::1"
      $0.maximumPerAddress = 1
    }) { server in
      let port = server.port
      return try await onThread {
        let client = try RawClient(port: port, overIPv6: true)
        client.send("GET /echo HTTP/1.1\r\nHost: [::1]:80\r\n\r\n")
        let first = client.answer()?.text
        return [first, (try RawClient(port: port, overIPv6: true)).answer()?.status.description]
      }
    }
    #expect(answers == ["GET /echo ::1 http://[::1]:80 [host=[::1]:80] ", "503"])
  }

  @Test("An answer that nobody reads is given up after a while, however long it is")
  func unreadAnswer() async throws {
    let long = Route(.get, "/long", access: .everyone, info: "long") { _ in .text(String(repeating: "x", count: 32 << 20)) }
    try await withServer({ $0.writeTime = .milliseconds(100) }, routes: [long]) { server in
      let port = server.port
      let isOver = Signal()
      let client = Task {
        try await onThread {
          let client = try RawClient(port: port, receiveBuffer: 4096)
          client.send("GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
          while !isOver.hasHappened { usleep(1000) }
        }
      }
      #expect(await eventually { server.counts.timeouts == 1 && server.counts.connections == 0 })
      isOver.happen()
      try await client.value
    }
  }

  @Test("Every answer is observed, the parser's refusals too, with their reasons")
  func observed() async throws {
    let seen = Mutex<[String]>([])
    let reasons = Mutex<[String?]>([])
    let hooks = Router.Hooks(observe: { observation in
      seen.withLock { $0.append("\(observation.request?.method.rawValue ?? "none") \(observation.pattern ?? "none") \(observation.status)") }
      reasons.withLock { $0.append(observation.refusal) }
    })
    let router = try Router([Route(.get, "/known", access: .everyone, info: "known") { _ in .noContent }], hooks: hooks)
    var settings = ServerSettings(port: 0)
    settings.requestTime = .milliseconds(100)
    let server = HTTPServer(settings: settings, router: router)
    try await server.start()
    let port = server.port
    try await onThread {
      for text in ["GET /known HTTP/1.1\r\nHost: x\r\n\r\nGET  / HTTP/1.1\r\n\r\n", "GET /%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "GET /kn"] {
        let client = try RawClient(port: port)
        client.send(text)
        client.readToEnd()
      }
    }
    #expect(server.counts.accepted == 3)
    #expect(server.counts.requests == 2)
    await server.stop()
    #expect(seen.withLock { $0 } == ["GET /known 204", "none none 400", "none none 400", "none none 408"])
    #expect(reasons.withLock { $0 }.map { $0 == nil } == [true, false, false, false])
    #expect(reasons.withLock { $0 }.last == "The request did not arrive in time.")
  }

  @Test(
    "A request that arrives too slowly is answered 408 while its bytes still trickle",
    arguments: [
      "GET /echo HTTP/1.1\r\nA: ", "POST /large HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", chunked + "5;",
      chunked.replacing("echo", with: "large") + "fffff\r\n", chunked + "0\r\nA: ",
    ])
  func slow(_ beginning: String) async throws {
    let (answeredInTime, statuses, timeouts) = try await withServer({ $0.requestTime = .seconds(1) }) { server in
      let port = server.port
      let (answeredInTime, statuses) = try await onThread {
        let client = try RawClient(port: port)
        client.send(beginning)
        // A byte a hundred times in the time that all of them have together, and for twenty times as long.
        for _ in 0..<2000 where !client.hasInput() {
          client.send("a")
          usleep(10_000)
        }
        return (client.hasInput(), client.answersToEnd().map(\.status))
      }
      return (answeredInTime, statuses, server.counts.timeouts)
    }
    #expect(answeredInTime)
    #expect(statuses == [408])
    #expect(timeouts == 1)
  }

  @Test(
    "A body too large is answered 413, and the answer reaches a client that sends first and reads then",
    arguments: ["Content-Length: 3000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n2dc6c0\r\n"])
  func tooLarge(_ framing: String) async throws {
    // Time enough for a client that is held up.
    let (isTaken, statuses, wasClosed) = try await withServer({ $0.lingerTime = .seconds(60) }) { server in
      let port = server.port
      return try await onThread {
        let client = try RawClient(port: port)
        client.send("POST /echo HTTP/1.1\r\nHost: x\r\n\(framing)")
        client.send([UInt8](repeating: 0x78, count: 16_384))
        // The answer is there. A reset would end what follows, and take the answer along where it has not been read.
        for _ in 0..<20_000 where !client.hasInput() { usleep(1000) }
        let isTaken = client.send([UInt8](repeating: 0x78, count: 3_000_000 - 16_384))
        return (isTaken, client.answersToEnd().map(\.status), client.wasClosed)
      }
    }
    #expect(isTaken)
    #expect(statuses == [413])
    #expect(wasClosed)
  }

  @Test("A route may take more than the others, and the server's own limit holds above all")
  func routeLimit() async throws {
    let statuses = try await withServer({ $0.bodyLimit = 2_000_000 }) { server in
      let port = server.port
      return try await onThread {
        try [1_500_000, 2_500_000].map { size in
          let client = try RawClient(port: port)
          client.send("POST /large HTTP/1.1\r\nHost: x\r\nContent-Length: \(size)\r\n\r\n")
          client.send([UInt8](repeating: 0x78, count: size))
          return client.answer()?.status
        }
      }
    }
    #expect(statuses == [200, 413])
  }

  @Test("A client that leaves cancels its handler, also after sending more", arguments: ["", get, "GET /ec"])
  func leaving(_ early: String) async throws {
    let began = Signal()
    let cancelled = Signal()
    let wait = Route(.get, "/wait", access: .everyone, info: "wait") { _ in
      began.happen()
      try? await Task.sleep(for: .seconds(60))
      if Task.isCancelled { cancelled.happen() }
      return .noContent
    }
    try await withServer({ $0.idleTime = .milliseconds(200) }, routes: [wait]) { server in
      let port = server.port
      let sent = Signal()
      let client = Task {
        try await onThread {
          let client = try RawClient(port: port)
          client.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n" + early)
          sent.happen()
          while !began.hasHappened { usleep(1000) }
        }
      }
      try await client.value
      await cancelled.wait()
      #expect(await eventually { server.counts.left == 1 })
    }
  }

  @Test("A client that leaves before its handler opens a stream is noticed when it opens")
  func leavingBeforeStream() async throws {
    let began = Signal()
    let ended = Signal()
    let late = Route(.get, "/late", access: .everyone, info: "late") { _ in
      began.happen()
      try? await Task.sleep(for: .seconds(60))
      return .stream { writer in
        defer { ended.happen() }
        while true { try await writer.send(data: "x") }
      }
    }
    let stayed = Route(.get, "/stay", access: .everyone, info: "stay") { _ in .noContent }
    let left = try await withServer(routes: [late, stayed]) { server in
      let port = server.port
      try await onThread {
        let client = try RawClient(port: port)
        client.send("GET /late HTTP/1.1\r\nHost: x\r\n\r\n")
        while !began.hasHappened { usleep(1000) }
      }
      #expect(await eventually { server.counts.connections == 0 })
      #expect(server.counts.streams == 0)
      return await server.stop()
    }
    #expect(left == 0)
  }

  @Test("Connections beyond the limit of their address are answered 503, until one leaves")
  func perAddress() async throws {
    try await withServer({
      $0.maximumPerAddress = 2
      $0.lingerTime = .milliseconds(50)
    }) { server in
      let port = server.port
      let statuses = try await onThread {
        let clients = try (0..<2).map { _ in try RawClient(port: port) }
        let first = clients.map { client in
          client.send(get)
          return client.answer()?.status
        }
        let third = try RawClient(port: port)
        let refused = third.answersToEnd()
        return first + refused.map(\.status)
      }
      #expect(statuses == [200, 200, 503])
      #expect(await eventually { server.counts.connections == 0 })
      let again = try await onThread {
        let client = try RawClient(port: port)
        client.send(get)
        return client.answer()?.status
      }
      #expect(again == 200)
    }
  }

  @Test("Connections beyond the limit of the server are answered 503")
  func inAll() async throws {
    let statuses = try await withServer({ $0.maximumConnections = 1 }) { server in
      let port = server.port
      return try await onThread {
        let first = try RawClient(port: port)
        first.send(get)
        let status = first.answer()?.status
        return [status] + (try RawClient(port: port)).answersToEnd().map(\.status)
      }
    }
    #expect(statuses == [200, 503])
  }

  @Test("A connection without a request is closed")
  func idle() async throws {
    let (bytes, wasClosed) = try await withServer({ $0.idleTime = .milliseconds(50) }) { server in
      let port = server.port
      return try await onThread {
        let client = try RawClient(port: port)
        client.readToEnd()
        return (client.received, client.wasClosed)
      }
    }
    #expect(bytes.isEmpty && wasClosed)
  }
}
