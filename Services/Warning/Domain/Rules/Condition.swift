/// What must be so for a rule to hold.
///
/// Three answers are possible, not two: a sensor that says nothing does not say that all is well. Where parts are combined, *unknown* is carried as in
/// Kleene's logic: it decides nothing that the known parts do not decide already.
public indirect enum Condition: Hashable, Sendable {
  case threshold(Threshold)
  case rateOfChange(RateOfChange)
  case countOf(CountOf)
  case silence(Silence)
  case upstream(Upstream)
  /// Every one of them.
  case all([Condition])
  /// At least one of them.
  case any([Condition])

  /// How deep conditions may stand within each other.
  public static let depthLimit = 6
  /// How many conditions a rule may be made of, all levels together.
  public static let sizeLimit = 1_000
  /// How many datastreams a rule may look at.
  public static let datastreamLimit = 400
}

/// At least so many of several conditions: three of five gauges in an area. The area is resolved to datastreams when the rule is drawn up, so that a
/// sensor that is set up there later changes no rule in silence.
public struct CountOf: Hashable, Sendable, Codable {
  public var atLeast: Int
  public var of: [Condition]

  public init(atLeast: Int, of: [Condition]) {
    self.atLeast = atLeast
    self.of = of
  }
}

extension Condition {
  /// The datastreams that the condition looks at.
  public var datastreams: Set<Int64> {
    var found: Set<Int64> = []
    visit { leaf, _ in found.formUnion(leaf.ownDatastreams) }
    return found
  }

  /// For each datastream, how many seconds before a reading the condition looks back to judge it.
  public var reach: [Int64: Int] {
    var reach: [Int64: Int] = [:]
    visit { leaf, _ in
      for (datastream, seconds) in leaf.ownReach { reach[datastream] = max(reach[datastream] ?? 0, seconds) }
    }
    return reach
  }

  /// What it is made of, where it is made of others.
  var parts: [Condition]? {
    switch self {
    case .threshold, .rateOfChange, .silence, .upstream: nil
    case .countOf(let count): count.of
    case .all(let parts), .any(let parts): parts
    }
  }

  private func visit(depth: Int = 1, _ body: (Condition, Int) -> Void) {
    body(self, depth)
    guard let parts else { return }
    for part in parts { part.visit(depth: depth + 1, body) }
  }

  private var ownDatastreams: [Int64] { Array(ownReach.keys) }

  private var ownReach: [Int64: Int] {
    switch self {
    case .threshold(let threshold): [threshold.datastream: 0]
    case .rateOfChange(let rate): [rate.datastream: rate.within]
    case .silence(let silence): [silence.datastream: 0]
    case .upstream(let upstream):
      // Where both are one datastream, which `check` refuses, there is still no trap here.
      [upstream.gaugeA: upstream.model.riseOver + upstream.model.holds].merging([upstream.gaugeB: upstream.model.holds], uniquingKeysWith: max)
    case .countOf, .all, .any: [:]
    }
  }
}

extension Condition {
  func check(_ problems: inout RuleProblems, at path: String) {
    var size = 0
    var deepest = 0
    visit { _, depth in
      size += 1
      deepest = max(deepest, depth)
    }
    guard deepest <= Self.depthLimit else { return problems.add(path, "is \(deepest) levels deep", expected: "at most \(Self.depthLimit) levels") }
    guard size <= Self.sizeLimit else { return problems.add(path, "has \(size) parts", expected: "at most \(Self.sizeLimit) parts") }
    let count = datastreams.count
    if count > Self.datastreamLimit {
      problems.add(path, "looks at \(count) datastreams", expected: "at most \(Self.datastreamLimit) datastreams")
    }
    checkParts(&problems, at: path)
  }

  private func checkParts(_ problems: inout RuleProblems, at path: String) {
    switch self {
    case .threshold(let threshold): threshold.check(&problems, at: path)
    case .rateOfChange(let rate): rate.check(&problems, at: path)
    case .silence(let silence): silence.check(&problems, at: path)
    case .upstream(let upstream): upstream.check(&problems, at: path)
    case .countOf(let count):
      if count.atLeast < 1 || count.atLeast > count.of.count {
        problems.add("\(path).atLeast", "is \(count.atLeast) of \(count.of.count)", expected: "1 to the number of conditions in of")
      }
    case .all, .any: break
    }
    guard let parts else { return }
    if parts.isEmpty { problems.add("\(path).of", "is empty", expected: "at least one condition") }
    for (index, part) in parts.enumerated() { part.checkParts(&problems, at: "\(path).of[\(index)]") }
  }
}
