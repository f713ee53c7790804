import EventSourcing
import Foundation
import JSON
import Postgres
import Time
import WarningDomain

/// What whoever watches for the rules keeps in the database.
struct RuleStore: Sendable {
  let pool: PostgresPool

  struct Live: Sendable {
    let id: UUID
    let version: Int
    let since: Instant
    let rule: Rule
  }

  /// What was found of a rule, and the hint it has raised.
  struct Watched: Sendable {
    let rule: UUID
    let version: Int
    let state: ConditionState
    var hint: UUID?
    var finding: Finding?
    var isCleared = false
  }

  /// Something that differs when any rule has changed.
  func edition() async throws -> Int64 {
    try await pool.query("select coalesce((select place from rules order by place desc limit 1), -1)").first?.value(Int64.self, at: 0) ?? -1
  }

  func live() async throws -> [Live] {
    try await pool.query("select rule, version, since, definition::text from rules where status = 'live' order by rule").map { row throws in
      let (id, version, since, text) = try row.decode(UUID.self, Int32.self, Instant.self, String.self)
      return Live(id: id, version: Int(version), since: since, rule: try JSONDecoder().decode(Rule.self, from: Data(text.utf8)))
    }
  }

  func watched() async throws -> [UUID: Watched] {
    let rows = try await pool.query("select rule, version, state::text, hint, finding::text, cleared from rule_watches")
    var all: [UUID: Watched] = [:]
    for row in rows {
      let (rule, version, state, hint, finding, cleared) = try row.decode(UUID.self, Int32.self, String.self, UUID?.self, String?.self, Bool.self)
      all[rule] = Watched(
        rule: rule, version: Int(version), state: try JSONDecoder().decode(ConditionState.self, from: Data(state.utf8)), hint: hint,
        finding: try finding.map { try JSONDecoder().decode(Finding.self, from: Data($0.utf8)) }, isCleared: cleared)
    }
    return all
  }

  /// The next event wanted of each partition of a topic. Where none is known yet, the one that is given stands from now on: what comes while nobody watches is
  /// read by who watches next.
  func positions(in topic: String, orAt starts: [Int64], under lease: Lease) async throws -> [Int64] {
    let known = try await pool.transaction { connection throws in
      try lease.advance(from: lease.checkpoint, to: lease.checkpoint, on: connection)
      try CheckpointTable.ensure(subscription: lease.subscription, topic: topic, starts: starts, on: connection)
      return try CheckpointTable.read(subscription: lease.subscription, topic: topic, on: connection)
    }
    return starts.indices.map { known[$0]?.position ?? starts[$0] }
  }

  /// The stored readings of the last so many seconds of each datastream, and its newest in any case.
  func readings(of horizons: [Int64: Int], at now: Instant) async throws -> [Int64: [ReadingFact]] {
    let datastreams = horizons.keys.sorted()
    let cutoffs = datastreams.map { now - .seconds(horizons[$0] ?? 0) }
    let rows = try await pool.query(
      """
      select r.datastream, r.time, r.result, r.plausible, r.place
      from unnest(\(datastreams), \(cutoffs)) as wanted (datastream, cutoff)
      join lateral (
        select * from rule_readings where datastream = wanted.datastream and time >= wanted.cutoff
        union (select * from rule_readings where datastream = wanted.datastream order by time desc limit 1)
      ) r on true
      order by r.datastream, r.time
      """)
    var all: [Int64: [ReadingFact]] = [:]
    for row in rows {
      let (datastream, time, result, plausible, place) = try row.decode(Int64.self, Instant.self, Double?.self, Bool.self, Int64.self)
      let fact: ReadingFact =
        if let result { .recorded(Reading(time: time, value: result, isPlausible: plausible, offset: place)) } else { .withdrawn(time, offset: place) }
      all[datastream, default: []].append(fact)
    }
    return all
  }

  /// Stores facts and places, if this is still the one who watches.
  func store(_ facts: [Int64: [ReadingFact]], _ positions: [(topic: String, partition: Int, position: Int64)], under lease: Lease) async throws {
    let rows = Self.newest(facts)
    try await pool.transaction { connection throws in
      try lease.advance(from: lease.checkpoint, to: lease.checkpoint, on: connection)
      if !rows.isEmpty {
        try connection.execute(
          """
          insert into rule_readings as stored (datastream, time, result, plausible, place)
          select * from unnest(\(rows.map(\.datastream)), \(rows.map(\.time)), \(rows.map(\.result)), \(rows.map(\.plausible)), \(rows.map(\.place)))
          on conflict (datastream, time) do update set result = excluded.result, plausible = excluded.plausible, place = excluded.place
          where stored.place < excluded.place
          """)
      }
      try connection.execute(
        """
        update dos_checkpoints reached set position = moved.position
        from unnest(\(positions.map(\.topic)), \(positions.map { Int32($0.partition) }), \(positions.map(\.position))) moved(topic, partition, position)
        where reached.subscription = \(lease.subscription) and reached.topic = moved.topic and reached.partition = moved.partition
        """)
    }
  }

  func save(_ watched: [Watched], under lease: Lease) async throws {
    guard !watched.isEmpty else { return }
    let states = try watched.map { try WarningJSON.text($0.state) }
    let findings = try watched.map { try $0.finding.map { try WarningJSON.text($0) } }
    try await pool.transaction { connection throws in
      try lease.advance(from: lease.checkpoint, to: lease.checkpoint, on: connection)
      try connection.execute(
        """
        insert into rule_watches (rule, version, state, hint, finding, cleared)
        select rule, version, state::json, hint, finding::json, cleared
        from unnest(\(watched.map(\.rule)), \(watched.map { Int32($0.version) }), \(states), \(watched.map(\.hint)), \(findings), \(watched.map(\.isCleared)))
          as given (rule, version, state, hint, finding, cleared)
        on conflict (rule) do update set version = excluded.version, state = excluded.state, hint = excluded.hint, finding = excluded.finding,
          cleared = excluded.cleared
        """)
    }
  }

  func forget(_ rules: [UUID], under lease: Lease) async throws {
    guard !rules.isEmpty else { return }
    try await pool.transaction { connection throws in
      try lease.advance(from: lease.checkpoint, to: lease.checkpoint, on: connection)
      try connection.execute("delete from rule_watches where rule = any (\(rules))")
    }
  }

  /// Drops what no rule needs any more, but for the newest reading of what is watched; so much at a time that nobody else has to wait for it.
  func trim(_ horizons: [Int64: Int], at now: Instant) async throws {
    let all = horizons.keys.sorted()
    for start in stride(from: 0, to: all.count, by: 200) {
      let datastreams = Array(all[start..<min(start + 200, all.count)])
      let cutoffs = datastreams.map { now - .seconds(horizons[$0] ?? 0) }
      try await pool.execute(
        """
        delete from rule_readings r using (
          select wanted.datastream, least(wanted.cutoff, newest.time) as cutoff
          from unnest(\(datastreams), \(cutoffs)) as wanted (datastream, cutoff)
          cross join lateral (select time from rule_readings where datastream = wanted.datastream order by time desc limit 1) newest) wanted
        where r.datastream = wanted.datastream and r.time < wanted.cutoff
        """)
    }
    // Of what no rule looks at any more: one step along the index per datastream that has readings.
    try await pool.execute(
      """
      with recursive kept as (
        (select datastream from rule_readings order by datastream limit 1)
        union all
        select (select datastream from rule_readings where datastream > kept.datastream order by datastream limit 1) from kept where datastream is not null)
      delete from rule_readings where datastream in (select datastream from kept except select unnest(\(all)))
      """)
  }

  private struct Row {
    let datastream: Int64
    let time: Instant
    let result: Double?
    let plausible: Bool
    let place: Int64
  }

  /// One row per datastream and time: the last that was told.
  private static func newest(_ facts: [Int64: [ReadingFact]]) -> [Row] {
    facts.flatMap { datastream, facts in
      var byTime: [Instant: Row] = [:]
      for fact in facts {
        let row =
          switch fact {
          case .recorded(let reading):
            Row(datastream: datastream, time: reading.time, result: reading.value, plausible: reading.isPlausible, place: reading.offset)
          case .withdrawn(let time, let offset): Row(datastream: datastream, time: time, result: nil, plausible: false, place: offset)
          }
        if byTime[row.time].map({ $0.place <= row.place }) ?? true { byTime[row.time] = row }
      }
      return byTime.values
    }
  }
}
