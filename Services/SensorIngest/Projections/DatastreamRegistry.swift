import Foundation
public import Postgres
public import SensorDomain
import Synchronization

/// What the intake of readings must know of a datastream.
public struct RegisteredDatastream: Sendable, Hashable {
  public let id: Int64
  public let thing: Int64
  /// A closed datastream takes no readings.
  public let isOpen: Bool
  /// Chooses the topic of its readings; for life.
  public let visibility: DatastreamVisibility
  public let observationType: ObservationType
  public let plausibleRange: PlausibleRange?
  public let reporting: Reporting
  public let city: City
  /// The feature of interest of the place where its thing stands; nil where there is none.
  public let feature: Int64?
  /// Whether its thing stands anywhere.
  public let isPlaced: Bool
}

/// Looks datastreams up by id, from memory where it can: from the registry's read model, at most `age` behind what other processes decided, and never behind
/// what this process acknowledged (whoever acknowledges calls `forget`, and a look-up waits for the read model through `caughtUp`). What is remembered holds
/// for as long as the read model has taken in nothing new, which is asked once per `age`.
public final class DatastreamRegistry: Sendable {
  private struct State {
    var entries: [Int64: RegisteredDatastream] = [:]
    /// Rises with every `forget`, so that a look-up that began before does not put back what it read before.
    var forgotten = 0
    /// How far the read model was when it was last asked, and until when that is believed.
    var version: String?
    var until: ContinuousClock.Instant = .now
  }

  private let pool: PostgresPool
  private let age: Duration
  private let caughtUp: @Sendable () async throws -> Void
  private let caughtUpWithAll: @Sendable () async throws -> Void
  private let state = Mutex(State())

  /// Beyond so many the memory starts anew.
  private static let capacity = 100_000

  /// - Parameters:
  ///   - caughtUp: returns when the read model has what this process acknowledged, and throws where it does not come there.
  ///   - caughtUpWithAll: as above with what any process did. Awaited before something is said not to be there: who sent a reading throws it away then.
  public init(
    pool: PostgresPool, age: Duration = .seconds(1), caughtUp: @escaping @Sendable () async throws -> Void = {},
    caughtUpWithAll: @escaping @Sendable () async throws -> Void = {}
  ) {
    self.pool = pool
    self.age = age
    self.caughtUp = caughtUp
    self.caughtUpWithAll = caughtUpWithAll
  }

  /// The datastreams with these ids, closed ones too; an id that was never registered is missing from the answer.
  /// - Throws: `PostgresError` where something is not in memory and cannot be read, and what `caughtUp` throws.
  public func find(_ ids: Set<Int64>) async throws -> [Int64: RegisteredDatastream] {
    try await refresh()
    let (remembered, generation) = state.withLock { state in
      var found: [Int64: RegisteredDatastream] = [:]
      for id in ids { if let datastream = state.entries[id] { found[id] = datastream } }
      return (found, state.forgotten)
    }
    var found = remembered
    let missing = ids.filter { found[$0] == nil }
    if missing.isEmpty { return found }
    try await caughtUp()
    var read = try await read(missing)
    if read.count < missing.count {
      try await caughtUpWithAll()
      read += try await self.read(missing.subtracting(read.map(\.id)))
    }
    for datastream in read { found[datastream.id] = datastream }
    state.withLock { [read] state in
      guard state.forgotten == generation else { return }
      if state.entries.count + read.count > Self.capacity { state.entries = [:] }
      for datastream in read { state.entries[datastream.id] = datastream }
    }
    return found
  }

  private func read(_ ids: Set<Int64>) async throws -> [RegisteredDatastream] {
    let rows = try await pool.query(
      """
      select d.id, d.thing_id, d.closed_at is null, d.visibility, d.observation_type, d.plausible_min, d.plausible_max, d.reporting, d.city,
        (select min(f.id) from thing_locations place join locations l on l.id = place.location_id join features_of_interest f on f.id = l.feature_id
          where place.thing_id = d.thing_id),
        exists (select 1 from thing_locations place where place.thing_id = d.thing_id)
      from datastreams d where d.id = any(\(Array(ids)))
      """)
    return try rows.map(RegisteredDatastream.init)
  }

  /// Asks, once per `age`, whether the read model has moved on, and then forgets what it said before.
  private func refresh() async throws {
    let now = ContinuousClock.now
    // One asks, the others go on with what they have: it is as old as it may be at most by the time of one query.
    let mustAsk = state.withLock { state in
      guard state.until <= now else { return false }
      state.until = now + age
      return true
    }
    guard mustAsk else { return }
    do {
      let rows = try await pool.query(
        "select coalesce(string_agg(concat_ws('/', partition, epoch, position), ' ' order by partition), '') from dos_checkpoints where subscription = \(RegistryProjection.name)"
      )
      let version = try rows[0].value(String.self, at: 0)
      state.withLock { state in
        guard state.version != version else { return }
        state.version = version
        state.forgotten += 1
        state.entries = [:]
      }
    } catch {
      state.withLock { $0.until = .now }
      throw error
    }
  }

  /// The datastream with this id, nil where there never was one.
  public func find(_ id: Int64) async throws -> RegisteredDatastream? { try await find([id])[id] }

  /// Which of these features of interest are there; read anew each time, since few readings name one.
  func features(_ ids: Set<Int64>) async throws -> Set<Int64> {
    if ids.isEmpty { return [] }
    try await caughtUp()
    var found = try await readFeatures(ids)
    if found.count < ids.count {
      try await caughtUpWithAll()
      found.formUnion(try await readFeatures(ids.subtracting(found)))
    }
    return found
  }

  private func readFeatures(_ ids: Set<Int64>) async throws -> Set<Int64> {
    Set(try await pool.query("select id from features_of_interest where id = any(\(Array(ids)))").map { try $0.value(Int64.self, at: 0) })
  }

  /// Nothing that is remembered can be relied on: this process has just acknowledged that something was moved.
  func forgetAll() {
    state.withLock { state in
      state.forgotten += 1
      state.entries = [:]
    }
  }

  /// What is remembered of these may be out of date: this process has just acknowledged a decision about them.
  public func forget(_ ids: some Sequence<Int64>) {
    state.withLock { state in
      state.forgotten += 1
      for id in ids { state.entries[id] = nil }
    }
  }
}

extension RegisteredDatastream {
  fileprivate init(_ row: Row) throws {
    let (id, thing, isOpen, visibility, type, min, max) = try row.decode(
      Int64.self, Int64.self, Bool.self, String.self, String.self, Double?.self, Double?.self)
    let reporting = try row.value(JSONText.self, at: 7)
    guard let visibility = DatastreamVisibility(rawValue: visibility), let type = ObservationType(rawValue: type) else {
      throw UnreadableDatastream(id: id, visibility: visibility, observationType: type)
    }
    self.init(
      id: id, thing: thing, isOpen: isOpen, visibility: visibility, observationType: type,
      plausibleRange: min == nil && max == nil ? nil : PlausibleRange(min: min, max: max),
      reporting: try JSONDecoder().decode(Reporting.self, from: Data(reporting.bytes)), city: City(rawValue: try row.value(at: 8)),
      feature: try row.value(at: 9),
      isPlaced: try row.value(at: 10))
  }
}

/// A row that this version of the program does not understand: an older one reads what a newer one wrote.
struct UnreadableDatastream: Error {
  let id: Int64
  let visibility: String
  let observationType: String
}
