/// Why a JSON text is not what was asked for: where, what was wrong, and what would be right.
public struct JSONRejection: Error, Equatable, Sendable {
  /// The names and indexes that lead there, `Datastream/unitOfMeasurement/symbol`; empty for the whole text.
  public let path: String
  /// What was wrong.
  public let problem: String
  /// What would be right.
  public let expected: String

  public init(path: String, problem: String, expected: String) {
    self.path = path
    self.problem = problem
    self.expected = expected
  }
}

extension JSONRejection: CustomStringConvertible {
  public var description: String { path.isEmpty ? "\(problem); expected \(expected)" : "\(path): \(problem); expected \(expected)" }
}
