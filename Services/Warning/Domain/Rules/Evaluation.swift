public import Time

extension Condition {
  /// What is so, by the readings in the windows.
  ///
  /// It is computed from the readings that are stored, never from how they came: in whatever order they arrive, how often, and revised how often, the
  /// outcome is the same once they are there, as long as none comes later than `staleAfter` behind the newest one (for an ``Upstream``, of both
  /// gauges). Later ones change no outcome that lies before them.
  ///
  /// The readings' own times drive rates and durations. The clock decides two things alone: whether the newest reading is too old to say anything,
  /// and whether a sensor is silent. So a clock that jumps fires no threshold, and a late fact no old rule: what holds does so at the newest reading.
  ///
  /// - Parameters:
  ///   - windows: by datastream; each reaches ``RuleWatch/horizon(for:staleAfter:)`` seconds back. One that is missing is a sensor that never said anything.
  ///   - previous: what the same condition answered before, ``ConditionState/initial`` the first time. Windows may be trimmed after an evaluation only.
  ///   - staleAfter: seconds, as in ``Rule``.
  ///   - activated: when the rule began to watch. Older readings count as what came before; nothing holds at one of them.
  public func evaluate(
    _ windows: [Int64: ReadingWindow], at now: Instant, previous: consuming ConditionState, staleAfter: Int = Rule.usualStaleness,
    activated: Instant = Instant(milliseconds: 0)
  ) -> ConditionState {
    var memory = previous.memory
    previous.memory = []
    var evaluator = Evaluator(
      windows: windows, now: now.milliseconds, staleAfter: Int64(staleAfter) * 1_000, activated: activated.milliseconds, memory: memory)
    memory = []
    let found = evaluator.judge(self)
    let outcome: ConditionState.Outcome =
      switch found.answer {
      case .holds: .holds(since: Instant(milliseconds: found.since))
      case .doesNotHold: .doesNotHold(since: Instant(milliseconds: found.since))
      case .unknown: .unknown
      }
    let (evidence, forecast) = evaluator.evidence(of: self, for: found.answer)
    return ConditionState(
      outcome: outcome, evidence: evidence, forecast: forecast, nextLook: found.nextLook.map(Instant.init(milliseconds:)), memory: evaluator.memory)
  }
}

/// One walk through a condition: its single conditions in their order, each with its memory.
struct Evaluator {
  enum Answer { case holds, doesNotHold, unknown }

  struct Judgement {
    var answer: Answer
    /// Milliseconds; without meaning where the answer is unknown.
    var since: Int64
    var nextLook: Int64?

    static let unknown = Judgement(answer: .unknown, since: 0, nextLook: nil)
  }

  /// What a single condition came to, for the evidence.
  struct Leaf {
    let answer: Answer
    let latch: Latch
    let forecast: LevelForecast?
  }

  let windows: [Int64: ReadingWindow]
  let now: Int64
  let staleAfter: Int64
  let activated: Int64
  var memory: [LeafMemory]
  private(set) var leaves: [Leaf] = []

  init(windows: [Int64: ReadingWindow], now: Int64, staleAfter: Int64, activated: Int64, memory: [LeafMemory]) {
    self.windows = windows
    self.now = now
    self.staleAfter = staleAfter
    self.activated = activated
    self.memory = memory
  }

  mutating func judge(_ condition: Condition) -> Judgement {
    switch condition {
    case .threshold(let threshold): judge(threshold, threshold.datastream)
    case .rateOfChange(let rate): judge(rate, rate.datastream)
    case .silence(let silence): judge(silence)
    case .upstream(let upstream): judge(upstream)
    case .countOf(let count): judge(count.atLeast, of: count.of)
    case .all(let parts): judge(parts.count, of: parts)
    case .any(let parts): judge(1, of: parts)
    }
  }

  /// All and any are the ends of one scale. It holds since the last of those was so that it takes, and does not hold likewise.
  private mutating func judge(_ needed: Int, of parts: [Condition]) -> Judgement {
    var holding: [Int64] = []
    var others: [Int64] = []
    var nextLook: Int64?
    for part in parts {
      let judgement = judge(part)
      switch judgement.answer {
      case .holds: holding.append(judgement.since)
      case .doesNotHold: others.append(judgement.since)
      case .unknown: break
      }
      if let look = judgement.nextLook { nextLook = min(nextLook ?? look, look) }
    }
    guard !parts.isEmpty, needed > 0 else { return .unknown }
    if holding.count >= needed { return Judgement(answer: .holds, since: smallest(needed, of: &holding), nextLook: nextLook) }
    let contrary = parts.count - needed + 1
    if contrary > 0, others.count >= contrary { return Judgement(answer: .doesNotHold, since: smallest(contrary, of: &others), nextLook: nextLook) }
    return Judgement(answer: .unknown, since: 0, nextLook: nextLook)
  }

  private func smallest(_ rank: Int, of times: inout [Int64]) -> Int64 {
    if rank == 1 { return times.min() ?? 0 }
    if rank == times.count { return times.max() ?? 0 }
    times.sort()
    return times[rank - 1]
  }

  private mutating func judge(_ folding: some Folding, _ datastream: Int64) -> Judgement {
    let place = remembered()
    guard let window = windows[datastream], window.newestSeen > .min else { return unknown() }
    memory[place].settle(until: window.newestSeen - staleAfter, staleAfter) { from, to, latch in
      folding.fold(window, window.index(from: from)..<window.index(from: to), into: &latch)
    }
    let end = window.plausible.count
    var latch = memory[place].settled
    if let cache = memory[place].cache, cache.rewrites == window.rewrites {
      latch = cache.latch
      folding.fold(window, window.index(from: cache.through + 1)..<end, into: &latch)
    } else {
      folding.fold(window, window.index(from: memory[place].settledUntil)..<end, into: &latch)
    }
    guard let newest = window.newest?.time.milliseconds else {
      memory[place].cache = nil
      return unknown()
    }
    memory[place].cache = LeafMemory.Cache(latch: latch, through: newest, rewrites: window.rewrites)
    return judgement(latch, newest: newest, forecast: nil)
  }

  private mutating func judge(_ upstream: Upstream) -> Judgement {
    let place = remembered()
    guard let a = windows[upstream.gaugeA], let b = windows[upstream.gaugeB], let newestA = a.newest?.time.milliseconds,
      let newestB = b.newest?.time.milliseconds
    else { return unknown() }
    // By the one that is behind: catching up, a gauge may be read hours ahead of the other.
    memory[place].settle(until: min(a.newestSeen, b.newestSeen) - staleAfter, staleAfter) { from, to, latch in
      _ = upstream.fold(a, a.index(from: from)..<a.index(from: to), b, into: &latch)
    }
    // Never from a short cut: a reading of B that comes after A's changes the forecast made at A's.
    var latch = memory[place].settled
    let forecast = upstream.fold(a, a.index(from: memory[place].settledUntil)..<a.plausible.count, b, into: &latch)
    guard forecast != nil else { return unknown() }
    return judgement(latch, newest: min(newestA, newestB), forecast: forecast)
  }

  private mutating func judge(_ silence: Silence) -> Judgement {
    _ = remembered()
    let heard = windows[silence.datastream]?.lastHeard?.milliseconds
    let due = (heard ?? activated) + Int64(silence.longerThan) * 1_000
    let isSilent = now > due && now >= activated
    leaves.append(Leaf(answer: isSilent ? .holds : .doesNotHold, latch: Latch(), forecast: nil))
    return isSilent
      ? Judgement(answer: .holds, since: max(due, activated), nextLook: nil)
      : Judgement(answer: .doesNotHold, since: max(heard ?? activated, activated), nextLook: max(due + 1, activated))
  }

  private mutating func judgement(_ latch: Latch, newest: Int64, forecast: LevelForecast?) -> Judgement {
    guard newest >= activated, now - newest <= staleAfter, let since = latch.since else { return unknown() }
    let answer: Answer = latch.position == .on ? .holds : .doesNotHold
    leaves.append(Leaf(answer: answer, latch: latch, forecast: forecast))
    return Judgement(answer: answer, since: max(since, activated), nextLook: newest + staleAfter + 1)
  }

  private mutating func unknown() -> Judgement {
    leaves.append(Leaf(answer: .unknown, latch: Latch(), forecast: nil))
    return .unknown
  }

  /// The place of the next single condition's memory; it begins empty.
  private mutating func remembered() -> Int {
    if leaves.count == memory.count { memory.append(LeafMemory()) }
    return leaves.count
  }
}

extension LeafMemory {
  /// Takes what is too old to change into the settled latch: now and then, so that a walk takes along many at once.
  mutating func settle(until due: Int64, _ margin: Int64, _ fold: (Int64, Int64, inout Latch) -> Void) {
    guard settledUntil < due - margin else { return }
    fold(settledUntil, due, &settled)
    settledUntil = due
  }
}
