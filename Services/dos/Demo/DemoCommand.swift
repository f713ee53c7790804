import Foundation
import HTTP
import ServiceKit
import Time

/// `dos demo`: feeds a city with simulated readings through its HTTP API until it is interrupted. For development: it signs its own tokens.
enum DemoCommand {
  private static let url = SettingKey<String>.text("url", "URL", default: "http://127.0.0.1:8080", sources: .commandLine, help: "The city's address")
  private static let seed = SettingKey<Int>.integer("seed", in: 0...Int(Int32.max), default: 2030, sources: .commandLine, help: "Another seed, other readings")
  private static let hours = SettingKey<Int>.integer(
    "hours", in: 0...8_760, default: 24, sources: .commandLine, help: "How many hours of the past are made up for a datastream without readings")

  /// - Parameter stateFolder: `$DOS_HOME`, where the development key lies.
  static func command(stateFolder: @escaping @Sendable () -> String) -> Command {
    Command(
      "demo", "feed a city with simulated readings of both cities, until interrupted", settings: [url.setting, seed.setting, hours.setting]
    ) { call in
      let issuer = try DevelopmentIssuer(folder: stateFolder())
      let now = Instant.now()
      // Longer than anybody lets a demonstration run; the key itself is of this machine only.
      let month = Duration.seconds(30 * 86_400)
      let client = HTTPClient(HTTPClient.Settings(userAgent: "dos2030 demo"))
      let api = DemoAPI(
        client: client, root: call.settings[url] + "/sensors/v1.1",
        operatorToken: try issuer.token(subject: "demo", roles: [.sensorOperator], city: nil, issued: now, validFor: month),
        deviceToken: try issuer.token(subject: "demo", roles: [.device], city: nil, issued: now, validFor: month))
      let demo = Demo(api: api, seed: UInt64(call.settings[seed]), history: .seconds(call.settings[hours] * 3_600)) { line in
        FileHandle.standardError.write(Data("demo: \(line)\n".utf8))
      }
      do {
        try await demo.run()
        return 0
      } catch let failure as DemoFailure {
        FileHandle.standardError.write(Data("demo: \(failure)\n".utf8))
        return 1
      }
    }
  }
}
