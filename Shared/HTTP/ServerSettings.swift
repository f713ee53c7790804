/// Where a server listens and what it takes before it says no. The defaults are those of the house.
public struct ServerSettings: Sendable {
  /// A numeric address, IPv4 or IPv6; `localhost` is 127.0.0.1 and ::1, `::` is every address of both families.
  public var host: String
  /// 0: the system chooses; `HTTPServer.port` tells which.
  public var port: UInt16
  /// Threads that hold connections; handlers run elsewhere.
  public var threads = 2
  /// Beyond these a connection is answered 503 and closed. IPv6 counts per /64. Connections of trusted proxies count
  /// in all alone; behind them `maximumPerAddress` bounds the requests under way per client, the next is answered 429.
  public var maximumConnections = 12_000
  public var maximumPerAddress = 512
  /// Bytes of request line and fields together; beyond: 414 or 431.
  public var headerLimit = 32 << 10
  /// Bytes of body, whatever a route would take; beyond: 413.
  public var bodyLimit = 8 << 20
  /// Unsent bytes of an event stream; who is further behind is cut off.
  public var streamLimit = 256 << 10
  /// From a request's first byte to its last; beyond: 408.
  public var requestTime: Duration = .seconds(10)
  /// Until the next request begins; then the connection is closed.
  public var idleTime: Duration = .seconds(30)
  /// For an answer to be taken (longer for long ones, if something is: at least 16 kB a second), and for each write of a stream.
  public var writeTime: Duration = .seconds(30)
  /// How long, and how many bytes, a client is listened to after an answer that closes, so that it gets to read it.
  public var lingerTime: Duration = .seconds(2)
  public var lingerLimit = 16 << 20
  /// For running requests when the server stops; then their connections are closed and their tasks cancelled.
  public var stopTime: Duration = .seconds(10)
  /// Between the comments that keep an event stream alive through proxies.
  public var heartbeat: Duration = .seconds(15)
  /// Only from there are `X-Forwarded-For`, `-Proto` and `-Host` believed.
  public var trustedProxies: [Network] = []

  public init(host: String = "127.0.0.1", port: UInt16 = 8080) {
    self.host = host
    self.port = port
  }
}

/// What a server did so far, for metrics.
public struct ServerCounts: Sendable, Equatable {
  /// Open now.
  public var connections = 0
  public var streams = 0
  /// Since the start: connections let in, requests handed to handlers.
  public var accepted: UInt64 = 0
  public var requests: UInt64 = 0
  /// Streams whose client was too slow.
  public var cut: UInt64 = 0
  /// Requests that did not arrive, and answers that were not taken, in time.
  public var timeouts: UInt64 = 0
  /// Clients that left before their answer came or their stream ended.
  public var left: UInt64 = 0

  public init() {}
}

/// A server could not take its address.
public struct CannotListen: Error, CustomStringConvertible {
  public let host: String
  public let port: UInt16
  public let reason: String
  /// Who listens there already, as far as this process may see it.
  public let owner: PortOwner?

  public var description: String {
    let place = "Cannot listen on \(host), port \(port): \(reason)"
    guard let owner else { return place }
    return "\(place); it belongs to process \(owner.process) (\(owner.command)). Stop that, or choose another port."
  }
}
