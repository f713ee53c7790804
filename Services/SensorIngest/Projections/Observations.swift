import EventSourcing
import JSON
import Postgres
import SensorDomain
import Time

/// Keeps `observations`, `observation_revisions` and `observation_aliases`: which reading holds for each datastream and time, and what held before.
enum Observations {
  static let name = "observations"

  static let columns = [
    "datastream_id", "phenomenon_time", "phenomenon_end", "id", "number", "truth", "text", "json", "result_time", "valid_time", "result_quality", "parameters",
    "implausible", "withdrawn", "log_offset", "log_index", "feature_id",
  ]

  /// Stores what the changes say, in their order. Runs in the caller's transaction; reading the same entries again changes nothing.
  /// - Returns: what hours and days follow from.
  static func store(
    _ changes: [ObservationChange], in tables: TableNames = TableNames(), on connection: isolated PostgresConnection
  ) throws -> StoredReadings {
    guard !changes.isEmpty else { return StoredReadings() }
    let folding = ObservationFolding(changes, stored: try stored(Array(Set(changes.map(\.key))), in: tables, on: connection))
    _ = try connection.copy(into: tables.name("observations"), columns: columns) { writer in
      for key in folding.added { if let row = folding.holding[key] { try write(row, to: &writer) } }
    }
    if !folding.changed.isEmpty { try overwrite(folding, in: tables, on: connection) }
    if !folding.revisions.isEmpty {
      _ = try connection.copy(into: tables.name("observation_revisions"), columns: columns) { writer in
        for row in folding.revisions { try write(row, to: &writer) }
      }
    }
    if !folding.aliases.isEmpty { try keep(folding.aliases, in: tables, on: connection) }
    try keepFeatures(folding.holding.values, in: tables, on: connection)
    return StoredReadings(added: folding.added.compactMap { folding.holding[$0] }, changed: Set(folding.changed.map(ObservationHour.init)))
  }

  /// The changes of a batch of facts of one partition, in the order of the log.
  static func changes(_ facts: [(offset: Int64, fact: ObservationFact)]) -> [ObservationChange] {
    facts.flatMap { offset, fact -> [ObservationChange] in
      switch fact {
      case .withdrawn(let withdrawn):
        return [.withdrawal(ObservationKey(datastream: withdrawn.datastream, phenomenonTime: withdrawn.phenomenonTime), offset: offset, index: 0)]
      case .recorded(let recorded):
        return recorded.readings.enumerated().map { index, reading in
          let key = ObservationKey(datastream: recorded.datastream, phenomenonTime: reading.observation.phenomenonTime)
          var row = StoredObservation(
            key: key, id: reading.id, observation: reading.observation, implausible: reading.verdict == .implausible, withdrawn: false, offset: offset,
            index: Int32(index))
          row.observation.feature = reading.observation.feature ?? recorded.feature
          return .reading(row, revises: reading.revises)
        }
      }
    }
  }

  /// What is stored of these keys, with the partitions made that new rows will need.
  private static func stored(
    _ keys: [ObservationKey], in tables: TableNames, on connection: isolated PostgresConnection
  ) throws -> [ObservationKey: StoredObservation] {
    let times = keys.map(\.phenomenonTime)
    guard let first = times.min(), let last = times.max() else { return [:] }
    var statements: [SQL] = []
    // What is built beside is one table.
    if tables.schema == nil {
      // One moment of each day suffices, since partitions begin with days.
      let days = Set(times.map { $0.milliseconds / 86_400_000 }).sorted().map { Instant(milliseconds: $0 * 86_400_000) }
      statements.append(
        "select dos_make_observation_partition(min(moment)) from unnest(\(days)) moment group by date_trunc('month', moment at time zone 'UTC')")
    }
    statements += [
      // One plan serves all batches, since planning over many partitions takes longer than reading. It must not be one that reads whole partitions because
      // it was made while there were few rows.
      """
      select set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)
      """,
      // Each key is one descent of an index: `offset 0` keeps the planner from any other join.
      """
      select \(selected("o")) from unnest(\(keys.map(\.datastream)), \(times)) wanted(datastream_id, phenomenon_time)
      cross join lateral (
        select * from \(tables["observations"]) stored
        where stored.datastream_id = wanted.datastream_id and stored.phenomenon_time = wanted.phenomenon_time
          and stored.phenomenon_time between \(first) and \(last) offset 0) o
      """,
    ]
    let rows = try connection.pipeline(statements)[statements.count - 1]
    var stored: [ObservationKey: StoredObservation] = [:]
    for row in rows {
      let found = try read(row)
      stored[found.key] = found
    }
    return stored
  }

  /// What `read` reads of a row.
  static func selected(_ alias: String) -> SQL { "\(unsafe: columns.map { "\(alias).\($0)" }.joined(separator: ", "))" }

  static func read(_ row: Row) throws -> StoredObservation {
    let (datastream, time, end, id) = try row.decode(Int64.self, Instant.self, Instant?.self, Int64.self)
    let result: ObservedResult
    if let number = try row.value(Double?.self, at: 4) {
      result = .number(number)
    } else if let truth = try row.value(Bool?.self, at: 5) {
      result = .truth(truth)
    } else if let text = try row.value(String?.self, at: 6) {
      result = .text(text)
    } else {
      result = .json(try canonical(row.value(JSONText?.self, at: 7)) ?? [])
    }
    return StoredObservation(
      key: ObservationKey(datastream: datastream, phenomenonTime: time), id: id,
      observation: Observation(
        phenomenonTime: time, phenomenonEnd: end, result: result, resultTime: try row.value(at: 8), validTime: try row.value(at: 9),
        resultQuality: try canonical(row.value(JSONText?.self, at: 10)), parameters: try canonical(row.value(JSONText?.self, at: 11)),
        feature: try row.value(at: 16)),
      implausible: try row.value(at: 12), withdrawn: try row.value(at: 13), offset: try row.value(at: 14), index: try row.value(at: 15))
  }

  /// As the event's JSON is written: `jsonb` writes with blanks.
  private static func canonical(_ json: JSONText?) throws -> [UInt8]? {
    guard let json else { return nil }
    return try JSONValue(parsing: json.bytes).bytes
  }

  private static func write(_ row: StoredObservation, to writer: inout CopyWriter) throws {
    let observation = row.observation
    var number: Double?
    var truth: Bool?
    var text: String?
    var json: JSONText?
    switch observation.result {
    case .number(let value): number = value
    case .truth(let value): truth = value
    case .text(let value): text = value
    case .json(let value): json = JSONText(value)
    }
    try writer.row(
      row.key.datastream, row.key.phenomenonTime, observation.phenomenonEnd, row.id, number, truth, text, json, observation.resultTime,
      observation.validTime, observation.resultQuality.map { JSONText($0) }, observation.parameters.map { JSONText($0) }, row.implausible, row.withdrawn,
      row.offset, row.index, observation.feature)
  }

  private static func overwrite(_ folding: ObservationFolding, in tables: TableNames, on connection: isolated PostgresConnection) throws {
    // Emptied first: a transaction that takes its events one by one comes here for each.
    // With defaults, for columns that a newer version has added.
    _ = try connection.pipeline([
      "create temporary table if not exists changed_observations (like observations including defaults) on commit delete rows",
      "delete from changed_observations",
    ])
    _ = try connection.copy(into: "changed_observations", columns: columns) { writer in
      for key in folding.changed { if let row = folding.holding[key] { try write(row, to: &writer) } }
    }
    let assignments = columns.dropFirst(2).map { "\($0) = changed.\($0)" }.joined(separator: ", ")
    _ = try connection.execute(
      """
      update \(tables["observations"]) o set \(unsafe: assignments) from changed_observations changed
      where o.datastream_id = changed.datastream_id and o.phenomenon_time = changed.phenomenon_time
      """)
  }

  /// Which datastreams have readings of a feature: few, and so the way from a feature to its readings needs no index of its own over all of them.
  private static func keepFeatures(
    _ rows: some Sequence<StoredObservation>, in tables: TableNames, on connection: isolated PostgresConnection
  ) throws {
    let pairs = Array(Set(rows.compactMap { row in row.observation.feature.map { FeatureOfDatastream(feature: $0, datastream: row.key.datastream) } }))
    guard !pairs.isEmpty else { return }
    _ = try connection.execute(
      """
      insert into \(tables["observed_features"]) (feature_id, datastream_id) select * from unnest(\(pairs.map(\.feature)), \(pairs.map(\.datastream)))
      on conflict do nothing
      """)
  }

  private struct FeatureOfDatastream: Hashable {
    let feature: Int64
    let datastream: Int64
  }

  private static func keep(
    _ aliases: [(id: Int64, key: ObservationKey)], in tables: TableNames, on connection: isolated PostgresConnection
  ) throws {
    _ = try connection.execute(
      """
      insert into \(tables["observation_aliases"]) (id, datastream_id, phenomenon_time)
      select * from unnest(\(aliases.map(\.id)), \(aliases.map(\.key.datastream)), \(aliases.map(\.key.phenomenonTime))) on conflict do nothing
      """)
  }
}
