import Foundation
import Synchronization

/// How far a long command is, with rate and remaining time: a bar on a terminal, else a line every few seconds.
final class ProgressBar: Sendable {
  private struct State {
    /// When and at which count the work itself began.
    var began: (at: ContinuousClock.Instant, done: Int64)?
    var drawn: ContinuousClock.Instant?
    var isDrawn = false
    var isEnded = false
  }

  private let title: String
  private let isTerminal: Bool
  private let now: @Sendable () -> ContinuousClock.Instant
  private let write: @Sendable (String) -> Void
  private let state = Mutex(State())

  /// - Parameters:
  ///   - now: a clock, for tests.
  ///   - write: takes what is shown.
  init(
    _ title: String, isTerminal: Bool = isatty(2) == 1, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
    write: @escaping @Sendable (String) -> Void = { FileHandle.standardError.write(Data($0.utf8)) }
  ) {
    self.title = title
    self.isTerminal = isTerminal
    self.now = now
    self.write = write
  }

  func move(to done: Int64, of total: Int64, _ unit: String) {
    let now = now()
    let text: String? = state.withLock { state in
      let began = state.began ?? (now, done)
      state.began = began
      let isDone = done >= total && !state.isEnded
      let pause: Duration = isTerminal ? .milliseconds(100) : .seconds(3)
      if let drawn = state.drawn, now - drawn < pause, !isDone { return nil }
      state.drawn = now
      state.isDrawn = true
      state.isEnded = done >= total
      let share = total > 0 ? min(1, max(0, Double(done) / Double(total))) : 1
      let figures = "\(title): \(Int(share * 100)) %, \(Self.figures(done, total, unit, since: began.done, in: (now - began.at) / .seconds(1)))"
      guard isTerminal else { return figures + "\n" }
      let filled = Int(share * 30)
      return "\r[" + String(repeating: "#", count: filled) + String(repeating: ".", count: 30 - filled) + "] \(figures)\u{1b}[K"
    }
    if let text { write(text) }
  }

  /// Leaves the line, so that what follows begins on one of its own.
  func end() {
    if isTerminal, state.withLock({ $0.isDrawn }) { write("\n") }
  }

  private static func figures(_ done: Int64, _ total: Int64, _ unit: String, since start: Int64, in seconds: Double) -> String {
    let counts = "\(done) of \(total) \(unit)"
    guard seconds > 0, done > start else { return counts }
    let rate = Double(done - start) / seconds
    let left = max(0, Double(total - done)) / rate
    return "\(counts), \(Int(rate)) \(unit)/s" + (done < total ? ", \(duration(Int(left.rounded(.up)))) left" : "")
  }

  private static func duration(_ seconds: Int) -> String {
    let (hours, minutes, rest) = (seconds / 3_600, seconds / 60 % 60, seconds % 60)
    if hours > 0 { return "\(hours) h \(minutes) min" }
    return minutes > 0 ? "\(minutes) min \(rest) s" : "\(rest) s"
  }
}
