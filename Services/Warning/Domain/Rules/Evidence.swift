import Time

extension Evaluator {
  /// The readings that speak for the answer, from those single conditions that gave the same one, and the first forecast among them.
  func evidence(of condition: Condition, for answer: Answer) -> (readings: [HintReading], forecast: LevelForecast?) {
    guard answer != .unknown else { return ([], nil) }
    let speaking = leaves.count { $0.answer == answer }
    var collected = Collected(share: max(1, ConditionState.evidenceLimit / max(1, speaking)))
    collect(condition, answer, &collected)
    return (collected.readings, leaves.first { $0.answer == answer && $0.forecast != nil }?.forecast)
  }

  fileprivate struct Collected {
    /// How many readings each single condition may bring.
    let share: Int
    var readings: [HintReading] = []
    var place = 0
  }

  private func collect(_ condition: Condition, _ answer: Answer, _ collected: inout Collected) {
    if let parts = condition.parts {
      for part in parts { collect(part, answer, &collected) }
      return
    }
    defer { collected.place += 1 }
    guard collected.place < leaves.count, collected.readings.count < ConditionState.evidenceLimit else { return }
    let leaf = leaves[collected.place]
    guard leaf.answer == answer else { return }
    switch condition {
    case .threshold(let threshold): collected.add(threshold.datastream, windows[threshold.datastream], leaf)
    case .rateOfChange(let rate): collected.add(rate.datastream, windows[rate.datastream], leaf)
    case .silence(let silence): collected.add(silence.datastream, windows[silence.datastream], leaf)
    case .upstream(let upstream):
      collected.add(upstream.gaugeB, windows[upstream.gaugeB], Leaf(answer: .doesNotHold, latch: Latch(), forecast: nil))
      collected.add(upstream.gaugeA, windows[upstream.gaugeA], leaf, taken: 1)
    case .countOf, .all, .any: break
    }
  }
}

extension Evaluator.Collected {
  /// What raised it and what that was compared with, then the newest readings, as many as there is room for; of a condition that does not hold, the newest
  /// alone.
  fileprivate mutating func add(_ datastream: Int64, _ window: ReadingWindow?, _ leaf: Evaluator.Leaf, taken: Int = 0) {
    let room = min(share - taken, ConditionState.evidenceLimit - readings.count)
    guard let window, let newest = window.newest, room > 0 else { return }
    guard leaf.latch.position == .on, let raised = leaf.latch.raised, room > 1 else {
      return readings.append(HintReading(datastream: datastream, time: newest.time, result: newest.value))
    }
    var marks = [leaf.latch.base, raised].compactMap { $0 }.suffix(room - 1)
    let earliest = max(raised.time + 1, window.newestSeen - Int64(window.horizon) * 1_000)
    let later = window.plausible[window.index(from: earliest)...].suffix(min(room - marks.count, 10))
    marks += later.map { Latch.Mark(time: $0.time, value: $0.value) }
    readings += marks.map { HintReading(datastream: datastream, time: Instant(milliseconds: $0.time), result: $0.value) }
  }
}
