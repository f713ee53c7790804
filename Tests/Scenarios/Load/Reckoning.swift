import Broker
import Foundation
import HTTP
import JSON
import Postgres
import SensorIngest
import TestSupport
import Time

/// Holds what a city shows against what it acknowledged.
struct Reckoning: Sendable {
  /// Acknowledged and not there.
  var lost: [String] = []
  /// There more often than it was sent, or never sent at all.
  var twice: [String] = []
  /// Not the value that was acknowledged last, nor one that was sent after it.
  var outOfOrder: [String] = []
  /// Readings and things that are there although nobody acknowledged them; that is allowed.
  var unacknowledged = 0

  var isClean: Bool { lost.isEmpty && twice.isEmpty && outOfOrder.isEmpty }

  /// Looks until nothing is missing any more: acknowledged means with the broker, and read models follow. A minute at most from when they have come to the
  /// topics' ends.
  static func of(_ ledger: Ledger, in city: RunningCity) async throws -> Reckoning {
    try await projected(city)
    let deadline = ContinuousClock.now + .seconds(60)
    while true {
      var reckoning = Reckoning()
      try await reckoning.things(ledger, city)
      try await reckoning.readings(ledger, city)
      if reckoning.lost.isEmpty && reckoning.outOfOrder.isEmpty || ContinuousClock.now > deadline {
        try await reckoning.ids(ledger, city)
        try await reckoning.logs(city)
        if !reckoning.isClean { try await reckoning.explain(city) }
        return reckoning
      }
      try await Task.sleep(for: .milliseconds(200))
    }
  }

  /// Waits until the observations' projection has come to the ends of its topics.
  private static func projected(_ city: RunningCity) async throws {
    let broker = try await city.broker()
    let pool = PostgresPool(city.database.configuration(database: "dos_sensors"), size: 1)
    try await Browser.until("everything is projected", within: .seconds(600)) {
      for topic in SensorIngestService().topics where topic.name.contains("observations") {
        let ends = try await broker.end(of: topic)
        let rows = try await pool.query(
          "select position from dos_checkpoints where subscription = 'observations' and topic = \(topic.name) order by partition")
        let positions = try rows.map { row throws in try row.value(Int64.self, at: 0) }
        if positions != ends { return false }
      }
      return true
    }
    await pool.close()
    await broker.close()
  }

  private mutating func things(_ ledger: Ledger, _ city: RunningCity) async throws {
    var found: [String: [Int64]] = [:]
    for thing in try await Self.all("/sensors/v1.1/Things", city) {
      guard let name = thing["name"]?.string, let id = thing["@iot.id"]?.int else { continue }
      found[name, default: []].append(id)
    }
    for (name, id) in ledger.things {
      let there = found[name] ?? []
      if there.count > 1 { twice.append("\(name) is there as \(there)") }
      if let id, !there.contains(id) { lost.append("\(name), acknowledged as thing \(id)") }
      if id == nil, !there.isEmpty { unacknowledged += 1 }
    }
    for name in found.keys where name.hasPrefix("Station") && ledger.things[name] == nil { twice.append("\(name), which nobody registered") }
  }

  private mutating func readings(_ ledger: Ledger, _ city: RunningCity) async throws {
    let byDatastream = Dictionary(grouping: ledger.readings) { $0.key.datastream }
    for (datastream, sent) in byDatastream {
      var found: [Ledger.Place: [Double]] = [:]
      for reading in try await Self.all("/sensors/v1.1/Datastreams(\(datastream))/Observations", city) {
        guard let time = reading["phenomenonTime"]?.string.flatMap({ Instant(rfc3339: $0) }), let value = reading["result"]?.double else { continue }
        found[Ledger.Place(datastream: datastream, time: time.milliseconds), default: []].append(value)
      }
      for (place, values) in sent {
        let there = found.removeValue(forKey: place) ?? []
        let possible = Ledger.possible(values)
        let isAcknowledged = values.contains { $0.id != nil }
        if there.count > 1 { twice.append("\(place) has \(there)") }
        if there.isEmpty, isAcknowledged { lost.append("\(place), acknowledged as \(values)") }
        if let value = there.first, !possible.contains(value) { outOfOrder.append("\(place) holds \(value) after \(values)") }
        if !isAcknowledged, !there.isEmpty { unacknowledged += 1 }
      }
      for (place, values) in found { twice.append("\(place) has \(values), which nobody sent") }
    }
  }

  /// Every id that was answered names the reading it was answered for.
  private mutating func ids(_ ledger: Ledger, _ city: RunningCity) async throws {
    let answered = ledger.readings.flatMap { place, sent in sent.compactMap { $0.id.map { (id: $0, place: place) } } }
    lost += try await withThrowingTaskGroup(of: [String].self) { group in
      for part in 0..<8 {
        group.addTask {
          var lost: [String] = []
          for (index, (id, place)) in answered.enumerated() where index % 8 == part {
            let answer = try await city.client.send(ClientRequest(.get, "\(city.url)/sensors/v1.1/Observations(\(id))"))
            let time = (try? JSONValue(parsing: answer.body))?["phenomenonTime"]?.string.flatMap { Instant(rfc3339: $0) }
            if time?.milliseconds != place.time {
              lost.append("Observations(\(id)), acknowledged for \(place), is answered with \(answer.status) \(answer.text)")
            }
          }
          return lost
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
  }

  /// What the API does not show: decisions forwarded in order and each of them, no revision by the same value; where PostgreSQL is the broker, topics without
  /// gaps.
  private mutating func logs(_ city: RunningCity) async throws {
    let database = city.database
    if city.kafka == nil {
      let pool = PostgresPool(database.configuration(database: "dos_broker"), size: 1)
      for row in try await pool.query(
        """
        select topic, partition, count(*), max("offset") + 1 from events group by 1, 2 having count(*) <> max("offset") + 1
        """)
      {
        let (topic, partition, count, end) = try row.decode(Int32.self, Int32.self, Int64.self, Int64.self)
        lost.append("topic \(topic), partition \(partition) has \(count) events up to the offset \(end)")
      }
      await pool.close()
    }
    let broker = try await city.broker()
    for topic in SensorIngestService().topics {
      for (partition, end) in try await broker.end(of: topic).enumerated() {
        try await forwarded(topic, partition, end, broker)
      }
    }
    await broker.close()
    let sensors = PostgresPool(database.configuration(database: "dos_sensors"), size: 1)
    let same = try await sensors.query(
      """
      select count(*) from observation_revisions r join observations o using (datastream_id, phenomenon_time) where r.number = o.number and not exists (
        select from observation_revisions between_them
        where between_them.datastream_id = r.datastream_id and between_them.phenomenon_time = r.phenomenon_time and between_them.log_offset > r.log_offset)
      """)
    let count = try same[0].value(Int64.self, at: 0)
    if count > 0 { twice.append("\(count) revisions by the value that was there already") }
    await sensors.close()
  }

  /// Repeats are allowed (consumers drop them), a step of more than one is not.
  private mutating func forwarded(_ topic: Topic, _ partition: Int, _ end: Int64, _ broker: any EventBroker) async throws {
    let reader = try await broker.reader(topic: topic, partition: partition, from: 0)
    var (next, seen): (Int64, Int64) = (0, -1)
    while next < end {
      for event in try await reader.next(limit: 5_000, wait: .seconds(10)) {
        next = event.position.offset + 1
        guard let journal = event.event.journal?.offset else { continue }
        if journal > seen + 1 {
          outOfOrder.append("\(topic.name), partition \(partition), offset \(next - 1): decision \(journal) was forwarded when \(seen) was the last")
        }
        seen = max(seen, journal)
      }
    }
    await reader.close()
  }

  /// Prints what the databases hold and what the city logged, for whoever looks for the cause.
  private func explain(_ city: RunningCity) async throws {
    for (what, found) in [("lost", lost), ("twice", twice), ("out of order", outOfOrder)] { for line in found.prefix(20) { print("\(what): \(line)") } }
    let broker = try await city.broker()
    for topic in SensorIngestService().topics { print("\(topic.name) ends at \(try await broker.end(of: topic))") }
    await broker.close()
    print(city.log)
    let sensors = PostgresPool(city.database.configuration(database: "dos_sensors"), size: 1)
    for table in ["observations", "observation_revisions", "observation_aliases", "dos_dead_letters", "dos_checkpoints"] {
      let rows = try await sensors.query("select t::text from \(identifier: table) t order by 1 limit 2000")
      try print(rows.map { row throws in "\(table) \(try row.value(String.self, at: 0))" }.joined(separator: "\n"))
    }
    await sensors.close()
  }

  /// Every entity of a collection, page by page.
  private static func all(_ path: String, _ city: RunningCity) async throws -> [JSONValue] {
    var found: [JSONValue] = []
    while true {
      let page = try await city.get(path, query: [("$top", "1000"), ("$skip", "\(found.count)"), ("$orderby", "@iot.id")])["value"]?.array ?? []
      found += page
      if page.count < 1_000 { return found }
    }
  }
}
