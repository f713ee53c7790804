import Foundation

/// The values a process runs with: from flags, else from the environment, else from the configuration file, else the default.
public struct Settings: Sendable {
  private var values: [String: any Sendable] = [:]

  /// Settings at their defaults, for tests and embedding.
  public init() {}

  /// The value of a setting; its default where no source had one.
  public subscript<Value>(key: SettingKey<Value>) -> Value {
    get { values[key.setting.name] as? Value ?? key.fallback }
    set { values[key.setting.name] = newValue }
  }

  /// Whether some source had a value.
  public func isSet<Value>(_ key: SettingKey<Value>) -> Bool {
    values[key.setting.name] != nil
  }

  /// The setting every command has: the configuration file.
  public static let configurationFile = SettingKey<String?>.text("config", "FILE", help: "File of settings, one \"key = value\" a line")

  /// Reads every source and checks all of it.
  ///
  /// - Parameters:
  ///   - flags: what the command line said, as `flag` and `value` in order.
  ///   - accepted: the settings of this command.
  ///   - known: the settings of any command: in the environment and in a file, what another command uses is no mistake.
  ///   - environment: variables that begin with `DOS_`, but for `DOS_TEST_`, must be settings; an empty one counts as absent.
  /// - Throws: all problems at once.
  static func load(
    flags: [(name: String, value: String)], accepted: [Setting], known: [Setting], environment: [String: String]
  ) throws(SettingsRejection) -> Settings {
    var loading = Loading(accepted: accepted, known: known)
    for (name, value) in flags { loading.take(name, value, from: .flag("--" + name), at: .flags) }
    for (variable, value) in environment.sorted(by: { $0.key < $1.key }) where variable.hasPrefix("DOS_") && !variable.hasPrefix("DOS_TEST_") {
      loading.takeVariable(variable, value)
    }
    if let path = loading.texts["config"]?.values.last {
      loading.takeFile(path)
    }
    return try loading.finish()
  }

  fileprivate mutating func set(_ name: String, _ value: any Sendable) {
    values[name] = value
  }
}

/// The sources read so far.
private struct Loading {
  /// A source with a lower number goes first.
  enum Rank: Int { case flags, environment, file }

  let accepted: [String: Setting]
  let known: [String: Setting]
  var texts: [String: (rank: Rank, source: SettingsProblem.Source, values: [String])] = [:]
  var problems: [SettingsProblem] = []

  init(accepted: [Setting], known: [Setting]) {
    self.accepted = Dictionary(accepted.map { ($0.name, $0) }) { first, _ in first }
    self.known = Dictionary((accepted + known).map { ($0.name, $0) }) { first, _ in first }
  }

  /// The setting a name means, and whether the name is that of the file that holds a secret.
  func find(_ name: String, in settings: [String: Setting]) -> (setting: Setting, isFile: Bool)? {
    if let setting = settings[name] { return (setting, false) }
    if name.hasSuffix("-file"), let setting = settings[String(name.dropLast(5))], setting.isSecret { return (setting, true) }
    return nil
  }

  mutating func take(_ name: String, _ value: String, from source: SettingsProblem.Source, at rank: Rank) {
    guard let (setting, isFile) = find(name, in: rank == .flags ? accepted : known) else {
      let names = rank == .flags ? accepted.values.map(\.flag) : known.values.filter { $0.sources == .everywhere }.map(\.name)
      problems.append(.unknown(source, nearest: NearestName.of(rank == .flags ? "--" + name : name, among: names)))
      return
    }
    guard rank == .flags || setting.sources == .everywhere else {
      problems.append(.unknown(source, nearest: nil))
      return
    }
    if setting.isSecret, !isFile, rank == .flags {
      problems.append(.secretOnCommandLine(flag: setting.flag))
      return
    }
    var values = [value]
    if isFile {
      guard let text = read(value, source) else { return }
      values = [text.hasSuffix("\n") ? String(text.dropLast()) : text]
    } else if setting.isList {
      values = value.split(separator: ",").map { String($0).trimmingCharacters(in: .whitespaces) }
    }
    if let earlier = texts[setting.name] {
      guard earlier.rank == rank else { return }
      guard setting.isList else {
        problems.append(.twice(source))
        return
      }
      values = earlier.values + values
    }
    texts[setting.name] = (rank, source, values)
  }

  mutating func takeVariable(_ variable: String, _ value: String) {
    guard !value.isEmpty else { return }
    let name = variable.dropFirst(4).lowercased().replacing("_", with: "-")
    if Setting.environmentName(name) == variable, let (setting, _) = find(name, in: known), setting.sources == .everywhere {
      take(name, value, from: .environment(variable), at: .environment)
    } else {
      let names = known.values.filter { $0.sources == .everywhere }.map(\.environmentName)
      problems.append(.unknown(.environment(variable), nearest: NearestName.of(variable, among: names)))
    }
  }

  mutating func takeFile(_ path: String) {
    let asked = texts["config"]?.source ?? .flag("--config")
    guard let text = read(path, asked) else { return }
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let line = line.trimmingCharacters(in: .whitespaces)
      guard !line.isEmpty, !line.hasPrefix("#") else { continue }
      guard let equals = line.firstIndex(of: "=") else {
        problems.append(.malformedLine(path: path, line: index + 1))
        continue
      }
      let key = line[..<equals].trimmingCharacters(in: .whitespaces)
      let value = line[line.index(after: equals)...].trimmingCharacters(in: .whitespaces)
      let source = SettingsProblem.Source.file(path: path, line: index + 1, key: key)
      if key == "config" {
        problems.append(.unknown(source, nearest: nil))
      } else {
        take(key, value, from: source, at: .file)
      }
    }
  }

  mutating func read(_ path: String, _ source: SettingsProblem.Source) -> String? {
    do {
      return try String(contentsOfFile: path, encoding: .utf8)
    } catch {
      problems.append(.unreadableFile(source, path: path, reason: (error as NSError).localizedDescription))
      return nil
    }
  }

  mutating func finish() throws(SettingsRejection) -> Settings {
    var settings = Settings()
    // A value for another command is checked too: a configuration that is wrong is wrong for whoever reads it first.
    for (name, entry) in texts.sorted(by: { $0.key < $1.key }) {
      guard let setting = known[name] else { continue }
      do throws(ImpossibleValue) {
        settings.set(name, try setting.read(entry.values))
      } catch {
        problems.append(.impossible(entry.source, value: setting.isSecret ? nil : entry.values.joined(separator: ","), expected: error.expected))
      }
    }
    guard problems.isEmpty else { throw SettingsRejection(problems) }
    return settings
  }
}
