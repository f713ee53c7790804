/// Who may see what a topic holds. Enforced where data leaves: HTTP, streams, Kafka ACLs.
public enum Visibility: String, Sendable, Hashable, CaseIterable, Codable {
  case `public`, partner, `internal`, restricted
}

/// How long a topic keeps its events: decisions for ever, facts for stated days.
public enum Retention: Sendable, Hashable {
  case forever
  case days(Int)
}

/// Who answers for a topic's data, why it is kept and on what ground.
public struct Governance: Sendable, Hashable {
  public var owner: String
  public var purpose: String
  public var legalBasis: String
  public var retention: Retention
  /// Who takes over when the project ends.
  public var successor: String

  public init(owner: String, purpose: String, legalBasis: String, retention: Retention = .forever, successor: String) {
    self.owner = owner
    self.purpose = purpose
    self.legalBasis = legalBasis
    self.retention = retention
    self.successor = successor
  }
}

/// A named, partitioned log. A topic of decisions has its Journal's partitions for life; one of facts can get more (`GrowingBroker`).
public struct Topic: Sendable, Hashable {
  /// `dos.<domain>.<plural>`.
  public let name: String
  public let partitions: Int
  public let visibility: Visibility
  public let governance: Governance

  public init(name: String, partitions: Int = 16, visibility: Visibility, governance: Governance) {
    precondition(partitions > 0, "a topic has at least one partition")
    self.name = name
    self.partitions = partitions
    self.visibility = visibility
    self.governance = governance
  }

  /// The partition of a key, by murmur2 as Kafka's Java client computes it: every producer in every language agrees.
  public func partition(forKey key: String) -> Int { Self.partition(forKey: key, of: partitions) }

  /// As above, of so many partitions.
  public static func partition(forKey key: String, of partitions: Int) -> Int { Int(murmur2(key.utf8) & 0x7fff_ffff) % partitions }

  /// Where a key's events of a partition are read once the topic has more partitions. A key that its writer put elsewhere than murmur2 would stays where it was put.
  /// - Parameters:
  ///   - before: how many the topic had when they were written.
  ///   - now: a multiple of that.
  public static func partition(forKey key: String, writtenTo partition: Int, of before: Int, now: Int) -> Int {
    let target = Self.partition(forKey: key, of: now)
    return target % before == partition ? target : partition
  }

  /// The same topic with another number of partitions.
  public func with(partitions: Int) -> Topic { Topic(name: name, partitions: partitions, visibility: visibility, governance: governance) }
}
