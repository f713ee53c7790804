import TestSupport
import WarningDomain

extension FloodSimulator.River {
  var upstream: [Reading] { a.map(Reading.init) }
  var downstream: [Reading] { b.map(Reading.init) }
}

extension Reading {
  fileprivate init(_ level: FloodSimulator.Level) { self.init(time: level.time, value: level.value, offset: Int64(level.step)) }
}

extension LaggedRegression {
  /// The model alone.
  static func fitted(to river: FloodSimulator.River, _ options: Options = Options()) throws -> LaggedRegression {
    try fit(upstream: river.upstream, downstream: river.downstream, options).model
  }
}
