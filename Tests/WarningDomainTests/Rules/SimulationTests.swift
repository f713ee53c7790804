import Foundation
import TestSupport
import Testing
import Time

@testable import WarningDomain

@Suite("A simulation")
struct SimulationTests {
  @Test("tells when the rule would have fired, since when, and until when")
  func firings() throws {
    let rule = try sampleRule(.threshold(Threshold(datastream: 7, direction: .above, raiseAt: 3, clearAt: 2, for: 600)))
    let levels: [(Int, Double)] = [(0, 1), (5, 3), (10, 3), (15, 3.5), (20, 2.5), (25, 1), (30, 3), (35, 1), (40, 4), (50, 4), (60, 4)]
    let simulation = Simulation.run(rule, over: [7: readings(levels)], from: minutes(0), until: minutes(61))
    #expect(simulation.readings == 11)
    #expect(simulation.firings.map(\.raised) == [minutes(15), minutes(50)])
    #expect(simulation.firings.map(\.since) == [minutes(5), minutes(40)])
    #expect(simulation.firings.map(\.cleared) == [minutes(25), nil])
    #expect(simulation.firings.first?.evidence.map(\.result) == [3, 3, 3.5])
    #expect(simulation.verdict == nil)
  }

  @Test("counts hits, misses and false alarms, and how long before")
  func verdict() throws {
    let rule = try sampleRule()
    let levels: [(Int, Double)] = [(0, 1), (10, 4), (20, 4), (30, 1), (100, 4), (105, 1), (200, 4), (400, 4), (410, 1), (500, 1)]
    let simulation = Simulation.run(
      rule, over: [7: readings(levels)], from: minutes(0), until: minutes(500), truth: .times([minutes(25), minutes(205), minutes(450), minutes(9_999)]),
      announces: 1_200)
    let verdict = try #require(simulation.verdict)
    #expect(simulation.firings.count == 3)
    #expect((verdict.hits, verdict.misses, verdict.falseAlarms) == (2, 1, 1))
    #expect(verdict.leadTimes == [.seconds(900), .seconds(300)])
    #expect(verdict.shortestLead == .seconds(300))
    #expect(verdict.medianLead == .seconds(600))
  }

  @Test("gives the median of lead times to the millisecond", arguments: [10_500, 10_800, 11_700, 12_600])
  func median(seconds: Int) {
    let firing = Simulation.Firing(raised: minutes(0), since: minutes(0), cleared: nil, evidence: [], forecast: nil)
    let events = [ruleNoon + .seconds(seconds), ruleNoon + .seconds(seconds + 1_800)]
    #expect(SimulationVerdict(firings: [firing], events: events, announces: .seconds(1)).medianLead == .seconds(seconds + 900))
  }

  @Test("waits for silence that begins before the first reading, lies between two and lasts beyond the last")
  func silence() throws {
    let rule = try sampleRule(.silence(Silence(datastream: 7, longerThan: 1_800)))
    let simulation = Simulation.run(
      rule, over: [7: readings([(-100, 1), (-50, 1), (40, 1), (60, 1), (100, 1)])], from: minutes(0), until: minutes(200))
    #expect(simulation.firings.map(\.since) == [minutes(0), minutes(90), minutes(130)])
    #expect(simulation.firings.map(\.cleared) == [minutes(40), minutes(100), nil])
    let nothing = Simulation.run(rule, over: [7: []], from: minutes(0), until: minutes(200))
    #expect(nothing.firings.map(\.since) == [minutes(30)])
  }

  @Test("does what live evaluation would have done, reading by reading", arguments: 1...60 as ClosedRange<UInt64>)
  func live(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let condition = RandomCondition.condition(depth: 3, &random)
    let rule = try sampleRule(condition, staleAfter: 1_200)
    let standing = RandomFacts(&random).standing
    let histories = standing.mapValues { points in
      points.enumerated().map { index, point in
        Reading(time: Instant(milliseconds: point.time), value: point.value, isPlausible: point.isPlausible, offset: Int64(index))
      }
    }
    let (from, until) = (minutes(10), minutes(150))
    let simulation = Simulation.run(rule, over: histories, from: from, until: until)

    var feed = Feed(condition, staleAfter: 1_200, activated: from)
    var firings: [(raised: Instant, since: Instant, cleared: Instant?)] = []
    func note(_ state: ConditionState, _ now: Instant) {
      let stands = firings.last.map { $0.cleared == nil } ?? false
      switch state.outcome {
      case .holds(let since) where !stands: firings.append((now, since, nil))
      case .doesNotHold where stands: firings[firings.count - 1].cleared = now
      case .holds, .doesNotHold, .unknown: break
      }
    }
    // A live service looks when it is due, and sometimes when it is not, which must come to the same.
    let all = histories.flatMap { datastream, readings in readings.map { (datastream, $0) } }.sorted { ($0.1.time, $0.0) < ($1.1.time, $1.0) }
    let end = [(Int64(0), Reading(time: until, value: 0, offset: 0))]
    var now = minutes(0)
    for (datastream, reading) in all + end {
      let before = reading.time - .milliseconds(1)
      if now <= from, before >= from {
        feed.look(at: from)
        note(feed.state, from)
      }
      while now >= from {
        let idle = now + .seconds(Int.random(in: 1...600, using: &random))
        let look = min(feed.state.nextLook ?? idle, idle)
        guard look <= before else { break }
        now = look
        feed.look(at: now)
        note(feed.state, now)
      }
      now = reading.time
      feed.windows[datastream]?.insert(reading)
      feed.look(at: now)
      if now >= from { note(feed.state, now) }
    }
    #expect(simulation.firings.map(\.since) == firings.map(\.since))
    #expect(simulation.firings.map(\.raised) == firings.map(\.raised))
    #expect(simulation.firings.map(\.cleared) == firings.map(\.cleared))
  }

  @Test("of a gauge upstream announces floods hours ahead")
  func upstream() throws {
    var simulator = FloodSimulator(seed: 11)
    let known = simulator.river(floods: 30)
    let model = try LaggedRegression.fitted(to: known, LaggedRegression.Options(longestLag: 43_200))
    let past = simulator.river(floods: 30, from: Instant(milliseconds: 1_767_225_600_000))
    let mark = 2.5
    let rule = try sampleRule(
      .upstream(Upstream(gaugeA: 1, gaugeB: 2, model: model, raiseAt: mark, clearAt: mark - 0.2)), staleAfter: 3_600)
    let simulation = Simulation.run(
      rule, over: [1: past.upstream, 2: past.downstream], from: past.time(0), until: past.time(past.trueB.count),
      truth: .condition(.threshold(Threshold(datastream: 2, direction: .above, raiseAt: mark, clearAt: mark - 0.2))))
    let verdict = try #require(simulation.verdict)
    #expect(verdict.hits >= 5)
    #expect(verdict.misses * 5 <= verdict.hits)
    #expect(verdict.falseAlarms * 3 <= verdict.hits)
    #expect(try #require(verdict.medianLead) >= .seconds(3_600))
    #expect(simulation.firings.allSatisfy { $0.forecast != nil })
  }

  private func readings(_ levels: [(Int, Double)]) -> [Reading] {
    levels.enumerated().map { Reading(time: minutes($1.0), value: $1.1, offset: Int64($0)) }
  }
}
