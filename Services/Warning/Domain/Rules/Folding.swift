import Time

/// A condition about single readings, as a walk along them.
protocol Folding {
  /// Takes a latch along the readings at these places of the window, which holds what they are compared with as well.
  func fold(_ window: ReadingWindow, _ range: Range<Int>, into latch: inout Latch)
}

extension Threshold: Folding {
  func fold(_ window: ReadingWindow, _ range: Range<Int>, into latch: inout Latch) {
    let minimum = Int64(self.minimum) * 1_000
    for point in window.plausible[range] {
      latch.take(
        Latch.Mark(time: point.time, value: point.value), isRaised: isRaised(by: point.value), isCleared: isCleared(by: point.value), minimum: minimum)
    }
  }
}

extension RateOfChange: Folding {
  /// Keeps the places whose values can still be the lowest (for a fall the highest) of some span, so that each reading is looked at twice at most,
  /// however long the span is.
  func fold(_ window: ReadingWindow, _ range: Range<Int>, into latch: inout Latch) {
    guard !range.isEmpty else { return }
    let points = window.plausible
    let span = Int64(within) * 1_000
    let sign: Double = direction == .rise ? 1 : -1
    var begin = window.index(from: points[range.lowerBound].time - span)
    var candidates: [Int] = []
    var head = 0
    for place in begin..<range.upperBound {
      let point = points[place]
      while begin < place, points[begin].time < point.time - span { begin += 1 }
      while head < candidates.count, candidates[head] < begin { head += 1 }
      while candidates.count > head, let last = candidates.last, sign * points[last].value >= sign * point.value { candidates.removeLast() }
      candidates.append(place)
      guard place >= range.lowerBound else { continue }
      var lowest = points[candidates[head]]
      var value = lowest.value
      if begin > window.first {
        let before = points[begin - 1]
        let next = points[begin]
        let share = Double(point.time - span - before.time) / Double(next.time - before.time)
        let between = before.value + share * (next.value - before.value)
        if sign * between < sign * value { (lowest, value) = (before, between) }
      }
      // 1.7 - 1.5 is a little less than 0.2 in binary; what is off in the last digits counts as equal.
      let change = sign * (point.value - value) + 1e-12 * max(abs(point.value), abs(value))
      latch.take(
        Latch.Mark(time: point.time, value: point.value), base: Latch.Mark(time: lowest.time, value: lowest.value), isRaised: change >= by,
        isCleared: change < clearBelow)
    }
  }
}

extension Upstream {
  /// Takes a latch along the forecasts made at these readings of A, and answers the last of them.
  func fold(_ a: ReadingWindow, _ range: Range<Int>, _ b: ReadingWindow, into latch: inout Latch) -> LevelForecast? {
    var latest: LevelForecast?
    for point in a.plausible[range] {
      guard let before = a.level(at: point.time - Int64(model.riseOver) * 1_000, holds: model.holds),
        let atB = b.level(at: point.time, holds: model.holds)
      else {
        latest = nil
        continue
      }
      let forecast = model.forecast(
        levelA: point.value, riseA: point.value - before, levelB: atB, at: Instant(milliseconds: point.time))
      let level = level(of: forecast)
      latch.take(Latch.Mark(time: point.time, value: point.value), isRaised: level >= raiseAt, isCleared: level < clearAt)
      latest = forecast
    }
    return latest
  }
}

extension ReadingWindow {
  /// The level of the last plausible reading at a time or before it; nil where that is more than so many seconds older.
  fileprivate func level(at time: Int64, holds: Int) -> Double? {
    let place = index(from: time + 1) - 1
    guard place >= first, time - plausible[place].time <= Int64(holds) * 1_000 else { return nil }
    return plausible[place].value
  }
}
