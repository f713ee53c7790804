import Broker
import EventSourcing
import Postgres
import SensorDomain
import ServiceKit
import Time

/// Compares the stored readings with the topics, as far as these reach, and changes nothing.
///
/// The topics are read into tables beside the live ones, each partition up to where the live ones stood. Compared is every version that a reading ever had (what
/// holds and what it replaced), by datastream, time and place in the topic: versions from before the topic's first offset are the archive's alone, and those
/// from beyond the end came while this ran.
struct ObservationsVerification: Sendable {
  let broker: any EventBroker
  let pool: PostgresPool

  private static let schema = "replay_observations"
  private static let tables = TableNames(schema: schema)
  private static let subscription = "replay:" + Observations.name
  /// How many differences are told one by one.
  private static let told: Int64 = 20

  /// - Parameter progress: events done, and events in all.
  /// - Throws: `ReplayRefusal`, `BrokerError`, `PostgresError`.
  func run(progress: @escaping @Sendable (_ done: Int64, _ total: Int64) -> Void) async throws -> ReplayableProjection.Outcome {
    try await ReplayTurn.take(Observations.name, beside: pool) { turn in
      let outcome: Result<ReplayableProjection.Outcome, any Error>
      do {
        outcome = .success(try await verify(turn, progress))
      } catch {
        outcome = .failure(error)
      }
      await Task {
        try? await turn.pool.transaction { connection throws in
          try connection.execute("drop schema if exists \(identifier: Self.schema) cascade")
          try connection.execute("delete from dos_checkpoints where subscription = \(Self.subscription)")
          try connection.execute("delete from dos_dead_letters where subscription = \(Self.subscription)")
        }
      }.value
      return try outcome.get()
    }
  }

  private func verify(_ turn: ReplayTurn, _ progress: @escaping @Sendable (Int64, Int64) -> Void) async throws -> ReplayableProjection.Outcome {
    var reaches: [(topic: Topic, reach: TopicReach)] = []
    for topic in ObservationTopics(of: broker).all { reaches.append((topic, try await TopicReach(topic, broker: broker, pool: turn.pool))) }
    try await turn.pool.transaction { connection throws in try Self.create(on: connection) }
    for (topic, reach) in reaches { try await note(reach, of: topic, turn) }
    let total = reaches.reduce(0) { $0 + $1.reach.events }
    var done: Int64 = 0
    progress(done, total)
    for (topic, reach) in reaches {
      let build = ReplayBuild(
        projection: ReadAgain(reach: reach), source: TopicSource(topic, broker: broker), tables: Self.tables, subscription: Self.subscription, turn: turn,
        passing: reach.parked)
      let before = done
      _ = try await build.run(from: reach.earliest, to: reach.past) { progress(before + $0, total) }
      done += reach.events
    }
    var outcome = ReplayableProjection.Outcome(done: total, unit: "events")
    outcome.differences = try await differences(turn)
    let parked = reaches.reduce(0) { $0 + $1.reach.parked.count }
    if parked > 0 {
      outcome.notes.append("\(parked) parked events are in neither and were left out of the comparison; `dos dead-letters list` shows them")
    }
    if reaches.contains(where: { $0.reach.earliest.contains { $0 > 0 } }) {
      outcome.notes.append("readings from before the topics' first offsets are the archive's alone and were not compared")
    }
    return outcome
  }

  private static func create(on connection: isolated PostgresConnection) throws {
    _ = try connection.execute("drop schema if exists \(identifier: Self.schema) cascade")
    _ = try connection.execute("create schema \(identifier: Self.schema)")
    let keys = [
      ("observations", "datastream_id, phenomenon_time"), ("observation_revisions", nil), ("observation_aliases", "id"),
      ("observed_features", "feature_id, datastream_id"),
    ]
    for (table, key) in keys {
      _ = try connection.execute("create table \(tables[table]) (like \(identifier: table) including defaults)")
      if let key { _ = try connection.execute("alter table \(tables[table]) add primary key (\(unsafe: key))") }
    }
    _ = try connection.execute(
      "create table \(tables["reach"]) (datastream_id bigint primary key, topic text not null, partition integer not null, earliest bigint, past bigint)")
  }

  /// Which part of its partition each registered datastream is compared in; `ReadAgain` adds those that only the topic knows.
  private func note(_ reach: TopicReach, of topic: Topic, _ turn: ReplayTurn) async throws {
    guard let visibility = DatastreamVisibility.allCases.first(where: { ObservationTopics.topic($0).name == topic.name }) else { return }
    let ids = try await turn.pool.query("select id from datastreams where visibility = \(visibility.rawValue)").map { row in try row.value(Int64.self, at: 0) }
    let places = ids.map { topic.partition(forKey: String($0)) }
    try await turn.pool.execute(
      """
      insert into \(Self.tables["reach"]) select given.id, \(topic.name), given.partition, given.earliest, given.past
      from unnest(\(ids), \(places.map(Int64.init)), \(places.map { reach.earliest[$0] }), \(places.map { reach.past[$0] })) given(id, partition, earliest, past)
      """)
  }

  private func differences(_ turn: ReplayTurn) async throws -> [String] {
    try await turn.pool.transaction(isolation: .repeatableRead) { connection throws in
      try connection.execute("create table \(Self.tables["differences"]) as \(Self.compared)")
      let rows = try connection.query(
        """
        select what || ' (datastream ' || d.datastream_id || ', ' || to_char(d.phenomenon_time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
          || ', ' || coalesce(topic || '/' || partition || '/', 'offset ') || d.log_offset || coalesce(', reading ' || d.log_index, '') || ')'
        from \(Self.tables["differences"]) d left join \(Self.tables["reach"]) using (datastream_id)
        order by d.datastream_id, d.phenomenon_time, d.log_offset, d.log_index, what limit \(Self.told)
        """)
      var texts = try rows.map { row throws in try row.value(String.self, at: 0) }
      let count = try connection.query("select count(*) from \(Self.tables["differences"])")[0].value(Int64.self, at: 0)
      if count > Self.told { texts.append("and \(count - Self.told) more") }
      return texts + (try Self.failed(on: connection))
    }
  }

  /// Events that the live tables have taken and that cannot be taken now.
  private static func failed(on connection: isolated PostgresConnection) throws -> [String] {
    try connection.query(
      """
      select topic || '/' || partition || '/' || position || ' cannot be taken in now: ' || coalesce(cause, 'behind an earlier one')
      from dos_dead_letters where subscription = \(subscription) order by topic, partition, position limit \(told)
      """
    ).map { row throws in try row.value(String.self, at: 0) }
  }

  /// What holds here is a revision there where more has come since; a column that one of the two tables has beyond those known makes no difference.
  private static func versions(_ schema: TableNames) -> SQL {
    """
    select datastream_id, phenomenon_time, log_offset, log_index, body from (
      select datastream_id, phenomenon_time, log_offset, log_index, row(\(Observations.selected("o")))::text as body from \(schema["observations"]) o
      union all
      select datastream_id, phenomenon_time, log_offset, log_index, row(\(Observations.selected("r")))::text from \(schema["observation_revisions"]) r) versions
    join \(tables["reach"]) reach using (datastream_id) where log_offset >= reach.earliest and log_offset < reach.past
    """
  }

  private static var compared: SQL {
    """
    select datastream_id, phenomenon_time, log_offset, log_index, case when l.body is null then 'a reading is missing'
      when r.body is null then 'a reading is stored that the topic does not have' else 'a reading is not as the topic has it' end as what
    from (\(versions(TableNames()))) l full join (\(versions(tables))) r using (datastream_id, phenomenon_time, log_offset, log_index)
    where l.body is distinct from r.body
    union all
    select datastream_id, phenomenon_time, r.log_offset, r.log_index, 'a reading that holds has a later revision'
    from observation_revisions r join observations o using (datastream_id, phenomenon_time) where (r.log_offset, r.log_index) >= (o.log_offset, o.log_index)
    union all
    select datastream_id, phenomenon_time, reach.earliest, null, 'the id ' || id || ' names nothing'
    from \(tables["observation_aliases"]) a join \(tables["reach"]) reach using (datastream_id)
    where not exists (select 1 from observation_aliases l where l.id = a.id and l.datastream_id = a.datastream_id and l.phenomenon_time = a.phenomenon_time)
    """
  }
}

/// Which part of a topic is compared: from what retention left to where the live tables stood, without what was parked then.
private struct TopicReach: Sendable {
  let earliest: [Int64]
  let past: [Int64]
  let parked: Set<BrokerPosition>

  var events: Int64 { zip(earliest, past).reduce(0) { $0 + $1.1 - $1.0 } }

  init(_ topic: Topic, broker: any EventBroker, pool: PostgresPool) async throws {
    let first = try await broker.earliest(of: topic)
    let (checkpoints, parked) = try await pool.transaction(isolation: .repeatableRead) { connection throws in
      (
        try CheckpointTable.read(subscription: Observations.name, topic: topic.name, on: connection),
        try DeadLetters.positions(subscription: Observations.name, topic: topic.name, on: connection)
      )
    }
    self.parked = parked
    earliest = first
    past = first.enumerated().map { max($0.element, checkpoints[$0.offset]?.position ?? $0.element) }
  }
}

/// Folds what is read again as the live projection does, beside it.
private struct ReadAgain: Projection {
  static let name = Observations.name

  let tables: [ProjectionTable] = []
  let reach: TopicReach

  func rows(for event: ProjectedEvent) -> Int { ObservationsProjection().rows(for: event) }
  func check(_ event: ProjectedEvent) throws { try ObservationsProjection().check(event) }

  func project(_ batch: [ProjectedEvent], on connection: isolated PostgresConnection, tables: TableNames) throws {
    guard let place = batch.first?.position else { return }
    let earliest = reach.earliest[place.partition]
    let changes = Observations.changes(try ObservationsProjection.facts(of: batch))
    let keys = Set(changes.map(\.key))
    _ = try connection.execute(
      """
      insert into \(tables["reach"]) select distinct datastream, \(place.topic), \(Int32(place.partition)), \(earliest), \(reach.past[place.partition])
      from unnest(\(Array(Set(keys.map(\.datastream))))) datastream on conflict do nothing
      """)
    if earliest > 0 { try begin(Array(keys), before: earliest, tables, on: connection) }
    _ = try Observations.store(changes, in: tables, on: connection)
  }

  /// What held when the topic's first offset was written is known to the archive alone, and decides what the next reading of the same time is.
  private func begin(_ keys: [ObservationKey], before earliest: Int64, _ tables: TableNames, on connection: isolated PostgresConnection) throws {
    let columns = Observations.columns.joined(separator: ", ")
    _ = try connection.execute(
      """
      insert into \(tables["observations"]) (\(unsafe: columns)) select distinct on (datastream_id, phenomenon_time) \(unsafe: columns) from (
        select \(Observations.selected("o"))
        from unnest(\(keys.map(\.datastream)), \(keys.map(\.phenomenonTime))) wanted(datastream_id, phenomenon_time)
        cross join lateral (
          select \(Observations.selected("o")) from observations o
          where o.datastream_id = wanted.datastream_id and o.phenomenon_time = wanted.phenomenon_time
          union all select \(Observations.selected("r")) from observation_revisions r
          where r.datastream_id = wanted.datastream_id and r.phenomenon_time = wanted.phenomenon_time) o
        where o.log_offset < \(earliest)) known
      order by datastream_id, phenomenon_time, log_offset desc, log_index desc on conflict do nothing
      """)
  }
}
