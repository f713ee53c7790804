// A server in a process of its own, for tests that look at it from outside: descriptors, memory, signals.
// Arguments are `name=value`; the port it chose is the first line it prints. SIGTERM stops it as it stops the city.
import Glibc
import HTTP
import ServiceKit

@main
struct EchoServer {
  static func main() async throws {
    let signals = Signal.stream([.terminate])
    let everybody = Broadcast()
    let place = Place()
    let router = try Router([
      Route(.get, "/hello", access: .everyone, info: "hello") { _ in .text("Hello, World!\n") },
      Route(.post, "/echo", access: .everyone, accepts: [], info: "echo") { .text(String($0.body.count)) },
      Route(.get, "/slow", access: .everyone, info: "slow") { _ in
        try await Task.sleep(for: .milliseconds(300))
        return .text("slow")
      },
      Route(.get, "/events", access: .everyone, info: "events") { _ in .stream(.joining(everybody)) },
      Route(.post, "/publish", access: .everyone, accepts: [], info: "publish") { request in
        everybody.push(ServerSentEvent.bytes(data: request.body))
        return .noContent
      },
      Route(.get, "/counts", access: .everyone, info: "counts") { _ in
        let counts = await place.server?.counts ?? ServerCounts()
        return .text("connections=\(counts.connections) streams=\(counts.streams) cut=\(counts.cut) timeouts=\(counts.timeouts)")
      },
    ])
    let server = HTTPServer(settings: try settings(CommandLine.arguments.dropFirst()), router: router)
    await place.put(server)
    try await server.start()
    print(server.port)
    fflush(nil)
    for await _ in signals { break }
    exit(await server.stop() == 0 ? 0 : 1)
  }

  /// An argument that is no setting.
  struct Unknown: Error { var argument: String }

  private static func settings(_ arguments: some Sequence<String>) throws -> ServerSettings {
    var settings = ServerSettings(port: 0)
    settings.maximumPerAddress = 20_000
    settings.maximumConnections = 20_000
    for argument in arguments {
      let sides = argument.split(separator: "=")
      guard sides.count == 2, let value = Int(sides[1]) else { throw Unknown(argument: argument) }
      switch sides[0] {
      case "port": settings.port = UInt16(value)
      case "threads": settings.threads = value
      case "linger-bytes": settings.lingerLimit = value
      case "request-milliseconds": settings.requestTime = .milliseconds(value)
      case "write-milliseconds": settings.writeTime = .milliseconds(value)
      default: throw Unknown(argument: argument)
      }
    }
    return settings
  }
}

/// The server, for the route that tells its counts: it exists only after the routes do.
private actor Place {
  private(set) var server: HTTPServer?
  func put(_ server: HTTPServer) { self.server = server }
}
