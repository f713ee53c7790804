import Foundation
import Testing

@testable import ServiceKit

@Suite("Settings")
struct SettingsTests {
  enum Colour: String, CaseIterable, Sendable { case red, green }

  static let port = SettingKey<Int>.integer("port", in: 1...65_535, default: 8_080, help: "Port")
  static let wait = SettingKey<Duration>.duration("wait-limit", in: .milliseconds(10)...(.seconds(3_600)), default: .seconds(5), help: "Wait")
  static let verbose = SettingKey<Bool>.toggle("verbose", help: "Says more")
  static let colour = SettingKey<Colour>.choice("colour", default: .red, help: "Colour")
  static let names = SettingKey<[String]>.list("name", "NAME", help: "Names")
  static let password = SettingKey<Secret?>.secret("password", help: "Password")
  static let issuer = SettingKey<String?>.text("oidc-issuer", "URL", help: "Issuer")
  static let once = SettingKey<Bool>.toggle("verify", sources: .commandLine, help: "Once")

  static let table = CommandTable(
    program: "dos", version: "1.2",
    commands: [
      Command(
        "serve", "Serves", arguments: .oneOrMore("service"),
        settings: [port.setting, wait.setting, verbose.setting, colour.setting, names.setting, password.setting]
      ) {
        _ in 0
      },
      Command("dead-letters list", "Lists", settings: [issuer.setting, once.setting]) { _ in 0 },
    ])

  func call(_ line: String, _ environment: [String: String] = [:]) throws -> Command.Call {
    guard case .run(_, let call) = try Self.table.read(line.split(separator: " ").map(String.init), environment: environment) else {
      throw SettingsRejection([])
    }
    return call
  }

  func problems(_ line: String, _ environment: [String: String] = [:]) -> [String] {
    do {
      _ = try call(line, environment)
      return []
    } catch let error as SettingsRejection {
      return error.problems.map(\.description)
    } catch {
      return ["\(error)"]
    }
  }

  func withFile<T>(_ text: String, _ body: (String) throws -> T) throws -> T {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("dos-\(UUID().uuidString)").path
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
  }

  @Test("come from the flag before the environment, from that before the file, and else are the default")
  func order() throws {
    try withFile("# ours\nport = 1\nwait-limit = 250ms\nverbose=true\n\ncolour = green\n") { path in
      let settings = try call("serve all --port 3 --config \(path)", ["DOS_PORT": "2", "DOS_WAIT_LIMIT": "2m", "DOS_COLOUR": ""]).settings
      #expect(settings[Self.port] == 3)
      #expect(settings[Self.wait] == .seconds(120))
      #expect(settings[Self.verbose])
      #expect(settings[Self.colour] == .green)
      #expect(settings[Self.names] == [])
      #expect(settings[Self.password] == nil)
    }
    #expect(try call("serve all").settings[Self.port] == 8_080)
  }

  @Test("may be written with an equals sign, as switches and as lists, and end at two dashes")
  func forms() throws {
    let call = try call("serve --name=a --name b,c --verbose -- --all", ["DOS_TEST_POSTGRES": "x", "HOME": "/"])
    #expect(call.settings[Self.names] == ["a", "b", "c"])
    #expect(call.settings[Self.verbose])
    #expect(call.arguments == ["--all"])
  }

  @Test("that nobody knows stop the start, with the nearest name there is")
  func unknown() throws {
    #expect(problems("serve all --prot 1") == ["--prot is no setting; did you mean --port?"])
    #expect(problems("serve all", ["DOS_PROT": "1"]) == ["environment variable DOS_PROT is no setting; did you mean DOS_PORT?"])
    #expect(problems("serve all --something-else") == ["--something-else is no setting"])
    #expect(problems("serve all -port 1") == ["---port is no setting; did you mean --port?"])
    #expect(problems("serv all") == ["there is no command \"serv all\"; did you mean serve?"])
    #expect(problems("dead-letters lst") == ["there is no command \"dead-letters lst\"; did you mean dead-letters list?"])
    try withFile("prt = 1\njust words") { path in
      #expect(
        problems("serve all --config \(path)") == [
          "\(path), line 1: prt is no setting; did you mean port?", "\(path), line 2: expected \"key = value\" or a comment that begins with #",
        ])
    }
  }

  @Test("that cannot be stop the start, all of them at once, with what would be right")
  func impossible() {
    #expect(
      problems("serve all --port 70000 --colour blue", ["DOS_WAIT_LIMIT": "5", "DOS_VERBOSE": "maybe"]) == [
        "--colour: \"blue\" cannot be; expected one of red, green",
        "--port: \"70000\" cannot be; expected a whole number from 1 to 65535",
        "environment variable DOS_VERBOSE: \"maybe\" cannot be; expected true or false",
        "environment variable DOS_WAIT_LIMIT: \"5\" cannot be; expected a time from 10ms to 1h with its unit, such as 250ms, 5s, 3m, 2h or 1d",
      ])
    #expect(problems("serve all --port") == ["--port needs a value"])
    #expect(problems("serve all --port 1 --port 2") == ["--port is given twice"])
    #expect(problems("serve") == ["expected dos serve <service>..."])
    #expect(problems("serve all --config /nowhere/at-all").first?.hasPrefix("--config: cannot read /nowhere/at-all") == true)
  }

  @Test("of another command are no mistake in the environment, but are as a flag")
  func otherCommands() {
    #expect(problems("serve all", ["DOS_OIDC_ISSUER": "https://idp.example"]) == [])
    #expect(problems("serve all --oidc-issuer x") == ["--oidc-issuer is no setting"])
    #expect(problems("dead-letters list", ["DOS_VERIFY": "true"]).count == 1)
  }

  @Test("that are secret come from a file or the environment, never from a flag, and are never printed")
  func secrets() throws {
    try withFile("hunter2\n") { path in
      let settings = try call("serve all --password-file \(path)").settings
      #expect(settings[Self.password]?.revealed == "hunter2")
      #expect(try call("serve all", ["DOS_PASSWORD_FILE": path]).settings[Self.password]?.revealed == "hunter2")
      #expect(!"\(settings)".contains("hunter2"))
      #expect(!String(reflecting: settings).contains("hunter2"))
      var dumped = ""
      dump(settings, to: &dumped)
      #expect(!dumped.contains("hunter2"))
    }
    #expect(problems("serve all --password hunter2").allSatisfy { !$0.contains("hunter2") })
    #expect(problems("serve all --password=hunter2").first?.contains("--password-file") == true)
    #expect(problems("serve all", ["DOS_PASSWORD": "a\nhunter2"]).allSatisfy { !$0.contains("hunter2") })
  }

  @Test("are all listed by --help, with their environment variables and defaults")
  func help() throws {
    guard case .help(let text) = try Self.table.read(["serve", "--help"], environment: [:]) else {
      Issue.record("no help")
      return
    }
    for part in [
      "--port N", "[DOS_PORT] (default 8080)", "--wait-limit TIME", "(default 5s)", "--colour red|green", "--password-file FILE",
      "[DOS_PASSWORD, DOS_PASSWORD_FILE]", "--config FILE",
    ] {
      #expect(text.contains(part), "\(part) is missing in\n\(text)")
    }
    guard case .help(let commands) = try Self.table.read([], environment: [:]),
      case .version(let version) = try Self.table.read(["--version"], environment: [:])
    else { return }
    #expect(commands.contains("serve <service>..."))
    #expect(version == "dos 1.2")
  }
}
