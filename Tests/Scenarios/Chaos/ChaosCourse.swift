import Foundation
import TestSupport

/// The faults of one run, and how long the city took to overcome each.
struct ChaosCourse {
  let city: RunningCity
  let load: MixedLoad
  let warnings: WarningLoad
  var random: SeededRandom
  private(set) var faults: [Fault: Int] = [:]
  /// From the fault until every instance acknowledged readings and registrations again, and the warning service what officers decide, and the part of it after what was broken was there again: a Kafka that was
  /// killed takes seconds to start, whoever waits for it.
  private(set) var recoveries: [(fault: Fault, time: Duration, own: Duration)] = []
  /// What an instance said when it ended although nobody had killed it.
  private(set) var gaveUp: [String] = []

  init(city: RunningCity, load: MixedLoad, warnings: WarningLoad, random: SeededRandom) {
    self.city = city
    self.load = load
    self.warnings = warnings
    self.random = random
  }

  /// - Parameter end: after which no further fault is begun.
  mutating func run(faults count: Int, until end: ContinuousClock.Instant) async throws {
    let begun = ContinuousClock.now
    try await wait("the load is under way") { [load, warnings] in load.isAcknowledged(after: begun) && warnings.isAcknowledged(after: begun) }
    let urn = Fault.urn(for: city)
    var moment: ContinuousClock.Instant?
    for number in 1...count where ContinuousClock.now < end {
      try await Task.sleep(for: random.duration(50...2_000))
      let fault = urn.randomElement(using: &random) ?? .killedInstance
      faults[fault, default: 0] += 1
      let from = moment ?? .now
      try await strike(fault)
      // Now and then the next one meets a city that is not up yet.
      if number < count, random.oneIn(4) {
        moment = from
        continue
      }
      moment = nil
      let over = ContinuousClock.now
      try await wait("fault \(number) (\(fault.rawValue)) is overcome") { [load, warnings] in
        load.isAcknowledged(after: over) && warnings.isAcknowledged(after: over)
      }
      recoveries.append((fault, from.duration(to: .now), over.duration(to: .now)))
      if count > 20, let last = recoveries.last {
        print("  \(number) of \(count) \(fault.rawValue): overcome after \(last.time.inSeconds) s, \(last.own.inSeconds) s of its own")
      }
    }
  }

  var total: Int { faults.values.reduce(0, +) }

  private mutating func strike(_ fault: Fault) async throws {
    let instance = city.instances.randomElement(using: &random) ?? 0
    switch fault {
    case .killedInstance: try await restart([instance])
    case .killedInstances: try await restart(Array(city.instances))
    case .killedWarnings:
      await city.endWarnings(with: SIGKILL)
      try city.launchWarnings()
    case .killedPostgres:
      try await city.database.kill()
      try await Task.sleep(for: random.duration(0...1_000))
      try await city.database.start()
    case .killedBackend: try await city.database.killOne(using: &random)
    case .killedKafka:
      try await city.kafka?.kill()
      try await Task.sleep(for: random.duration(0...1_000))
      try await city.kafka?.start()
    case .killedAll:
      try await city.database.kill()
      try await city.kafka?.kill()
      await city.endWarnings(with: SIGKILL)
      try await restart(Array(city.instances))
      try city.launchWarnings()
      try await Task.sleep(for: random.duration(0...1_000))
      try await city.database.start()
      try await city.kafka?.start()
    case .pausedInstance: try await pause(city.server(instance))
    case .pausedWarnings: try await pause(city.warningProcess)
    case .pausedPostgres:
      let processes = try city.database.pause()
      try await Task.sleep(for: random.duration(100...4_000))
      OwnServer.resume(processes)
    case .pausedKafka:
      city.kafka?.pause()
      try await Task.sleep(for: random.duration(100...6_000))
      city.kafka?.resume()
    case .cutConnections:
      try? await city.database.cutConnections()
      try? await city.kafka?.cutConnections()
    case .fullDisk:
      try city.disk?.fill()
      try await Task.sleep(for: random.duration(500...3_000))
      city.disk?.free()
      // Both end themselves where they cannot write what they must, and are started again by whoever looks after them.
      try await city.database.startIfEnded()
      try await city.kafka?.startIfEnded()
    }
  }

  private mutating func pause(_ process: Program?) async throws {
    process?.signal(SIGSTOP)
    try await Task.sleep(for: random.duration(100...6_000))
    process?.signal(SIGCONT)
  }

  private func restart(_ instances: [Int]) async throws {
    for instance in instances { await city.end(with: SIGKILL, instance) }
    for instance in instances { try city.launchServer(instance) }
  }

  /// Waits, and starts again what ended by itself, as its supervisor would; of the city's own processes that is noted.
  mutating func wait(_ what: String, _ holds: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(120)
    var looked = ContinuousClock.now
    while try await !holds() {
      for instance in city.instances where city.server(instance)?.isRunning == false {
        gaveUp.append("\(instance): " + String(city.log.split(separator: "\n").suffix(2).joined(separator: "\n")))
        try city.launchServer(instance)
      }
      if city.warningProcess?.isRunning == false {
        gaveUp.append("warnings: " + String(city.log.split(separator: "\n").suffix(2).joined(separator: "\n")))
        try city.launchWarnings()
      }
      if looked.duration(to: .now) > .seconds(2) {
        try await city.database.startIfEnded()
        try await city.kafka?.startIfEnded()
        looked = .now
      }
      guard ContinuousClock.now < deadline else { throw Browser.Failure.timeout("\(what)\n\(await city.state)") }
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  var recoveryText: String { Self.text(recoveries.map(\.time)) }
  var ownRecoveryText: String { Self.text(recoveries.map(\.own)) }

  private static func text(_ times: [Duration]) -> String {
    let sorted = times.sorted()
    guard let last = sorted.last else { return "none" }
    func at(_ share: Double) -> Duration { sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))] }
    return [("p50", at(0.5)), ("p99", at(0.99)), ("max", last)].map { "\($0) \($1.inSeconds) s" }.joined(separator: ", ")
  }

  /// The slowest recovery of each kind, from the fault and of its own.
  var slowest: String {
    Dictionary(grouping: recoveries, by: \.fault).map { fault, found in
      "\(fault.rawValue) \((found.map(\.time).max() ?? .zero).inSeconds)/\((found.map(\.own).max() ?? .zero).inSeconds)"
    }.sorted().joined(separator: ", ")
  }
}

extension Duration {
  /// In seconds, to the millisecond.
  var inSeconds: Double { Double(Int(self / .milliseconds(1))) / 1_000 }
}
