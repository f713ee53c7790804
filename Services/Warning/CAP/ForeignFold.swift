import Time

/// The messages of other senders and what each does to the others, computed once for all moments.
struct ForeignFold {
  typealias Key = ForeignAlerts.Key

  /// A message as it stands at a moment.
  struct Member {
    let alert: CAPAlert
    /// The same number for the same warning.
    let warning: Int
    let inForce: [ForeignChain.Info]
    /// When it takes effect; nil for what is no warning.
    let begins: Instant?
    /// When and how it ended, if it did by then, and nothing took its place.
    let end: (at: Instant, reason: ForeignChain.End)?
  }

  private enum Act: Hashable { case replace, withdraw, allClear }

  private let messages: [Key: CAPAlert]
  /// Numbers of warnings: areas of a thousand parts are compared once.
  private let warnings: [Key: Int]
  /// What is done to a message, and by which.
  private var done: [Key: [(act: Act, by: Key)]] = [:]
  /// Those that did something to another.
  private var acted: Set<Key> = []

  init(_ messages: [Key: CAPAlert]) {
    self.messages = messages
    var numbers: [ForeignWarning: Int] = [:]
    var warnings: [Key: Int] = [:]
    for (key, alert) in messages {
      let warning = ForeignWarning(alert)
      let number = numbers[warning] ?? numbers.count
      numbers[warning] = number
      warnings[key] = number
    }
    self.warnings = warnings
    let acting = messages.keys.sorted { Self.comesFirst(($0, messages[$0]), ($1, messages[$1])) }
    let same = Dictionary(grouping: acting) { warnings[$0] }
    // In the order they were sent, so that who withdraws a chain finds what took its place before.
    for key in acting {
      guard let alert = messages[key], let act = Self.act(of: alert) else { continue }
      var targets: Set<Key> = []
      for reference in alert.references {
        guard let named = named(reference, by: key) else { continue }
        targets.formUnion((same[warnings[named]] ?? [named]).filter { $0 == named || sentBefore($0, key) })
      }
      if act != .replace { addSuccessors(to: &targets, before: key) }
      for target in targets where target != key {
        done[target, default: []].append((act, key))
        acted.insert(key)
      }
    }
  }

  // MARK: - What acts upon what

  private static func act(of alert: CAPAlert) -> Act? {
    guard alert.status != .draft else { return nil }
    switch alert.msgType {
    case .cancel: return .withdraw
    case .alert: return isAllClear(alert) ? .allClear : nil
    // What says nothing takes the place of no warning.
    case .update: return isAllClear(alert) ? .allClear : alert.infos.isEmpty ? nil : .replace
    case .ack, .error: return nil
    }
  }

  private static func isAllClear(_ alert: CAPAlert) -> Bool { !alert.infos.isEmpty && alert.infos.allSatisfy { $0.responseTypes.contains(.allClear) } }

  /// What a reference names, if the message may act upon it.
  private func named(_ reference: CAPReference, by key: Key) -> Key? {
    let named = Key(sender: reference.sender, identifier: reference.identifier)
    guard named != key, named.sender == key.sender, let target = messages[named], let alert = messages[key], target.status == alert.status else { return nil }
    // Clocks of senders are in seconds: of two sent in the same one the one that names the other came after it, and if both do, the one with the later name.
    guard target.sent == alert.sent else { return target.sent < alert.sent ? named : nil }
    let mutual = target.references.contains { $0.sender == key.sender && $0.identifier == key.identifier }
    return !mutual || named < key ? named : nil
  }

  private func sentBefore(_ one: Key, _ other: Key) -> Bool { Self.comesFirst((one, messages[one]), (other, messages[other])) }

  private static func comesFirst(_ one: (Key, CAPAlert?), _ other: (Key, CAPAlert?)) -> Bool {
    guard let first = one.1, let second = other.1 else { return one.0 < other.0 }
    return (first.sent, one.0) < (second.sent, other.0)
  }

  private func addSuccessors(to targets: inout Set<Key>, before key: Key) {
    var open = Array(targets)
    while let next = open.popLast() {
      for (act, by) in done[next] ?? [] where act == .replace && by != key && sentBefore(by, key) && targets.insert(by).inserted { open.append(by) }
    }
  }

  // MARK: - Chains

  /// The messages that belong together: by references of the same sender, also through messages that never came, and as the same warning.
  func chains() -> [[Key]] {
    var leaders: [Key: Key] = [:]
    func leader(_ key: Key) -> Key {
      var key = key
      while let next = leaders[key], next != key {
        leaders[key] = leaders[next] ?? next
        key = next
      }
      return key
    }
    func join(_ one: Key, _ other: Key) {
      let (first, second) = (leader(one), leader(other))
      if first != second { leaders[max(first, second)] = min(first, second) }
    }
    var same: [Int: Key] = [:]
    for (key, alert) in messages {
      for reference in alert.references where reference.sender == key.sender { join(key, Key(sender: reference.sender, identifier: reference.identifier)) }
      guard let warning = warnings[key] else { continue }
      if let other = same[warning] { join(key, other) } else { same[warning] = key }
    }
    return Dictionary(grouping: messages.keys, by: leader).values
      .map { $0.sorted(by: sentBefore) }
      .sorted { one, other in
        guard let first = one.first, let second = other.first else { return false }
        return sentBefore(first, second)
      }
  }

  // MARK: - Moments

  /// The last moment at which a message may be in force, or end another that comes late.
  func lastMoment(_ key: Key) -> Instant {
    guard let alert = messages[key] else { return Instant(milliseconds: .min) }
    let silent = Self.act(of: alert) == .withdraw || Self.act(of: alert) == .allClear
    return Self.spans(alert).map(\.until).reduce(alert.sent + (silent ? ForeignAlerts.endingsKept : .zero), max)
  }

  /// A message as it stands at a moment; nil where there is none.
  func member(_ key: Key, at now: Instant) -> Member? {
    guard let alert = messages[key], let warning = warnings[key] else { return nil }
    let spans = Self.act(of: alert) == .withdraw || alert.msgType == .ack || alert.msgType == .error || alert.status == .draft ? [] : Self.spans(alert)
    guard let expired = spans.map(\.until).max() else {
      return Member(alert: alert, warning: warning, inForce: [], begins: nil, end: lonelyEnd(key, alert, at: now))
    }
    let over = ending(of: key)
    let isOver = over.map { $0.at <= now } ?? false
    let inForce = isOver ? [] : spans.filter { $0.from <= now && now < $0.until }
    var end: (at: Instant, reason: ForeignChain.End)? = expired <= now ? (expired, .expired) : nil
    if let over, isOver, over.at <= expired { end = over.reason.map { (over.at, $0) } }
    return Member(
      alert: alert, warning: warning,
      inForce: inForce.map { ForeignChain.Info(index: $0.index, until: min($0.until, over?.at ?? $0.until), untilIsAssumed: $0.assumed) },
      begins: isOver ? nil : spans.map(\.from).min(), end: end)
  }

  /// Of an end whose warning never came: where it did, the warning's own end says when and how.
  private func lonelyEnd(_ key: Key, _ alert: CAPAlert, at now: Instant) -> (at: Instant, reason: ForeignChain.End)? {
    guard !acted.contains(key) else { return nil }
    switch Self.act(of: alert) {
    case .withdraw where alert.sent <= now: return (alert.sent, .withdrawn)
    case .allClear where Self.begins(alert) <= now: return (Self.begins(alert), .allClear)
    default: return nil
    }
  }

  /// The first thing that ends a message other than time; without a reason where another takes its place.
  private func ending(of key: Key) -> (at: Instant, reason: ForeignChain.End?)? {
    let ends: [(at: Instant, reason: ForeignChain.End?)] = (done[key] ?? []).compactMap { act, by in
      messages[by].map { alert in
        switch act {
        case .withdraw: (alert.sent, .withdrawn)
        case .allClear: (Self.begins(alert), .allClear)
        case .replace: (Self.begins(alert), nil)
        }
      }
    }
    return ends.min { ($0.at, $0.reason?.rawValue ?? -1) < ($1.at, $1.reason?.rawValue ?? -1) }
  }

  private struct Span {
    let index: Int
    let from: Instant
    let until: Instant
    let assumed: Bool
  }

  private static func begins(_ alert: CAPAlert) -> Instant { max(alert.sent, alert.infos.map { $0.effective ?? alert.sent }.min() ?? alert.sent) }

  /// When each info holds that warns of something.
  private static func spans(_ alert: CAPAlert) -> [Span] {
    alert.infos.enumerated().compactMap { index, info in
      guard !info.responseTypes.contains(.allClear) else { return nil }
      let from = max(alert.sent, info.effective ?? alert.sent)
      return Span(index: index, from: from, until: info.expires ?? from + ForeignAlerts.longestWithoutExpiry, assumed: info.expires == nil)
    }
  }
}

/// What makes a warning the same under another identifier: sender, event, area, text and times, and how serious it is.
///
/// The time from which it holds is when the event begins, where that is said: `effective` is often when the message was made.
private struct ForeignWarning: Hashable {
  private struct Info: Hashable {
    let language: String
    let event: String
    let words: [String]
    let texts: [[Substring]]
    let from: Instant?
    let expires: Instant?
    let areas: Set<CAPArea>
  }

  private let sender: String
  private let status: CAPAlert.Status
  private let infos: Set<Info>
  /// Of what is no warning in words, each is its own.
  private let identifier: String?

  init(_ alert: CAPAlert) {
    sender = alert.sender
    status = alert.status
    infos = Set(
      alert.infos.map { info in
        Info(
          language: info.language.lowercased(), event: info.event,
          words: [info.urgency.rawValue, info.severity.rawValue, info.certainty.rawValue] + info.responseTypes.map(\.rawValue).sorted(),
          texts: [info.headline, info.description, info.instruction].map { CAPText.words($0 ?? "") },
          from: info.onset ?? info.effective, expires: info.expires, areas: Set(info.areas))
      })
    identifier = infos.isEmpty || (alert.msgType != .alert && alert.msgType != .update) ? alert.identifier : nil
  }
}
