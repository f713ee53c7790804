public import Foundation

/// Which rules look at a datastream.
public struct RuleIndex: Sendable {
  private var rules: [Int64: [UUID]] = [:]

  public init() {}

  /// The rules that a reading of the datastream can change, in the order in which they were added.
  public subscript(datastream: Int64) -> [UUID] { rules[datastream] ?? [] }

  public mutating func add(_ rule: UUID, looksAt datastreams: some Sequence<Int64>) {
    for datastream in datastreams where !self[datastream].contains(rule) { rules[datastream, default: []].append(rule) }
  }

  /// Answers those that no rule looks at any more.
  @discardableResult public mutating func remove(_ rule: UUID, looksAt datastreams: some Sequence<Int64>) -> [Int64] {
    var unused: [Int64] = []
    for datastream in datastreams {
      guard var left = rules[datastream] else { continue }
      left.removeAll { $0 == rule }
      rules[datastream] = left.isEmpty ? nil : left
      if left.isEmpty { unused.append(datastream) }
    }
    return unused
  }
}
