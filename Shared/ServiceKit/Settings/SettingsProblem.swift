/// What is wrong with how the process was called or configured. Its description says what would be right and holds no secret.
public enum SettingsProblem: Error, Equatable, Sendable, CustomStringConvertible {
  /// Where a value came from.
  public enum Source: Equatable, Sendable, CustomStringConvertible {
    case flag(String)
    case environment(String)
    case file(path: String, line: Int, key: String)

    public var description: String {
      switch self {
      case .flag(let flag): flag
      case .environment(let name): "environment variable \(name)"
      case .file(let path, let line, let key): "\(path), line \(line): \(key)"
      }
    }
  }

  case unknownCommand(String, nearest: String?)
  case unknown(Source, nearest: String?)
  /// `value` is nil for a secret.
  case impossible(Source, value: String?, expected: String)
  case valueMissing(flag: String)
  case twice(Source)
  case secretOnCommandLine(flag: String)
  case unreadableFile(Source, path: String, reason: String)
  case malformedLine(path: String, line: Int)
  case wrongArguments(expected: String)

  public var description: String {
    switch self {
    case .unknownCommand(let name, let nearest):
      "there is no command \"\(name)\"" + Self.hint(nearest)
    case .unknown(let source, let nearest):
      "\(source) is no setting" + Self.hint(nearest)
    case .impossible(let source, let value, let expected):
      "\(source): " + (value.map { "\"\($0)\" cannot be; " } ?? "") + "expected \(expected)"
    case .valueMissing(let flag):
      "\(flag) needs a value"
    case .twice(let source):
      "\(source) is given twice"
    case .secretOnCommandLine(let flag):
      "\(flag) would show a secret to everybody on this machine; write it to a file and name that with \(flag)-file"
    case .unreadableFile(let source, let path, let reason):
      "\(source): cannot read \(path): \(reason)"
    case .malformedLine(let path, let line):
      "\(path), line \(line): expected \"key = value\" or a comment that begins with #"
    case .wrongArguments(let expected):
      "expected \(expected)"
    }
  }

  private static func hint(_ nearest: String?) -> String {
    nearest.map { "; did you mean \($0)?" } ?? ""
  }
}

/// Everything that is wrong with how the process was called or configured, so that one start tells it all.
public struct SettingsRejection: Error, Equatable, Sendable, CustomStringConvertible {
  public let problems: [SettingsProblem]

  public init(_ problems: [SettingsProblem]) {
    self.problems = problems
  }

  public var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// The name of a list that a mistyped one probably means.
enum NearestName {
  /// The name with the fewest changed, missing, added or swapped letters, if those are no more than a third of it.
  static func of(_ typed: String, among names: some Sequence<String>) -> String? {
    let best = names.map { (name: $0, distance: distance(Array(typed.utf8), Array($0.utf8))) }.min { ($0.distance, $0.name) < ($1.distance, $1.name) }
    guard let best, best.distance <= max(1, max(typed.utf8.count, best.name.utf8.count) / 3) else { return nil }
    return best.name
  }

  /// Damerau and Levenshtein's distance with neighbouring letters swapped at most once.
  static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var before: [Int] = []
    var previous = Array(0...b.count)
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var cost = min(previous[j + 1] + 1, row[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, before[j - 1] + 1) }
        row.append(cost)
      }
      before = previous
      previous = row
    }
    return previous[b.count]
  }
}
