import Foundation
import Testing

@testable import HTTP

private let hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Thing: one\r\n\r\nhello"

@Suite("The HTTP client")
struct ClientTests {
  @Test("sends method, fields and body, and reads status, fields and body")
  func exchange() async throws {
    let peer = try ClientPeer.always(hello)
    defer { peer.stop() }
    let client = HTTPClient()
    let answer = try await client.send(.json(.post, peer.url + "/x?y=1", Array("{\"a\":1}".utf8), headers: ["Authorization": "Bearer t", "X-Empty": ""]))
    #expect(answer.status == 200)
    #expect(answer.text == "hello")
    #expect(answer.headers["x-THING"] == "one")
    let request = try #require(peer.requests.first)
    #expect(request.hasPrefix("POST /x?y=1 HTTP/1.1\r\n"))
    #expect(request.hasSuffix("\r\n\r\n{\"a\":1}"))
    #expect(request.contains("authorization: Bearer t\r\n"))
    #expect(request.contains("x-empty:\r\n"))
    #expect(request.contains("content-type: application/json\r\n"))
    #expect(!request.lowercased().contains("expect:"))
    await client.close()
  }

  @Test("names the method of every request", arguments: Method.allCases)
  func methods(_ method: HTTP.Method) async throws {
    let peer = try ClientPeer.always(method == .head ? "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" : hello)
    defer { peer.stop() }
    let answer = try await HTTPClient().send(ClientRequest(method, peer.url + "/"))
    #expect(answer.status == 200)
    #expect(peer.requests.first?.hasPrefix("\(method.rawValue) / HTTP/1.1") == true)
    #expect(peer.requests.first?.lowercased().contains("x-www-form-urlencoded") == false)
  }

  @Test("uses a connection again")
  func reuse() async throws {
    let peer = try ClientPeer { peer, connection in
      peer.remember("connection")
      while connection.read() != nil, connection.write(hello) {}
    }
    defer { peer.stop() }
    let client = HTTPClient()
    for _ in 0..<20 { _ = try await client.send(ClientRequest(.get, peer.url + "/")) }
    #expect(peer.requests.count == 1)
  }

  @Test("carries a hundred requests at once over few connections")
  func many() async throws {
    let peer = try ClientPeer.always(hello)
    defer { peer.stop() }
    let client = HTTPClient(HTTPClient.Settings(connectionsPerHost: 4))
    try await withThrowingTaskGroup(of: Int.self) { group in
      for number in 0..<100 { group.addTask { try await client.send(.json(.post, peer.url + "/\(number)", Array("{}".utf8))).status } }
      for try await status in group { #expect(status == 200) }
    }
    #expect(peer.requests.count == 100)
  }

  @Test("ends a body that drips on and on when its time is over")
  func drip() async throws {
    let peer = try ClientPeer { _, connection in
      _ = connection.read()
      connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
      while connection.write("x") { usleep(20_000) }
    }
    defer { peer.stop() }
    let started = ContinuousClock.now
    let error = await failure(ClientRequest(.get, peer.url + "/", timeout: .milliseconds(300)))
    #expect(error == .timedOut(url: peer.url + "/", after: .milliseconds(300), sent: true))
    #expect(started.duration(to: .now) < .seconds(60))
  }

  @Test("counts the wait for a connection into the time-out")
  func queue() async throws {
    let peer = try ClientPeer { _, connection in
      _ = connection.read()
      connection.awaitLeaving()
    }
    defer { peer.stop() }
    let client = HTTPClient(HTTPClient.Settings(connectionsPerHost: 1))
    async let first = failure(ClientRequest(.get, peer.url + "/1", timeout: .seconds(20)), client)
    async let second = failure(ClientRequest(.get, peer.url + "/2", timeout: .milliseconds(300)), client)
    async let third = failure(ClientRequest(.get, peer.url + "/3", timeout: .milliseconds(300)), client)
    let outcomes = await [second, third]
    #expect(outcomes.allSatisfy { if case .timedOut = $0 { true } else { false } })
    await client.close()
    #expect(await first == .closed)
  }

  @Test("does not follow a redirect unless asked")
  func redirect() async throws {
    let peer = try ClientPeer { peer, connection in
      while let request = connection.read() {
        peer.remember(request)
        let isFirst = request.hasPrefix("GET /first ")
        connection.write(isFirst ? "HTTP/1.1 302 Found\r\nLocation: /second\r\nX-Which: first\r\nContent-Length: 0\r\n\r\n" : hello)
      }
    }
    defer { peer.stop() }
    let client = HTTPClient()
    let answer = try await client.send(ClientRequest(.get, peer.url + "/first"))
    #expect(answer.status == 302)
    #expect(answer.headers["Location"] == "/second")
    #expect(peer.requests.count == 1)
    let followed = try await client.send(ClientRequest(.get, peer.url + "/first", redirects: 1))
    #expect(followed.text == "hello")
    #expect(followed.headers["X-Which"] == nil)
  }

  @Test("ends a ring of redirects at its limit")
  func ring() async throws {
    let peer = try ClientPeer.always("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")
    defer { peer.stop() }
    let error = await failure(ClientRequest(.get, peer.url + "/", redirects: 3))
    #expect(error == .tooManyRedirects(url: peer.url + "/", limit: 3))
    #expect(peer.requests.count == 4)
  }

  @Test("takes no more than the limit of body", arguments: ["Content-Length: 2000", "Transfer-Encoding: chunked"])
  func cap(_ framing: String) async throws {
    let body = String(repeating: "x", count: 2000)
    let framed = framing.hasPrefix("C") ? body : "7d0\r\n\(body)\r\n0\r\n\r\n"
    let peer = try ClientPeer.always("HTTP/1.1 200 OK\r\n\(framing)\r\n\r\n\(framed)")
    defer { peer.stop() }
    var request = ClientRequest(.get, peer.url + "/", bodyLimit: 1999)
    #expect(await failure(request) == .tooLarge(url: peer.url + "/", limit: 1999))
    request.bodyLimit = 2000
    #expect(try await HTTPClient().send(request).body.count == 2000)
  }

  @Test("takes the answer to HEAD, however long the body would be")
  func headOfMuch() async throws {
    let peer = try ClientPeer.always("HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n")
    defer { peer.stop() }
    let answer = try await HTTPClient().send(ClientRequest(.head, peer.url + "/", bodyLimit: 10))
    #expect(answer.headers["Content-Length"] == "5000000")
    #expect(answer.body.isEmpty)
  }

  @Test("ends the transfer of a cancelled task, and goes on with others")
  func cancel() async throws {
    let (left, leave) = AsyncStream.makeStream(of: Void.self)
    let (came, come) = AsyncStream.makeStream(of: Void.self)
    let peer = try ClientPeer { _, connection in
      while let request = connection.read() {
        guard request.hasPrefix("GET /slow ") else {
          connection.write(hello)
          continue
        }
        come.yield()
        connection.awaitLeaving()
        leave.yield()
        return
      }
    }
    defer { peer.stop() }
    let client = HTTPClient()
    let task = Task { await failure(ClientRequest(.get, peer.url + "/slow", timeout: .seconds(60)), client) }
    var coming = came.makeAsyncIterator()
    await coming.next()
    task.cancel()
    #expect(await task.value == .cancelled)
    var leaving = left.makeAsyncIterator()
    await leaving.next()
    #expect(try await client.send(ClientRequest(.get, peer.url + "/")).text == "hello")
  }

  @Test("sends nothing for a task that was cancelled before")
  func cancelledBefore() async throws {
    let peer = try ClientPeer { _, connection in connection.awaitLeaving() }
    defer { peer.stop() }
    let client = HTTPClient()
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return await failure(ClientRequest(.get, peer.url + "/", timeout: .seconds(60)), client)
    }
    #expect(await task.value == .cancelled)
  }

  @Test("says that nothing was sent where nobody listens")
  func refused() async throws {
    let peer = try ClientPeer.always(hello)
    let url = peer.url + "/"
    peer.stop()
    // The listening socket is shut down, not closed: its port stays taken and refuses.
    let error = await failure(ClientRequest(.get, url))
    guard case .unreachable = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(error?.isTransient == true)
    #expect(error?.mayHaveArrived == false)
  }

  @Test("says that the request may have arrived where the connection breaks before the answer")
  func broken() async throws {
    let peer = try ClientPeer { _, connection in _ = connection.read() }
    defer { peer.stop() }
    let error = await failure(.json(.post, peer.url + "/", Array("{}".utf8)))
    guard case .broken = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(error?.mayHaveArrived == true)
  }

  @Test(
    "refuses what cannot be a request",
    arguments: ["file:///etc/passwd", "ftp://localhost/", "localhost/", "http://127.0.0.1/a b", "http://127.0.0.1/\r\nX: y", "http://user:word@127.0.0.1/"])
  func invalid(_ url: String) async {
    guard case .invalid = await failure(ClientRequest(.get, url)) else {
      Issue.record("\(url) was sent")
      return
    }
  }

  @Test("refuses time-outs that are none", arguments: [Duration.zero, .seconds(-1), .seconds(Int64.max)])
  func timeouts(_ timeout: Duration) async {
    guard case .invalid = await failure(ClientRequest(.get, "http://127.0.0.1:1/", timeout: timeout)) else {
      Issue.record("\(timeout) was taken")
      return
    }
  }

  @Test("keeps a value with a line end in its line")
  func injection() async throws {
    let peer = try ClientPeer.always(hello)
    defer { peer.stop() }
    _ = try await HTTPClient().send(ClientRequest(.get, peer.url + "/", headers: ["X-A": "1\r\nX-B: 2", "X-C\r\nX-D": "3"]))
    let request = try #require(peer.requests.first)
    #expect(request.contains("x-a: 1  X-B: 2\r\n"))
    #expect(!request.lowercased().contains("x-d"))
  }

  @Test("refuses addresses of private networks where told to")
  func privateAddress() async throws {
    let peer = try ClientPeer.always(hello)
    defer { peer.stop() }
    let client = HTTPClient(HTTPClient.Settings(refusesPrivateAddresses: true))
    for url in [peer.url + "/", "http://localhost:\(peer.port)/"] {
      #expect(await failure(ClientRequest(.get, url), client) == .privateAddress(url: url))
    }
    #expect(peer.requests.isEmpty)
  }

  @Test("knows public addresses from special ones")
  func addresses() {
    let special: [[UInt8]] = [
      [0, 0, 0, 0], [10, 1, 2, 3], [100, 64, 0, 1], [100, 127, 255, 255], [127, 0, 0, 1], [169, 254, 169, 254], [172, 16, 0, 1], [172, 31, 255, 255],
      [192, 168, 0, 1], [198, 19, 0, 1], [224, 0, 0, 1], [255, 255, 255, 255], six("::1"), six("::"), six("fe80::1"), six("fd00::1"), six("ff02::1"),
      six("::ffff:10.0.0.1"), six("64:ff9b::7f00:1"), six("2002:7f00:1::"), six("2001:db8::1"), six("2001::1"), [],
    ]
    for address in special { #expect(!PublicAddress.includes(address), "\(address)") }
    let open: [[UInt8]] = [
      [8, 8, 8, 8], [100, 63, 0, 1], [172, 32, 0, 1], [192, 169, 0, 1], [223, 255, 255, 1], six("2a02:8108::1"), six("::ffff:8.8.8.8"),
      six("2001:4860:4860::8888"),
    ]
    for address in open { #expect(PublicAddress.includes(address), "\(address)") }
  }

  @Test("is closed for good, and says so")
  func closing() async {
    let client = HTTPClient()
    await client.close()
    #expect(await failure(ClientRequest(.get, "http://127.0.0.1:1/"), client) == .closed)
    await client.close()
  }

  private func six(_ text: String) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 16)
    return inet_pton(AF_INET6, text, &bytes) == 1 ? bytes : []
  }
}

/// What a request fails with; nil where it does not.
private func failure(_ request: ClientRequest, _ client: HTTPClient = HTTPClient()) async -> HTTPClientError? {
  do {
    _ = try await client.send(request)
    return nil
  } catch {
    return error
  }
}
