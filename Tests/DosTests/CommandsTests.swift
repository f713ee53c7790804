import ServiceKit
import Testing

@testable import dos

@Suite("The commands of dos")
struct CommandsTests {
  @Test("are all listed, and each explains its settings")
  func help() throws {
    guard case .help(let all) = try Commands.table.read(["--help"], environment: [:]) else {
      Issue.record("no help")
      return
    }
    for command in Commands.table.commands {
      #expect(all.contains("  " + command.name))
      guard case .help(let text) = try Commands.table.read(command.name.split(separator: " ").map(String.init) + ["--help"], environment: [:]) else {
        Issue.record("no help for \(command.name)")
        continue
      }
      for setting in command.settings { #expect(text.contains(setting.flag), "\(command.name) does not list \(setting.flag)") }
    }
  }

  @Test("take the settings that the scripts set")
  func environment() throws {
    let scripts = ["DOS_HOME": "/tmp", "DOS_PORT": "8090", "DOS_POSTGRES": "host=/tmp user=dos", "DOS_DEVICE_TOKEN": "x", "DOS_OPERATOR_TOKEN": "y"]
    for line in [
      ["serve", "all"], ["token", "--role", "device"], ["token", "--device", "demo-paste"], ["demo", "--url", "http://127.0.0.1:8090"], ["migrate"],
    ] {
      #expect(throws: Never.self) { try Commands.table.read(line, environment: scripts) }
    }
  }

  @Test("refuse a service that does not exist, naming those that do")
  func services() {
    #expect(throws: SettingsRejection.self) { try CityServices.named(["snesors"]) }
    #expect(throws: Never.self) { try CityServices.named(["all"]) }
  }

  @Test("keep to one setting of a name, so that a variable means the same everywhere")
  func oneMeaning() {
    var seen: [String: Setting] = [:]
    for setting in Commands.table.commands.flatMap(\.settings) where setting.sources == .everywhere {
      if let other = seen[setting.name] { #expect(other.help == setting.help, "\(setting.name) has two meanings") }
      seen[setting.name] = setting
    }
  }
}
