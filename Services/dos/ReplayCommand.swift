import Foundation
import ServiceKit

/// `dos replay <projection>`: builds a read model anew beside the live one and swaps, with a progress bar. With `--verify` it compares and changes nothing,
/// and ends with 1 where something differs.
enum ReplayCommand {
  /// No service has a projection of that name.
  struct Unknown: Error, CustomStringConvertible {
    let name: String
    let known: [String]
    var description: String { "there is no projection \"\(name)\"; there are: \(known.joined(separator: ", "))" }
  }

  private static let verify = SettingKey<Bool>.toggle("verify", sources: .commandLine, help: "Compare with the live tables, and change nothing")

  static let command = Command(
    "replay", "build a projection anew from its events", arguments: .one("projection"),
    settings: [verify.setting] + ProcessSettings.storage + CityServices.settings
  ) { call in
    let foundations = try await Foundations(for: CityServices.own(call.settings), call.settings, log: call.settings.log)
    do {
      let code = try await run(call.arguments[0], verify: call.settings[verify], foundations)
      await foundations.close()
      return code
    } catch {
      await foundations.close()
      throw error
    }
  }

  private static func run(_ name: String, verify: Bool, _ foundations: Foundations) async throws -> Int32 {
    var known: [ReplayableProjection] = []
    for service in foundations.services { known += try await service.replays(foundations.context(for: service)) }
    guard let projection = known.first(where: { $0.name == name }) else { throw Unknown(name: name, known: known.map(\.name)) }
    let bar = ProgressBar("\(verify ? "verify" : "replay") \(name)")
    let outcome: ReplayableProjection.Outcome
    do {
      outcome = try await projection.run(verify) { bar.move(to: $0.done, of: $0.total, $0.unit) }
    } catch {
      bar.end()
      throw error
    }
    bar.end()
    print("\(name): \(outcome.done) \(outcome.unit)" + (verify ? ", \(outcome.differences.count) differences" : ", built anew"))
    for line in outcome.differences + outcome.notes { print("  \(line)") }
    return outcome.differences.isEmpty ? 0 : 1
  }
}
