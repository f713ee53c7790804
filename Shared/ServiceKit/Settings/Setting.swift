/// One setting of the process: what it is called, where it may come from, what it may be and what it is when nobody says.
///
/// A setting named `oidc-issuer` is the flag `--oidc-issuer`, the environment variable `DOS_OIDC_ISSUER` and the key
/// `oidc-issuer` of a configuration file. A secret has no flag, since everybody on a machine can read a command line; it has
/// `--<name>-file`, `DOS_<NAME>`, `DOS_<NAME>_FILE` and the file keys `<name>` and `<name>-file` instead.
public struct Setting: Sendable {
  /// Where a value may come from.
  public enum Sources: Sendable {
    /// Flag, environment and configuration file: how a process is run.
    case everywhere
    /// The flag alone: what one command is asked to do this once.
    case commandLine
  }

  public let name: String
  public let help: String
  public let sources: Sources
  /// What stands for the value in `--help`; nil for a switch, which needs no value.
  public let placeholder: String?
  /// The value in words when nobody says; nil when there is none.
  public let defaultText: String?
  public let isSecret: Bool
  /// Whether the flag may be repeated; in the environment and in files the values stand between commas.
  public let isList: Bool
  let read: @Sendable ([String]) throws(ImpossibleValue) -> any Sendable

  public var flag: String { "--" + name }
  public var environmentName: String { Self.environmentName(name) }

  static func environmentName(_ name: String) -> String {
    "DOS_" + name.uppercased().replacing("-", with: "_")
  }
}

/// Why a text is no value of a setting: what would be one.
public struct ImpossibleValue: Error, Equatable, Sendable {
  /// What would be right, completing "expected …".
  public let expected: String

  public init(expected: String) {
    self.expected = expected
  }
}

/// A setting with the type of its value, to be read as `settings[key]`.
public struct SettingKey<Value: Sendable>: Sendable {
  public let setting: Setting
  /// The value when no source has one.
  public let fallback: Value

  /// - Parameter read: turns a text into a value, or says what would be right.
  public init(
    _ name: String, _ placeholder: String?, default fallback: Value, shown defaultText: String?, sources: Setting.Sources = .everywhere, isSecret: Bool = false,
    help: String, read: @escaping @Sendable (String) throws(ImpossibleValue) -> Value
  ) {
    self.fallback = fallback
    setting = Setting(
      name: name, help: help, sources: sources, placeholder: placeholder, defaultText: defaultText, isSecret: isSecret, isList: false
    ) { (texts: [String]) throws(ImpossibleValue) -> any Sendable in
      guard let text = texts.last else { throw ImpossibleValue(expected: "a value") }
      return try read(text)
    }
  }

  fileprivate init(list setting: Setting, fallback: Value) {
    self.setting = setting
    self.fallback = fallback
  }
}

/// A text that is never written to a log, a page or a message.
public struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// The text itself; hand it on only to what needs it.
  public let revealed: String

  public init(_ text: String) {
    revealed = text
  }

  public var description: String { "(secret)" }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: []) }
}

// MARK: The kinds of settings there are

extension SettingKey where Value == String {
  public static func text(_ name: String, _ placeholder: String, default text: String, sources: Setting.Sources = .everywhere, help: String) -> Self {
    Self(name, placeholder, default: text, shown: text.isEmpty ? nil : text, sources: sources, help: help) { text throws(ImpossibleValue) in
      try SettingValues.text(text)
    }
  }
}

extension SettingKey where Value == String? {
  /// A text that may be absent.
  public static func text(_ name: String, _ placeholder: String, sources: Setting.Sources = .everywhere, help: String) -> Self {
    Self(name, placeholder, default: nil, shown: nil, sources: sources, help: help) { text throws(ImpossibleValue) in try SettingValues.text(text) }
  }
}

extension SettingKey where Value == Secret? {
  /// A text nobody may see. Its value, when read from a file, ends before the file's last line break.
  public static func secret(_ name: String, help: String) -> Self {
    Self(name, "TEXT", default: nil, shown: nil, isSecret: true, help: help) { text throws(ImpossibleValue) in Secret(try SettingValues.text(text)) }
  }
}

extension SettingKey where Value == Int {
  public static func integer(
    _ name: String, in range: ClosedRange<Int>, default number: Int, sources: Setting.Sources = .everywhere, help: String
  ) -> Self {
    Self(name, "N", default: number, shown: String(number), sources: sources, help: help) { text throws(ImpossibleValue) in
      try SettingValues.integer(text, in: range)
    }
  }
}

extension SettingKey where Value == Int? {
  /// A number that may be absent; what then applies is said in the help.
  public static func integer(_ name: String, in range: ClosedRange<Int>, sources: Setting.Sources = .everywhere, help: String) -> Self {
    Self(name, "N", default: nil, shown: nil, sources: sources, help: help) { text throws(ImpossibleValue) in try SettingValues.integer(text, in: range) }
  }
}

extension SettingKey where Value == Duration {
  /// A time with its unit: `250ms`, `5s`, `3m`, `2h` or `1d`.
  public static func duration(
    _ name: String, in range: ClosedRange<Duration>, default duration: Duration, sources: Setting.Sources = .everywhere, help: String
  ) -> Self {
    Self(name, "TIME", default: duration, shown: SettingValues.text(of: duration), sources: sources, help: help) { text throws(ImpossibleValue) in
      try SettingValues.duration(text, in: range)
    }
  }
}

extension SettingKey where Value == Bool {
  /// Off unless asked for: `--name`, or `true` and `false` in every source.
  public static func toggle(_ name: String, sources: Setting.Sources = .everywhere, help: String) -> Self {
    Self(name, nil, default: false, shown: nil, sources: sources, help: help) { text throws(ImpossibleValue) in try SettingValues.bool(text) }
  }
}

extension SettingKey where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
  /// One of a few words: the raw values of an enum.
  public static func choice(_ name: String, default value: Value, sources: Setting.Sources = .everywhere, help: String) -> Self {
    let words = Value.allCases.map(\.rawValue)
    return Self(name, words.joined(separator: "|"), default: value, shown: value.rawValue, sources: sources, help: help) { text throws(ImpossibleValue) in
      guard let value = Value(rawValue: text) else { throw ImpossibleValue(expected: "one of " + words.joined(separator: ", ")) }
      return value
    }
  }
}

extension SettingKey where Value == [String] {
  /// Several texts: a flag given several times, or words between commas.
  public static func list(_ name: String, _ placeholder: String, sources: Setting.Sources = .everywhere, help: String) -> Self {
    Self(
      list: Setting(name: name, help: help, sources: sources, placeholder: placeholder, defaultText: nil, isSecret: false, isList: true) { texts in texts },
      fallback: [])
  }
}
