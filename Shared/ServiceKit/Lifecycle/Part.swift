/// A part of the process that runs for as long as it does: a server, a forwarder, a subscription.
public struct Part: Sendable {
  public let name: String
  /// How long it may take until it is ready.
  public let startLimit: Duration
  /// How long it may take to end once its task is cancelled.
  public let stopLimit: Duration
  /// Runs until its task is cancelled, and then ends what it began and returns. Calls `ready` once others may rely on it.
  public let run: @Sendable (_ ready: @escaping @Sendable () -> Void) async throws -> Void

  public init(
    _ name: String, startLimit: Duration = .seconds(30), stopLimit: Duration = .seconds(10),
    run: @escaping @Sendable (_ ready: @escaping @Sendable () -> Void) async throws -> Void
  ) {
    self.name = name
    self.startLimit = startLimit
    self.stopLimit = stopLimit
    self.run = run
  }

  /// A part with a beginning and an end: ready once `start` returns, ended by `stop`.
  public init(
    _ name: String, startLimit: Duration = .seconds(30), stopLimit: Duration = .seconds(10), start: @escaping @Sendable () async throws -> Void,
    stop: @escaping @Sendable () async -> Void
  ) {
    self.init(name, startLimit: startLimit, stopLimit: stopLimit) { ready in
      try await start()
      ready()
      await untilCancelled()
      await stop()
    }
  }
}

/// Waits until the current task is cancelled.
public func untilCancelled() async {
  let (stream, continuation) = AsyncStream<Never>.makeStream()
  await withTaskCancellationHandler {
    for await _ in stream {}
  } onCancel: {
    continuation.finish()
  }
}
