import Foundation
import TestSupport
import Testing

/// One city whose programs are killed, paused and cut off at random moments, under load. `ops/chaos` runs it for long: `DOS_CHAOS_FAULTS`, `DOS_CHAOS_SEED` and
/// `DOS_CHAOS_MODE` say how.
@Suite("The city under faults", .serialized)
struct ChaosScenario {
  @Test("loses nothing, does nothing twice, and keeps the order, whatever happens to whom at whatever moment", arguments: Mode.allCases)
  func faults(_ mode: Mode) async throws {
    let environment = ProcessInfo.processInfo.environment
    if let only = environment["DOS_CHAOS_MODE"], only != mode.rawValue { try Test.cancel("only \(only) was asked for") }
    try mode.require()
    let asked = environment["DOS_CHAOS_FAULTS"].flatMap(Int.init)
    let minutes = environment["DOS_CHAOS_MINUTES"].flatMap(Int.init) ?? 60
    let seed = environment["DOS_CHAOS_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 0..<1_000_000_000)
    print("chaos, \(mode.rawValue): seed \(seed)")
    // A kill takes nothing from the page cache, so that a few of them may do without the disk.
    try await RunningCity.with(mode, durable: asked != nil, smallDisk: asked != nil, warnings: Warnings.settings) { city in
      let live = try await LiveReader.open(city)
      let load = try await MixedLoad(on: city, senders: 8, seed: seed, pause: asked == nil ? .milliseconds(100) : .milliseconds(20))
      let warnings = try await WarningLoad(on: city, seed: seed, pause: asked == nil ? .milliseconds(300) : .milliseconds(100))
      let poison = try await Poison.feeding(city, seed: seed)
      var course = ChaosCourse(city: city, load: load, warnings: warnings, random: SeededRandom(seed: seed))
      try await course.run(faults: asked ?? 4, until: .now + .seconds(minutes * 60))
      let fed = try await poison.finish()
      let warned = await warnings.finish()
      var ledger = try await load.finish()
      ledger.merge(warned.load)
      try await course.wait("the city is ready") {
        for instance in city.instances where try await city.health("ready", instance).status != 200 { return false }
        return try await city.warningsAreReady()
      }
      let doubled = try await Doubling(city: city).run(ledger, random: SeededRandom(seed: seed))

      let reckoning = try await Reckoning.of(ledger, in: city)
      let parked = try await Poison.reckon(fed, in: city)
      let told = try await WarningReckoning.of(warned, warnings, in: city)
      await warnings.stop()
      let differences = try await city.differencesFromRebuild()
      try? await Browser.until("the live stream has told everything", within: .seconds(30)) { try ledger.missing(in: live.heard()).isEmpty }
      let unheard = try ledger.missing(in: live.heard())
      await live.stop()

      #expect(reckoning.lost == [])
      #expect(reckoning.twice == [])
      #expect(reckoning.outOfOrder == [])
      #expect(parked == [])
      #expect(told.wrong == [])
      #expect(differences == [])
      #expect(unheard == [])
      #expect(ledger.hung == 0)
      #expect(ledger.unexpected == [])
      #expect(course.gaveUp == [])
      print(
        """
        mode                    \(mode.rawValue), \(city.instances.count) processes of the city
        faults                  \(course.faults.map { "\($0.key.rawValue) \($0.value)" }.sorted().joined(separator: ", "))
        requests acknowledged   \(ledger.acknowledged): \(ledger.acknowledgedReadings) readings, \(ledger.acknowledgedThings) things
        requests refused        \(ledger.refused) with 503, \(ledger.broken) cut off, \(ledger.hung) hung
        delivered once more     \(doubled) events, shuffled
        poisonous events        \(fed.count) fed, \(parked.count) not parked exactly once
        acknowledged and lost   \(reckoning.lost.count)
        applied twice           \(reckoning.twice.count)
        out of order            \(reckoning.outOfOrder.count)
        warnings                \(told.issued) messages issued, \(told.waited) waited for, \(told.hints) hints, \(told.letters) letters, \(told.repeated) again \
        after an attempt in doubt, \(told.wrong.count) not as it must be
        differ from a rebuild   \(differences.count)
        not heard live          \(unheard.count), in \(live.openings) openings, \(try live.heard().resets) resets
        there unacknowledged    \(reckoning.unacknowledged)
        time to recover         \(course.recoveryText), from the fault
                                \(course.ownRecoveryText), from when what was broken was there again
        slowest of each, in s   \(course.slowest), both
        chaos: \(mode.rawValue), seed \(seed), \(ledger.acknowledged) operations, \(course.total) faults, \(reckoning.lost.count) lost, \
        \(reckoning.twice.count) twice, \(reckoning.outOfOrder.count) out of order, recovery \(course.recoveryText)
        """)
    }
  }
}
