public import Time

/// What was found of a condition, and what must be remembered of readings that are gone.
///
/// Encoded it survives a restart: evaluated again on the same readings it gives the same answer.
public struct ConditionState: Hashable, Sendable, Codable {
  public enum Outcome: Hashable, Sendable, Codable {
    /// It holds, since this reading's time: the first one that raised it, though a minimum duration had to pass. Never before the rule was activated.
    case holds(since: Instant)
    /// It does not hold, since the reading that cleared it, or the first one that was looked at.
    case doesNotHold(since: Instant)
    /// No reading, or none that is new enough to tell.
    case unknown
  }

  public internal(set) var outcome: Outcome
  /// Readings that led to the outcome, at most ``evidenceLimit``: what raised it first, then the newest ones.
  public internal(set) var evidence: [HintReading]
  /// What is announced, where an ``Upstream`` has to do with the outcome.
  public internal(set) var forecast: LevelForecast?
  /// When the outcome changes though no reading comes, if it does: a silence that becomes too long, a newest reading that becomes too old. Minimum durations
  /// are not in it, since they end by readings.
  public internal(set) var nextLook: Instant?
  var memory: [LeafMemory]

  public static let evidenceLimit = 20

  /// Nothing was looked at yet.
  public static let initial = ConditionState(outcome: .unknown, evidence: [], forecast: nil, nextLook: nil, memory: [])

  public var holds: Bool { if case .holds = outcome { true } else { false } }
}

/// What a single condition remembers of readings that no window holds any more.
struct LeafMemory: Sendable, Codable {
  /// The latch after all readings before this time, in milliseconds; readings that come later than that change nothing.
  var settledUntil = Int64.min
  var settled = Latch()
  /// The latch after all readings so far, to go on from where only newer ones came. It is no more than a short cut.
  var cache: Cache?

  struct Cache {
    let latch: Latch
    let through: Int64
    let rewrites: Int
  }

  private enum CodingKeys: String, CodingKey { case settledUntil, settled }
}

extension LeafMemory: Hashable {
  static func == (left: LeafMemory, right: LeafMemory) -> Bool { left.settledUntil == right.settledUntil && left.settled == right.settled }

  func hash(into hasher: inout Hasher) {
    hasher.combine(settledUntil)
    hasher.combine(settled)
  }
}
