public import Time

/// The readings of one datastream that rules can still need.
///
/// Readings come late, doubled, revised and withdrawn, in any order; what the window holds depends on which came, not on the order: for each time the
/// fact with the highest offset, and of times before the window's beginning only the last plausible reading, which says where the value came from.
/// What is older than that is neither needed nor taken.
///
/// ``insert(_:)`` and ``withdraw(_:offset:)`` drop nothing; ``trim()`` does, after whoever remembers something has looked (``RuleWatch`` keeps that
/// order). Appending at the end takes constant time, amortised; a late reading moves those behind it.
public struct ReadingWindow: Sendable {
  /// How many seconds before the newest time the window begins.
  public private(set) var horizon: Int

  /// Plausible readings by time, from `first` on.
  private(set) var plausible: [Point] = []
  /// Where they begin: what lies before is dropped when it is worth moving the rest.
  private(set) var first = 0
  /// Times of implausible and withdrawn readings, rare.
  private var others: [Other] = []
  /// The latest time that any fact named, what was withdrawn since included.
  private(set) var newestSeen = Int64.min
  /// How often something else happened than a reading at the end, so that what was computed of the readings before must be computed anew.
  private(set) var rewrites = 0

  struct Point: Hashable {
    let time: Int64
    var value: Double
    var offset: Int64
  }

  private struct Other {
    let time: Int64
    var offset: Int64
    var isWithdrawn: Bool
  }

  /// An empty window that reaches so many seconds back.
  public init(horizon: Int) { self.horizon = horizon }

  /// How many plausible readings it holds.
  public var count: Int { plausible.count - first }

  /// The newest plausible reading.
  public var newest: (time: Instant, value: Double)? { plausible.count > first ? plausible.last.map { (Instant(milliseconds: $0.time), $0.value) } : nil }

  /// The time of the newest reading of any verdict.
  public var lastHeard: Instant? {
    let implausible = others.last { !$0.isWithdrawn }?.time
    let sound = plausible.count > first ? plausible.last?.time : nil
    return [implausible, sound].compactMap { $0 }.max().map(Instant.init(milliseconds:))
  }

  /// The plausible readings, by time.
  public var readings: [(time: Instant, value: Double)] { plausible[first...].map { (Instant(milliseconds: $0.time), $0.value) } }

  /// Makes the window reach further back, for a rule that needs it; never less.
  public mutating func extend(to horizon: Int) { self.horizon = max(self.horizon, horizon) }

  /// Takes a reading in: a new one, a repetition, or a revision.
  public mutating func insert(_ reading: Reading) {
    let time = reading.time.milliseconds
    if reading.isPlausible {
      put(Point(time: time, value: reading.value, offset: reading.offset))
    } else {
      displace(Other(time: time, offset: reading.offset, isWithdrawn: false))
    }
    newestSeen = max(newestSeen, time)
  }

  /// A reading no longer holds, unless a later fact says so again.
  public mutating func withdraw(_ time: Instant, offset: Int64) {
    displace(Other(time: time.milliseconds, offset: offset, isWithdrawn: true))
    newestSeen = max(newestSeen, time.milliseconds)
  }

  /// Drops what lies before the window's beginning but for the last plausible reading there.
  public mutating func trim() {
    guard newestSeen > .min else { return }
    let edge = newestSeen - Int64(horizon) * 1_000
    while first + 1 < plausible.count, plausible[first + 1].time < edge { first += 1 }
    if first > 32, first > plausible.count / 2 {
      plausible.removeFirst(first)
      first = 0
    }
    if let oldest = others.first, oldest.time < edge { others.removeAll { $0.time < edge } }
  }

  /// The place of the first plausible reading at or after a time.
  func index(from time: Int64) -> Int {
    var (low, high) = (first, plausible.count)
    // Nearly always asked for the end.
    if let last = plausible.last, last.time < time { return high }
    while low < high {
      let middle = (low + high) / 2
      if plausible[middle].time < time { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private mutating func put(_ point: Point) {
    let other = otherIndex(from: point.time)
    if other < others.count, others[other].time == point.time {
      guard others[other].offset <= point.offset else { return }
      others.remove(at: other)
    }
    let last = plausible.count > first ? plausible[plausible.count - 1].time : Int64.min
    if point.time > last {
      // Behind the newest time only where that was withdrawn or implausible: nothing was computed of readings after this one.
      if isBeyondReach(point.time) { return }
      plausible.append(point)
      return
    }
    let at = index(from: point.time)
    if plausible[at].time == point.time {
      guard plausible[at].offset <= point.offset else { return }
      plausible[at].offset = point.offset
      if plausible[at].value != point.value {
        plausible[at].value = point.value
        rewrites += 1
      }
    } else if !isBeyondReach(point.time) || at > first {
      plausible.insert(point, at: at)
      rewrites += 1
    }
  }

  private mutating func displace(_ other: Other) {
    let at = index(from: other.time)
    if at < plausible.count, plausible[at].time == other.time {
      guard plausible[at].offset <= other.offset else { return }
      plausible.remove(at: at)
      rewrites += 1
    }
    let place = otherIndex(from: other.time)
    if place < others.count, others[place].time == other.time {
      if others[place].offset <= other.offset { others[place] = other }
    } else if !isBeyondReach(other.time) {
      others.insert(other, at: place)
    }
  }

  private func otherIndex(from time: Int64) -> Int {
    guard let last = others.last, last.time >= time else { return others.count }
    return others.firstIndex { $0.time >= time } ?? others.count
  }

  /// Whether a time lies before the window's beginning, by what was seen so far.
  private func isBeyondReach(_ time: Int64) -> Bool { newestSeen > .min && time < newestSeen - Int64(horizon) * 1_000 }
}
