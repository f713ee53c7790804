import Foundation
import HTTP
import JSON
import Synchronization
import Testing

@testable import dos

/// Over sockets: the server goes away in the middle and comes back on its port, with what it acknowledged.
@Suite("dos import over HTTP")
struct ImportServerTests {
  @Test("outlives the server's end and new start, and nothing is missing or doubled")
  func restart() async throws {
    let folder = NSTemporaryDirectory() + "import-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let file = folder + "/readings.csv"
    let count = 3000
    let rows = (0..<count).map { "\(2000 + $0 / 28)-06-\($0 % 28 < 9 ? "0" : "")\($0 % 28 + 1)T00:00:00Z,\($0 % 7 + 1),\($0)" }
    try ("at,id,free\n" + rows.joined(separator: "\n")).write(toFile: file, atomically: true, encoding: .utf8)

    let store = Store()
    // The first one takes no more than a part, so that the end of the file is never reached before it is stopped.
    let first = HTTPServer(settings: ServerSettings(port: 0), router: try store.router(limit: 1000))
    try await first.start()
    let port = first.port
    let plan = ImportPlan(
      file: file, url: "http://127.0.0.1:\(port)", token: nil, timeColumn: "at", valueColumn: "free", datastream: .id("id"), batch: 50, concurrency: 3,
      patience: .seconds(60), pause: .milliseconds(20))
    let client = HTTPClient()
    let transport: ImportSender.Transport = { request throws(HTTPClientError) in try await client.send(request) }
    let job = ReadingsImport(plan: plan, statePath: folder + "/state.json", source: plan.signature, transport: transport, progress: store)

    async let summary = job.run()
    await store.someKept()
    _ = await first.stop()
    #expect(store.count < count)
    // The import is without a server now, and says that it tries again.
    await store.waiting()
    let second = HTTPServer(settings: ServerSettings(port: port), router: try store.router())
    try await second.start()
    let result = try await summary
    #expect(result.rows == count)
    #expect(result.accepted == count)
    #expect(result.exitCode == 0)
    #expect(store.count == count)
    await client.close()
    _ = await second.stop()
  }
}

/// What survives the server: readings by datastream and time.
private final class Store: Sendable, ImportProgress {
  private let kept = Mutex<[String: JSONValue]>([:])
  private let signals = (kept: AsyncStream.makeStream(of: Void.self), waits: AsyncStream.makeStream(of: Void.self))

  var count: Int { kept.withLock { $0.count } }

  func someKept() async { for await _ in signals.kept.stream { return } }
  func waiting() async { for await _ in signals.waits.stream { return } }

  func begins(at row: Int, of total: Int) {}
  func moves(to row: Int, of total: Int) { if row >= 450 { signals.kept.continuation.yield() } }
  func waits(_ why: String, _ pause: Duration) { signals.waits.continuation.yield() }
  func ends() {}

  func router(limit: Int = .max) throws -> Router {
    let take: Route.Handler = { [self] request in
      guard count < limit else { throw Problem.unavailable("Going down.", retryAfter: 0) }
      var said: [JSONValue] = []
      for group in try JSONValue(parsing: request.body).array ?? [] {
        let id = group["Datastream"]?["@iot.id"]?.int ?? 0
        for row in group["dataArray"]?.array ?? [] {
          kept.withLock { $0["\(id) \(row.array?.first?.string ?? "")"] = row.array?.last }
          said.append(.string("\(request.origin)/sensors/v1.1/Observations(1)"))
        }
      }
      return .json(JSONValue.array(said).bytes, status: 201)
    }
    return try Router([Route(.post, "/sensors/v1.1/CreateObservations", access: .everyone, bodyLimit: 8 << 20, info: "Add readings", handler: take)])
  }
}
