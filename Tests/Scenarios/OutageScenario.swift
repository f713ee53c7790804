import Foundation
import JSON
import TestSupport
import Testing

/// PostgreSQL goes away under load and comes back. For a minute instead of seconds: `DOS_OUTAGE_SECONDS=60`.
@Suite("The city without its PostgreSQL", .serialized)
struct OutageScenario {
  /// How the server ends.
  enum Ending: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case stopped, killed
    var testDescription: String { rawValue }
  }

  @Test(
    "answers 503 in time, says why, and goes on by itself with everything it acknowledged and nothing twice", arguments: Ending.allCases)
  func outage(_ ending: Ending) async throws {
    let length = ProcessInfo.processInfo.environment["DOS_OUTAGE_SECONDS"].flatMap(Int.init) ?? 4
    try await RunningCity.with(durable: true) { city in
      let live = try await LiveReader.open(city)
      let load = try await MixedLoad(on: city, senders: 8, seed: 20_200_601)
      let begun = ContinuousClock.now
      try await Browser.until("the load is under way") { load.isAcknowledged(after: begun + .seconds(2)) }

      switch ending {
      case .stopped: try await city.database.stop(.fast)
      case .killed: try await city.database.kill()
      }
      let back = ContinuousClock.now + .seconds(length)
      try await Browser.until("it says that it is not ready") { try await city.health("ready").status == 503 }
      while ContinuousClock.now < back {
        #expect(try await city.health("live").status == 200)
        let report = try await city.health("ready")
        #expect(report.status == 503)
        let checks = try JSONValue(parsing: report.body)["checks"]
        #expect(checks?["database dos_sensors"]?["reason"]?.string == "it does not answer")
        try await Task.sleep(for: .milliseconds(200))
      }
      try await city.database.start()
      let started = ContinuousClock.now
      try await Browser.until("readings and registrations are taken again") { load.isAcknowledged(after: started) }
      let recovery = started.duration(to: .now)
      var report = ""
      try? await Browser.until("it is ready again") {
        let answer = try await city.health("ready")
        report = answer.status == 200 ? "" : answer.text
        return answer.status == 200
      }
      #expect(report == "")

      let ledger = try await load.finish()
      let reckoning = try await Reckoning.of(ledger, in: city)
      #expect(reckoning.lost == [])
      #expect(reckoning.twice == [])
      #expect(reckoning.outOfOrder == [])
      #expect(ledger.refused > 0)
      #expect(ledger.hung == 0)
      #expect(ledger.broken == 0)
      #expect(ledger.unexpected == [])
      #expect(ledger.longest < .seconds(25))
      try? await Browser.until("the live stream has told everything") { try ledger.missing(in: live.heard()).isEmpty }
      #expect(try ledger.missing(in: live.heard()) == [])
      #expect(try live.heard().resets == 0)
      await live.stop()
      #expect(!city.log.contains("answered 500"))
      print(
        "\(ending.rawValue) for \(length) s: \(ledger.acknowledged) acknowledged, \(ledger.refused) times 503, longest answer \(ledger.longest), "
          + "going again after \(recovery), \(reckoning.unacknowledged) unacknowledged are there")
    }
  }
}
