import Foundation
import TestSupport
import Testing
import Time

@testable import WarningDomain

@Suite("The watch over all live rules")
struct RuleWatchTests {
  private let one = UUID()
  private let two = UUID()

  @Test("tells once when a rule begins to hold, and once when it has ceased to")
  func changes() throws {
    var watch = RuleWatch()
    watch.watch(one, try sampleRule(), activated: minutes(0))
    #expect(take(3, 0, &watch) == [])
    #expect(take(4, 1, &watch) == ["raised"])
    #expect(take(4, 2, &watch) == [])
    #expect(take(3.3, 3, &watch) == [])
    #expect(take(1, 4, &watch) == ["cleared"])
    #expect(take(1, 5, &watch) == [])
  }

  @Test("leaves raised what nobody knows any more")
  func unknown() throws {
    var watch = RuleWatch()
    watch.watch(one, try sampleRule(), activated: minutes(0))
    #expect(take(4, 1, &watch) == ["raised"])
    #expect(watch.look(at: minutes(60)) == [])
    #expect(watch.state(of: one)?.outcome == .unknown)
    #expect(take(4, 61, &watch) == [])
    #expect(take(1, 62, &watch) == ["cleared"])
  }

  @Test("asks a rule once for facts that come together: what was so in between is past")
  func batch() throws {
    var watch = RuleWatch()
    watch.watch(one, try sampleRule(), activated: minutes(0))
    let facts = [1.0, 9, 1].enumerated().map { ReadingFact.recorded(Reading(time: minutes($0), value: $1, offset: Int64($0))) }
    #expect(watch.take(facts, of: 7, at: minutes(2)).isEmpty)
  }

  @Test("hears of a silent sensor though it never said anything")
  func silence() throws {
    var watch = RuleWatch()
    watch.watch(one, try sampleRule(.silence(Silence(datastream: 9, longerThan: 600))), activated: minutes(0))
    #expect(watch.nextLook == minutes(0))
    #expect(watch.look(at: minutes(0)).isEmpty)
    let next = try #require(watch.nextLook)
    #expect(next == minutes(10) + .milliseconds(1))
    #expect(watch.look(at: next).count == 1)
    #expect(watch.nextLook == nil)
  }

  @Test("asks only rules that look at the datastream, and keeps only readings that one needs")
  func index() throws {
    var watch = RuleWatch()
    let rise = Condition.rateOfChange(RateOfChange(datastream: 7, direction: .rise, by: 1, within: 7_200, clearBelow: 1))
    watch.watch(one, try sampleRule(), activated: minutes(0))
    #expect(watch.horizon(of: 7) == 1_800)
    #expect(watch.horizon(of: 8) == nil)
    watch.watch(two, try sampleRule(.any([rise, .silence(Silence(datastream: 8, longerThan: 60))])), activated: minutes(0))
    #expect(watch.horizon(of: 7) == 9_000)
    #expect(take(4, 1, &watch) == ["raised"])
    _ = watch.take([.recorded(Reading(time: minutes(1), value: 0, offset: 1))], of: 8, at: minutes(1))
    watch.stop(two)
    #expect(watch.horizon(of: 8) == nil)
    #expect(watch.state(of: two) == nil)
    #expect(take(1, 2, &watch) == ["cleared"])
    watch.stop(one)
    #expect(watch.horizon(of: 7) == nil)
    #expect(take(4, 3, &watch) == [])
  }

  @Test("goes on after a restart as if there had been none", arguments: 1...60 as ClosedRange<UInt64>)
  func restart(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let rule = try sampleRule(RandomCondition.condition(depth: 3, &random), staleAfter: 1_200)
    let facts = RandomFacts(&random).inOrder
    var watch = RuleWatch()
    watch.watch(one, rule, activated: minutes(5))
    var isRaised = false
    let stop = Int.random(in: 0..<facts.count, using: &random)
    for (datastream, fact) in facts[..<stop] { note(watch.take([fact], of: datastream, at: fact.time), &isRaised) }

    var resumed = RuleWatch()
    let stored = try JSONEncoder().encode(watch.state(of: one))
    resumed.watch(one, rule, activated: minutes(5), state: try JSONDecoder().decode(ConditionState.self, from: stored), isRaised: isRaised)
    for datastream in rule.condition.datastreams {
      let own = facts[..<stop].filter { $0.0 == datastream }.map(\.1)
      let horizon = try #require(resumed.horizon(of: datastream))
      let newest = own.map(\.time).max() ?? minutes(0)
      // What a service finds stored: the readings of that time, and the newest before it.
      resumed.load(own.filter { $0.time >= newest - .seconds(horizon) }, of: datastream)
      resumed.load(own.filter { $0.time < newest - .seconds(horizon) }, of: datastream)
    }
    for (datastream, fact) in facts[stop...] {
      let expected = watch.take([fact], of: datastream, at: fact.time)
      #expect(resumed.take([fact], of: datastream, at: fact.time).map(name) == expected.map(name))
    }
    #expect(resumed.lookAtAll(at: minutes(125)).map(name) == watch.lookAtAll(at: minutes(125)).map(name))
    #expect(resumed.state(of: one)?.outcome == watch.state(of: one)?.outcome)
  }

  private func take(_ value: Double, _ minute: Int, _ watch: inout RuleWatch) -> [String] {
    let reading = Reading(time: minutes(minute), value: value, offset: Int64(minute))
    return watch.take([.recorded(reading)], of: 7, at: minutes(minute)).map(name)
  }

  private func name(_ change: RuleWatch.Change) -> String {
    switch change {
    case .raised: "raised"
    case .cleared: "cleared"
    }
  }

  private func note(_ changes: [RuleWatch.Change], _ isRaised: inout Bool) {
    for change in changes { isRaised = name(change) == "raised" }
  }
}
