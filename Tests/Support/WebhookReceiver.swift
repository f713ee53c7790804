import Foundation
public import HTTP
public import JSON
import Synchronization
public import Time

/// Somebody's webhook: takes down what comes and answers as the test wants.
public final class WebhookReceiver: Sendable {
  public static let secret = "a-secret-that-nobody-can-guess"

  public struct Letter: Sendable {
    /// Its `webhook-id`.
    public let id: String
    public let headers: Headers
    public let body: [UInt8]
    /// When it came.
    public let time: Instant
    public var data: JSONValue { (try? JSONValue(parsing: body))?["data"] ?? .null }
    public var type: String { (try? JSONValue(parsing: body))?["type"]?.string ?? "" }
  }

  private let box = LetterBox()
  private let server: HTTPServer

  /// - Parameter answer: gets how many came before.
  public init(answer: @escaping @Sendable (Int) async throws -> Response = { _ in .json(Array(#"{"accepted":1000,"sent":990,"failed":10}"#.utf8)) }) throws {
    let box = box
    let route = Route(.post, "/hook", access: .everyone, accepts: ["application/cloudevents+json"], info: "hook") { request in
      let before = box.add(Letter(id: request.headers["webhook-id"] ?? "", headers: request.headers, body: request.body, time: .now()))
      return try await answer(before)
    }
    server = HTTPServer(settings: ServerSettings(port: 0), router: try Router([route]), authenticate: { _ in nil })
  }

  /// What came, in its order.
  public var letters: [Letter] { box.all }
  public var url: String { "http://127.0.0.1:\(server.port)/hook" }

  public func start() async throws { try await server.start() }
  public func stop() async { await server.stop() }

  private final class LetterBox: Sendable {
    private let letters = Mutex<[Letter]>([])
    var all: [Letter] { letters.withLock { $0 } }
    func add(_ letter: Letter) -> Int {
      letters.withLock {
        $0.append(letter)
        return $0.count - 1
      }
    }
  }
}
