import Foundation
import Synchronization

/// The figures of a process, written in Prometheus' text format 0.0.4 by `exposition()`.
///
/// A name is declared once with its kind, its help and the names of its labels; asking again for the same gives the same figures.
/// Label values must come from a bounded set (a route's pattern, never a path).
public final class Metrics: Sendable {
  /// What can be measured, and how Prometheus calls it.
  enum Kind: String, Sendable { case counter, gauge, histogram }

  enum Series: Sendable {
    case counter(Counter)
    case gauge(Gauge)
    case histogram(Histogram)
    case measured(@Sendable () -> Double?)
    case counted(@Sendable () -> UInt64?)
  }

  struct Family: Sendable {
    let kind: Kind
    let help: String
    let labels: [String]
    var series: [[String]: Series] = [:]
  }

  private let families = Mutex<[String: Family]>([:])

  public init() {}

  /// A number that only grows. By Prometheus' convention its name ends in `_total`.
  public func counter(_ name: String, _ help: String, _ labels: KeyValuePairs<String, String> = [:]) -> Counter {
    let series = series(name, .counter, help, labels) { .counter(Counter()) }
    guard case .counter(let counter) = series else { return Counter() }
    return counter
  }

  /// A number that goes up and down and is set by whoever knows it.
  public func gauge(_ name: String, _ help: String, _ labels: KeyValuePairs<String, String> = [:]) -> Gauge {
    let series = series(name, .gauge, help, labels) { .gauge(Gauge()) }
    guard case .gauge(let gauge) = series else { return Gauge() }
    return gauge
  }

  /// A number that is read when the figures are; nil leaves the line out. The last one to declare it is asked.
  public func measure(_ name: String, _ help: String, _ labels: KeyValuePairs<String, String> = [:], _ read: @escaping @Sendable () -> Double?) {
    _ = series(name, .gauge, help, labels) { .measured(read) }
    families.withLock { $0[name]?.series[labels.map(\.value)] = .measured(read) }
  }

  /// A number that only grows and is read when the figures are; nil leaves the line out. The last one to declare it is asked.
  public func measure(total name: String, _ help: String, _ labels: KeyValuePairs<String, String> = [:], _ read: @escaping @Sendable () -> UInt64?) {
    _ = series(name, .counter, help, labels) { .counted(read) }
    families.withLock { $0[name]?.series[labels.map(\.value)] = .counted(read) }
  }

  /// How values are spread over buckets; durations are in seconds.
  public func histogram(_ name: String, _ help: String, _ labels: KeyValuePairs<String, String> = [:], buckets: [Double] = Histogram.seconds) -> Histogram {
    let series = series(name, .histogram, help, labels) { .histogram(Histogram(buckets: buckets)) }
    guard case .histogram(let histogram) = series else { return Histogram(buckets: buckets) }
    return histogram
  }

  private func series(_ name: String, _ kind: Kind, _ help: String, _ labels: KeyValuePairs<String, String>, _ make: () -> Series) -> Series {
    let names = labels.map(\.key)
    precondition(Self.isName(name) && names.allSatisfy(Self.isName), "\(name) or one of its labels \(names) is no name Prometheus takes")
    return families.withLock { families in
      var family = families[name] ?? Family(kind: kind, help: help, labels: names)
      precondition(family.kind == kind && family.labels == names, "\(name) was declared as a \(family.kind.rawValue) with the labels \(family.labels)")
      let values = labels.map(\.value)
      if let series = family.series[values] { return series }
      let series = make()
      family.series[values] = series
      families[name] = family
      return series
    }
  }

  private static func isName(_ name: String) -> Bool {
    guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return false }
    return name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
      default: false
      }
    }
  }

  /// All figures as `text/plain; version=0.0.4`, in the order of their names and label values.
  public func exposition() -> String {
    // Copied first: a measuring closure may itself take locks or declare figures.
    let families = families.withLock { $0 }
    var writer = ExpositionWriter()
    for (name, family) in families.sorted(by: { $0.key < $1.key }) { writer.write(name, family) }
    return writer.text
  }
}

/// A number that only grows; adding costs a few nanoseconds.
public final class Counter: Sendable {
  private let count = Atomic<Int>(0)

  public var value: Int { count.load(ordering: .relaxed) }

  /// Adds `number`; a negative one is ignored, since a counter that falls reads as a restart.
  public func add(_ number: Int = 1) {
    if number > 0 { count.wrappingAdd(number, ordering: .relaxed) }
  }
}

/// A number that goes up and down.
public final class Gauge: Sendable {
  private let bits = Atomic<UInt64>(0)

  public var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

  public func set(_ value: Double) {
    bits.store(value.bitPattern, ordering: .relaxed)
  }

  public func add(_ difference: Double) {
    var old = bits.load(ordering: .relaxed)
    while true {
      let (done, current) = bits.weakCompareExchange(expected: old, desired: (Double(bitPattern: old) + difference).bitPattern, ordering: .relaxed)
      if done { return }
      old = current
    }
  }
}

/// How values are spread: counts at or below each bound, their sum and number.
public final class Histogram: Sendable {
  /// Bounds in seconds for what takes from a millisecond to ten seconds.
  public static let seconds: [Double] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

  struct State {
    var counts: [Int]
    var sum = 0.0
  }

  let bounds: [Double]
  private let state: Mutex<State>

  init(buckets: [Double]) {
    bounds = buckets.sorted()
    state = Mutex(State(counts: Array(repeating: 0, count: buckets.count + 1)))
  }

  /// Counts a value; what is no number is left out, since it would make the sum one too.
  public func observe(_ value: Double) {
    guard value.isFinite else { return }
    let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
    state.withLock { state in
      state.counts[bucket] += 1
      state.sum += value
    }
  }

  /// Counts a duration in seconds.
  public func observe(_ duration: Duration) {
    observe(duration / .seconds(1))
  }

  var snapshot: State { state.withLock { $0 } }
}
