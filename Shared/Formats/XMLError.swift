/// Why bytes are not XML that is read here. Lines count from 1.
public enum XMLError: Error, Equatable, Sendable {
  /// No element at all.
  case empty
  /// Another encoding than UTF-8, declared or recognised by how the bytes begin.
  case encoding(String, line: Int)
  /// Bytes that are no UTF-8.
  case notUTF8(line: Int)
  /// `<!DOCTYPE`, `<!ENTITY` or their like. Entities can make gigabytes of a line and fetch files, and no format read here has use for them.
  case declaration(line: Int)
  case tooLong(bytes: Int, limit: Int)
  case tooDeep(line: Int, limit: Int)
  case tooManyElements(line: Int, limit: Int)
  case tooManyAttributes(line: Int, limit: Int)
  /// Against the rules of XML 1.0 or of its namespaces.
  case malformed(line: Int, reason: String)
}

extension XMLError: CustomStringConvertible {
  /// What was wrong and what would be right, for whoever sent it.
  public var description: String {
    switch self {
    case .empty: "there is no XML element"
    case .encoding(let name, let line): "line \(line) says that this is \(name): send UTF-8"
    case .notUTF8(let line): "line \(line) is not UTF-8"
    case .declaration(let line): "line \(line) declares a document type or an entity: leave declarations (<!...>) out, and write characters themselves"
    case .tooLong(let bytes, let limit): "\(bytes) bytes of XML are more than the \(limit) that are read"
    case .tooDeep(let line, let limit): "line \(line) has more than \(limit) elements within each other"
    case .tooManyElements(let line, let limit): "more than \(limit) elements, the first beyond it on line \(line)"
    case .tooManyAttributes(let line, let limit): "line \(line) begins an element with more than \(limit) attributes"
    case .malformed(let line, let reason): "line \(line) is not well-formed XML: \(reason)"
    }
  }
}
