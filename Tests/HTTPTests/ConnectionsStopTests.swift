import Foundation
import Synchronization
import TestSupport
import Testing

@testable import HTTP

@Suite("Starting and stopping a server")
struct ConnectionsStopTests {
  @Test("Stopping under load answers what runs, ends streams, and leaves no answer half sent")
  func underLoad() async throws {
    let slowBegan = Signal()
    let release = Signal()
    let slow = Route(.get, "/slow", access: .everyone, info: "slow") { _ in
      slowBegan.happen()
      await release.wait()
      return .text("slow")
    }
    let events = Route(.get, "/events", access: .everyone, info: "events") { _ in
      .stream { writer in
        try await writer.send(data: "hello")
        try await Task.sleep(for: .seconds(60))
      }
    }
    try await withServer(routes: [slow, events]) { server in
      let port = server.port
      let load = (0..<8).map { _ in
        Task {
          try await onThread {
            let client = try RawClient(port: port)
            while client.send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"), client.answer() != nil {}
            return client.received.isEmpty
          }
        }
      }
      let running = Task {
        try await onThread {
          let client = try RawClient(port: port)
          client.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
          return client.answer()
        }
      }
      let stream = Task {
        try await onThread {
          let client = try RawClient(port: port)
          client.send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
          client.readToEnd()
          return String(decoding: client.received, as: UTF8.self)
        }
      }
      await slowBegan.wait()
      #expect(await eventually { server.counts.requests > 200 && server.counts.streams == 1 })
      async let left = server.stop()
      let streamed = try await stream.value
      #expect(streamed.hasSuffix("0\r\n\r\n"))
      for client in load {
        let wasWhole = try await client.value
        #expect(wasWhole)
      }
      release.happen()
      let answer = try await running.value
      #expect(answer?.text == "slow")
      #expect(answer?.field("Connection") == "close")
      #expect(await left == 0)
    }
  }

  @Test("A handler that outlives the deadline is cancelled and counted, and its late answer falls on nothing")
  func deadline() async throws {
    let began = Signal()
    let release = Signal()
    let wasCancelled = Mutex<Bool?>(nil)
    let stubborn = Route(.get, "/stubborn", access: .everyone, info: "stubborn") { _ in
      began.happen()
      await release.wait()
      wasCancelled.withLock { $0 = Task.isCancelled }
      return .text("late")
    }
    try await withServer({ $0.stopTime = .milliseconds(100) }, routes: [stubborn]) { server in
      let port = server.port
      let client = Task {
        try await onThread {
          let client = try RawClient(port: port)
          client.send("GET /stubborn HTTP/1.1\r\nHost: x\r\n\r\n")
          client.readToEnd()
          return client.received
        }
      }
      await began.wait()
      #expect(await server.stop() == 1)
      let heard = try await client.value
      #expect(heard == [])
      release.happen()
      #expect(await eventually { wasCancelled.withLock { $0 } == true })
    }
  }

  @Test("A taken port is an error that names its owner, and a server can start again after it stopped")
  func taken() async throws {
    let router = try Router([])
    let port = try freePort()
    try await withServer({ $0.port = port }) { server in
      let second = HTTPServer(settings: ServerSettings(port: server.port), router: router)
      do {
        try await second.start()
        Issue.record("two servers on one port")
      } catch let error as CannotListen {
        #expect(error.owner?.process == Int(ProcessInfo.processInfo.processIdentifier))
        #expect(error.description.contains("Stop that, or choose another port."))
      }
      await server.stop()
      try await second.start()
      await second.stop()
    }
  }

  @Test("It listens on the address it is given", arguments: ["127.0.0.1", "localhost", "::", "0.0.0.0"])
  func addresses(_ host: String) async throws {
    let status = try await withServer({ $0.host = host }) { server in
      let port = server.port
      return try await onThread {
        let client = try RawClient(port: port)
        client.send("GET /last HTTP/1.1\r\nHost: x\r\n\r\n")
        return client.answer()?.status
      }
    }
    #expect(status == 202)
  }

  @Test("What is no address cannot be listened on")
  func noAddress() async throws {
    let server = HTTPServer(settings: ServerSettings(host: "nowhere", port: 0), router: try Router([]))
    await #expect(throws: CannotListen.self) { try await server.start() }
  }
}

@Suite("Clients behind a proxy")
struct ForwardedTests {
  @Test("A trusted proxy is believed, and its client counts by the address it names")
  func believed() async throws {
    let text = try await withServer({ $0.trustedProxies = [Network("127.0.0.0/8")].compactMap { $0 } }) { server in
      let port = server.port
      return try await onThread {
        let client = try RawClient(port: port)
        client.send(
          "GET /echo HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 6.6.6.6, 203.0.113.7, 127.0.0.2\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: city.example\r\n\r\n"
        )
        return client.answer()?.text
      }
    }
    #expect(text?.hasPrefix("GET /echo 203.0.113.7 https://city.example ") == true)
  }

  @Test("Nobody else is")
  func others() {
    let headers: Headers = ["X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"]
    let client = ForwardedClient(peer: "198.51.100.1", host: "x", headers: headers, trusted: [Network("10.0.0.0/8")].compactMap { $0 })
    #expect(client == ForwardedClient(peer: "198.51.100.1", host: "x", headers: [:], trusted: []))
  }

  @Test("Requests of one client behind the proxy are bounded")
  func bounded() async throws {
    let began = Signal()
    let release = Signal()
    let wait = Route(.get, "/wait", access: .everyone, info: "wait") { _ in
      began.happen()
      await release.wait()
      return .noContent
    }
    func ask(_ path: String, for address: String) -> String { "GET \(path) HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: \(address)\r\n\r\n" }
    let first = ask("/wait", for: "203.0.113.7"), again = ask("/echo", for: "203.0.113.7"), other = ask("/echo", for: "203.0.113.8")
    try await withServer(
      {
        $0.maximumPerAddress = 1
        $0.trustedProxies = [Network("127.0.0.1")].compactMap { $0 }
      }, routes: [wait]
    ) { server in
      let port = server.port
      let waiting = Task {
        try await onThread {
          let client = try RawClient(port: port)
          client.send(first)
          return client.answer()?.status
        }
      }
      await began.wait()
      let statuses = try await onThread {
        let client = try RawClient(port: port)
        client.send(again + other)
        return [client.answer()?.status, client.answer()?.status]
      }
      release.happen()
      #expect(statuses == [429, 200])
      let waited = try await waiting.value
      #expect(waited == 204)
    }
  }

  @Test(
    "A network contains its addresses",
    arguments: [
      ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("192.168.4.0/22", "192.168.7.255", true),
      ("192.168.4.0/22", "192.168.8.0", false),
      ("fd00::/8", "fd12::1", true), ("fd00::/8", "fe80::1", false), ("::1", "::1", true), ("127.0.0.1", "::ffff:127.0.0.1", true), ("0.0.0.0/0", "::1", false),
    ])
  func network(_ network: String, _ address: String, _ expected: Bool) throws {
    #expect(try #require(Network(network)).contains(address) == expected)
  }

  @Test("What is no network is none", arguments: ["", "x", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/", "10.0.0.0/08", "1.2.3", "::/129"])
  func noNetwork(_ text: String) { #expect(Network(text) == nil) }
}
