import Foundation
import TestSupport
import Testing

/// One machine whose programs are killed at random moments, under load. `ops/crash` runs it for long: `DOS_CRASH_KILLS` and `DOS_CRASH_SEED` say how.
@Suite("The city under kills", .serialized)
struct CrashScenario {
  /// Who is killed, as often as it stands here.
  enum Victim: String, CaseIterable, Sendable {
    case dos, postgres
    /// One process of PostgreSQL: the others follow, and it recovers by itself.
    case backend
    case both

    static let urn: [Victim] = [.dos, .dos, .dos, .dos, .postgres, .postgres, .postgres, .backend, .both]
  }

  @Test("loses nothing, does nothing twice, and keeps the order, whoever is killed at whatever moment", arguments: Mode.allCases)
  func kills(_ mode: Mode) async throws {
    try mode.require()
    let environment = ProcessInfo.processInfo.environment
    let asked = environment["DOS_CRASH_KILLS"].flatMap(Int.init)
    let seed = environment["DOS_CRASH_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 0..<1_000_000_000)
    print("crash test: seed \(seed)")
    // A kill takes from the page cache nothing, so that a few of them may do without the disk.
    try await RunningCity.with(mode, durable: asked != nil) { city in
      let live = try await LiveReader.open(city)
      let load = try await MixedLoad(on: city, senders: 8, seed: seed)
      var course = CrashCourse(city: city, load: load, random: SeededRandom(seed: seed))
      try await course.run(kills: asked ?? 5)
      let ledger = try await load.finish()
      try await course.wait("the city is ready") { try await city.health("ready").status == 200 }

      let reckoning = try await Reckoning.of(ledger, in: city)
      var differences: [String] = []
      for projection in ["registry", "rollups", "observations"] {
        let (code, output) = try await city.run(["replay", projection, "--verify"] + city.storage)
        if code != 0 { differences.append("\(projection): \(output)") }
      }
      try? await Browser.until("the live stream has told everything", within: .seconds(30)) { try ledger.missing(in: live.heard()).isEmpty }
      let unheard = try ledger.missing(in: live.heard())
      await live.stop()

      #expect(reckoning.lost == [])
      #expect(reckoning.twice == [])
      #expect(reckoning.outOfOrder == [])
      #expect(differences == [])
      #expect(unheard == [])
      #expect(ledger.hung == 0)
      #expect(ledger.unexpected == [])
      #expect(course.gaveUp == [])
      print(
        """
        kills                   \(course.kills.map { "\($0.key.rawValue) \($0.value)" }.sorted().joined(separator: ", "))
        requests acknowledged   \(ledger.acknowledged): \(ledger.acknowledgedReadings) readings, \(ledger.acknowledgedThings) things
        requests refused        \(ledger.refused) with 503, \(ledger.broken) cut off, \(ledger.hung) hung
        acknowledged and lost   \(reckoning.lost.count)
        applied twice           \(reckoning.twice.count)
        out of order            \(reckoning.outOfOrder.count)
        differ from a rebuild   \(differences.count)
        not heard live          \(unheard.count), in \(live.openings) openings, \(try live.heard().resets) resets
        there unacknowledged    \(reckoning.unacknowledged)
        time to recover         \(course.recoveryText)
        crash test: seed \(seed)
        """)
    }
  }
}

/// The kills of one run.
struct CrashCourse {
  let city: RunningCity
  let load: MixedLoad
  var random: SeededRandom
  private(set) var kills: [CrashScenario.Victim: Int] = [:]
  private(set) var recoveries: [Duration] = []
  /// What the server said when it ended although nobody had killed it.
  private(set) var gaveUp: [String] = []
  private var process: Program?

  init(city: RunningCity, load: MixedLoad, random: SeededRandom) {
    self.city = city
    self.load = load
    self.random = random
  }

  mutating func run(kills count: Int) async throws {
    let begun = ContinuousClock.now
    try await wait("the load is under way") { [load] in load.isAcknowledged(after: begun) }
    var moment: ContinuousClock.Instant?
    for number in 1...count {
      try await Task.sleep(for: random.duration(50...2_000))
      let victim = CrashScenario.Victim.urn.randomElement(using: &random) ?? .dos
      kills[victim, default: 0] += 1
      let from = moment ?? .now
      try await strike(victim)
      // Now and then the next kill meets a city that is not up yet.
      if number < count, random.oneIn(4) {
        moment = from
        continue
      }
      moment = nil
      try await wait("kill \(number) (\(victim.rawValue)) is overcome") { [load] in load.isAcknowledged(after: from) }
      recoveries.append(from.duration(to: .now))
    }
  }

  private mutating func strike(_ victim: CrashScenario.Victim) async throws {
    switch victim {
    case .dos:
      await city.end(with: SIGKILL)
      process = try city.launchServer()
    case .postgres:
      try await city.database.kill()
      try await Task.sleep(for: random.duration(0...1_000))
      try await city.database.start()
    case .backend: try await city.database.killOne(using: &random)
    case .both:
      try await city.database.kill()
      await city.end(with: SIGKILL)
      process = try city.launchServer()
      try await Task.sleep(for: random.duration(0...1_000))
      try await city.database.start()
    }
  }

  /// Waits, and starts the server again where it ended by itself, as its supervisor would; that is noted.
  mutating func wait(_ what: String, _ holds: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(120)
    while try await !holds() {
      if let process, !process.isRunning {
        gaveUp.append(String(city.log.split(separator: "\n").suffix(2).joined(separator: "\n")))
        self.process = try city.launchServer()
      }
      guard ContinuousClock.now < deadline else { throw Browser.Failure.timeout(what) }
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  var recoveryText: String {
    let seconds = recoveries.map { $0 / .seconds(1) }.sorted()
    guard let last = seconds.last else { return "none" }
    func at(_ share: Double) -> Double { seconds[min(seconds.count - 1, Int(Double(seconds.count) * share))] }
    return [("p50", at(0.5)), ("p99", at(0.99)), ("max", last)].map { "\($0) \(Double(Int($1 * 1_000)) / 1_000) s" }.joined(separator: ", ")
  }
}
