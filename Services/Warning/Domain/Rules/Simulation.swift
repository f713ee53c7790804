import Foundation
public import Time

/// What a rule would have done in the past: by the very code that would have watched then, fed reading by reading, each as if it had arrived at its own time.
public struct Simulation: Hashable, Sendable {
  /// A time during which the rule's hint would have stood.
  public struct Firing: Hashable, Sendable {
    /// When the hint would have been raised.
    public let raised: Instant
    /// The reading's time since when the condition held; a minimum duration lies between both.
    public let since: Instant
    /// When it would have been cleared; nil where it stood at the end.
    public internal(set) var cleared: Instant?
    public let evidence: [HintReading]
    public let forecast: LevelForecast?
  }

  /// What really happened.
  public enum Truth: Hashable, Sendable {
    /// Events began at these times.
    case times([Instant])
    /// An event begins where this condition begins to hold, in the same readings: the level at B above the mark.
    case condition(Condition)
  }

  public let firings: [Firing]
  public let readings: Int
  /// How the firings match what really happened; nil where nobody said what did.
  public let verdict: SimulationVerdict?

  /// Walks once along the readings, which may be more than fit into memory.
  ///
  /// - Parameters:
  ///   - histories: by datastream, each by time. Readings before `from` are what was known when the rule was activated.
  ///   - from: when the rule is activated.
  ///   - until: when it ends: silence is waited for until then.
  ///   - announces: seconds before an event in which a firing that begins there announces it, even if it is over when the event comes. Of an
  ///     ``Upstream`` at least its lag.
  public static func run(
    _ rule: Rule, over histories: [Int64: some Sequence<Reading>], from: Instant, until: Instant, truth: Truth? = nil, announces: Int = 21_600
  ) -> Simulation {
    var walk = SimulationWalk()
    // Names within this walk alone: two that differ.
    let own = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1))
    let real = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2))
    walk.watch.watch(own, rule, activated: from)
    if case .condition(let condition) = truth {
      var event = rule
      event.condition = condition
      walk.watch.watch(real, event, activated: from)
    }
    let count = walk.go(along: histories, until: until)
    let firings = walk.firings[own] ?? []
    let events: [Instant]? =
      switch truth {
      case nil: nil
      case .times(let times): times.filter { $0 >= from && $0 <= until }.sorted()
      case .condition: (walk.firings[real] ?? []).map(\.since)
      }
    return Simulation(
      firings: firings, readings: count, verdict: events.map { SimulationVerdict(firings: firings, events: $0, announces: .seconds(announces)) })
  }
}

/// How good a rule was.
public struct SimulationVerdict: Hashable, Sendable {
  /// Events that a firing announced, or that began while one stood.
  public let hits: Int
  /// Events that nothing announced; a rule that fires after an event has begun has missed it.
  public let misses: Int
  /// Firings that neither announced an event nor stood while one began.
  public let falseAlarms: Int
  /// How long before each hit its earliest firing was raised, by the events' times.
  public let leadTimes: [Duration]

  /// The least that a hit was announced ahead.
  public var shortestLead: Duration? { leadTimes.min() }
  /// Half of the hits were announced at least that far ahead.
  public var medianLead: Duration? {
    guard !leadTimes.isEmpty else { return nil }
    let sorted = leadTimes.map(\.wholeMilliseconds).sorted()
    return .milliseconds((sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2)
  }

  /// Both by time.
  init(firings: [Simulation.Firing], events: [Instant], announces: Duration) {
    var leads: [Duration] = []
    var useful: Set<Int> = []
    for event in events {
      let matching = firings.indices.filter { index in
        let firing = firings[index]
        guard firing.raised <= event else { return false }
        return event - firing.raised <= announces || firing.cleared.map { $0 >= event } ?? true
      }
      useful.formUnion(matching)
      if let first = matching.first { leads.append(event - firings[first].raised) }
    }
    hits = leads.count
    misses = events.count - leads.count
    falseAlarms = firings.count - useful.count
    leadTimes = leads
  }
}

/// The one walk of a simulation.
struct SimulationWalk {
  var watch = RuleWatch()
  private(set) var firings: [UUID: [Simulation.Firing]] = [:]

  /// Answers how many readings it passed.
  mutating func go(along histories: [Int64: some Sequence<Reading>], until: Instant) -> Int {
    var merged = MergedReadings(histories)
    var count = 0
    var now = Instant(milliseconds: .min)
    while let (datastream, reading) = merged.next(), reading.time <= until {
      count += 1
      now = max(now, reading.time)
      lookUntil(now - .milliseconds(1))
      note(watch.take(CollectionOfOne(.recorded(reading)), of: datastream, at: now), at: now)
    }
    lookUntil(until)
    return count
  }

  private mutating func lookUntil(_ end: Instant) {
    while let next = watch.nextLook, next <= end { note(watch.look(at: next), at: next) }
  }

  private mutating func note(_ changes: [RuleWatch.Change], at now: Instant) {
    for change in changes {
      switch change {
      case .raised(let rule, let state):
        guard case .holds(let since) = state.outcome else { continue }
        firings[rule, default: []].append(
          Simulation.Firing(raised: now, since: since, cleared: nil, evidence: state.evidence, forecast: state.forecast))
      case .cleared(let rule, _):
        guard let last = firings[rule]?.indices.last else { continue }
        firings[rule]?[last].cleared = now
      }
    }
  }
}

/// Several sorted sequences as one, by time and then by datastream; of each no more than its next reading is held.
private struct MergedReadings<Source: Sequence<Reading>> {
  private struct Head {
    let datastream: Int64
    var reading: Reading
    var rest: Source.Iterator

    var rank: (Instant, Int64) { (reading.time, datastream) }
  }

  /// A heap: each comes before those at twice its place.
  private var heads: [Head] = []

  init(_ sources: [Int64: Source]) {
    for (datastream, source) in sources {
      var rest = source.makeIterator()
      if let reading = rest.next() { heads.append(Head(datastream: datastream, reading: reading, rest: rest)) }
    }
    heads.sort { $0.rank < $1.rank }
  }

  mutating func next() -> (Int64, Reading)? {
    guard !heads.isEmpty else { return nil }
    let first = (heads[0].datastream, heads[0].reading)
    if let following = heads[0].rest.next() {
      heads[0].reading = following
    } else {
      heads.swapAt(0, heads.count - 1)
      heads.removeLast()
    }
    sink()
    return first
  }

  private mutating func sink() {
    var place = 0
    while true {
      let children = (2 * place + 1..<2 * place + 3).filter { $0 < heads.count }
      guard let least = children.min(by: { heads[$0].rank < heads[$1].rank }), heads[least].rank < heads[place].rank else { return }
      heads.swapAt(place, least)
      place = least
    }
  }
}
