import Foundation
import Testing
import Time

@testable import WarningDomain

@Suite("A condition")
struct EvaluationTests {
  @Test("about a threshold is raised at one mark and cleared at another")
  func hysteresis() {
    var feed = Feed(.threshold(highWater))
    #expect(feed.look(at: minutes(0)) == .unknown)
    #expect(feed.take(3.4, 0) == .doesNotHold(since: minutes(0)))
    #expect(feed.take(3.5, 1) == .holds(since: minutes(1)))
    #expect(feed.take(3.3, 2) == .holds(since: minutes(1)))
    #expect(feed.take(3.2, 3) == .holds(since: minutes(1)))
    #expect(feed.take(3.19, 4) == .doesNotHold(since: minutes(4)))
    #expect(feed.take(3.4, 5) == .doesNotHold(since: minutes(4)))
  }

  @Test("remembers beyond its window that it was raised, and since when")
  func longEpisode() {
    var feed = Feed(.threshold(highWater))
    feed.take(4, 0)
    for minute in 1...600 { #expect(feed.take(3.3, minute) == .holds(since: minutes(0))) }
    #expect(feed.windows[7]?.count ?? 0 < 40)
    #expect(feed.state.evidence.first == HintReading(datastream: 7, time: minutes(0), result: 4))
  }

  @Test("below a mark is the mirror of one above")
  func below() {
    var feed = Feed(.threshold(Threshold(datastream: 7, direction: .below, raiseAt: 1, clearAt: 1.5)))
    #expect(feed.take(1.2, 0) == .doesNotHold(since: minutes(0)))
    #expect(feed.take(1, 1) == .holds(since: minutes(1)))
    #expect(feed.take(1.5, 2) == .holds(since: minutes(1)))
    #expect(feed.take(1.6, 3) == .doesNotHold(since: minutes(3)))
  }

  @Test("with a minimum duration holds when readings span it, and not before")
  func duration() {
    var feed = Feed(.threshold(Threshold(datastream: 7, direction: .above, raiseAt: 3, clearAt: 2, for: 600)))
    feed.take(1, 0)
    #expect(feed.take(3, 1) == .doesNotHold(since: minutes(0)))
    #expect(feed.take(3, 10) == .doesNotHold(since: minutes(0)))
    #expect(feed.take(3, 11) == .holds(since: minutes(1)))
  }

  @Test("with a minimum duration begins anew at each reading below the mark, hysteresis or not")
  func interrupted() {
    var feed = Feed(.threshold(Threshold(datastream: 7, direction: .above, raiseAt: 3, clearAt: 2, for: 600)))
    feed.take(3, 0)
    feed.take(2.9, 8)
    #expect(feed.take(3, 9) == .doesNotHold(since: minutes(0)))
    #expect(feed.take(3, 18) == .doesNotHold(since: minutes(0)))
    #expect(feed.take(3, 19) == .holds(since: minutes(9)))
  }

  @Test("is not made true by a clock that jumps")
  func clock() {
    var feed = Feed(.threshold(Threshold(datastream: 7, direction: .above, raiseAt: 3, clearAt: 2, for: 600)))
    feed.take(3, 0)
    for jump in [11, 14] { #expect(feed.look(at: minutes(jump)) == .doesNotHold(since: minutes(0))) }
    #expect(feed.look(at: minutes(1_000_000)) == .unknown)
    #expect(feed.look(at: minutes(-1_000_000)) == .doesNotHold(since: minutes(0)))
  }

  @Test("knows nothing when its newest reading is too old, says when that will be, and goes on when readings come again")
  func stale() {
    var feed = Feed(.threshold(highWater))
    feed.take(4, 0)
    #expect(feed.state.nextLook == minutes(15) + .milliseconds(1))
    #expect(feed.look(at: minutes(15)) == .holds(since: minutes(0)))
    #expect(feed.look(at: minutes(15) + .milliseconds(1)) == .unknown)
    #expect(feed.state.nextLook == nil)
    #expect(feed.state.evidence == [])
    #expect(feed.take(3.4, 60) == .holds(since: minutes(0)))
  }

  @Test("is not made true by a late reading when a newer one says otherwise")
  func late() {
    var feed = Feed(.threshold(highWater))
    feed.take(3, 10)
    #expect(feed.take(9, 5, at: minutes(10)) == .doesNotHold(since: minutes(10)))
    var old = Feed(.threshold(highWater))
    #expect(old.take(9, 0, at: minutes(30)) == .unknown)
  }

  @Test("is not made true by implausible readings")
  func implausible() {
    var feed = Feed(.threshold(highWater))
    feed.take(3, 0)
    #expect(feed.take(99, 1, plausible: false) == .doesNotHold(since: minutes(0)))
  }

  @Test("ceases to hold when the reading that raised it is withdrawn")
  func withdrawn() {
    var feed = Feed(.threshold(highWater))
    feed.take(3, 0)
    feed.take(9, 1)
    feed.take(3.4, 2)
    #expect(feed.withdraw(1, at: minutes(2)) == .doesNotHold(since: minutes(0)))
  }

  @Test("holds at no reading from before its rule was activated, and knows what came before")
  func activated() {
    var feed = Feed(.threshold(highWater), activated: minutes(10))
    #expect(feed.take(9, 9) == .unknown)
    #expect(feed.take(9, 10) == .holds(since: minutes(10)))
    var silent = Feed(.silence(Silence(datastream: 7, longerThan: 600)), activated: minutes(30))
    #expect(silent.take(1, 0, at: minutes(29)) == .doesNotHold(since: minutes(30)))
    #expect(silent.look(at: minutes(30)) == .holds(since: minutes(30)))
  }

  @Test("about a rise compares with the lowest value within its time")
  func rise() {
    var feed = Feed(.rateOfChange(RateOfChange(datastream: 7, direction: .rise, by: 0.5, within: 900, clearBelow: 0.2)))
    feed.take(1.2, 0)
    feed.take(1, 5)
    #expect(feed.take(1.4, 10) == .doesNotHold(since: minutes(0)))
    #expect(feed.take(1.5, 15) == .holds(since: minutes(15)))
    #expect(feed.state.evidence.map(\.result) == [1, 1.5])
    #expect(feed.take(1.7, 30) == .holds(since: minutes(15)))
    #expect(feed.take(1.7, 45) == .doesNotHold(since: minutes(45)))
  }

  @Test("about a fall is the mirror of one about a rise")
  func fall() {
    var feed = Feed(.rateOfChange(RateOfChange(datastream: 7, direction: .fall, by: 0.5, within: 900, clearBelow: 0.2)))
    feed.take(2, 0)
    feed.take(3, 5)
    #expect(feed.take(2.6, 10) == .doesNotHold(since: minutes(0)))
    #expect(feed.take(2.5, 14) == .holds(since: minutes(14)))
  }

  @Test("about a rise takes a rare report as a slope, not as a jump")
  func slope() {
    var feed = Feed(.rateOfChange(RateOfChange(datastream: 7, direction: .rise, by: 0.5, within: 900, clearBelow: 0.2)))
    feed.take(1, 0)
    // 1.8 in an hour are 0.45 in a quarter of one.
    #expect(feed.take(2.8, 60) == .doesNotHold(since: minutes(0)))
    #expect(feed.take(5, 120) == .holds(since: minutes(120)))
  }

  @Test("about silence holds when nothing was heard, by the clock, and is ended by any reading")
  func silence() {
    var feed = Feed(.silence(Silence(datastream: 7, longerThan: 1_800)), activated: minutes(0))
    #expect(feed.look(at: minutes(10)) == .doesNotHold(since: minutes(0)))
    #expect(feed.state.nextLook == minutes(30) + .milliseconds(1))
    #expect(feed.look(at: minutes(31)) == .holds(since: minutes(30)))
    #expect(feed.take(99, 32, plausible: false) == .doesNotHold(since: minutes(32)))
    feed.take(1, 40)
    #expect(feed.look(at: minutes(70)) == .doesNotHold(since: minutes(40)))
    #expect(feed.look(at: minutes(71)) == .holds(since: minutes(70)))
    #expect(feed.state.evidence == [HintReading(datastream: 7, time: minutes(40), result: 1)])
  }

  @Test("about several sensors holds when enough of them do, since the last of those that it takes")
  func count() {
    let gauges = (1...3).map { Condition.threshold(Threshold(datastream: $0, direction: .above, raiseAt: 3, clearAt: 2)) }
    var feed = Feed(.countOf(CountOf(atLeast: 2, of: gauges)))
    #expect(feed.take(4, 0, of: 1) == .unknown)
    #expect(feed.take(1, 1, of: 2) == .unknown)
    #expect(feed.take(4, 2, of: 3) == .holds(since: minutes(2)))
    #expect(feed.state.evidence.map(\.datastream) == [1, 3])
    #expect(feed.take(4, 3, of: 2) == .holds(since: minutes(2)))
    #expect(feed.take(1, 4, of: 1) == .holds(since: minutes(3)))
    #expect(feed.take(1, 5, of: 3) == .doesNotHold(since: minutes(5)))
    #expect(feed.state.evidence.map(\.datastream) == [1, 3])
  }

  @Test("made of others does not take a silent sensor for a calm one")
  func unknown() {
    let one = Condition.threshold(Threshold(datastream: 1, direction: .above, raiseAt: 3, clearAt: 2))
    let two = Condition.threshold(Threshold(datastream: 2, direction: .above, raiseAt: 3, clearAt: 2))
    var all = Feed(.all([one, two]))
    #expect(all.take(4, 0, of: 1) == .unknown)
    #expect(all.take(1, 1, of: 1) == .doesNotHold(since: minutes(1)))
    var any = Feed(.any([one, two]))
    #expect(any.take(1, 0, of: 1) == .unknown)
    #expect(any.take(4, 1, of: 1) == .holds(since: minutes(1)))
    #expect(any.look(at: minutes(17)) == .unknown)
    let watched = Condition.any([one, .silence(Silence(datastream: 1, longerThan: 1_800))])
    var both = Feed(watched, activated: minutes(0))
    both.take(1, 0, of: 1)
    #expect(both.state.nextLook == minutes(15) + .milliseconds(1))
    #expect(both.look(at: minutes(16)) == .unknown)
    #expect(both.look(at: minutes(31)) == .holds(since: minutes(30)))
  }

  @Test("about a gauge upstream holds when the level downstream is announced, and says which")
  func upstream() {
    var feed = Feed(.upstream(Upstream(gaugeA: 7, gaugeB: 8, model: sampleModel, raiseAt: 2, clearAt: 1.8)))
    feed.take(1, 0, of: 8)
    #expect(feed.take(1, 0) == .unknown)
    feed.take(1, 15)
    feed.take(1, 30, of: 8)
    #expect(feed.take(1, 30) == .doesNotHold(since: minutes(30)))
    feed.take(3, 45)
    #expect(feed.state.outcome == .holds(since: minutes(45)))
    #expect(feed.state.forecast == LevelForecast(time: minutes(105), level: 2, low: 2 - 0.3, high: 2 + 0.6))
    #expect(Set(feed.state.evidence.map(\.datastream)) == [7, 8])
    #expect(feed.look(at: minutes(46)) == .unknown, "B's newest reading is older than a quarter of an hour")
  }

  @Test("about a gauge upstream holds earlier where what is possible counts")
  func possible() {
    let upstream = { Condition.upstream(Upstream(gaugeA: 7, gaugeB: 8, model: sampleModel, raiseAt: 2, clearAt: 1.8, certainty: $0)) }
    for (certainty, expected) in [(Certainty.likely, false), (.possible, true)] {
      var feed = Feed(upstream(certainty))
      for minute in [0, 15, 30] {
        feed.take(1, minute, of: 8)
        feed.take(1, minute)
      }
      feed.take(2.4, 45)
      #expect(feed.state.holds == expected)
    }
  }

  @Test("gives at most twenty readings as evidence, those that raised it first")
  func evidence() {
    var feed = Feed(.threshold(highWater), staleAfter: 7_200)
    for minute in 0..<60 { feed.take(4 + Double(minute), minute) }
    #expect(feed.state.evidence.count <= ConditionState.evidenceLimit)
    #expect(feed.state.evidence.first?.time == minutes(0))
    #expect(feed.state.evidence.last?.time == minutes(59))
    let many = (1...100).map { Condition.threshold(Threshold(datastream: $0, direction: .above, raiseAt: 3, clearAt: 2)) }
    var area = Feed(.countOf(CountOf(atLeast: 50, of: many)))
    for datastream in 1...100 { area.take(5, 0, of: Int64(datastream)) }
    #expect(area.state.holds)
    #expect(area.state.evidence.count == ConditionState.evidenceLimit)
  }

  @Test("goes on after a restart as if there had been none")
  func restart() throws {
    var feed = Feed(.all([.threshold(highWater), .rateOfChange(RateOfChange(datastream: 7, direction: .rise, by: 0.1, within: 3_600, clearBelow: 0.05))]))
    feed.take(1, 0)
    for minute in 1..<90 { feed.take(3.5 + 0.01 * Double(minute), minute) }
    var resumed = feed
    resumed.state = try JSONDecoder().decode(ConditionState.self, from: JSONEncoder().encode(feed.state))
    #expect(resumed.state == feed.state)
    for minute in 90..<200 {
      feed.take(3.3, minute)
      resumed.take(3.3, minute)
      #expect(resumed.state == feed.state)
    }
  }
}
