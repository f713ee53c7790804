import Foundation
public import Time

/// A river with two gauges, for forecasts to be tried on: rain in pulses on the catchment of A, which answers as a cascade of three linear reservoirs
/// (Nash 1957); the wave runs to B after Muskingum (McCarthy 1938), where tributaries bring what fell on their own catchments; levels from discharges
/// by a rating curve, measured with noise, now and then not at all.
public struct FloodSimulator {
  /// Seconds between two readings.
  public static let step = 900
  /// Five days, a quarter of an hour each.
  public static let stepsPerFlood = 480

  /// Seconds of travel from A to B.
  public var travel = 4.0 * 3_600
  private var random: SeededRandom

  public init(seed: UInt64) { random = SeededRandom(seed: seed) }

  /// What a gauge reported, in metres.
  public struct Level: Sendable {
    public let step: Int
    public let time: Instant
    public let value: Double

    public init(step: Int, time: Instant, value: Double) {
      self.step = step
      self.time = time
      self.value = value
    }
  }

  public struct River: Sendable {
    public fileprivate(set) var a: [Level] = []
    public fileprivate(set) var b: [Level] = []
    /// What B really showed, each quarter of an hour.
    public fileprivate(set) var trueB: [Double] = []
    /// At which steps the level at B rises from a tenth of the way up to the peak of its flood.
    public fileprivate(set) var isRising: [Bool] = []
    fileprivate var start = Instant(milliseconds: 0)

    public func time(_ step: Int) -> Instant { start + .seconds(step * FloodSimulator.step) }
  }

  /// So many floods, one after the other.
  public mutating func river(floods: Int, from start: Instant = Instant(milliseconds: 1_577_836_800_000)) -> River {
    var river = River()
    river.start = start
    var reservoirs = [Double](repeating: 2, count: 3)
    var tributary = [Double](repeating: 0.6, count: 3)
    var (inflow, outflow) = (2.0, 2.0)
    let dt = Double(Self.step)
    // Muskingum in three sub-reaches would be finer; one suffices for a rise that is delayed and flattened.
    let x = 0.2
    let denominator = 2 * travel * (1 - x) + dt
    let (c0, c1, c2) = ((dt - 2 * travel * x) / denominator, (dt + 2 * travel * x) / denominator, (2 * travel * (1 - x) - dt) / denominator)
    var (outageA, outageB) = (0, 0)
    for flood in 0..<floods {
      let rain = rainfall()
      let share = exp(0.35 * normal())
      let onset = rain.firstIndex { $0 > 0 } ?? 0
      var peak = (level: -Double.infinity, step: 0)
      for step in 0..<Self.stepsPerFlood {
        let before = inflow
        inflow = Self.route(rain[step] * 60 + 2, through: &reservoirs, storage: 2.0 * 3_600)
        outflow = max(0.1, c0 * inflow + c1 * before + c2 * outflow)
        let side = Self.route(rain[max(0, step - 4)] * 20 * share + 0.6, through: &tributary, storage: 3.0 * 3_600)
        let levelA = Self.level(inflow, 0.30)
        let levelB = Self.level(outflow + side, 0.26)
        river.trueB.append(levelB)
        if levelB > peak.level { peak = (levelB, step) }
        let index = flood * Self.stepsPerFlood + step
        let time = river.time(index)
        measure(levelA, at: time, step: index, outage: &outageA, into: &river.a)
        measure(levelB, at: time, step: index, outage: &outageB, into: &river.b)
      }
      let begin = flood * Self.stepsPerFlood
      let foot = river.trueB[begin + onset]
      let mark = foot + 0.1 * (peak.level - foot)
      let risen = (onset...max(peak.step, onset)).last { river.trueB[begin + $0] < mark } ?? onset
      river.isRising += (0..<Self.stepsPerFlood).map { $0 >= risen && $0 <= peak.step }
    }
    return river
  }

  private mutating func normal() -> Double {
    let (u, v) = (Double.random(in: 1e-12..<1, using: &random), Double.random(in: 0..<1, using: &random))
    return (-2 * log(u)).squareRoot() * cos(2 * .pi * v)
  }

  /// Millimetres per step: one to three pulses on the first day and a half.
  private mutating func rainfall() -> [Double] {
    var rain = [Double](repeating: 0, count: Self.stepsPerFlood)
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      let begin = Int.random(in: 20..<150, using: &random)
      let length = Int.random(in: 8...40, using: &random)
      let intensity = 0.5 * exp(0.6 * normal())
      for step in begin..<begin + length { rain[step] += intensity * (0.7 + 0.6 * Double.random(in: 0..<1, using: &random)) }
    }
    return rain
  }

  private mutating func measure(_ level: Double, at time: Instant, step: Int, outage: inout Int, into levels: inout [Level]) {
    if outage > 0 { return outage -= 1 }
    if random.oneIn(600) { outage = Int.random(in: 4...24, using: &random) }
    if random.oneIn(40) { return }
    levels.append(Level(step: step, time: time, value: ((level + 0.01 * normal()) * 100).rounded() / 100))
  }

  private static func route(_ inflow: Double, through reservoirs: inout [Double], storage: Double) -> Double {
    let keep = exp(-Double(step) / storage)
    var flow = inflow
    for index in reservoirs.indices {
      reservoirs[index] = reservoirs[index] * keep + flow * (1 - keep)
      flow = reservoirs[index]
    }
    return flow
  }

  private static func level(_ discharge: Double, _ factor: Double) -> Double { factor * pow(discharge, 0.6) }
}
