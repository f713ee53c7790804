import Foundation
import TestSupport
import Testing
import Time

@testable import WarningDomain

@Suite("Readings in any order")
struct ArrivalOrderTests {
  @Test("come to the same, and to what is right by definition", arguments: 1...120 as ClosedRange<UInt64>)
  func order(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let condition = RandomCondition.condition(depth: 3, &random)
    let rule = try sampleRule(condition, staleAfter: 1_200)
    let facts = RandomFacts(&random)
    let now = ruleNoon + .seconds(facts.length + Int.random(in: 0...900, using: &random))
    let activated = ruleNoon + .seconds(Int.random(in: 0...1_800, using: &random))

    let expected = state(rule, facts.inOrder, now: now, activated: activated)
    // As told by the log, but in batches; all at once only where no two sensors are compared.
    #expect(state(rule, facts.inOrder, batch: 12, now: now, activated: activated) == expected)
    if !condition.comparesGauges { #expect(state(rule, facts.inOrder, batch: 500, now: now, activated: activated) == expected) }
    for _ in 0..<4 {
      let arrivals = facts.shuffled(late: 1_199, &random)
      #expect(state(rule, arrivals, batch: 1, now: now, activated: activated) == expected)
      #expect(state(rule, arrivals, batch: 7, now: now, activated: activated) == expected)
    }

    #expect(expected.nextLook.map { $0 > now } ?? true, "a look that is due at once would never end")

    let oracle = Oracle(readings: facts.standing, now: now.milliseconds, staleAfter: 1_200_000, activated: activated.milliseconds)
    #expect(oracle.answer(condition) == expected.outcome, "\(condition)")
  }

  /// What the rule comes to in the end, asked after each batch, with what it remembers left out.
  private func state(
    _ rule: Rule, _ facts: [(Int64, ReadingFact)], batch: Int = 1, now: Instant, activated: Instant
  ) -> ConditionState {
    let id = UUID()
    var watch = RuleWatch()
    watch.watch(id, rule, activated: activated)
    var rest = facts[...]
    while !rest.isEmpty {
      let part = rest.prefix(batch)
      rest = rest.dropFirst(batch)
      for datastream in Set(part.map(\.0)).sorted() {
        let own = part.filter { $0.0 == datastream }.map(\.1)
        // The clock is anywhere in between: it must not matter.
        _ = watch.take(own, of: datastream, at: own.last?.time ?? now)
      }
    }
    _ = watch.lookAtAll(at: now)
    var state = watch.state(of: id) ?? .initial
    state.memory = []
    return state
  }
}

extension Condition {
  fileprivate var comparesGauges: Bool {
    if case .upstream = self { return true }
    return parts?.contains(where: \.comparesGauges) ?? false
  }
}

extension ReadingFact {
  var time: Instant {
    switch self {
    case .recorded(let reading): reading.time
    case .withdrawn(let time, _): time
    }
  }
}

/// What a log tells of three datastreams in two hours: readings, repeated, revised, withdrawn, implausible.
struct RandomFacts {
  let length = 7_200
  private(set) var inOrder: [(Int64, ReadingFact)] = []

  init(_ random: inout SeededRandom) {
    var offset: Int64 = 0
    for datastream in 1...3 as ClosedRange<Int64> {
      var level = 2.0
      var second = Int.random(in: 0...120, using: &random)
      while second <= length {
        level = min(5, max(0, level + 0.25 * Double(Int.random(in: -2...2, using: &random))))
        let time = ruleNoon + .seconds(second)
        for _ in 0..<(random.oneIn(8) ? 3 : 1) {
          offset += 1
          if random.oneIn(12) {
            inOrder.append((datastream, .withdrawn(time, offset: offset)))
          } else {
            let value = random.oneIn(4) ? 0.25 * Double(Int.random(in: 0...20, using: &random)) : level
            inOrder.append((datastream, .recorded(Reading(time: time, value: value, isPlausible: !random.oneIn(15), offset: offset))))
          }
        }
        second += random.oneIn(20) ? Int.random(in: 600...1_500, using: &random) : Int.random(in: 20...300, using: &random)
      }
    }
    inOrder.sort { $0.1.time < $1.1.time }
  }

  /// The same facts, each as late as that at most, some of them twice.
  func shuffled(late: Int, _ random: inout SeededRandom) -> [(Int64, ReadingFact)] {
    var arrivals: [(at: Instant, fact: (Int64, ReadingFact))] = []
    for fact in inOrder {
      for _ in 0..<(random.oneIn(10) ? 2 : 1) {
        arrivals.append((fact.1.time + .seconds(Int.random(in: 0..<late, using: &random)), fact))
      }
    }
    return arrivals.sorted { $0.at < $1.at }.map(\.fact)
  }

  /// What holds of it in the end, by datastream and time.
  var standing: [Int64: [(time: Int64, value: Double, isPlausible: Bool)]] {
    var newest: [Int64: [Int64: (offset: Int64, reading: Reading?)]] = [:]
    for (datastream, fact) in inOrder {
      let time = fact.time.milliseconds
      let (offset, reading): (Int64, Reading?) =
        switch fact {
        case .recorded(let reading): (reading.offset, reading)
        case .withdrawn(_, let offset): (offset, nil)
        }
      if let known = newest[datastream]?[time], known.offset > offset { continue }
      newest[datastream, default: [:]][time] = (offset, reading)
    }
    return newest.mapValues { byTime in
      byTime.compactMap { time, fact in fact.reading.map { (time, $0.value, $0.isPlausible) } }.sorted { $0.0 < $1.0 }
    }
  }
}

enum RandomCondition {
  static func condition(depth: Int, _ random: inout SeededRandom) -> Condition {
    let kind = Int.random(in: 0..<(depth > 1 ? 8 : 5), using: &random)
    let datastream = Int64.random(in: 1...3, using: &random)
    let mark = 0.25 * Double(Int.random(in: 4...14, using: &random))
    let gap = 0.25 * Double(Int.random(in: 0...4, using: &random))
    switch kind {
    case 0, 1:
      let direction = random.oneIn(2) ? Threshold.Direction.above : .below
      let minimum = random.oneIn(2) ? 0 : Int.random(in: 1...1_800, using: &random)
      return .threshold(
        Threshold(datastream: datastream, direction: direction, raiseAt: mark, clearAt: direction == .above ? mark - gap : mark + gap, for: minimum))
    case 2:
      return .rateOfChange(
        RateOfChange(
          datastream: datastream, direction: random.oneIn(2) ? .rise : .fall, by: 0.5 + gap, within: Int.random(in: 60...2_400, using: &random),
          clearBelow: 0.25 + gap / 2))
    case 3: return .silence(Silence(datastream: datastream, longerThan: Int.random(in: 300...2_000, using: &random)))
    case 4:
      return .upstream(
        Upstream(gaugeA: datastream, gaugeB: datastream % 3 + 1, model: sampleModel, raiseAt: mark, clearAt: mark - gap))
    default:
      let parts = (0..<Int.random(in: 1...4, using: &random)).map { _ in condition(depth: depth - 1, &random) }
      if kind == 5 { return .all(parts) }
      return kind == 6 ? .any(parts) : .countOf(CountOf(atLeast: Int.random(in: 1...parts.count, using: &random), of: parts))
    }
  }
}

/// The rules' meaning, written down once more as plainly as possible: from all readings there ever were, in no hurry, with no memory.
struct Oracle {
  let readings: [Int64: [(time: Int64, value: Double, isPlausible: Bool)]]
  let now: Int64
  let staleAfter: Int64
  let activated: Int64

  func answer(_ condition: Condition) -> ConditionState.Outcome {
    switch condition {
    case .threshold(let threshold):
      let points = plausible(threshold.datastream)
      let above = threshold.direction == .above
      return latched(
        points.map { point in
          (
            point.time, above ? point.value >= threshold.raiseAt : point.value <= threshold.raiseAt,
            above ? point.value < threshold.clearAt : point.value > threshold.clearAt
          )
        }, minimum: Int64(threshold.minimum) * 1_000, newest: points.last?.time)
    case .rateOfChange(let rate):
      let points = plausible(rate.datastream)
      let steps = points.enumerated().map { index, point -> (Int64, Bool, Bool) in
        let start = point.time - Int64(rate.within) * 1_000
        var values = points[...index].filter { $0.time >= start }.map(\.value)
        if let before = points[...index].last(where: { $0.time < start }), let next = points.first(where: { $0.time >= start }) {
          values.append(before.value + (next.value - before.value) * Double(start - before.time) / Double(next.time - before.time))
        }
        let change = rate.direction == .rise ? point.value - (values.min() ?? 0) : (values.max() ?? 0) - point.value
        return (point.time, change >= rate.by - 1e-9, change < rate.clearBelow - 1e-9)
      }
      return latched(steps, minimum: 0, newest: points.last?.time)
    case .silence(let silence):
      let heard = readings[silence.datastream]?.last?.time
      let due = (heard ?? activated) + Int64(silence.longerThan) * 1_000
      if now > due { return .holds(since: Instant(milliseconds: max(due, activated))) }
      return .doesNotHold(since: Instant(milliseconds: max(heard ?? activated, activated)))
    case .upstream(let upstream):
      let (a, b) = (plausible(upstream.gaugeA), plausible(upstream.gaugeB))
      var steps: [(Int64, Bool, Bool)] = []
      for point in a {
        let holds = Int64(upstream.model.holds) * 1_000
        let earlier = point.time - Int64(upstream.model.riseOver) * 1_000
        guard let before = a.last(where: { $0.time <= earlier }), earlier - before.time <= holds, let atB = b.last(where: { $0.time <= point.time }),
          point.time - atB.time <= holds
        else { continue }
        let forecast = upstream.model.forecast(
          levelA: point.value, riseA: point.value - before.value, levelB: atB.value, at: Instant(milliseconds: point.time))
        steps.append((point.time, forecast.level >= upstream.raiseAt, forecast.level < upstream.clearAt))
      }
      guard let newestA = a.last?.time, let newestB = b.last?.time, steps.last?.0 == newestA else { return .unknown }
      return latched(steps, minimum: 0, newest: min(newestA, newestB))
    case .countOf(let count): return combined(count.of, count.atLeast)
    case .all(let parts): return combined(parts, parts.count)
    case .any(let parts): return combined(parts, 1)
    }
  }

  private func plausible(_ datastream: Int64) -> [(time: Int64, value: Double)] {
    (readings[datastream] ?? []).filter(\.isPlausible).map { ($0.time, $0.value) }
  }

  private func latched(_ steps: [(time: Int64, raised: Bool, cleared: Bool)], minimum: Int64, newest: Int64?) -> ConditionState.Outcome {
    var on: Int64?
    var pending: Int64?
    var off: Int64?
    for step in steps {
      if on != nil {
        if step.cleared { (on, pending, off) = (nil, nil, step.time) }
      } else if step.raised {
        pending = pending ?? step.time
        if let pending, step.time - pending >= minimum { on = pending }
      } else {
        off = off ?? pending ?? step.time
        pending = nil
      }
    }
    guard let newest, newest >= activated, now - newest <= staleAfter else { return .unknown }
    if let on { return .holds(since: Instant(milliseconds: max(on, activated))) }
    guard let since = off ?? pending else { return .unknown }
    return .doesNotHold(since: Instant(milliseconds: max(since, activated)))
  }

  private func combined(_ parts: [Condition], _ needed: Int) -> ConditionState.Outcome {
    var (holding, others): ([Instant], [Instant]) = ([], [])
    for part in parts {
      switch answer(part) {
      case .holds(let since): holding.append(since)
      case .doesNotHold(let since): others.append(since)
      case .unknown: break
      }
    }
    if holding.count >= needed { return .holds(since: holding.sorted()[needed - 1]) }
    if others.count > parts.count - needed { return .doesNotHold(since: others.sorted()[parts.count - needed]) }
    return .unknown
  }
}
