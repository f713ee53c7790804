import Foundation

/// One line of the table: what was measured, and the limit of the machine that was measured in the same run.
struct Figure: Codable, Sendable {
  /// What the machine alone can do, for example nginx's constant answer.
  struct Limit: Codable, Sendable {
    let name: String
    let value: Double
  }

  /// What the figure should be.
  enum Aim: Codable, Sendable {
    case atLeast(Double)
    case atMost(Double)
    /// This share of the limit.
    case ofLimit(Double)
  }

  let measure: String
  let name: String
  let value: Double
  let unit: String
  var limit: Limit?
  var aim: Aim?

  var ratio: Double? { limit.map { value / $0.value } }

  /// Nil without an aim.
  var holds: Bool? {
    switch aim {
    case nil: nil
    case .atLeast(let bound): value >= bound
    case .atMost(let bound): value <= bound
    case .ofLimit(let share): ratio.map { $0 >= share }
    }
  }

  var aimText: String {
    switch aim {
    case nil: ""
    case .atLeast(let bound): "≥ \(Figure.text(bound))"
    case .atMost(let bound): "≤ \(Figure.text(bound))"
    case .ofLimit(let share): "≥ \(Figure.text(share)) of it"
    }
  }

  /// Three digits that count, thousands in groups.
  static func text(_ value: Double) -> String {
    guard abs(value) >= 100 else { return String(format: abs(value) >= 10 ? "%.1f" : "%.2f", value) }
    var digits = Array(String(Int(value.rounded())))
    var place = digits.count - 3
    while place > 0, digits[place - 1] != "-" {
      digits.insert(",", at: place)
      place -= 3
    }
    return String(digits)
  }
}

/// A run's figures with the machine they were measured on, as written to `.build/bench`.
struct Report: Codable, Sendable {
  var began: String
  var machine: [Machine.Fact]
  var settings: String
  var figures: [Figure] = []
  /// What could not be measured, or was measured and found wrong.
  var failures: [String] = []

  var table: String {
    let head = ["measure", "figure", "value", "unit", "limit of this machine", "", "ratio", "aim", ""]
    let rows = figures.map { figure in
      [
        figure.measure, figure.name, Figure.text(figure.value), figure.unit, figure.limit?.name ?? "", figure.limit.map { Figure.text($0.value) } ?? "",
        figure.ratio.map(Figure.text) ?? "", figure.aimText, figure.holds.map { $0 ? "holds" : "MISSED" } ?? "",
      ]
    }
    return Report.aligned([head] + rows, right: [2, 5, 6])
  }

  static func compare(_ left: Report, _ right: Report) -> String {
    let rows = left.figures.compactMap { old -> [String]? in
      guard let new = right.figures.first(where: { $0.measure == old.measure && $0.name == old.name }) else { return nil }
      return [old.measure, old.name, Figure.text(old.value), Figure.text(new.value), new.unit, Figure.text(new.value / old.value)]
    }
    return aligned([["measure", "figure", left.began, right.began, "unit", "ratio"]] + rows, right: [2, 3, 5])
  }

  private static func aligned(_ rows: [[String]], right: Set<Int>) -> String {
    let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = row.enumerated().map { column, text in
        let blanks = String(repeating: " ", count: widths[column] - text.count)
        return right.contains(column) ? blanks + text : text + blanks
      }
      return String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
    }.joined(separator: "\n")
  }
}

/// A measure's figure does not count, because something was not as promised.
struct Failure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// Throws where a promise does not hold, with what was found.
func expect(_ holds: Bool, _ problem: @autoclosure () -> String) throws(Failure) {
  if !holds { throw Failure(problem()) }
}

/// Durations in milliseconds, of which the share below a bound is asked.
struct Times: Sendable {
  private var milliseconds: [Double] = []

  var count: Int { milliseconds.count }

  mutating func add(_ time: Duration) { milliseconds.append(time / .milliseconds(1)) }
  mutating func add(_ other: Times) { milliseconds += other.milliseconds }

  func percentile(_ share: Double) -> Double {
    guard !milliseconds.isEmpty else { return .nan }
    let sorted = milliseconds.sorted()
    return sorted[min(sorted.count - 1, Int(Double(sorted.count) * share / 100))]
  }
}
