/// Whether a server keeps what it acknowledged, by its settings (chapter 20.5 and 20.6 of PostgreSQL's manual).
enum Durability {
  /// The setting at fault, nil where all is well.
  ///
  /// Every `synchronous_commit` but `off` waits until the server itself has flushed: `local` for that alone, `remote_write`, `on` and `remote_apply` for its
  /// synchronous standbys too. So `local` is right for a server that has none, and wrong for one that has: what it acknowledged could be missing on the
  /// standby that takes over. `remote_write` is behind `on` only if the standby's operating system fails together with this server, and is the operator's choice.
  static func unsafe(_ settings: [String: String]) -> (setting: String, value: String)? {
    if let fsync = settings["fsync"], fsync != "on" { return ("fsync", fsync) }
    let commit = settings["synchronous_commit"] ?? "on"
    let hasStandbys = !(settings["synchronous_standby_names"] ?? "").isEmpty
    return commit == "off" || (commit == "local" && hasStandbys) ? ("synchronous_commit", commit) : nil
  }
}

/// A server does not keep what it acknowledges.
public struct UnsafeDurability: Error, Sendable, Hashable, CustomStringConvertible {
  public let setting: String
  public let value: String

  public init(setting: String, value: String) {
    self.setting = setting
    self.value = value
  }

  public var description: String {
    "PostgreSQL runs with \(setting) = \(value) and may lose what it acknowledged: set \(setting) = on; for tests there is --unsafe-durability"
  }
}

extension PostgresPool {
  /// - Throws: `UnsafeDurability` with the setting at fault, `PostgresError`.
  public func checkDurability() async throws {
    let names = ["fsync", "synchronous_commit", "synchronous_standby_names"]
    let rows = try await query("select name, setting from pg_settings where name = any(\(names))")
    let settings = try Dictionary(uniqueKeysWithValues: rows.map { row throws in try row.decode(String.self, String.self) })
    if let unsafe = Durability.unsafe(settings) { throw UnsafeDurability(setting: unsafe.setting, value: unsafe.value) }
  }
}
