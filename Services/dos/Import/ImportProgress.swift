import Foundation
import Synchronization

/// Hears how far an import is.
protocol ImportProgress: Sendable {
  func begins(at row: Int, of total: Int)
  func moves(to row: Int, of total: Int)
  func waits(_ why: String, _ pause: Duration)
  func ends()
}

/// Tells it on standard error: a bar on a terminal, else a line at every tenth part.
final class ImportProgressText: ImportProgress {
  private struct State {
    var started = ContinuousClock.now
    var first = 0
    var lastTenth = -1
  }

  private let state = Mutex(State())
  private let isTerminal: Bool
  private let write: @Sendable (String) -> Void

  init(isTerminal: Bool = isatty(2) == 1, write: @escaping @Sendable (String) -> Void = { FileHandle.standardError.write(Data($0.utf8)) }) {
    self.isTerminal = isTerminal
    self.write = write
  }

  func begins(at row: Int, of total: Int) {
    state.withLock { $0 = State(first: row) }
    if row > 0 { line("Going on after row \(row) of \(total).") }
    moves(to: row, of: total)
  }

  func moves(to row: Int, of total: Int) {
    let text: String? = state.withLock { state in
      let share = total == 0 ? 1 : min(1, Double(row) / Double(total))
      let tenth = Int(share * 10)
      guard isTerminal || tenth > state.lastTenth else { return nil }
      state.lastTenth = tenth
      let rate = Int(Double(row - state.first) / max(0.001, state.started.duration(to: .now) / .seconds(1)))
      let filled = Int(share * 30)
      let bar = isTerminal ? "[" + String(repeating: "#", count: filled) + String(repeating: " ", count: 30 - filled) + "] " : ""
      return "\(bar)\(Int(share * 100)) %, \(row) of \(total) rows, \(rate) rows/s"
    }
    if let text { write(isTerminal ? "\r\(text)\u{1b}[K" : text + "\n") }
  }

  func waits(_ why: String, _ pause: Duration) {
    line("\(why); trying again in \(Int((pause / .milliseconds(1)).rounded())) ms.")
  }

  func ends() { if isTerminal { write("\n") } }

  private func line(_ text: String) { write(isTerminal ? "\r\(text)\u{1b}[K\n" : text + "\n") }
}
