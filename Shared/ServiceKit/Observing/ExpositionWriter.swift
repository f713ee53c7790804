/// Writes families of figures in Prometheus' text format 0.0.4
/// (https://prometheus.io/docs/instrumenting/exposition_formats/).
struct ExpositionWriter {
  private(set) var text = ""

  mutating func write(_ name: String, _ family: Metrics.Family) {
    text += "# HELP \(name) \(Self.escape(family.help, quotes: false))\n# TYPE \(name) \(family.kind.rawValue)\n"
    for (values, series) in family.series.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      let labels = zip(family.labels, values).map { "\($0)=\"\(Self.escape($1, quotes: true))\"" }
      switch series {
      case .counter(let counter): line(name, labels, String(counter.value))
      case .gauge(let gauge): line(name, labels, Self.number(gauge.value))
      case .measured(let read): if let value = read() { line(name, labels, Self.number(value)) }
      case .counted(let read): if let value = read() { line(name, labels, String(value)) }
      case .histogram(let histogram): write(name, labels, histogram)
      }
    }
  }

  private mutating func write(_ name: String, _ labels: [String], _ histogram: Histogram) {
    let state = histogram.snapshot
    var total = 0
    for (bound, count) in zip(histogram.bounds + [.infinity], state.counts) {
      total += count
      line(name + "_bucket", labels + ["le=\"\(Self.number(bound))\""], String(total))
    }
    line(name + "_sum", labels, Self.number(state.sum))
    line(name + "_count", labels, String(total))
  }

  private mutating func line(_ name: String, _ labels: [String], _ value: String) {
    text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels.joined(separator: ","))} \(value)\n"
  }

  private static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
    if let whole = Int(exactly: value) { return String(whole) }
    return String(value)
  }

  private static func escape(_ text: String, quotes: Bool) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": escaped += "\\\\"
      case "\n": escaped += "\\n"
      case "\"" where quotes: escaped += "\\\""
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}
