public import Foundation
public import Time

/// What is told of a reading.
public enum ReadingFact: Hashable, Sendable {
  case recorded(Reading)
  /// The reading for that time no longer holds.
  case withdrawn(Instant, offset: Int64)
}

/// All rules that are live, with the readings they need: facts go in, what begins or ceases to hold comes out.
///
/// A value without clock or I/O; whoever owns it feeds it, stores ``state(of:)`` and looks again at ``nextLook``. At start it gets the rules, then by
/// ``load(_:of:)`` what is stored of the last ``horizon(of:)`` seconds of each datastream and its newest reading in any case, and only then is it
/// asked: a window that was not loaded yet looks like a silent sensor.
public struct RuleWatch: Sendable {
  /// What a rule's hint needs to know.
  public enum Change: Hashable, Sendable {
    /// It holds now and did not before.
    case raised(rule: UUID, ConditionState)
    /// It is known not to hold any more. Where readings stop to come, it stays raised: nobody knows.
    case cleared(rule: UUID, ConditionState)
  }

  private struct Watched: Sendable {
    let rule: Rule
    let activated: Instant
    var state: ConditionState
    var isRaised: Bool
  }

  private var rules: [UUID: Watched] = [:]
  private var index = RuleIndex()
  private var windows: [Int64: ReadingWindow] = [:]

  public init() {}

  /// Begins to watch for a rule, or for its new version; a look is due then. With the state that was stored, and whether its hint is raised, it goes on where it was.
  public mutating func watch(_ id: UUID, _ rule: Rule, activated: Instant, state: ConditionState = .initial, isRaised: Bool = false) {
    stop(id)
    var state = state
    // A sensor that never says anything brings no reading to be asked for, so the first look is due at once.
    state.nextLook = state.nextLook ?? activated
    rules[id] = Watched(rule: rule, activated: activated, state: state, isRaised: isRaised)
    let horizons = Self.horizon(for: rule.condition, staleAfter: rule.staleAfter)
    index.add(id, looksAt: horizons.keys)
    for (datastream, horizon) in horizons { windows[datastream, default: ReadingWindow(horizon: horizon)].extend(to: horizon) }
  }

  /// Watches for a rule no longer, and drops the readings that nobody else needs.
  public mutating func stop(_ id: UUID) {
    guard let watched = rules.removeValue(forKey: id) else { return }
    for datastream in index.remove(id, looksAt: watched.rule.condition.datastreams) { windows[datastream] = nil }
  }

  /// How many seconds of readings a condition needs, by datastream: as far as it looks back, and twice as long as a reading may be late.
  public static func horizon(for condition: Condition, staleAfter: Int) -> [Int64: Int] { condition.reach.mapValues { $0 + 2 * staleAfter } }

  /// How many seconds of a datastream's readings are needed; nil where no rule looks at it.
  public func horizon(of datastream: Int64) -> Int? { windows[datastream]?.horizon }

  /// What was found of a rule last.
  public func state(of rule: UUID) -> ConditionState? { rules[rule]?.state }

  /// When to ``look(at:)`` again though nothing comes.
  public var nextLook: Instant? { rules.values.lazy.compactMap(\.state.nextLook).min() }

  /// Takes stored facts in without asking any rule.
  public mutating func load(_ facts: some Sequence<ReadingFact>, of datastream: Int64) {
    for fact in facts { take(fact, of: datastream) }
  }

  /// Takes facts of one datastream in, then asks the rules that look at it, once: what was so in between is past.
  public mutating func take(_ facts: some Sequence<ReadingFact>, of datastream: Int64, at now: Instant) -> [Change] {
    guard windows[datastream] != nil else { return [] }
    for fact in facts { take(fact, of: datastream) }
    let changes = index[datastream].compactMap { evaluate($0, at: now) }
    windows[datastream]?.trim()
    return changes
  }

  /// Asks the rules whose outcome may have changed because time has passed.
  public mutating func look(at now: Instant) -> [Change] {
    let due = rules.compactMap { id, watched in watched.state.nextLook.flatMap { $0 <= now ? id : nil } }
    return due.sorted { $0.uuidString < $1.uuidString }.compactMap { evaluate($0, at: now) }
  }

  /// Asks every rule: once after loading, and after the clock was set back.
  public mutating func lookAtAll(at now: Instant) -> [Change] {
    rules.keys.sorted { $0.uuidString < $1.uuidString }.compactMap { evaluate($0, at: now) }
  }

  private mutating func take(_ fact: ReadingFact, of datastream: Int64) {
    switch fact {
    case .recorded(let reading): windows[datastream]?.insert(reading)
    case .withdrawn(let time, let offset): windows[datastream]?.withdraw(time, offset: offset)
    }
  }

  private mutating func evaluate(_ id: UUID, at now: Instant) -> Change? {
    // Taken out, so that its memory is changed in place.
    guard var watched = rules.removeValue(forKey: id) else { return nil }
    let previous = watched.state
    watched.state = .initial
    watched.state = watched.rule.condition.evaluate(
      windows, at: now, previous: previous, staleAfter: watched.rule.staleAfter, activated: watched.activated)
    defer { rules[id] = watched }
    switch watched.state.outcome {
    case .holds where !watched.isRaised:
      watched.isRaised = true
      return .raised(rule: id, watched.state)
    case .doesNotHold where watched.isRaised:
      watched.isRaised = false
      return .cleared(rule: id, watched.state)
    case .holds, .doesNotHold, .unknown: return nil
    }
  }
}
