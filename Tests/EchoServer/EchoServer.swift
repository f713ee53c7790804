// A server in a process of its own, for tests that look at it from outside: descriptors, memory, signals.
// Arguments are `name=value`; the port it chose is the first line it prints. SIGTERM stops it as it stops the city.
import Dispatch
import Glibc
import HTTP

@main
struct EchoServer {
  static func main() async throws {
    expectTermination()
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
    await awaitTermination()
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
      case "write-milliseconds": settings.writeTime = .milliseconds(value)
      default: throw Unknown(argument: argument)
      }
    }
    return settings
  }

  /// A handler and a pipe, made while there are descriptors, and no source of Dispatch: one of those was seen to miss a signal on a busy machine.
  private static func expectTermination() {
    _ = stopped.read
    signal(SIGTERM) { _ in
      var byte: UInt8 = 0
      _ = unsafe write(stopped.write, &byte, 1)
    }
  }

  private static func awaitTermination() async {
    let end = stopped.read
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        var byte: UInt8 = 0
        while unsafe read(end, &byte, 1) < 1 {}
        continuation.resume()
      }
    }
  }
}

private let stopped: (read: Int32, write: Int32) = {
  var ends: [Int32] = [0, 0]
  guard unsafe pipe(&ends) == 0 else { fatalError("no pipe: \(errno)") }
  return (ends[0], ends[1])
}()

/// The server, for the route that tells its counts: it exists only after the routes do.
private actor Place {
  private(set) var server: HTTPServer?
  func put(_ server: HTTPServer) { self.server = server }
}
