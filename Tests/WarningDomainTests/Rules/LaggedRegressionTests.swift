import Foundation
import TestSupport
import Testing
import Time

@testable import WarningDomain

@Suite("A lagged regression")
struct LaggedRegressionTests {
  @Test("holds its 90 % band on floods it has not seen, in all and while the water rises", arguments: 1...4 as ClosedRange<UInt64>)
  func coverage(seed: UInt64) throws {
    var simulator = FloodSimulator(seed: seed)
    let known = simulator.river(floods: 80)
    let model = try LaggedRegression.fitted(to: known, LaggedRegression.Options(longestLag: 43_200))
    let unseen = simulator.river(floods: 120, from: Instant(milliseconds: 1_767_225_600_000))
    let coverage = Coverage(of: model, on: unseen)
    #expect((0.85...0.95).contains(coverage.all.share), "of \(coverage.all.moments) moments")
    #expect((0.85...0.95).contains(coverage.rising.share), "of \(coverage.rising.moments) moments while the water rises")
    // A band that held by being wide would be of no use: a flood here rises by metres.
    #expect(coverage.rising.width < 0.45)
    #expect(coverage.all.width < 0.15)
  }

  @Test("says of itself how well its band holds, by floods that it was not made with")
  func ownCoverage() throws {
    var simulator = FloodSimulator(seed: 28)
    let river = simulator.river(floods: 24)
    let fit = try LaggedRegression.fit(upstream: river.upstream, downstream: river.downstream)
    let coverage = fit.coverage()
    #expect((0.85...0.95).contains(coverage.all))
    // A dozen and a half floods in a group are few, and each errs alike on the whole of its rise.
    #expect((0.7...1).contains(try #require(coverage.rising)))
    #expect(fit.model.error < fit.persistence)
    // Held against a band of no width it says so.
    let narrow = RegressionFit(model: fit.model, persistence: fit.persistence, outcomes: fit.outcomes.map { _ in [] } + [fit.outcomes[0]])
    #expect(narrow.coverage().all == 0)
  }

  @Test("finds the travel time")
  func lag() throws {
    for (hours, expected) in [(2.0, 1.0...2.5), (6.0, 2.5...6.5)] {
      var simulator = FloodSimulator(seed: 21)
      simulator.travel = hours * 3_600
      let river = simulator.river(floods: 20)
      let model = try LaggedRegression.fitted(to: river)
      #expect(expected.contains(Double(model.lag) / 3_600), "\(model.lag) s")
    }
  }

  @Test("is sound, small, and the same after a way through JSON")
  func coding() throws {
    var simulator = FloodSimulator(seed: 22)
    let river = simulator.river(floods: 20)
    let model = try LaggedRegression.fitted(to: river)
    #expect(try sampleRule(.upstream(Upstream(gaugeA: 1, gaugeB: 2, model: model, raiseAt: 3, clearAt: 2.8))).problems() == [])
    let bytes = try JSONEncoder().encode(model)
    #expect(bytes.count < 4_000)
    #expect(try JSONDecoder().decode(LaggedRegression.self, from: bytes) == model)
  }

  @Test("says what is wrong with numbers that are no model")
  func unsound() throws {
    let knots = [LaggedRegression.Knot(rise: 1, low: 0.1, high: -0.1), LaggedRegression.Knot(rise: 1, low: -0.1, high: 0.1)]
    let model = LaggedRegression(
      lag: 0, riseOver: 1_800, holds: 1_800, constant: .nan, levelA: 0, riseA: 0, levelB: 1, band: knots, risingA: 0, risingB: 0, widening: 0.5,
      floods: 9, error: 0.1)
    let problems = try sampleRule(.upstream(Upstream(gaugeA: 1, gaugeB: 2, model: model, raiseAt: 3, clearAt: 2.8))).problems()
    #expect(
      problems.map(\.path) == [
        "condition.model.lag", "condition.model.constant", "condition.model.widening", "condition.model.band[0].low", "condition.model.band[1].rise",
      ])
  }

  @Test("widens its band beyond the largest rise that it knows")
  func beyond() {
    let known = sampleModel.forecast(levelA: 1, riseA: 2, levelB: 1, at: ruleNoon)
    let larger = sampleModel.forecast(levelA: 1, riseA: 4, levelB: 1, at: ruleNoon)
    #expect(larger.high - larger.low > 1.9 * (known.high - known.low))
  }

  @Test("is not fitted on too little history")
  func tooLittle() {
    var simulator = FloodSimulator(seed: 23)
    let river = simulator.river(floods: 1)
    #expect(throws: FitRefusal.tooLittleHistory(moments: 0, needed: 500)) { try LaggedRegression.fit(upstream: [], downstream: river.downstream) }
    #expect { try LaggedRegression.fitted(to: river) } throws: { error in
      guard case .tooLittleHistory(let moments, 500)? = error as? FitRefusal else { return false }
      return (1..<500).contains(moments)
    }
  }

  @Test("is not fitted on a gauge that stands still")
  func still() {
    var simulator = FloodSimulator(seed: 24)
    let river = simulator.river(floods: 10)
    let still = river.upstream.map { Reading(time: $0.time, value: 1, offset: $0.offset) }
    #expect(throws: FitRefusal.noVariance(.upstream)) { try LaggedRegression.fit(upstream: still, downstream: river.downstream) }
    #expect(throws: FitRefusal.noVariance(.downstream)) { try LaggedRegression.fit(upstream: river.upstream, downstream: still) }
  }

  @Test("is not fitted on few floods")
  func fewFloods() {
    var simulator = FloodSimulator(seed: 25)
    let river = simulator.river(floods: 3)
    #expect { try LaggedRegression.fitted(to: river) } throws: { error in
      guard case .tooFewFloods(let count, needed: 8)? = error as? FitRefusal else { return false }
      return count < 8
    }
  }

  @Test("is not fitted on gauges that have nothing to do with each other")
  func unrelated() {
    var simulator = FloodSimulator(seed: 26)
    let river = simulator.river(floods: 20)
    var random = SeededRandom(seed: 27)
    let noise = river.downstream.map { Reading(time: $0.time, value: Double.random(in: 0...1, using: &random), offset: $0.offset) }
    #expect { try LaggedRegression.fit(upstream: noise, downstream: river.downstream) } throws: { error in
      guard case .noRelation(let correlation, needed: 0.3)? = error as? FitRefusal else { return false }
      return correlation < 0.3
    }
  }
}

/// How often what came lay in the band.
struct Coverage {
  struct Count {
    private(set) var moments = 0
    private var within = 0
    private var widths = 0.0

    var share: Double { Double(within) / Double(max(1, moments)) }
    /// Of the band, on average.
    var width: Double { widths / Double(max(1, moments)) }

    mutating func add(_ forecast: LevelForecast, outcome: Double) {
      moments += 1
      within += (forecast.low...forecast.high).contains(outcome) ? 1 : 0
      widths += forecast.high - forecast.low
    }
  }

  private(set) var all = Count()
  private(set) var rising = Count()

  init(of model: LaggedRegression, on river: FloodSimulator.River) {
    let a = Dictionary(uniqueKeysWithValues: river.a.map { ($0.time, $0.value) })
    let b = Dictionary(uniqueKeysWithValues: river.b.map { ($0.time, $0.value) })
    for step in river.trueB.indices {
      let time = river.time(step)
      guard let levelA = a[time], let before = a[time - .seconds(model.riseOver)], let levelB = b[time], let outcome = b[time + .seconds(model.lag)]
      else { continue }
      let forecast = model.forecast(levelA: levelA, riseA: levelA - before, levelB: levelB, at: time)
      all.add(forecast, outcome: outcome)
      if river.isRising[step] { rising.add(forecast, outcome: outcome) }
    }
  }
}
