import Foundation

/// The commands of a program, found by their words; `--help` and `--version` answer by themselves.
public struct CommandTable: Sendable {
  /// What a command line asks for.
  public enum Asked: Sendable {
    case help(String)
    case version(String)
    case run(Command, Command.Call)
  }

  public let program: String
  public let version: String
  public let commands: [Command]
  /// Variables that begin with `DOS_` and are for somebody else, such as the scripts around the program.
  public let foreignVariables: Set<String>

  public init(program: String, version: String, commands: [Command], foreignVariables: Set<String> = []) {
    self.program = program
    self.version = version
    self.commands = commands
    self.foreignVariables = foreignVariables
  }

  /// Reads a command line, without the program's name.
  public func read(_ line: [String], environment: [String: String]) throws(SettingsRejection) -> Asked {
    if line == ["--version"] { return .version("\(program) \(version)") }
    let words = Array(line.prefix { !$0.hasPrefix("-") })
    let command = commands.filter { words.starts(with: $0.words) }.max { $0.words.count < $1.words.count }
    let options = line.prefix { $0 != "--" }
    if options.contains("--help") || options.contains("-h") || words.first == "help" || line.isEmpty { return .help(help(for: command)) }
    guard let command else {
      let typed = words.joined(separator: " ")
      guard !words.isEmpty else { throw SettingsRejection([.wrongArguments(expected: "a command before \(line[0])")]) }
      throw SettingsRejection([.unknownCommand(typed, nearest: nearestCommand(words))])
    }
    let (flags, arguments) = try split(line.dropFirst(command.words.count), of: command)
    let settings = try Settings.load(
      flags: flags, accepted: command.settings + [Settings.configurationFile.setting], known: commands.flatMap(\.settings),
      environment: environment.filter { !foreignVariables.contains($0.key) })
    guard command.arguments.accepts(arguments.count) else {
      throw SettingsRejection([.wrongArguments(expected: "\(program) \(command.name)\(command.arguments.usage)")])
    }
    return .run(command, Command.Call(settings: settings, arguments: arguments))
  }

  /// Runs the program and returns its exit code: the command's, 64 when the call is wrong, 1 when the command failed.
  public func main(_ line: [String], environment: [String: String]) async -> Int32 {
    do {
      switch try read(line, environment: environment) {
      case .help(let text), .version(let text):
        print(text)
        return 0
      case .run(let command, let call):
        return try await command.run(call)
      }
    } catch let error as SettingsRejection {
      complain("\(error)\nTry \"\(program) --help\".")
      return 64
    } catch {
      complain("\(error)")
      return 1
    }
  }

  private func complain(_ text: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { "\(program): \($0)\n" }
    FileHandle.standardError.write(Data(lines.joined().utf8))
  }

  private func nearestCommand(_ words: [String]) -> String? {
    NearestName.of(words.joined(separator: " "), among: commands.map(\.name))
      ?? words.first.flatMap { word in commands.first { $0.words.first == word }?.name ?? NearestName.of(word, among: commands.compactMap(\.words.first)) }
  }

  private func split(_ line: ArraySlice<String>, of command: Command) throws(SettingsRejection) -> (flags: [(name: String, value: String)], arguments: [String])
  {
    var rest = line
    var flags: [(name: String, value: String)] = []
    var arguments: [String] = []
    while let word = rest.popFirst() {
      if word == "--" {
        arguments += rest
        break
      }
      guard word.hasPrefix("-"), word != "-" else {
        arguments.append(word)
        continue
      }
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      // A single dash is taken as part of the name, so that "-port" is refused as unknown and not read as something else.
      let name = parts[0].hasPrefix("--") ? String(parts[0].dropFirst(2)) : parts[0]
      let setting = command.settings.first { $0.name == name }
      if parts.count == 2 {
        flags.append((name, parts[1]))
      } else if let setting, setting.placeholder == nil {
        flags.append((name, "true"))
      } else if setting == nil, !isOfSecretFile(name, command), name != "config" {
        flags.append((name, ""))
      } else if let value = rest.popFirst() {
        flags.append((name, value))
      } else {
        throw SettingsRejection([.valueMissing(flag: word)])
      }
    }
    return (flags, arguments)
  }

  private func isOfSecretFile(_ name: String, _ command: Command) -> Bool {
    command.settings.contains { $0.isSecret && $0.name + "-file" == name }
  }
}

// MARK: Help

extension CommandTable {
  /// What `--help` prints: the commands, or one command with every setting, its environment variable and its default.
  public func help(for command: Command?) -> String {
    guard let command else {
      let rows = commands.map { ("  " + $0.name + $0.arguments.usage, $0.summary) }
      return "Usage: \(program) <command> [settings]\n\nCommands:\n\(Self.columns(rows))\n"
        + "\"\(program) <command> --help\" lists a command's settings. Each setting is a flag, an environment variable or a line of --config FILE;\n"
        + "the flag goes before the variable and the variable before the file."
    }
    let everywhere = command.settings.filter { $0.sources == .everywhere } + [Settings.configurationFile.setting]
    let options = command.settings.filter { $0.sources == .commandLine }
    var text = "Usage: \(program) \(command.name)\(command.arguments.usage) [settings]\n\n\(command.summary)\n"
    if !options.isEmpty { text += "\nOptions:\n" + Self.columns(options.map(row)) }
    text += "\nSettings:\n" + Self.columns(everywhere.map(row))
    return text
  }

  private func row(_ setting: Setting) -> (String, String) {
    var left = "  " + (setting.isSecret ? setting.flag + "-file FILE" : setting.flag + (setting.placeholder.map { " " + $0 } ?? ""))
    if setting.isList { left += "..." }
    var right = setting.help
    if setting.sources == .everywhere { right += " [\(setting.environmentName)\(setting.isSecret ? ", \(setting.environmentName)_FILE" : "")]" }
    if let text = setting.defaultText { right += " (default \(text))" }
    return (left, right)
  }

  private static func columns(_ rows: [(String, String)]) -> String {
    let width = (rows.map(\.0.count).max() ?? 0) + 2
    return rows.map { $0.0.padding(toLength: width, withPad: " ", startingAt: 0) + $0.1 + "\n" }.joined()
  }
}
