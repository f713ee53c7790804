import Foundation
import HTTP
import ServiceKit

/// `dos import FILE`: takes a file of readings to a city through its HTTP API.
enum ImportCommand {
  private static let url = SettingKey<String>.text("url", "URL", default: "http://127.0.0.1:8080", sources: .commandLine, help: "The city's address")
  private static let time = SettingKey<String>.text("time", "COLUMN", default: "time", sources: .commandLine, help: "Column of the time (RFC 3339, with zone)")
  private static let value = SettingKey<String>.text("value", "COLUMN", default: "value", sources: .commandLine, help: "Column of the value")
  private static let datastreamID = SettingKey<String?>.text("datastream-id", "COLUMN", sources: .commandLine, help: "Column of the datastream's id")
  private static let datastreamName = SettingKey<String?>.text("datastream-name", "COLUMN", sources: .commandLine, help: "Column of the datastream's name")
  private static let datastreamProperty = SettingKey<String?>.text(
    "datastream-property", "NAME=COLUMN", sources: .commandLine, help: "A property of the datastreams, and the column of its value")
  private static let delimiter = SettingKey<String>.text("delimiter", "C", default: ",", sources: .commandLine, help: "What separates the fields")
  private static let batch = SettingKey<Int>.integer("batch", in: 1...10_000, default: 1000, sources: .commandLine, help: "Rows per request")
  private static let concurrency = SettingKey<Int>.integer("concurrency", in: 1...32, default: 4, sources: .commandLine, help: "Requests at once")
  private static let patience = SettingKey<Duration>.duration(
    "patience", in: .zero ... .seconds(86_400), default: .seconds(600), sources: .commandLine, help: "How long a request is tried again")
  private static let state = SettingKey<String?>.text(
    "state", "FILE", sources: .commandLine, help: "Where it is noted how far the import is (default: a file of its own in the state folder)")
  private static let token = SettingKey<Secret?>.secret("device-token", help: "Token or device key that may add observations")

  /// - Parameter stateFolder: where imports note how far they are, `$DOS_HOME/imports`.
  static func command(stateFolder: @escaping @Sendable () -> String) -> Command {
    Command(
      "import", "take a CSV file of readings to a city, resumable", arguments: .one("FILE"),
      settings: [
        url.setting, time.setting, value.setting, datastreamID.setting, datastreamName.setting, datastreamProperty.setting, delimiter.setting, batch.setting,
        concurrency.setting, patience.setting, state.setting, token.setting,
      ]
    ) { call in
      do {
        return try await run(call, stateFolder())
      } catch let failure as ImportFailure {
        tell(failure.description)
        return 3
      }
    }
  }

  private static func run(_ call: Command.Call, _ folder: String) async throws -> Int32 {
    guard let plan = plan(call) else { return 2 }
    let source = "\(try ImportCheckpoint.identity(of: plan.file)) \(plan.signature)"
    let path: String = if let given = call.settings[state] { given } else { try ImportCheckpoint.path(for: source, in: folder) }
    let client = HTTPClient(HTTPClient.Settings(connectionsPerHost: plan.concurrency, userAgent: "dos2030 import"))
    let transport: ImportSender.Transport = { request throws(HTTPClientError) in try await client.send(request) }
    let job = ReadingsImport(plan: plan, statePath: path, source: source, transport: transport, progress: ImportProgressText())
    let summary = try await job.run()
    await client.close()
    print(summary.text)
    // The next import of the same file begins anew; what is there already is recognised.
    unlink(path)
    return summary.exitCode
  }

  /// Nil, and why on standard error, where the flags do not make a plan.
  private static func plan(_ call: Command.Call) -> ImportPlan? {
    let settings = call.settings
    var named: [ImportPlan.DatastreamColumn] = []
    if let column = settings[datastreamID] { named.append(.id(column)) }
    if let column = settings[datastreamName] { named.append(.name(column)) }
    if let pair = settings[datastreamProperty] {
      let sides = pair.split(separator: "=", maxSplits: 1).map(String.init)
      guard sides.count == 2, sides[0].utf8.allSatisfy(isPropertyByte) else {
        tell("--datastream-property is \"\(pair)\"; expected NAME=COLUMN.")
        return nil
      }
      named.append(.property(sides[0], sides[1]))
    }
    guard named.count == 1, let datastream = named.first, let file = call.arguments.first else {
      tell("Say how a row names its datastream, with one of --datastream-id, --datastream-name, --datastream-property.")
      return nil
    }
    guard settings[delimiter].count == 1, let separator = settings[delimiter].first else {
      tell("--delimiter is \"\(settings[delimiter])\"; expected one character.")
      return nil
    }
    return ImportPlan(
      file: file, url: settings[url], token: settings[token]?.revealed, timeColumn: settings[time], valueColumn: settings[value], datastream: datastream,
      delimiter: separator, batch: settings[batch], concurrency: settings[concurrency], patience: settings[patience])
  }

  private static func isPropertyByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x3a, 0x41...0x5a, 0x5f, 0x61...0x7a, 0x2d, 0x2e, 0x2f: true
    default: false
    }
  }

  private static func tell(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
}
