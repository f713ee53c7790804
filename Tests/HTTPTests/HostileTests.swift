import HTTP
import Testing

/// Bytes a server must not misread, what it answers, and where that is written.
struct HostileRequest: Sendable, CustomTestStringConvertible {
  var name: String
  var bytes: [UInt8]
  var statuses: [Int]
  var staysOpen: Bool
  var rule: String
  var testDescription: String { name }

  init(_ name: String, _ text: String, _ statuses: Int..., open: Bool = false, rule: String) {
    self.init(name, Array(text.utf8), statuses, open: open, rule: rule)
  }

  init(_ name: String, _ bytes: [UInt8], _ statuses: [Int], open: Bool = false, rule: String) {
    self.name = name
    self.bytes = bytes
    self.statuses = statuses
    staysOpen = open
    self.rule = rule
  }
}

private let get = "GET /echo HTTP/1.1\r\nHost: x\r\n"
private let post = "POST /echo HTTP/1.1\r\nHost: x\r\n"
private let chunked = post + "Transfer-Encoding: chunked\r\n\r\n"

private let requestLines: [HostileRequest] = [
  .init("a word alone", "FOO\r\n\r\n", 400, rule: "RFC 9112, 3"),
  .init("bytes that are no text", (128...255).map { UInt8($0) } + Array("\r\n\r\n".utf8), [400], rule: "RFC 9112, 3"),
  .init("a TLS greeting", [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3], [400], rule: "RFC 9112, 3"),
  .init("HTTP/0.9", "GET /echo\r\n\r\n", 400, rule: "RFC 9112, 3"),
  .init("a version there is not", "GET /echo HTTP/3.7\r\nHost: x\r\n\r\n", 505, rule: "RFC 9110, 15.6.6"),
  .init("the greeting of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, rule: "RFC 9110, 15.6.6"),
  .init("an unknown method", "FROB /echo HTTP/1.1\r\nHost: x\r\n\r\n", 501, rule: "RFC 9110, 9.1"),
  .init("a method in lower case", "get /echo HTTP/1.1\r\nHost: x\r\n\r\n", 501, rule: "RFC 9110, 9.1"),
  .init("TRACE", "TRACE /echo HTTP/1.1\r\nHost: x\r\n\r\n", 501, rule: "RFC 9110, 9.3.8"),
  .init("CONNECT", "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 501, rule: "RFC 9110, 9.3.6"),
  .init("two blanks", "GET  /echo HTTP/1.1\r\nHost: x\r\n\r\n", 400, rule: "RFC 9112, 3"),
  .init("no slash at the beginning", "GET echo HTTP/1.1\r\nHost: x\r\n\r\n", 400, rule: "RFC 9112, 3.2.1"),
  .init("* with GET", "GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400, rule: "RFC 9112, 3.2.4"),
  .init("a fragment", "GET /echo#x HTTP/1.1\r\nHost: x\r\n\r\n", 400, rule: "RFC 9110, 7.1"),
  .init("raw UTF-8", "GET /échö HTTP/1.1\r\nHost: x\r\n\r\n", 400, rule: "RFC 3986, 2"),
  .init("NUL in the target", "GET /ec\0ho HTTP/1.1\r\nHost: x\r\n\r\n", 400, rule: "RFC 9110, 5.5"),
  .init("an encoded NUL", "GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n", 400, open: true, rule: "RFC 3986, 7.3"),
  .init("half a percent", "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400, open: true, rule: "RFC 3986, 2.1"),
  .init("a path that climbs", "GET /a/../../etc HTTP/1.1\r\nHost: x\r\n\r\n", 400, open: true, rule: "RFC 3986, 5.2.4"),
  .init("the absolute form", "GET http://y/echo HTTP/1.1\r\nHost: x\r\n\r\n", 200, open: true, rule: "RFC 9112, 3.2.2"),
  .init("another scheme", "GET ftp://y/echo HTTP/1.1\r\nHost: x\r\n\r\n", 400, rule: "RFC 9112, 3.2.2"),
  .init("empty lines first", "\r\n\r\n" + get + "\r\n", 200, open: true, rule: "RFC 9112, 2.2"),
  .init("a long target", "GET /" + String(repeating: "u", count: 40_000) + " HTTP/1.1\r\n", 414, rule: "RFC 9110, 15.5.15"),
]

private let fields: [HostileRequest] = [
  .init("no Host", "GET /echo HTTP/1.1\r\n\r\n", 400, rule: "RFC 9112, 3.2"),
  .init("two Hosts", get + "Host: y\r\n\r\n", 400, rule: "RFC 9112, 3.2"),
  .init("an empty Host", "GET /echo HTTP/1.1\r\nHost:\r\n\r\n", 400, rule: "RFC 9110, 4.2.1"),
  .init("a Host with a path", "GET /echo HTTP/1.1\r\nHost: x/y\r\n\r\n", 400, rule: "RFC 9112, 3.2"),
  .init("a Host with a user", "GET /echo HTTP/1.1\r\nHost: a@b\r\n\r\n", 400, rule: "RFC 9112, 3.2"),
  .init("a huge field", get + "A: " + String(repeating: "a", count: 100_000) + "\r\n\r\n", 431, rule: "RFC 6585, 5"),
  .init("thousands of fields", get + String(repeating: "A: bcd\r\n", count: 8000) + "\r\n", 431, rule: "RFC 6585, 5"),
  .init("LF without CR", "GET /echo HTTP/1.1\nHost: x\n\n", 400, rule: "RFC 9112, 2.2"),
  .init("one LF without CR", get + "A: b\nC: d\r\n\r\n", 400, rule: "RFC 9112, 2.2"),
  .init("CR without LF", get + "A: b\rEvil: 1\r\n\r\n", 400, rule: "RFC 9112, 2.2"),
  .init("NUL in a value", get + "A: b\0c\r\n\r\n", 400, rule: "RFC 9110, 5.5"),
  .init("a control character in a value", get + "A: b\u{1}c\r\n\r\n", 400, rule: "RFC 9110, 5.5"),
  .init("a blank in a name", get + "A b: c\r\n\r\n", 400, rule: "RFC 9112, 5.1"),
  .init("a blank before the colon", get + "A : c\r\n\r\n", 400, rule: "RFC 9112, 5.1"),
  .init("no colon", get + "Abc\r\n\r\n", 400, rule: "RFC 9112, 5"),
  .init("no name", get + ": b\r\n\r\n", 400, rule: "RFC 9112, 5"),
  .init("a folded line", get + "A: b\r\n c\r\n\r\n", 400, rule: "RFC 9112, 5.2"),
  .init("a line folded by a tab", get + "A: b\r\n\tc\r\n\r\n", 400, rule: "RFC 9112, 5.2"),
  .init("a blank line folded", "GET /echo HTTP/1.1\r\n Host: x\r\n\r\n", 400, rule: "RFC 9112, 2.2"),
  .init("another expectation", post + "Expect: pony\r\nContent-Length: 0\r\n\r\n", 417, rule: "RFC 9110, 10.1.1"),
]

private let lengths: [HostileRequest] = [
  .init("two lengths that differ", post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", 400, rule: "RFC 9112, 6.3"),
  .init("the same length twice", post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400, rule: "RFC 9112, 6.3"),
  .init("a list of lengths", post + "Content-Length: 5, 5\r\n\r\nhello", 400, rule: "RFC 9112, 6.3"),
  .init("a length with plus", post + "Content-Length: +5\r\n\r\nhello", 400, rule: "RFC 9110, 8.6"),
  .init("a negative length", post + "Content-Length: -1\r\n\r\nhello", 400, rule: "RFC 9110, 8.6"),
  .init("a length with zeros first", post + "Content-Length: 005\r\n\r\nhello", 400, rule: "RFC 9110, 8.6"),
  .init("an empty length", post + "Content-Length:\r\n\r\nhello", 400, rule: "RFC 9110, 8.6"),
  .init("a length in hex", post + "Content-Length: 0x5\r\n\r\nhello", 400, rule: "RFC 9110, 8.6"),
  .init("a length beyond 64 bits", post + "Content-Length: 99999999999999999999999\r\n\r\nhello", 400, rule: "RFC 9110, 8.6"),
  .init("a length beyond the route's limit", post + "Content-Length: 1001\r\n\r\n", 413, rule: "RFC 9110, 15.5.14"),
  .init("length beside chunks", post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + get + "\r\n", 400, rule: "RFC 9112, 6.1"),
  .init("chunks beside length", post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + get + "\r\n", 400, rule: "RFC 9112, 6.1"),
  .init("a coding that is nearly chunked", post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501, rule: "RFC 9112, 6.1"),
  .init("two codings", post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501, rule: "RFC 9112, 6.1"),
  .init("chunked not last", post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 501, rule: "RFC 9112, 6.1"),
  .init("chunked twice", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, rule: "RFC 9112, 6.1"),
  .init("chunked after a blank", post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400, rule: "RFC 9112, 5.1"),
  .init("chunked in HTTP/1.0", "POST /echo HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, rule: "RFC 9112, 6.1"),
]

private let bodies: [HostileRequest] = [
  .init("chunks as they should be", chunked + "5\r\nhello\r\n0\r\n\r\n", 200, open: true, rule: "RFC 9112, 7.1"),
  .init("chunked in capitals", post + "Transfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 200, open: true, rule: "RFC 9112, 7"),
  .init("a chunk extension", chunked + "5;a=b\r\nhello\r\n0\r\n\r\n", 200, open: true, rule: "RFC 9112, 7.1.1"),
  .init("no number", chunked + "zz\r\nhello\r\n0\r\n\r\n", 400, rule: "RFC 9112, 7.1"),
  .init("a chunk size with 0x", chunked + "0x5\r\nhello\r\n0\r\n\r\n", 400, rule: "RFC 9112, 7.1"),
  .init("a negative chunk", chunked + "-5\r\nhello\r\n0\r\n\r\n", 400, rule: "RFC 9112, 7.1"),
  .init("chunk data without end", chunked + "5\r\nhello0\r\n\r\n", 400, rule: "RFC 9112, 7.1"),
  .init("a chunk beyond the limit", chunked + "fffffffffffffff\r\nhello\r\n0\r\n\r\n", 413, rule: "RFC 9110, 15.5.14"),
  .init("a chunk beyond 64 bits", chunked + "fffffffffffffffff\r\nhello\r\n0\r\n\r\n", 400, rule: "RFC 9112, 7.1"),
  .init(
    "chunks beyond the limit together", chunked + String(repeating: "64\r\n\(String(repeating: "x", count: 100))\r\n", count: 11), 413,
    rule: "RFC 9110, 15.5.14"),
  .init("a chunk-size line without end", chunked + String(repeating: "1", count: 40_000), 400, rule: "RFC 9112, 7.1.1"),
  .init("an extension without end", chunked + "5;" + String(repeating: "a", count: 40_000), 400, rule: "RFC 9112, 7.1.1"),
  .init("trailers without end", chunked + "0\r\n" + String(repeating: "A: b\r\n", count: 8000), 400, rule: "RFC 9112, 7.1.2"),
  .init("a length among the trailers", chunked + "0\r\nContent-Length: 5\r\n\r\n", 400, rule: "RFC 9110, 6.5.1"),
  .init("HEAD with a body", "HEAD /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 200, open: true, rule: "RFC 9110, 9.3.2"),
  .init("GET with a body", get + "Content-Length: 5\r\n\r\nhello", 200, open: true, rule: "RFC 9110, 9.3.1"),
  .init("HTTP/1.0", "GET /echo HTTP/1.0\r\n\r\n", 200, rule: "RFC 9112, 9.3"),
  .init("HTTP/1.0 kept alive", "GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, open: true, rule: "RFC 9112, 9.3"),
  .init("a wish to close", get + "Connection: close\r\n\r\n", 200, rule: "RFC 9112, 9.6"),
  .init("a wish to close in a list", get + "Connection: foo, Close\r\n\r\n", 200, rule: "RFC 9112, 9.6"),
  .init("OPTIONS", "OPTIONS /echo HTTP/1.1\r\nHost: x\r\n\r\n", 204, open: true, rule: "RFC 9110, 9.3.7"),
]

@Suite("What hostile clients send")
struct HostileTests {
  /// A second request follows at once: it is answered (202) exactly where the connection stays open, and nothing of the first is taken for a request.
  @Test("Every malformed request gets its status, and the connection ends where its framing is in doubt", arguments: requestLines + fields + lengths + bodies)
  func answers(_ row: HostileRequest) async throws {
    let answers = try await withServer { server in
      let port = server.port
      return try await onThread {
        let client = try RawClient(port: port)
        client.send(row.bytes + Array("GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".utf8))
        var all: [(status: Int, type: String?, text: String)] = []
        let isHead = row.bytes.starts(with: Array("HEAD".utf8))
        while let answer = client.answer(toHead: isHead && all.isEmpty) {
          all.append((answer.status, answer.field("Content-Type"), answer.text))
        }
        return all
      }
    }
    #expect(answers.map(\.status) == row.statuses + (row.staysOpen ? [202] : []), "\(row.rule): \(answers)")
    for answer in answers where answer.status >= 400 {
      #expect(answer.type == "application/problem+json")
      #expect(answer.text.contains("\"status\":\(answer.status)"))
    }
  }

  @Test("Trailers never become fields")
  func trailers() async throws {
    let text = try await withServer { server in
      let port = server.port
      return try await onThread {
        let client = try RawClient(port: port)
        client.send(chunked + "5\r\nhello\r\n0\r\nAuthorization: Bearer evil\r\nHost: y\r\n\r\n")
        return client.answer()?.text
      }
    }
    #expect(text == "POST /echo 127.0.0.1 http://x [host=x;transfer-encoding=chunked] hello")
  }

  @Test("A head sent byte by byte is a head")
  func byteByByte() async throws {
    let status = try await withServer { server in
      let port = server.port
      return try await onThread {
        let client = try RawClient(port: port)
        for byte in (chunked + "5\r\nhello\r\n0\r\n\r\n").utf8 { client.send([byte]) }
        return client.answer()?.text
      }
    }
    #expect(status?.hasSuffix("hello") == true)
  }

  @Test("Refusals are counted by status")
  func counted() async throws {
    let counts = try await withServer { server in
      let port = server.port
      try await onThread {
        for text in ["GET  / HTTP/1.1\r\n\r\n", "FROB / HTTP/1.1\r\nHost: x\r\n\r\n"] {
          let client = try RawClient(port: port)
          client.send(text)
          client.readToEnd()
        }
      }
      return server.counts
    }
    #expect(counts.refused == [400: 1, 501: 1])
    #expect(counts.accepted == 2)
    #expect(counts.requests == 0)
  }
}
