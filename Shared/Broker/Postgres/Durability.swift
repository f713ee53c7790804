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
