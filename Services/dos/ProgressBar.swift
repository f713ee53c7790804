import Foundation
import Synchronization

/// How far a long command is: a bar with count and rate on a terminal, else a line at every tenth part.
final class ProgressBar: Sendable {
  private struct State {
    var drawn = ContinuousClock.now - .seconds(1)
    var tenth: Int64 = -1
    var last = ""
  }

  private let title: String
  private let unit: String
  private let isTerminal: Bool
  private let began = ContinuousClock.now
  private let write: @Sendable (String) -> Void
  private let state = Mutex(State())

  init(
    _ title: String, unit: String, isTerminal: Bool = isatty(2) == 1,
    write: @escaping @Sendable (String) -> Void = { FileHandle.standardError.write(Data($0.utf8)) }
  ) {
    self.title = title
    self.unit = unit
    self.isTerminal = isTerminal
    self.write = write
  }

  func move(to done: Int64, of total: Int64) {
    let now = ContinuousClock.now
    let share = total > 0 ? min(1, Double(done) / Double(total)) : 1
    let rate = Int(Double(done) / max(0.001, (now - began) / .seconds(1)))
    let figures = "\(title): \(Int(share * 100)) % (\(done) of \(total) \(unit), \(rate) \(unit)/s)"
    let text: String? = state.withLock { state in
      if isTerminal {
        guard done >= total || now - state.drawn >= .milliseconds(100) else { return nil }
        state.drawn = now
        let filled = Int(share * 30)
        return "\r[" + String(repeating: "#", count: filled) + String(repeating: ".", count: 30 - filled) + "] \(figures)\u{1b}[K"
      }
      let tenth = Int64(share * 10)
      guard tenth > state.tenth else { return nil }
      state.tenth = tenth
      return figures + "\n"
    }
    if let text { write(text) }
  }

  func end() {
    if isTerminal { write("\n") }
  }
}
