import Synchronization
import Testing

@testable import dos

@Suite("The progress of long commands")
struct ProgressBarTests {
  /// A clock that is moved by hand, and what was written meanwhile.
  private final class Screen: Sendable {
    private let state = Mutex((now: ContinuousClock.now, text: ""))

    var text: String { state.withLock { $0.text } }

    func bar(isTerminal: Bool) -> ProgressBar {
      ProgressBar(
        "replay registry", isTerminal: isTerminal, now: { self.state.withLock { $0.now } }, write: { text in self.state.withLock { $0.text += text } })
    }

    func pass(_ time: Duration) { state.withLock { $0.now += time } }
  }

  @Test("is a line every few seconds where nobody watches, with count, total, rate and the time that remains")
  func lines() {
    let screen = Screen()
    let bar = screen.bar(isTerminal: false)
    bar.move(to: 0, of: 100_000, "events")
    for step in 1...100 {
      screen.pass(.milliseconds(100))
      bar.move(to: Int64(step) * 1_000, of: 100_000, "events")
    }
    bar.end()
    #expect(
      screen.text == """
        replay registry: 0 %, 0 of 100000 events
        replay registry: 30 %, 30000 of 100000 events, 10000 events/s, 7 s left
        replay registry: 60 %, 60000 of 100000 events, 10000 events/s, 4 s left
        replay registry: 90 %, 90000 of 100000 events, 10000 events/s, 1 s left
        replay registry: 100 %, 100000 of 100000 events, 10000 events/s

        """)
  }

  @Test("is a bar on a terminal, drawn over itself a few times a second")
  func terminal() {
    let screen = Screen()
    let bar = screen.bar(isTerminal: true)
    for step in 0...20 {
      bar.move(to: Int64(step), of: 40_000, "readings")
      screen.pass(.milliseconds(50))
    }
    screen.pass(.milliseconds(50))
    bar.move(to: 20_000, of: 40_000, "readings")
    bar.end()
    let drawn = screen.text.split(separator: "\r")
    #expect(drawn.count == 12)
    #expect(drawn.last == "[###############...............] replay registry: 50 %, 20000 of 40000 readings, 18181 readings/s, 2 s left\u{1b}[K\n")
    #expect(!screen.text.dropLast().contains("\n"))
  }

  @Test("says hours and minutes where it takes that long, and is not troubled by nothing to do")
  func long() {
    let screen = Screen()
    let bar = screen.bar(isTerminal: false)
    bar.move(to: 0, of: 0, "events")
    bar.move(to: 0, of: 0, "events")
    #expect(screen.text == "replay registry: 100 %, 0 of 0 events\n")
    let slow = screen.bar(isTerminal: false)
    slow.move(to: 0, of: 10_000, "events")
    screen.pass(.seconds(10))
    slow.move(to: 10, of: 10_000, "events")
    #expect(screen.text.contains("1 events/s, 2 h 46 min left"))
  }
}
