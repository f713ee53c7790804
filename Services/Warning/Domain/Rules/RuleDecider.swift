public import Deciding
public import Foundation
public import Time

public enum RuleCommand: Hashable, Sendable {
  case draft(id: UUID, Rule, by: Officer, at: Instant)
  /// Makes the next version. Of a live rule it is live at once, watching from then on as if it had been activated then.
  case change(Rule, by: Officer, at: Instant)
  /// Names the version that was looked at, so that nobody sets live what somebody else has just written.
  case activate(version: Int, by: Officer, at: Instant)
  /// Raises nothing until it is activated again.
  case pause(by: Officer, at: Instant)
  /// Its end; its versions stay readable.
  case retire(by: Officer, at: Instant)
}

public enum RuleEvent: Hashable, Sendable {
  case drafted(RuleDrafted)
  case changed(RuleChanged)
  case activated(RuleActivated)
  case paused(RulePaused)
  case retired(RuleRetired)
}

/// Version 1.
public struct RuleDrafted: Codable, Hashable, Sendable {
  public let id: UUID
  public let rule: Rule
  public let by: Officer
  public let at: Instant
}

/// The whole rule as it is after the change, so that a reader needs no earlier event.
public struct RuleChanged: Codable, Hashable, Sendable {
  public let id: UUID
  public let version: Int
  public let rule: Rule
  public let by: Officer
  public let at: Instant
}

public struct RuleActivated: Codable, Hashable, Sendable {
  public let id: UUID
  public let version: Int
  public let by: Officer
  public let at: Instant
}

public struct RulePaused: Codable, Hashable, Sendable {
  public let id: UUID
  public let by: Officer
  public let at: Instant
}

public struct RuleRetired: Codable, Hashable, Sendable {
  public let id: UUID
  public let by: Officer
  public let at: Instant
}

/// A rule as it was drawn up or changed.
public struct RuleVersion: Hashable, Sendable {
  public let id: UUID
  /// Counted from 1.
  public let version: Int
  public let rule: Rule

  public init(id: UUID, version: Int, rule: Rule) {
    self.id = id
    self.version = version
    self.rule = rule
  }
}

public enum RuleState: Hashable, Sendable {
  case none
  case drafted(RuleVersion)
  /// Watching since then.
  case live(RuleVersion, since: Instant)
  case paused(RuleVersion)
  case retired(RuleVersion)
}

/// Why nothing was decided about a rule.
public enum RuleRefusal: Error, Hashable, Sendable {
  case unknown
  case taken(id: UUID)
  case retired(id: UUID)
  /// What is wrong with the rule, all of it.
  case problems([ContentProblem])
  /// Another version than the one that was looked at is the newest.
  case version(asked: Int, newest: Int)
  case notLive(id: UUID)
  case otherCity(of: String, city: String)
}

/// Draws rules up, changes them, sets them live, and ends them.
public enum RuleDecider: Decider {
  public static var initial: RuleState { .none }

  public static func decide(_ command: RuleCommand, _ state: RuleState) throws(RuleRefusal) -> [RuleEvent] {
    let current: RuleVersion
    switch (command, state) {
    case (.draft(let id, let rule, let by, let at), .none):
      try check(rule, by)
      return [.drafted(RuleDrafted(id: id, rule: rule, by: by, at: at))]
    case (.draft(let id, _, _, _), _): throw .taken(id: id)
    case (_, .none): throw .unknown
    case (_, .retired(let version)): throw .retired(id: version.id)
    case (_, .drafted(let version)), (_, .live(let version, _)), (_, .paused(let version)): current = version
    }
    try ofCity(command.officer, current.rule.city)
    switch command {
    case .draft: throw .taken(id: current.id)
    case .change(let rule, let by, let at):
      try check(rule, by)
      return rule == current.rule ? [] : [.changed(RuleChanged(id: current.id, version: current.version + 1, rule: rule, by: by, at: at))]
    case .activate(let version, let by, let at):
      guard version == current.version else { throw .version(asked: version, newest: current.version) }
      if case .live = state { return [] }
      return [.activated(RuleActivated(id: current.id, version: version, by: by, at: at))]
    case .pause(let by, let at):
      switch state {
      case .live: return [.paused(RulePaused(id: current.id, by: by, at: at))]
      case .paused: return []
      case .none, .drafted, .retired: throw .notLive(id: current.id)
      }
    case .retire(let by, let at): return [.retired(RuleRetired(id: current.id, by: by, at: at))]
    }
  }

  public static func evolve(_ state: RuleState, _ event: RuleEvent) -> RuleState {
    switch (event, state) {
    case (.drafted(let drafted), _): .drafted(RuleVersion(id: drafted.id, version: 1, rule: drafted.rule))
    case (.changed(let changed), .live): .live(RuleVersion(changed), since: changed.at)
    case (.changed(let changed), .paused): .paused(RuleVersion(changed))
    case (.changed(let changed), .retired): .retired(RuleVersion(changed))
    case (.changed(let changed), _): .drafted(RuleVersion(changed))
    case (.activated(let activated), .drafted(let version)), (.activated(let activated), .paused(let version)): .live(version, since: activated.at)
    case (.paused, .live(let version, _)): .paused(version)
    case (.retired, .drafted(let version)), (.retired, .live(let version, _)), (.retired, .paused(let version)): .retired(version)
    case (.activated, _), (.paused, _), (.retired, _): state
    }
  }

  private static func check(_ rule: Rule, _ by: Officer) throws(RuleRefusal) {
    try ofCity(by, rule.city)
    let problems = rule.problems()
    guard problems.isEmpty else { throw .problems(problems) }
  }

  private static func ofCity(_ officer: Officer, _ city: String) throws(RuleRefusal) {
    if let own = officer.city, own != city { throw .otherCity(of: officer.subject, city: city) }
  }
}

extension RuleVersion {
  fileprivate init(_ changed: RuleChanged) {
    self.init(id: changed.id, version: changed.version, rule: changed.rule)
  }
}

extension RuleCommand {
  fileprivate var officer: Officer {
    switch self {
    case .draft(_, _, let by, _), .change(_, let by, _), .activate(_, let by, _), .pause(let by, _), .retire(let by, _): by
    }
  }
}
