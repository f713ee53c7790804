/// The sums that a linear least-squares fit needs. They add, so a fit without some of the rows is one of the difference, and leaving out one flood
/// after the other costs no more than one fit each.
struct LeastSquares {
  /// Rows' outer products, row by row, and their products with the outcome.
  private(set) var gram: [Double]
  private(set) var moment: [Double]
  let width: Int

  init(width: Int) {
    self.width = width
    gram = Array(repeating: 0, count: width * width)
    moment = Array(repeating: 0, count: width)
  }

  mutating func add(_ row: [Double], outcome: Double) {
    for i in 0..<width {
      for j in 0..<width { gram[i * width + j] += row[i] * row[j] }
      moment[i] += row[i] * outcome
    }
  }

  static func + (left: LeastSquares, right: LeastSquares) -> LeastSquares { left.combined(with: right, +) }
  static func - (left: LeastSquares, right: LeastSquares) -> LeastSquares { left.combined(with: right, -) }

  private func combined(with other: LeastSquares, _ operation: (Double, Double) -> Double) -> LeastSquares {
    var result = self
    for i in gram.indices { result.gram[i] = operation(gram[i], other.gram[i]) }
    for i in moment.indices { result.moment[i] = operation(moment[i], other.moment[i]) }
    return result
  }

  /// The weights with the least squared error, by Cholesky's decomposition; nil where the rows do not tell the weights apart. Columns should be of one
  /// size: a little is added to the diagonal, against columns that nearly say the same.
  func solve() -> [Double]? {
    var lower = gram
    let scale = (0..<width).map { gram[$0 * width + $0] }.max() ?? 0
    guard scale > 0 else { return nil }
    for i in 0..<width { lower[i * width + i] += scale * 1e-9 }
    for i in 0..<width {
      for j in 0...i {
        var sum = lower[i * width + j]
        for k in 0..<j { sum -= lower[i * width + k] * lower[j * width + k] }
        if i == j {
          guard sum > 0 else { return nil }
          lower[i * width + i] = sum.squareRoot()
        } else {
          lower[i * width + j] = sum / lower[j * width + j]
        }
      }
    }
    var result = moment
    for i in 0..<width {
      for k in 0..<i { result[i] -= lower[i * width + k] * result[k] }
      result[i] /= lower[i * width + i]
    }
    for i in (0..<width).reversed() {
      for k in i + 1..<width { result[i] -= lower[k * width + i] * result[k] }
      result[i] /= lower[i * width + i]
    }
    return result
  }
}
