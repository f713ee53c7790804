import Foundation
import TestSupport
import Testing

/// A city of two instances that are replaced one by one under load. `ops/upgrade-check` names the program of an earlier revision in `DOS_OLD_PROGRAM`. Without
/// one the same program plays both parts, and the schema goes further than it knows, as if a newer one had started.
@Suite("The city while it is upgraded", .serialized)
struct UpgradeScenario {
  @Test("serves with an old and a new version side by side, also when the old one crashes or comes back: nothing is lost, nothing twice, the order kept")
  func upgrade() async throws {
    try Mode.distributed.require()
    let old = ProcessInfo.processInfo.environment["DOS_OLD_PROGRAM"]
    let seed = UInt64.random(in: 0..<1_000_000_000)
    print("upgrade from \(old ?? "the same program, on a schema that goes further than it knows"): seed \(seed)")
    try await RunningCity.with(.distributed, program: old) { city in
      let live = try await LiveReader.open(city)
      let load = try await MixedLoad(on: city, senders: 8, seed: seed, pause: .milliseconds(50))
      var upgrade = RollingUpgrade(of: city, under: load, from: old)

      try await upgrade.begin()
      if old == nil { try await LaterSchema.apply(to: city) }
      try await upgrade.replace(0, by: .new)
      try await upgrade.crash(1)
      try await upgrade.replace(1, by: .new)
      try await upgrade.replace(0, by: .old)

      let ledger = try await load.finish()
      let reckoning = try await Reckoning.of(ledger, in: city)
      let differences = try await city.differencesFromRebuild()
      let (_, parked) = try await city.run(["dead-letters", "list"] + city.storage)
      try? await Browser.until("the live stream has told everything", within: .seconds(30)) { try ledger.missing(in: live.heard()).isEmpty }
      let unheard = try ledger.missing(in: live.heard())
      await live.stop()

      #expect(reckoning.lost == [])
      #expect(reckoning.twice == [])
      #expect(reckoning.outOfOrder == [])
      #expect(differences == [])
      #expect(parked.contains("Nothing is parked."), "\(parked)")
      #expect(unheard == [])
      #expect(ledger.hung == 0)
      #expect(ledger.unexpected == [])
      #expect(upgrade.endedBadly == [])
      #expect(load.notes.longestSilence < .seconds(20))
      if old == nil { #expect(city.log.ranges(of: LaterSchema.warning).count >= upgrade.starts, "\(city.log)") }
      print(
        """
        \(upgrade.course)
        requests acknowledged   \(ledger.acknowledged): \(ledger.acknowledgedReadings) readings, \(ledger.acknowledgedThings) things
        requests refused        \(ledger.refused) with 503, \(ledger.broken) cut off, \(ledger.hung) hung
        differ from a rebuild   \(differences.count)
        not heard live          \(unheard.count), in \(live.openings) openings, \(try live.heard().resets) resets
        upgrade: \(ledger.acknowledged) operations, \(reckoning.lost.count) lost, \(reckoning.twice.count) twice, \(reckoning.outOfOrder.count) out of order, \
        nobody acknowledged anything for \(load.notes.longestSilence.inSeconds) s at most
        """)
    }
  }
}
