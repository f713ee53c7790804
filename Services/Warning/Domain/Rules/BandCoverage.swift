/// How often what came lay in a model's band: nine of ten times, where it is worth its name.
public struct BandCoverage: Hashable, Sendable {
  /// Of all moments.
  public let all: Double
  /// Of those at which B rose to a flood's peak, which is when it matters; nil where there were none.
  public let rising: Double?
}

extension RegressionFit {
  /// On floods that neither the weights nor the band were made with: the floods are dealt into at most eight groups, and each is held against a band that the
  /// others make.
  public func coverage() -> BandCoverage {
    let groups = min(8, outcomes.count)
    var (all, rising) = (Share(), Share())
    for group in 0..<groups {
      let others = outcomes.indices.filter { $0 % groups != group }
      let model = model.banded(by: others.flatMap { outcomes[$0] })
      for flood in stride(from: group, to: outcomes.count, by: groups) {
        for outcome in outcomes[flood] {
          let (low, high) = model.errors(rise: outcome.rise, riseA: outcome.riseA)
          let isWithin = outcome.error >= low && outcome.error <= high
          all.add(isWithin)
          if outcome.isRisingLimb { rising.add(isWithin) }
        }
      }
    }
    return BandCoverage(all: all.value ?? 0, rising: rising.value)
  }

  private struct Share {
    private var (count, within) = (0, 0)

    var value: Double? { count > 0 ? Double(within) / Double(count) : nil }

    mutating func add(_ isWithin: Bool) {
      count += 1
      within += isWithin ? 1 : 0
    }
  }
}
