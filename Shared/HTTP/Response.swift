/// The answer to one request.
public struct Response: Sendable {
  public enum Body: Sendable {
    /// Sent whole, with its length. An answer to HEAD carries the bytes too; the server sends the head alone.
    case bytes([UInt8])
    /// Server-sent events; the server adds `text/event-stream`, sends no length, and keeps the connection.
    case stream(EventStream)
  }

  public var status: Int
  public var headers: Headers
  public var body: Body

  public init(status: Int = 200, headers: Headers = [:], body: Body = .bytes([])) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// A JSON document, already written.
  public static func json(_ bytes: [UInt8], status: Int = 200) -> Response {
    Response(status: status, headers: ["Content-Type": "application/json"], body: .bytes(bytes))
  }

  public static func text(_ text: String, type: String = "text/plain; charset=utf-8", status: Int = 200) -> Response {
    Response(status: status, headers: ["Content-Type": type], body: .bytes(Array(text.utf8)))
  }

  public static var noContent: Response { Response(status: 204) }

  /// 201 with where the new thing is found.
  public static func created(location: String, json bytes: [UInt8] = []) -> Response {
    var answer = bytes.isEmpty ? Response(status: 201) : .json(bytes, status: 201)
    answer.headers["Location"] = location
    return answer
  }

  public static func redirect(to location: String, status: Int = 303) -> Response {
    Response(status: status, headers: ["Location": location])
  }

  /// Server-sent events, written by `body` until it returns, throws, or the client leaves (then its task is cancelled).
  public static func stream(_ body: @escaping @Sendable (EventStreamWriter) async throws -> Void) -> Response {
    .stream(EventStream(body))
  }

  public static func stream(_ stream: EventStream) -> Response {
    Response(headers: ["Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store"], body: .stream(stream))
  }

  /// The bytes of the body; empty for a stream.
  public var bytes: [UInt8] {
    if case .bytes(let bytes) = body { bytes } else { [] }
  }
}
