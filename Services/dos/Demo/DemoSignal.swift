import Foundation
import Time

/// A made-up measurement over time: a base, a daily wave and smooth noise. The value at a moment depends on the seed and that moment alone,
/// so that a reading sent again after an interruption is the same reading.
struct DemoSignal: Sendable {
  /// The middle of the daily wave, in the datastream's unit.
  var base: Double
  /// Half the height of the daily wave; its top is at `peakHour` (UTC).
  var daily: Double
  var peakHour: Double
  /// Half the height of the noise, which takes about an hour from one value to the next.
  var noise: Double
  /// Values are kept within these.
  var range: ClosedRange<Double>
  /// Places after the decimal point.
  var digits: Int

  func value(at moment: Instant, seed: UInt64) -> Double {
    let hours = Double(moment.milliseconds) / 3_600_000
    let wave = daily * cos((hours - peakHour) / 24 * 2 * .pi)
    let step = hours.rounded(.down)
    let part = hours - step
    let eased = part * part * (3 - 2 * part)
    let from = Self.unit(seed, Int64(step))
    let to = Self.unit(seed, Int64(step) + 1)
    let raw = base + wave + noise * (from + (to - from) * eased)
    let scale = pow(10, Double(digits))
    return (min(max(raw, range.lowerBound), range.upperBound) * scale).rounded() / scale
  }

  /// A number from -1 to 1 that seed and step determine (SplitMix64).
  private static func unit(_ seed: UInt64, _ step: Int64) -> Double {
    var z = seed &+ UInt64(bitPattern: step) &* 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    z ^= z >> 31
    return Double(z >> 11) / Double(1 << 52) - 1
  }
}
