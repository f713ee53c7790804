import Foundation
import Synchronization

/// A signal that asks the process to stop.
public enum Signal: Sendable, Hashable, CaseIterable {
  case terminate
  case interrupt

  public var name: String {
    switch self {
    case .terminate: "SIGTERM"
    case .interrupt: "SIGINT"
    }
  }

  fileprivate var number: Int32 {
    switch self {
    case .terminate: SIGTERM
    case .interrupt: SIGINT
    }
  }

  /// The signals as they come, for as long as somebody reads. Their usual effect, ending the process at once, is off from here on.
  public static func stream(_ signals: [Signal] = [.terminate, .interrupt]) -> AsyncStream<Signal> {
    let (stream, continuation) = AsyncStream.makeStream(of: Signal.self, bufferingPolicy: .bufferingNewest(8))
    let listener = SignalPipe.shared.listeners.withLock { listeners in
      listeners.last += 1
      listeners.all[listeners.last] = (signals, continuation)
      return listeners.last
    }
    continuation.onTermination = { _ in SignalPipe.shared.listeners.withLock { _ = $0.all.removeValue(forKey: listener) } }
    SignalPipe.shared.catchSignals(signals)
    return stream
  }

  /// A client that leaves while it is written to must not end the process.
  public static func ignoreBrokenPipes() {
    Foundation.signal(SIGPIPE, SIG_IGN)
  }
}

/// A handler that writes a byte, and a thread that reads it. A source of Dispatch, the usual way, was seen to miss a signal: it has the signal ignored
/// and blocked on threads of its own, and Linux drops what is ignored where the thread it looks at does not block it.
private final class SignalPipe: Sendable {
  struct Listeners {
    var last = 0
    var all: [Int: (signals: [Signal], continuation: AsyncStream<Signal>.Continuation)] = [:]
  }

  static let shared = SignalPipe()

  let listeners = Mutex(Listeners())
  private let readEnd: Int32

  private init() {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { fatalError("no pipe for signals: \(String(cString: strerror(errno)))") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    readEnd = ends[0]
    signalPipeEnd.store(ends[1], ordering: .releasing)
    Thread.detachNewThread { [readEnd] in
      // Who started the process may have blocked them, as every thread of Dispatch does: here they arrive.
      var set = sigset_t()
      unsafe sigemptyset(&set)
      for signal in Signal.allCases { unsafe sigaddset(&set, signal.number) }
      unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
      var number: UInt8 = 0
      while true {
        guard unsafe read(readEnd, &number, 1) == 1 else { continue }
        guard let signal = Signal.allCases.first(where: { $0.number == Int32(number) }) else { continue }
        for listener in SignalPipe.shared.listeners.withLock({ $0.all.values.filter { $0.signals.contains(signal) } }) { listener.continuation.yield(signal) }
      }
    }
  }

  func catchSignals(_ signals: [Signal]) {
    for signal in signals {
      Foundation.signal(signal.number) { number in
        // Nothing but write is allowed here, and whom the signal interrupts must not see that it failed.
        let before = errno
        var byte = UInt8(truncatingIfNeeded: number)
        _ = unsafe write(signalPipeEnd.load(ordering: .acquiring), &byte, 1)
        errno = before
      }
    }
  }
}

/// Where the handler writes: outside of any type, so that it reads one word and enters no initialiser.
private let signalPipeEnd = Atomic<Int32>(-1)
