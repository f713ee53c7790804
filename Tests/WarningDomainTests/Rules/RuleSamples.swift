import Foundation
import Geo
import Time
import WarningDomain

/// 12:00 in UTC on a day without meaning.
let ruleNoon = Instant(milliseconds: 1_900_000_800_000)

func minutes(_ count: Int) -> Instant { ruleNoon + .seconds(count * 60) }

/// Gauge 7 above 3.5 m, cleared below 3.2 m.
let highWater = Threshold(datastream: 7, direction: .above, raiseAt: 3.5, clearAt: 3.2)

func sampleRule(_ condition: Condition = .threshold(highWater), staleAfter: Int = Rule.usualStaleness) throws -> Rule {
  Rule(
    name: "Emscher in Dorstfeld über Informationswert 1", description: "Wiesen können überflutet werden. Wege am Ufer sperren.", city: "dortmund",
    district: "Dorstfeld", place: try Coordinate(longitude: 7.41, latitude: 51.51), severity: .moderate, rota: "tiefbau", staleAfter: staleAfter,
    condition: condition)
}

/// Small and true in itself: B follows A's rise by 0.5, one hour later.
let sampleModel = LaggedRegression(
  lag: 3_600, riseOver: 1_800, holds: 1_800, constant: 0, levelA: 0, riseA: 0.5, levelB: 1,
  band: [LaggedRegression.Knot(rise: 0, low: -0.1, high: 0.1), LaggedRegression.Knot(rise: 1, low: -0.2, high: 0.4)], risingA: 0.05, risingB: 0.05,
  widening: 1.5, floods: 40, error: 0.08)

/// Feeds single readings, minutes after noon, into windows and asks a condition after each, as a service would.
struct Feed {
  let condition: Condition
  var staleAfter = Rule.usualStaleness
  var activated = Instant(milliseconds: 0)
  var windows: [Int64: ReadingWindow] = [:]
  var state = ConditionState.initial
  private var offset: Int64 = 0

  init(_ condition: Condition, staleAfter: Int = Rule.usualStaleness, activated: Instant = Instant(milliseconds: 0)) {
    self.condition = condition
    self.staleAfter = staleAfter
    self.activated = activated
    for (datastream, horizon) in RuleWatch.horizon(for: condition, staleAfter: staleAfter) { windows[datastream] = ReadingWindow(horizon: horizon) }
  }

  /// Takes a reading of datastream 7 in and answers what holds then, the clock being at the reading's time unless said otherwise.
  @discardableResult mutating func take(
    _ value: Double, _ minute: Int, of datastream: Int64 = 7, plausible: Bool = true, at now: Instant? = nil
  ) -> ConditionState.Outcome {
    offset += 1
    windows[datastream]?.insert(Reading(time: minutes(minute), value: value, isPlausible: plausible, offset: offset))
    return look(at: now ?? minutes(minute))
  }

  @discardableResult mutating func withdraw(_ minute: Int, of datastream: Int64 = 7, at now: Instant) -> ConditionState.Outcome {
    offset += 1
    windows[datastream]?.withdraw(minutes(minute), offset: offset)
    return look(at: now)
  }

  @discardableResult mutating func look(at now: Instant) -> ConditionState.Outcome {
    state = condition.evaluate(windows, at: now, previous: state, staleAfter: staleAfter, activated: activated)
    for datastream in windows.keys { windows[datastream]?.trim() }
    return state.outcome
  }
}
