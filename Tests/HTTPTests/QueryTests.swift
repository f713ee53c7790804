import Testing

@testable import HTTP

@Suite("A request")
struct QueryTests {
  @Test("is decoded once, and a plus in the query is a blank")
  func decoding() throws {
    let request = try request("/a%2520b/+/%C3%BC?$filter=a+eq+%271%2B1%27&x=%2525&empty=&bare")
    #expect(request.path == "/a%20b/+/ü")
    #expect(try request.query.value("$filter") == "a eq '1+1'")
    #expect(try request.query.value("x") == "%25")
    #expect(try request.query.value("empty") == "")
    #expect(try request.query.value("bare") == "")
    #expect(try request.query.value("absent") == nil)
  }

  @Test(
    "is refused where its target cannot be meant well",
    arguments: [
      "/a%00b", "/a%", "/a%2", "/a%zz", "/%ff", "/%c0%af", "/..", "/a/../b", "/a/%2e%2e/b", "/a/%2E./b", "/a%2f..%2fb", "/./a", "a", "", "*", "/a#b", "/a?x=%",
      "/a?%00=1",
      "/a?x=%ff",
    ])
  func refused(_ target: String) {
    #expect { try request(target) } throws: { ($0 as? Problem)?.status == 400 }
  }

  @Test("takes two dots that climb nowhere", arguments: ["/a..b", "/...", "/..a/b", "/?x=.."])
  func dots(_ target: String) throws {
    _ = try request(target)
  }

  @Test("has a parameter once, unless it is asked for all")
  func repeated() throws {
    let query = try request("/?a=1&b=2&a=3").query
    #expect(throws: Problem.self) { try query.value("a") }
    #expect(query.values("a") == ["1", "3"])
    #expect(try query.value("b") == "2")
  }

  @Test("knows which parameters it may have")
  func unknown() throws {
    let query = try request("/?limit=1&$topp=2").query
    #expect { try query.allowing(["limit", "$top"]) } throws: { ($0 as? Problem)?.errors.first?.path == "$topp" }
    try query.allowing(["limit", "$topp"])
    #expect(throws: Problem.self) { try query.required("name") }
  }

  @Test("carries a correlation id that was given well, else the trace's, else a drawn one")
  func correlation() throws {
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    #expect(try request("/", headers: ["X-Correlation-ID": "a-1_b.c:d", "traceparent": trace]).correlationID == "a-1_b.c:d")
    let traced = try request("/", headers: ["traceparent": trace])
    #expect(traced.correlationID == "4bf92f3577b34da6a3ce929d0e0e4736")
    #expect(traced.traceparent == trace)
    for bad in ["a b", "", "a\u{7f}", String(repeating: "a", count: 129), "ä", "<script>"] {
      let drawn = try request("/", headers: ["X-Correlation-ID": bad]).correlationID
      #expect(drawn.utf8.count == 32 && drawn != bad)
    }
    for bad in [trace.uppercased(), "00-" + String(repeating: "0", count: 32) + "-00f067aa0ba902b7-01", "01" + trace.dropFirst(2), trace + "-x"] {
      #expect(try request("/", headers: ["traceparent": bad]).traceparent == nil, "\(bad)")
    }
    #expect(try request("/").correlationID != request("/").correlationID)
  }

  @Test("has an idempotency key of visible characters, or is refused", arguments: ["", "a b", "ä", String(repeating: "k", count: 256), "a\tb"])
  func badKey(_ key: String) throws {
    #expect { try request("/", headers: ["Idempotency-Key": key]) } throws: { ($0 as? Problem)?.errors.first?.path == "Idempotency-Key" }
  }

  @Test("keeps a good idempotency key as it is, and takes one only")
  func goodKey() throws {
    let key = String(repeating: "k", count: 255)
    #expect(try request("/", headers: ["idempotency-key": key]).idempotencyKey == key)
    #expect(throws: Problem.self) { try request("/", headers: Headers([("Idempotency-Key", "a"), ("idempotency-key", "a")])) }
    #expect(try request("/").idempotencyKey == nil)
  }

  @Test("has ids above zero, and what is none is not found", arguments: ["0", "-1", "x", "1.0", "01", "+1", "9007199254740992", "99999999999999999999", "'1'"])
  func ids(_ text: String) throws {
    var request = try request("/")
    request.pathParameters = ["id": text, "good": "9007199254740991"]
    #expect { try request.integerParameter("id") } throws: { ($0 as? Problem)?.status == 404 }
    #expect(try request.integerParameter("good") == 9_007_199_254_740_991)
  }

  @Test("reads fields without regard to case, in order")
  func headers() {
    var headers: Headers = ["Accept": "a", "X-Two": "1", "x-two": "2", "bad name": "x"]
    #expect(headers["ACCEPT"] == "a")
    #expect(headers.all("X-TWO") == ["1", "2"])
    headers["x-TWO"] = "3"
    #expect(headers.all("x-two") == ["3"])
    headers["Accept"] = nil
    #expect(headers.fields.map(\.name) == ["x-two"])
    headers.add("X-A", "1\r\nSet-Cookie: x\0")
    #expect(headers["X-A"] == "1  Set-Cookie: x ")
    #expect(headers["X`A"] == nil)
  }
}

@Suite("A page of a list")
struct QueryPageTests {
  private let kinds: [Cursor.Kind] = [.integer, .text]

  @Test("begins where its cursor says, and carries any value")
  func roundTrip() throws {
    for values in [[Cursor.Value.integer(.min), .text("")], [.integer(.max), .text("Straße ☀️ \u{0}")], [.integer(-1), .text("a")]] {
      let text = Cursor(values).encoded(for: "things")
      #expect(text.utf8.allSatisfy { Headers.isToken(String(decoding: [$0], as: UTF8.self)) })
      let page = try request("/?cursor=\(text)&limit=7").query.page(of: "things", kinds: kinds)
      #expect(page == PageRequest(limit: 7, after: Cursor(values)))
    }
  }

  @Test("refuses a cursor that is none, is changed, or is another list's")
  func foreign() throws {
    let good = Cursor([.integer(5), .text("x")]).encoded(for: "things")
    let changed = good.map { $0 == "A" ? "B" : $0 }
    for bad in ["", "x", "!!!!", "AAAA", String(changed), String(good.dropLast()), good + "A", good + "=", String(repeating: "A", count: 5000)] {
      #expect { try request("/?cursor=\(bad)").query.page(of: "things", kinds: kinds) } throws: { ($0 as? Problem)?.errors.first?.path == "cursor" }
    }
    #expect(throws: Problem.self) { try Cursor(good, for: "other", kinds: kinds) }
    #expect(throws: Problem.self) { try Cursor(good, for: "things", kinds: [.integer]) }
    #expect(throws: Problem.self) { try Cursor(good, for: "things", kinds: [.text, .integer]) }
  }

  @Test("has from one to so many things", arguments: ["0", "-1", "1001", "x", "", "1.5", "1e3", "99999999999999999999"])
  func limits(_ limit: String) throws {
    #expect { try request("/?limit=\(limit)").query.page(of: "things", kinds: kinds) } throws: {
      ($0 as? Problem)?.errors.first?.expected == "a whole number from 1 to 1000"
    }
  }

  @Test("has the usual length where none is asked for")
  func standard() throws {
    #expect(try request("/").query.page(of: "things", kinds: kinds) == PageRequest(limit: 50, after: nil))
    #expect(try request("/?limit=1000").query.page(of: "things", kinds: kinds).limit == 1000)
  }

  @Test("writes base64url as the RFC's examples do")
  func base64() {
    for (plain, coded) in [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"), ("foobar", "Zm9vYmFy")] {
      #expect(Base64URL.encode(Array(plain.utf8)) == coded)
      #expect(Base64URL.decode(coded) == Array(plain.utf8))
    }
    #expect(Base64URL.encode([0xfb, 0xff]) == "-_8")
    for bad in ["Zg=", "Zh", "A", "Zm9v+", "Zm 9v"] { #expect(Base64URL.decode(bad) == nil, "\(bad)") }
  }
}
