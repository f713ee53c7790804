import Foundation
import ServiceKit

/// Every command of `dos`, one file each.
enum Commands {
  static let table = CommandTable(
    program: "dos", version: Dos.version,
    commands: [
      ServeCommand.command,
      MigrateCommand.command,
      ReplayCommand.command,
      DeadLettersCommand.list,
      DeadLettersCommand.retry,
      TokenCommand.command,
      TopicsCommand.list,
      TopicsCommand.grow,
      ImportCommand.command(stateFolder: { stateFolder + "/imports" }),
      DemoCommand.command(stateFolder: { stateFolder }),
    ],
    // ops/load-parking takes it from whoever calls it.
    foreignVariables: ["DOS_OPERATOR_TOKEN"])

  /// `$DOS_HOME` for commands that have no other use for the settings of a process.
  private static var stateFolder: String {
    let given = ProcessInfo.processInfo.environment["DOS_HOME"] ?? ""
    return given.isEmpty ? ProcessSettings.home.fallback : given
  }
}
