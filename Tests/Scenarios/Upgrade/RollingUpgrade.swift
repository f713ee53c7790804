import Foundation
import Postgres
import TestSupport

/// Replaces a city's instances by those of another version, one after the other, as an operator would.
struct RollingUpgrade {
  enum Version: String {
    case old, new
  }

  private let city: RunningCity
  private let load: MixedLoad
  /// The program of the old version; nil where the new one plays its part.
  private let old: String?
  private var versions: [Version]
  private var steps: [String] = []
  /// Instances that were started since it began.
  private(set) var starts = 0
  /// Those that did not end with 0 when they were asked to end.
  private(set) var endedBadly: [String] = []

  /// - Parameter city: runs the old version.
  init(of city: RunningCity, under load: MixedLoad, from old: String?) {
    self.city = city
    self.load = load
    self.old = old
    versions = city.instances.map { _ in .old }
  }

  /// What was done, one line each.
  var course: String { steps.joined(separator: "\n") }

  mutating func begin() async throws { try await work("began") }

  /// Asks an instance to end and starts the other version in its place.
  mutating func replace(_ instance: Int, by version: Version) async throws {
    let ending = city.server(instance)
    await city.end(with: SIGTERM, instance)
    if let code = try await ending?.end(), code != 0 { endedBadly.append("instance \(instance), \(versions[instance]), with \(code)") }
    versions[instance] = version
    try await start(instance, "\(version) for instance \(instance)")
  }

  /// Kills an instance and starts it again as what it was.
  mutating func crash(_ instance: Int) async throws {
    await city.end(with: SIGKILL, instance)
    try await start(instance, "instance \(instance) killed and started again")
  }

  private mutating func start(_ instance: Int, _ what: String) async throws {
    let process = try city.launchServer(instance, program: versions[instance] == .old ? old : nil)
    starts += 1
    try await Browser.until("\(what): it is ready") { [city] in
      guard process.isRunning else { throw RunningCity.Failure.ended(city.log) }
      return try await city.health("ready", instance).status == 200
    }
    try await work(what)
  }

  /// Waits until every instance has acknowledged readings and registrations some times over and consumes its share.
  private mutating func work(_ what: String) async throws {
    let begun = ContinuousClock.now
    for _ in 0..<3 {
      let moment = ContinuousClock.now
      try await Browser.until("\(what): every instance acknowledges") { [load] in load.isAcknowledged(after: moment) }
    }
    let pool = PostgresPool(city.database.configuration(database: "dos_sensors"), size: 1)
    try await Browser.until("\(what): the instances share the partitions") { [city] in
      let shared = try await pool.query(
        """
        select coalesce(bool_and(held and holders = \(Int64(city.instances.count))), false) from (
          select bool_and(holder is not null and until > clock_timestamp()) as held, count(distinct holder) as holders
          from dos_checkpoints where subscription = 'observations' group by topic) topics
        """)
      return try shared[0].value(Bool.self, at: 0)
    }
    await pool.close()
    let side = versions.map(\.rawValue).joined(separator: " beside ")
    steps.append("\(what): \(side) at work, \(begun.duration(to: .now).inSeconds) s after all were ready")
  }
}
