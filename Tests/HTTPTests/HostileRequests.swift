import Testing

/// Bytes a server must not misread, what it answers, and where that is written.
struct HostileRequest: Sendable, CustomTestStringConvertible {
  var name: String
  var bytes: [UInt8]
  /// Of each answer, in order: most rows are one request.
  var statuses: [Int]
  /// Whether what follows on the connection is still read.
  var staysOpen: Bool
  var rule: String
  var testDescription: String { name }

  init(_ name: String, _ text: String, _ statuses: Int..., open: Bool = false, rule: String) {
    self.init(name, Array(text.utf8), statuses, open: open, rule: rule)
  }

  init(_ name: String, _ text: String, _ statuses: [Int], open: Bool = false, rule: String) {
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
private let last = "GET /last HTTP/1.1\r\nHost: x\r\n\r\n"
private func host(_ text: String) -> String { "GET /echo HTTP/1.1\r\nHost: \(text)\r\n\r\n" }
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
  .init("TRACE", "TRACE /echo HTTP/1.1\r\nHost: x\r\n\r\n", 405, open: true, rule: "RFC 9110, 9.3.8 and 15.5.6"),
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
  .init("a version in lower case", "GET /echo http/1.1\r\nHost: x\r\n\r\n", 400, rule: "RFC 9112, 2.3"),
  .init("a version of two digits", "GET /echo HTTP/1.10\r\nHost: x\r\n\r\n", 400, rule: "RFC 9112, 2.3"),
  .init("a version without a dot", "GET /echo HTTP/11\r\nHost: x\r\n\r\n", 400, rule: "RFC 9112, 2.3"),
  .init("a version with a sign", "GET /echo HTTP/+1.1\r\nHost: x\r\n\r\n", 400, rule: "RFC 9112, 2.3"),
  .init("a blank after the version", "GET /echo HTTP/1.1 \r\nHost: x\r\n\r\n", 400, rule: "RFC 9112, 3"),
  .init("a word after the version", "GET /echo HTTP/1.1 x\r\nHost: x\r\n\r\n", 400, rule: "RFC 9112, 3"),
  .init("a minor version to come", "GET /echo HTTP/1.2\r\nHost: x\r\n\r\n", 505, rule: "RFC 9110, 15.6.6"),
  .init("a tab between method and target", "GET\t/echo HTTP/1.1\r\nHost: x\r\n\r\n", 400, rule: "RFC 9112, 3"),
  .init("a blank before the method", " GET /echo HTTP/1.1\r\nHost: x\r\n\r\n", 400, rule: "RFC 9112, 2.2"),
  .init("a method that is no token", "GE/T /echo HTTP/1.1\r\nHost: x\r\n\r\n", 400, rule: "RFC 9110, 9.1"),
  .init("a method without end", String(repeating: "A", count: 40_000), 414, rule: "RFC 9112, 3"),
  .init("DEL in the target", "GET /ec\u{7f}ho HTTP/1.1\r\nHost: x\r\n\r\n", 400, rule: "RFC 3986, 2"),
  .init("an encoded path that climbs", "GET /a/%2e%2E/etc HTTP/1.1\r\nHost: x\r\n\r\n", 400, open: true, rule: "RFC 3986, 5.2.4"),
  .init("an encoded byte that is no UTF-8", "GET /%ff HTTP/1.1\r\nHost: x\r\n\r\n", 400, open: true, rule: "RFC 3986, 2.5"),
  .init("an encoded slash", "GET /last%2Fecho HTTP/1.1\r\nHost: x\r\n\r\n", 404, open: true, rule: "RFC 3986, 2.2"),
  .init("an encoded line end", "GET /%0d%0aX:%20y HTTP/1.1\r\nHost: x\r\n\r\n", 404, open: true, rule: "RFC 3986, 2.1"),
  .init("the absolute form in capitals", "GET HTTP://Y/echo HTTP/1.1\r\nHost: x\r\n\r\n", 200, open: true, rule: "RFC 9110, 4.2.3"),
  .init("the absolute form with IPv6", "GET http://[2001:db8::1]:80/echo HTTP/1.1\r\nHost: x\r\n\r\n", 200, open: true, rule: "RFC 9112, 3.2.2"),
  .init("the absolute form without a path", "GET http://y?a=b HTTP/1.1\r\nHost: x\r\n\r\n", 404, open: true, rule: "RFC 9110, 4.2.3"),
  .init("the absolute form without Host", "GET http://y/echo HTTP/1.1\r\n\r\n", 400, rule: "RFC 9112, 3.2"),
  .init("a user in the absolute form", "GET http://a@y/echo HTTP/1.1\r\nHost: x\r\n\r\n", 400, rule: "RFC 9110, 4.2.4"),
  .init("the absolute form without a host", "GET http:///echo HTTP/1.1\r\nHost: x\r\n\r\n", 400, rule: "RFC 9110, 4.2.1"),
  .init("the absolute form with a port alone", "GET http://:80/echo HTTP/1.1\r\nHost: x\r\n\r\n", 400, rule: "RFC 9110, 4.2.1"),
  .init("the absolute form with half an IPv6 address", "GET http://[::1/echo HTTP/1.1\r\nHost: x\r\n\r\n", 400, rule: "RFC 3986, 3.2.2"),
  .init("OPTIONS of the server", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 204, open: true, rule: "RFC 9110, 9.3.7"),
  .init("an empty line first, as old clients leave one", "\r\n" + get + "\r\n", 200, open: true, rule: "RFC 9112, 2.2"),
  .init("empty lines without end", String(repeating: "\r\n", count: 9) + get + "\r\n", 400, rule: "RFC 9112, 2.2"),
  .init("LF first", "\n" + get + "\r\n", 400, rule: "RFC 9112, 2.2"),
  .init("CR first", "\r" + get + "\r\n", 400, rule: "RFC 9112, 2.2"),
  .init("two requests at once", get + "\r\n" + get + "\r\n", [200, 200], open: true, rule: "RFC 9112, 9.3.2"),
  .init("a good and a bad one at once", get + "\r\n" + get + "A : b\r\n\r\n", [200, 400], rule: "RFC 9112, 9.3.2"),
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
  .init("a Host with a port", host("y:8080"), 200, open: true, rule: "RFC 9110, 7.2"),
  .init("a Host with an empty port", host("y:"), 200, open: true, rule: "RFC 3986, 3.2.3"),
  .init("a Host with IPv6", host("[::1]:80"), 200, open: true, rule: "RFC 3986, 3.2.2"),
  .init("a Host in other letters", "GET /echo HTTP/1.1\r\nhOST: X\r\n\r\n", 200, open: true, rule: "RFC 9110, 5.1"),
  .init("two Hosts in other letters", get + "hOST: x\r\n\r\n", 400, rule: "RFC 9112, 3.2"),
  .init("two Hosts in HTTP/1.0", "GET /echo HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n", 400, rule: "RFC 9112, 3.2"),
  .init("a Host with letters as port", host("y:http"), 400, rule: "RFC 9112, 3.2"),
  .init("a Host with two ports", host("y:1:2"), 400, rule: "RFC 9112, 3.2"),
  .init("a Host that is a list", host("y, z"), 400, rule: "RFC 9112, 3.2"),
  .init("a Host that is a list without blanks", host("y,z"), 400, rule: "RFC 9112, 3.2"),
  .init("a Host with half an IPv6 address", host("[::1"), 400, rule: "RFC 9112, 3.2"),
  .init("a Host with a scheme", host("http://y"), 400, rule: "RFC 9112, 3.2"),
  .init("a Host with quotes", host("y\"><b>"), 400, rule: "RFC 9112, 3.2"),
  .init("a Host with a blank", host("y z"), 400, rule: "RFC 9112, 3.2"),
  .init("an empty value", get + "A:\r\n\r\n", 200, open: true, rule: "RFC 9110, 5.5"),
  .init("blanks and tabs around a value", get + "A: \t b \t\r\n\r\n", 200, open: true, rule: "RFC 9112, 5.1"),
  .init("no blank after the colon", get + "A:b\r\n\r\n", 200, open: true, rule: "RFC 9112, 5.1"),
  .init("bytes beyond ASCII in a value", get + "A: b\u{fc}\u{20ac}\r\n\r\n", 200, open: true, rule: "RFC 9110, 5.5"),
  .init("every letter of a name", get + "!#$%&'*+-.^_`|~09azAZ: b\r\n\r\n", 200, open: true, rule: "RFC 9110, 5.6.2"),
  .init("a field often", get + "A: b\r\nA: c\r\na: d\r\n\r\n", 200, open: true, rule: "RFC 9110, 5.2"),
  .init("DEL in a value", get + "A: b\u{7f}c\r\n\r\n", 400, rule: "RFC 9110, 5.5"),
  .init("brackets in a name", get + "A(b): c\r\n\r\n", 400, rule: "RFC 9110, 5.6.2"),
  .init("a tab in a name", get + "A\tb: c\r\n\r\n", 400, rule: "RFC 9112, 5.1"),
  .init("a tab before the colon", get + "A\t: c\r\n\r\n", 400, rule: "RFC 9112, 5.1"),
  .init("bytes beyond ASCII in a name", get + "Transfer\u{2010}Encoding: chunked\r\n\r\n", 400, rule: "RFC 9110, 5.1"),
  .init("NUL in a name", get + "A\0b: c\r\n\r\n", 400, rule: "RFC 9110, 5.1"),
  .init("a name without end", get + String(repeating: "a", count: 40_000), 431, rule: "RFC 6585, 5"),
  .init("CR CR LF at the end", get + "A: b\r\r\n\r\n", 400, rule: "RFC 9112, 2.2"),
  .init("a Connection that is no list", get + "Connection: @\r\n\r\n", 400, rule: "RFC 9110, 7.6.1"),
  .init("a wish to stay", get + "Connection: keep-alive\r\n\r\n", 200, open: true, rule: "RFC 9112, 9.3"),
  .init("an upgrade", get + "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 200, open: true, rule: "RFC 9110, 7.8"),
  .init("100 expected with the body at hand", post + "Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello", 200, open: true, rule: "RFC 9110, 10.1.1"),
  .init("100 expected without a body", get + "Expect: 100-Continue\r\n\r\n", 200, open: true, rule: "RFC 9110, 10.1.1"),
  .init("100 expected beside another", post + "Expect: 100-continue, pony\r\nContent-Length: 0\r\n\r\n", 417, rule: "RFC 9110, 10.1.1"),
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
  .init("no length and no chunks", post + "\r\n", 200, open: true, rule: "RFC 9112, 6.3"),
  .init("a length of nothing", post + "Content-Length: 0\r\n\r\n", 200, open: true, rule: "RFC 9112, 6.3"),
  .init("a length among blanks", post + "Content-Length:\t5 \t\r\n\r\nhello", 200, open: true, rule: "RFC 9112, 5.1"),
  .init("a length at the route's limit", post + "Content-Length: 1000\r\n\r\n" + String(repeating: "x", count: 1000), 200, open: true, rule: "RFC 9112, 6.2"),
  .init("a body that reads like a request", post + "Content-Length: \(last.utf8.count)\r\n\r\n" + last, 200, open: true, rule: "RFC 9112, 6.2"),
  .init(
    "a body where nothing is", "PUT /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: \(last.utf8.count)\r\n\r\n" + last, 404, open: true, rule: "RFC 9112, 9.3"),
  .init(
    "a body for another method", "DELETE /echo HTTP/1.1\r\nHost: x\r\nContent-Length: \(last.utf8.count)\r\n\r\n" + last, 405, open: true, rule: "RFC 9112, 9.3"
  ),
  .init("a length of zeros", post + "Content-Length: 00\r\n\r\n", 400, rule: "RFC 9110, 8.6"),
  .init("a length with a point", post + "Content-Length: 5.0\r\n\r\nhello", 400, rule: "RFC 9110, 8.6"),
  .init("a length with an exponent", post + "Content-Length: 5e0\r\n\r\nhello", 400, rule: "RFC 9110, 8.6"),
  .init("two lengths in one value", post + "Content-Length: 5 6\r\n\r\nhello", 400, rule: "RFC 9110, 8.6"),
  .init("a length and a comma", post + "Content-Length: 5,\r\n\r\nhello", 400, rule: "RFC 9110, 8.6"),
  .init("a length in other digits", post + "Content-Length: \u{ff15}\r\n\r\nhello", 400, rule: "RFC 9110, 8.6"),
  .init("a length after a blank", post + "Content-Length : 5\r\n\r\nhello", 400, rule: "RFC 9112, 5.1"),
  .init("a length of 64 bits", post + "Content-Length: 18446744073709551615\r\n\r\nhello", 413, rule: "RFC 9110, 8.6"),
  .init("a length of 64 bits and one", post + "Content-Length: 18446744073709551616\r\n\r\nhello", 400, rule: "RFC 9110, 8.6"),
  .init("a length folded", post + "A: b\r\n Content-Length: 5\r\n\r\nhello", 400, rule: "RFC 9112, 5.2"),
  .init("two lengths in HTTP/1.0", "POST /echo HTTP/1.0\r\nContent-Length: 5\r\nContent-Length: 0\r\n\r\nhello", 400, rule: "RFC 9112, 6.3"),
  .init("an empty coding", post + "Transfer-Encoding:\r\n\r\n0\r\n\r\n", 501, rule: "RFC 9112, 6.1"),
  .init("identity", post + "Transfer-Encoding: identity\r\n\r\n", 501, rule: "RFC 9112, 6.1"),
  .init("chunked in quotes", post + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", 501, rule: "RFC 9112, 6.1"),
  .init("chunked with a parameter", post + "Transfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n", 501, rule: "RFC 9112, 7.1"),
  .init("chunked and a comma", post + "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n", 501, rule: "RFC 9112, 6.1"),
  .init("chunked twice in one value", post + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 501, rule: "RFC 9112, 6.1"),
  .init("chunked behind a vertical tab", post + "Transfer-Encoding: \u{b}chunked\r\n\r\n0\r\n\r\n", 400, rule: "RFC 9110, 5.5"),
  .init("chunked folded", post + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400, rule: "RFC 9112, 5.2"),
  .init("a field that is nearly the coding", post + "Transfer_Encoding: chunked\r\n\r\n0\r\n\r\n", [200, 400], rule: "RFC 9112, 6.3"),
  .init("chunked with GET", get + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 200, open: true, rule: "RFC 9110, 9.3.1"),
  .init(
    "chunked with HEAD", "HEAD /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 200, open: true, rule: "RFC 9110, 9.3.2"
  ),
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
  .init("no chunk but the last", chunked + "0\r\n\r\n", 200, open: true, rule: "RFC 9112, 7.1"),
  .init("sizes in capitals and with zeros", chunked + "000A\r\n0123456789\r\n00\r\n\r\n", 200, open: true, rule: "RFC 9112, 7.1"),
  .init("chunks of one byte", chunked + String(repeating: "1\r\na\r\n", count: 1000) + "0\r\n\r\n", 200, open: true, rule: "RFC 9112, 7.1"),
  .init("chunks at the limit", chunked + "3e8\r\n" + String(repeating: "x", count: 1000) + "\r\n0\r\n\r\n", 200, open: true, rule: "RFC 9112, 7.1"),
  .init("an extension among blanks", chunked + "5 \t; a = b\r\nhello\r\n0\r\n\r\n", 200, open: true, rule: "RFC 9112, 7.1.1"),
  .init("an extension in quotes", chunked + "5;a=\"b;c\\\"d\";e\r\nhello\r\n0;f\r\n\r\n", 200, open: true, rule: "RFC 9112, 7.1.1"),
  .init("trailers", chunked + "5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n", 200, open: true, rule: "RFC 9112, 7.1.2"),
  .init("a wish to close among the trailers", chunked + "0\r\nConnection: close\r\n\r\n", 200, open: true, rule: "RFC 9110, 6.5.1"),
  .init("a Host among the trailers", chunked + "0\r\nHost: y\r\n\r\n", 200, open: true, rule: "RFC 9110, 6.5.1"),
  .init("a coding among the trailers", chunked + "0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, rule: "RFC 9110, 6.5.1"),
  .init("a request where the trailers end", chunked + "5\r\nhello\r\n0\r\n", 400, rule: "RFC 9112, 7.1.2"),
  .init("a blank before a trailer's colon", chunked + "0\r\nA : b\r\n\r\n", 400, rule: "RFC 9112, 5.1"),
  .init("NUL in a trailer", chunked + "0\r\nA: \0\r\n\r\n", 400, rule: "RFC 9110, 5.5"),
  .init("LF in a trailer", chunked + "0\r\nA: b\nC: d\r\n\r\n", 400, rule: "RFC 9112, 2.2"),
  .init("a trailer that begins with a blank", chunked + "0\r\n A: b\r\n\r\n", 400, rule: "RFC 9112, 5.2"),
  .init("a folded trailer, dropped like every other", chunked + "0\r\nA: b\r\n c\r\n\r\n", 200, open: true, rule: "RFC 9112, 5.2"),
  .init("a blank before a size", chunked + " 5\r\nhello\r\n0\r\n\r\n", 400, rule: "RFC 9112, 7.1"),
  .init("a blank behind a size", chunked + "5 \r\nhello\r\n0\r\n\r\n", 400, rule: "RFC 9112, 7.1"),
  .init("a size with plus", chunked + "+5\r\nhello\r\n0\r\n\r\n", 400, rule: "RFC 9112, 7.1"),
  .init("an empty size", chunked + "\r\nhello\r\n0\r\n\r\n", 400, rule: "RFC 9112, 7.1"),
  .init("a size and a comma", chunked + "5,5\r\nhello\r\n0\r\n\r\n", 400, rule: "RFC 9112, 7.1"),
  .init("a size with an underscore", chunked + "0_5\r\nhello\r\n0\r\n\r\n", 400, rule: "RFC 9112, 7.1"),
  .init("LF behind a size", chunked + "5\nhello\r\n0\r\n\r\n", 400, rule: "RFC 9112, 7.1"),
  .init("CR behind a size", chunked + "5\rhello\r\n0\r\n\r\n", 400, rule: "RFC 9112, 7.1"),
  .init("LF behind the last size", chunked + "0\n\n", 400, rule: "RFC 9112, 7.1"),
  .init("LF behind the data", chunked + "5\r\nhello\n0\r\n\r\n", 400, rule: "RFC 9112, 7.1"),
  .init("more data than the size says", chunked + "4\r\nhello\r\n0\r\n\r\n", 400, rule: "RFC 9112, 7.1"),
  .init("an extension without a name", chunked + "5;\r\nhello\r\n0\r\n\r\n", 400, rule: "RFC 9112, 7.1.1"),
  .init("LF in an extension", chunked + "5;a\nb\r\nhello\r\n0\r\n\r\n", 400, rule: "RFC 9112, 7.1.1"),
  .init("LF in a quoted extension", chunked + "5;a=\"\n\"\r\nhello\r\n0\r\n\r\n", 400, rule: "RFC 9112, 7.1.1"),
  .init("NUL in a quoted extension", chunked + "5;a=\"\0\"\r\nhello\r\n0\r\n\r\n", 400, rule: "RFC 9112, 7.1.1"),
  .init("an extension whose quote stays open", chunked + "5;a=\"b\r\nhello\r\n0\r\n\r\n", 400, rule: "RFC 9112, 7.1.1"),
  .init("a last extension whose quote stays open", chunked + "0;a=\"b\r\n\r\n", 400, rule: "RFC 9112, 7.1.1"),
  .init(
    "extensions that outweigh their chunks", chunked + String(repeating: "1;\(String(repeating: "a", count: 3000))\r\nx\r\n", count: 3) + "0\r\n\r\n", 400,
    rule: "RFC 9112, 7.1.1"),
  .init("a size that ends below the limit by overflow", chunked + "10000000000000005\r\nhello\r\n0\r\n\r\n", 400, rule: "RFC 9112, 7.1"),
  .init("a second chunk that fills 64 bits", chunked + "5\r\nhello\r\nffffffffffffffff\r\nx", 413, rule: "RFC 9112, 7.1"),
  .init(
    "HTTP/1.0 kept alive with a body", "POST /echo HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello", 200, open: true, rule: "RFC 9112, 9.3"
  ),
]

let hostileRequests = requestLines + fields + lengths + bodies
