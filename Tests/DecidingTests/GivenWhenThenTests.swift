import Deciding
import DecidingTesting
import Testing

/// A door that can be opened once it is unlocked: small enough to see through the test support.
private enum Door: Decider {
  enum State: Sendable, Equatable { case unbuilt, closed, open(times: Int) }
  enum Command: Sendable { case build, open, close }
  enum Event: Sendable, Equatable { case built, opened, closed }
  enum Refusal: Error, Equatable { case unbuilt, alreadyBuilt }

  static var initial: State { .unbuilt }

  static func decide(_ command: Command, _ state: State) throws(Refusal) -> [Event] {
    switch (command, state) {
    case (.build, .unbuilt): return [.built]
    case (.build, _): throw .alreadyBuilt
    case (_, .unbuilt): throw .unbuilt
    case (.open, .closed): return [.opened]
    case (.close, .open): return [.closed]
    case (.open, .open), (.close, .closed): return []
    }
  }

  static func evolve(_ state: State, _ event: Event) -> State {
    switch (event, state) {
    case (.built, _), (.closed, _): .closed
    case (.opened, .open(let times)): .open(times: times + 1)
    case (.opened, _): .open(times: 1)
    }
  }
}

struct GivenWhenThenTests {
  @Test("A command on nothing meets the initial state") func initial() {
    given(Door.self).when(.build).then(.built)
    given(Door.self).when(.open).thenRefused(.unbuilt)
  }

  @Test("A command meets the state that the given events led to") func folded() {
    given(Door.self, .built).when(.open).then(.opened)
    given(Door.self, .built, .opened).when(.open).thenNothing()
    given(Door.self, .built, .opened).when(.close).then(.closed)
  }

  @Test("A second command meets what the first decided, and what was there before a refusal") func chained() {
    given(Door.self).when(.build).when(.open).when(.close).then(.closed)
    given(Door.self, .built).when(.build).when(.open).then(.opened)
  }

  @Test("A state is folded from its events, also from a state that was kept") func state() {
    #expect(given(Door.self, .built, .opened).state == .open(times: 1))
    #expect(Door.state(after: [.opened], from: .open(times: 3)) == .open(times: 4))
  }

  @Test("Whatever came otherwise is recorded as an issue") func failures() {
    withKnownIssue { given(Door.self).when(.build).then(.opened) }
    withKnownIssue { given(Door.self).when(.build).then() }
    withKnownIssue { given(Door.self).when(.open).then(.opened) }
    withKnownIssue { given(Door.self).when(.open).thenNothing() }
    withKnownIssue { given(Door.self).when(.build).thenNothing() }
    withKnownIssue { given(Door.self).when(.open).thenRefused(.alreadyBuilt) }
    withKnownIssue { given(Door.self).when(.build).thenRefused(.alreadyBuilt) }
    withKnownIssue { given(Door.self).when(.build).thenRefused { _ in true } }
    withKnownIssue { given(Door.self).when(.open).thenRefused { $0 == .alreadyBuilt } }
  }
}
