import Time

/// What other senders warn of, folded from their messages: which of them hold at a moment, and how the others ended.
///
/// The messages may come in any order and again and again: the same messages give the same answer, since it is computed from what is known and never from
/// when it came. A message acts upon those of its own sender and status that it names and that were sent before it: nobody calls off another's warning, and
/// no exercise a real one.
///
/// - An `Update` takes the place of what it names, once it is in force itself: there is no gap between the two.
/// - A `Cancel` withdraws what it names, and what had taken its place meanwhile: many senders name the first message of a chain only.
/// - An all-clear (every info has the responseType `AllClear`) ends the same ahead of time.
/// - An info ends when it expires, and 24 hours after it took effect where it does not say (CAP 1.2 leaves that to whoever receives it, section 3.2.2); `untilIsAssumed` says so.
///
/// The same warning under another identifier is one warning: who names one of the two names both. `Ack`, `Error` and drafts change nothing.
public struct ForeignAlerts: Equatable, Sendable {
  /// How long an info holds that does not say until when.
  public static let longestWithoutExpiry = Duration.seconds(24 * 3_600)

  /// How long a Cancel or an all-clear is kept for a warning that comes later than its end.
  public static let endingsKept = Duration.seconds(30 * 24 * 3_600)

  struct Key: Hashable, Comparable {
    let sender: String
    let identifier: String

    static func < (left: Key, right: Key) -> Bool { (left.sender, left.identifier) < (right.sender, right.identifier) }
  }

  private(set) var messages: [Key: CAPAlert] = [:]
  private(set) var reused: Set<Key> = []

  public init() {}

  /// Takes a message in. One that is known already changes nothing.
  ///
  /// An identifier that comes again with something else, which the standard forbids, stands for what was sent last; its chain says so.
  public mutating func take(_ alert: CAPAlert) {
    let key = Key(sender: alert.sender, identifier: alert.identifier)
    guard let known = messages[key], known != alert else { return messages[key] = alert }
    reused.insert(key)
    // Of two that were sent at once any rule will do that does not ask which came first.
    if (alert.sent, String(reflecting: alert)) > (known.sent, String(reflecting: known)) { messages[key] = alert }
  }

  /// Every chain, those with the earliest first message first.
  public func chains(at now: Instant) -> [ForeignChain] {
    let fold = ForeignFold(messages)
    return fold.chains().map { keys in
      let members = keys.compactMap { fold.member($0, at: now) }
      return ForeignChain(
        messages: members.map(\.alert), inForce: Self.inForce(members), state: Self.state(members, at: now),
        reusesIdentifiers: keys.contains(where: reused.contains))
    }
  }

  /// Forgets the chains of which nothing can be in force at that moment or later: should their messages come again, they are over anyway. A Cancel or an
  /// all-clear is kept for `endingsKept` from when it was sent.
  public mutating func forget(endedBefore now: Instant) {
    let fold = ForeignFold(messages)
    for keys in fold.chains() where keys.allSatisfy({ fold.lastMoment($0) < now }) {
      for key in keys {
        messages[key] = nil
        reused.remove(key)
      }
    }
  }

  private static func inForce(_ members: [ForeignFold.Member]) -> [ForeignChain.InForce] {
    var found: [ForeignChain.InForce] = []
    var places: [Int: Int] = [:]
    for member in members where !member.inForce.isEmpty {
      if let place = places[member.warning] {
        found[place].repeats.append(member.alert.reference)
      } else {
        places[member.warning] = found.count
        found.append(ForeignChain.InForce(alert: member.alert, infos: member.inForce))
      }
    }
    return found
  }

  private static func state(_ members: [ForeignFold.Member], at now: Instant) -> ForeignChain.State {
    if members.contains(where: { !$0.inForce.isEmpty }) { return .inForce }
    if let from = members.compactMap(\.begins).filter({ $0 > now }).min() { return .announced(from: from) }
    let ends = members.compactMap(\.end)
    // Where several end at once, what a person decided is said rather than that time ran out.
    guard let last = ends.max(by: { ($0.at, $0.reason) < ($1.at, $1.reason) }) else { return .empty }
    return .ended(last.reason, at: last.at)
  }
}

/// Messages that name each other, and what is left of them at a moment.
public struct ForeignChain: Equatable, Sendable {
  /// All that are known, in the order they were sent.
  public let messages: [CAPAlert]
  /// What is in force: usually one message, several where a warning was split.
  public let inForce: [InForce]
  public let state: State
  /// Whether the sender gave an identifier to different messages, which CAP forbids: then the last of them counts.
  public let reusesIdentifiers: Bool

  /// A message that is in force, with the infos that are.
  public struct InForce: Equatable, Sendable {
    public let alert: CAPAlert
    public let infos: [Info]
    /// The same warning under other identifiers.
    public internal(set) var repeats: [CAPReference] = []
  }

  /// An info in force.
  public struct Info: Equatable, Sendable {
    /// Which of the message's infos it is, the first being 0.
    public let index: Int
    /// Until when it is, if nothing else comes.
    public let until: Instant
    /// Whether the sender did not say until when, so that it is 24 hours.
    public let untilIsAssumed: Bool
  }

  /// Where a chain stands.
  public enum State: Hashable, Sendable {
    case inForce
    /// Sent or effective only later than now.
    case announced(from: Instant)
    case ended(End, at: Instant)
    /// Nothing but messages that neither warn nor end a warning, such as an Ack.
    case empty
  }

  /// How a chain ended. A withdrawn warning and an early all-clear are two different things to those who were warned.
  public enum End: Int, Comparable, Sendable {
    case expired
    case allClear
    case withdrawn

    /// What people are told.
    public var german: String {
      switch self {
      case .expired: "abgelaufen"
      case .allClear: "vorzeitig aufgehoben"
      case .withdrawn: "zurückgezogen"
      }
    }

    public static func < (left: End, right: End) -> Bool { left.rawValue < right.rawValue }
  }
}
