import Dispatch
import Foundation

/// A signal that asks the process to stop.
public enum Signal: Sendable, Hashable {
  case terminate
  case interrupt

  public var name: String {
    switch self {
    case .terminate: "SIGTERM"
    case .interrupt: "SIGINT"
    }
  }

  private var number: Int32 {
    switch self {
    case .terminate: SIGTERM
    case .interrupt: SIGINT
    }
  }

  /// The signals as they come, for as long as somebody reads. Their usual effect, ending the process at once, is off from here on.
  public static func stream(_ signals: [Signal] = [.terminate, .interrupt]) -> AsyncStream<Signal> {
    let (stream, continuation) = AsyncStream.makeStream(of: Signal.self, bufferingPolicy: .bufferingNewest(8))
    let sources = signals.map { signal in
      Foundation.signal(signal.number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: signal.number, queue: .global(qos: .userInitiated))
      source.setEventHandler { continuation.yield(signal) }
      source.resume()
      return SignalSource(source)
    }
    continuation.onTermination = { _ in for source in sources { source.cancel() } }
    return stream
  }

  /// A client that leaves while it is written to must not end the process.
  public static func ignoreBrokenPipes() {
    Foundation.signal(SIGPIPE, SIG_IGN)
  }
}

/// Unchecked because Dispatch does not say so: a dispatch source may be cancelled from any thread, and nothing else is done with it.
private final class SignalSource: @unchecked Sendable {
  private let source: any DispatchSourceSignal

  init(_ source: any DispatchSourceSignal) {
    self.source = source
  }

  func cancel() { source.cancel() }
}
