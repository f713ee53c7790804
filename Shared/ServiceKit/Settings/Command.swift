/// One command of a program: what it is called, what it takes and what it does.
public struct Command: Sendable {
  /// The words after the settings' flags.
  public enum Arguments: Sendable {
    case none
    case one(String)
    case oneOrMore(String)
    case any(String)

    var usage: String {
      switch self {
      case .none: ""
      case .one(let name): " <\(name)>"
      case .oneOrMore(let name): " <\(name)>..."
      case .any(let name): " [<\(name)>...]"
      }
    }

    func accepts(_ count: Int) -> Bool {
      switch self {
      case .none: count == 0
      case .one: count == 1
      case .oneOrMore: count >= 1
      case .any: true
      }
    }
  }

  /// What a command was called with.
  public struct Call: Sendable {
    public let settings: Settings
    public let arguments: [String]

    public init(settings: Settings, arguments: [String] = []) {
      self.settings = settings
      self.arguments = arguments
    }
  }

  /// One or two words, for example `serve` or `dead-letters list`.
  public let name: String
  public let summary: String
  public let arguments: Arguments
  public let settings: [Setting]
  /// Does it and returns the exit code of the process.
  public let run: @Sendable (Call) async throws -> Int32

  public init(
    _ name: String, _ summary: String, arguments: Arguments = .none, settings: [Setting] = [], run: @escaping @Sendable (Call) async throws -> Int32
  ) {
    self.name = name
    self.summary = summary
    self.arguments = arguments
    self.settings = settings
    self.run = run
  }

  var words: [String] { name.split(separator: " ").map(String.init) }
}
