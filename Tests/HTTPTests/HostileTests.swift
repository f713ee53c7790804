import HTTP
import Testing

private let chunked = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

@Suite("What hostile clients send")
struct HostileTests {
  /// A second request follows at once: it is answered (202) exactly where the connection stays open, and nothing of the first is taken for a request.
  @Test("Every malformed request gets its status, and the connection ends where its framing is in doubt", arguments: hostileRequests)
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
}
