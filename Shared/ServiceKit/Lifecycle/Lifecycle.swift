/// Starts parts in order, each once the one before is ready, and stops them in reverse, each with its deadline.
///
/// A part that ends by itself, or fails after its start, stops the whole process: half a service answers wrong, a stopped one is restarted.
public struct Lifecycle: Sendable {
  /// Why the process did not run and end as asked.
  public enum Failure: Error, Sendable, CustomStringConvertible {
    case failed(part: String, any Error)
    case endedEarly(part: String)
    case startTooSlow(part: String, limit: Duration)
    /// Parts that were still running when the stop was given up.
    case stillRunning(parts: [String])

    public var description: String {
      switch self {
      case .failed(let part, let error): "\(part) failed: \(error)"
      case .endedEarly(let part): "\(part) ended although nobody asked it to"
      case .startTooSlow(let part, let limit): "\(part) was not ready after \(limit)"
      case .stillRunning(let parts): "given up while still running: \(parts.joined(separator: ", "))"
      }
    }
  }

  private enum Event: Sendable {
    case ready(Int)
    case ended(Int, (any Error)?)
    case signal(Signal)
    case timeUp(Int)
  }

  public let parts: [Part]
  private let log: Log

  public init(_ parts: [Part], log: Log) {
    self.parts = parts
    self.log = log
  }

  /// Runs until a signal or a failure.
  ///
  /// - Parameters:
  ///   - signals: the first stops, a second one gives up on what still runs.
  ///   - onReady: every part is ready.
  ///   - onStopping: the stop begins, with the signal that asked for it or nil after a failure.
  /// - Throws: what ended the process, when that was not a signal, or who did not stop in time. The caller then ends the process: a task
  ///   that hangs cannot be taken away.
  public func run(
    signals: AsyncStream<Signal>, onReady: @escaping @Sendable () -> Void = {}, onStopping: @escaping @Sendable (Signal?) -> Void = { _ in }
  ) async throws(Failure) {
    let (events, inbox) = AsyncStream.makeStream(of: Event.self)
    let listening = Task { for await signal in signals { inbox.yield(.signal(signal)) } }
    defer { listening.cancel() }
    var course = Course(parts: parts, log: log, inbox: inbox)
    var iterator = events.makeAsyncIterator()

    var failure: Failure?
    switch await course.rise(&iterator, onReady) {
    case .asked(let signal): onStopping(signal)
    case .failed(let reason):
      failure = reason
      onStopping(nil)
    }
    let left = await course.fall(&iterator, &failure)
    if let failure { throw failure }
    if !left.isEmpty { throw .stillRunning(parts: left) }
  }

  /// Why a run comes to its end.
  private enum Ending {
    case asked(Signal)
    case failed(Failure)
  }

  /// The state of one run: which parts were started and which still run.
  private struct Course {
    let parts: [Part]
    let log: Log
    let inbox: AsyncStream<Event>.Continuation
    var tasks: [Task<Void, Never>] = []
    var running: Set<Int> = []
    var timer: Task<Void, Never>?
    var ticket = 0

    /// Starts everything and waits for a reason to stop.
    mutating func rise(_ events: inout AsyncStream<Event>.Iterator, _ onReady: @Sendable () -> Void) async -> Ending {
      startNext(onReady)
      while let event = await events.next() {
        switch event {
        case .ready(let index) where index == tasks.count - 1:
          log.debug("\(parts[index].name) is ready")
          startNext(onReady)
        case .ready: break
        case .ended(let index, let error):
          running.remove(index)
          let name = parts[index].name
          return .failed(error.map { .failed(part: name, $0) } ?? .endedEarly(part: name))
        case .signal(let signal): return .asked(signal)
        case .timeUp(let number):
          guard number == ticket, let part = parts.indices.contains(tasks.count - 1) ? parts[tasks.count - 1] : nil else { break }
          return .failed(.startTooSlow(part: part.name, limit: part.startLimit))
        }
      }
      // Only where the task that runs all this was cancelled.
      return .asked(.terminate)
    }

    private mutating func startNext(_ onReady: @Sendable () -> Void) {
      let index = tasks.count
      guard index < parts.count else {
        timer?.cancel()
        ticket += 1
        onReady()
        return
      }
      let part = parts[index]
      let inbox = inbox
      running.insert(index)
      arm(part.startLimit)
      tasks.append(
        Task {
          do {
            try await part.run { inbox.yield(.ready(index)) }
            inbox.yield(.ended(index, nil))
          } catch {
            inbox.yield(.ended(index, error))
          }
        })
    }

    /// Stops what runs, the last started first, and names what did not end in its time.
    mutating func fall(_ events: inout AsyncStream<Event>.Iterator, _ failure: inout Failure?) async -> [String] {
      defer { timer?.cancel() }
      for index in tasks.indices.reversed() where running.contains(index) {
        log.debug("stopping \(parts[index].name)")
        tasks[index].cancel()
        arm(parts[index].stopLimit)
        waiting: while running.contains(index), let event = await events.next() {
          switch event {
          case .ended(let ended, let error):
            running.remove(ended)
            // What breaks while the house is being closed is told, but is not what closed it.
            if let error, !(error is CancellationError) { log.warning("\(parts[ended].name) failed while stopping: \(error)") }
          case .timeUp(let number) where number == ticket:
            log.error("\(parts[index].name) did not stop within \(parts[index].stopLimit)")
            break waiting
          case .signal:
            log.warning("second signal: giving up")
            return names
          case .timeUp, .ready: break
          }
        }
      }
      return names
    }

    private var names: [String] { running.sorted().map { parts[$0].name } }

    private mutating func arm(_ limit: Duration) {
      ticket += 1
      timer?.cancel()
      timer = Task { [ticket, inbox] in
        guard (try? await Task.sleep(for: limit)) != nil else { return }
        inbox.yield(.timeUp(ticket))
      }
    }
  }
}
