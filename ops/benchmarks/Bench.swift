import Foundation
import Synchronization

/// How long and how much, from the environment.
struct Settings: Sendable {
  /// Of the loaded minute.
  let seconds: Int
  let isQuick: Bool

  init(_ environment: [String: String]) {
    isQuick = ["1", "true", "yes"].contains(environment["BENCH_QUICK"] ?? "")
    let given = Int(environment["BENCH_SECONDS"] ?? "") ?? 0
    seconds = given > 0 ? given : isQuick ? 4 : 60
  }

  /// Of everything else that is measured for a while.
  var shortSeconds: Int { max(2, seconds / 4) }
  /// Of each limit of the machine.
  var limitSeconds: Int { max(2, seconds / 12) }

  var description: String { "\(seconds) s of load, \(shortSeconds) s for short measures, \(limitSeconds) s for limits" + (isQuick ? ", QUICK" : "") }
}

/// One run: what several measures need is made once.
actor Bench {
  /// The measures in the order in which they run. Where one needs what another leaves, it says so by calling it.
  static let measures: [(name: String, says: String, run: @Sendable (isolated Bench) async throws -> Void)] = [
    ("intake", "observations from HTTP until queryable", { try await $0.intake() }),
    ("memory", "what dos and PostgreSQL hold after the intake", { try await $0.memory() }),
    ("disk", "disk per million observations", { try await $0.disk() }),
    ("reads", "a datastream's latest 100", { try await $0.reads() }),
    ("expanded", "100 datastreams with their latest observation", { try await $0.expanded() }),
    ("posts", "single posts", { try await $0.posts() }),
    ("replay", "the registry and the rollups built anew", { try await $0.replay() }),
    ("idle", "what a city costs where nothing happens", { try await $0.idle() }),
    ("start", "from dos serve all to ready", { try await $0.start() }),
    ("empty", "an empty route", { try await $0.empty() }),
    ("streams", "open event streams", { try await $0.streams() }),
    ("appends", "decisions into the Journal, events into the broker", { try await $0.appends() }),
    ("forwarding", "from the Journal to the topic, on both brokers", { try await $0.forwarding() }),
    ("distributed", "observations from HTTP until queryable, on Kafka", { try await $0.distributed() }),
    ("warnings", "from a reading to the hint, and from an approval to each channel", { try await $0.warnings() }),
    ("scale", "rates with more datastreams and more stored observations", { try await $0.scale() }),
  ]

  let server: Server
  let settings: Settings
  let limits: Limits
  private(set) var figures: [Figure] = []
  private var current: City?
  /// The loaded minute, run once.
  var loaded: Loaded?
  /// What the shared city was sent.
  var readings: Readings?

  init(server: Server, settings: Settings) {
    self.server = server
    self.settings = settings
    limits = Limits(server: server, settings: settings)
  }

  func run(_ name: String) async throws {
    for measure in Self.measures where measure.name == name { try await measure.run(self) }
  }

  func add(_ figure: Figure) {
    figures.append(figure)
    say("  \(figure.name): \(Figure.text(figure.value)) \(figure.unit)" + (figure.limit.map { ", \($0.name): \(Figure.text($0.value))" } ?? ""))
  }

  /// The city that measures share, with at least that many datastreams.
  func city(datastreams: Int = 1_000) async throws -> City {
    if let current {
      try await current.register(datastreams)
      return current
    }
    say("a new city with \(datastreams) datastreams")
    let city = try await City.new(on: server)
    current = city
    try await city.register(datastreams)
    return city
  }

  /// Ends the city that measures share: the next one begins anew.
  func endCity() async {
    await current?.end()
    current = nil
    loaded = nil
    readings = nil
  }
}

/// Tells whoever waits what is going on.
func say(_ text: String) {
  FileHandle.standardError.write(Data((text + "\n").utf8))
}
