import Formats

/// Something in a message that is not as CAP 1.2 wants it.
public struct CAPProblem: Hashable, Sendable {
  /// Where: `alert/info[2]/area[1]/polygon[3]`, what may be there several times counted from 1.
  public let path: String
  /// What is wrong and what would be right.
  public let problem: String

  public init(path: String, problem: String) {
    self.path = path
    self.problem = problem
  }
}

extension CAPProblem: CustomStringConvertible {
  public var description: String { "\(path): \(problem)" }
}

/// Why a document is not read as CAP, or a message not written.
public enum CAPError: Error, Equatable, Sendable {
  /// It is no XML that is read here.
  case xml(XMLError)
  /// XML without an `alert` in a namespace of CAP, at whatever depth; its element is named so.
  case noAlert(root: String)
  /// Several messages, where one was asked for.
  case several(Int)
  /// A message without what makes it one: identifier, sender, sent, status or msgType.
  case unusable(CAPProblem)
  /// A message that is not written, since it would not be valid.
  case invalid([CAPProblem])
}

extension CAPError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .xml(let error): error.description
    case .noAlert(let root): "there is no CAP alert in it; the document is '\(root)'"
    case .several(let count): "there are \(count) alerts in it, and one was expected"
    case .unusable(let problem): problem.description
    case .invalid(let problems): problems.map(\.description).joined(separator: "\n")
    }
  }
}
