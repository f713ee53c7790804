import Foundation
import HTTP
import JSON
import Postgres
import Synchronization
import Time

/// Whether somebody said that it is enough.
final class Signal: Sendable {
  private let given = Mutex(false)

  var isGiven: Bool { given.withLock { $0 } }
  func give() { given.withLock { $0 = true } }
}

/// Readings sent over 32 connections, and the proof that what was acknowledged can be read.
struct IntakeLoad: Sendable {
  static let connections = 32

  struct Outcome: Sendable {
    let rows: Int64
    let distinct: Int64
    /// From the first request until everything acknowledged could be read.
    let seconds: Double
    /// From the last acknowledgement until everything could be read.
    let backlog: Duration
    /// From a request's first byte to its answer.
    let answers: Times
    /// From an answer until a GET gave one of its rows with its value.
    let queryable: Times
    let usage: String
    var rate: Double { Double(rows) / seconds }
  }

  enum End: Sendable {
    case after(Duration)
    case rows(Int64)
    case told(Signal)
  }

  let city: City
  let readings: Readings
  private let device: String

  init(city: City, readings: Readings) async {
    self.city = city
    self.readings = readings
    device = await city.device
  }

  /// - Parameters:
  ///   - proves: sends GETs beside the load, for the time until a reading can be read.
  ///   - rowsPerSecond: at most; nil for as many as are taken.
  /// - Throws: `Failure` where a row was not taken.
  func run(until end: End, proves: Bool = true, rowsPerSecond: Double? = nil) async throws -> Outcome {
    let client = HTTPClient(.init(connectionsPerHost: Self.connections, idleConnections: Self.connections))
    let (samples, inbox) = AsyncStream.makeStream(of: (Readings.Sample, ContinuousClock.Instant).self, bufferingPolicy: .bufferingNewest(1))
    let before = await city.usage()
    let began = ContinuousClock.now
    let progress = Task { await report(began) }
    let prober = Task { proves ? try await prove(samples) : Times() }
    defer { progress.cancel() }
    do {
      let answers = try await withThrowingTaskGroup(of: Times.self) { group in
        for connection in 0..<Self.connections {
          let url = city.urls[connection % city.urls.count]
          let pause = rowsPerSecond.map { Duration.seconds(Double(Self.connections * Readings.rowsPerRequest) / $0) }
          group.addTask { try await send(client, to: url, until: end, began, pause) { inbox.yield(($0, $1)) } }
        }
        return try await group.reduce(into: Times()) { $0.add($1) }
      }
      let backlog = try await city.catchUp()
      let seconds = (ContinuousClock.now - began) / .seconds(1)
      let usage = await city.usage().since(before)
      inbox.finish()
      let queryable = try await prober.value
      await client.close()
      return Outcome(
        rows: readings.rows, distinct: readings.distinct, seconds: seconds, backlog: backlog, answers: answers, queryable: queryable, usage: usage)
    } catch {
      inbox.finish()
      prober.cancel()
      await client.close()
      throw error
    }
  }

  private func send(
    _ client: HTTPClient, to url: String, until end: End, _ began: ContinuousClock.Instant, _ pause: Duration?,
    _ acknowledged: (Readings.Sample, ContinuousClock.Instant) -> Void
  ) async throws -> Times {
    var times = Times()
    let headers: Headers = ["Authorization": "Bearer \(device)"]
    var turn = 0
    while goesOn(end, began) {
      if let pause {
        try await Task.sleep(until: began + pause * turn)
        turn += 1
      }
      let (body, sample) = readings.next()
      let sent = ContinuousClock.now
      let answer = try await client.send(.json(.post, url + "/sensors/v1.1/CreateObservations", body, headers: headers))
      let now = ContinuousClock.now
      times.add(now - sent)
      try expect(answer.status == 201, "readings were answered with \(answer.status): \(answer.text.prefix(300))")
      let taken = Self.addresses(in: answer.body)
      try expect(taken == Readings.rowsPerRequest, "\(taken) of \(Readings.rowsPerRequest) rows were taken: \(answer.text.prefix(300))")
      acknowledged(sample, now)
    }
    return times
  }

  private func goesOn(_ end: End, _ began: ContinuousClock.Instant) -> Bool {
    switch end {
    case .after(let duration): ContinuousClock.now - began < duration
    case .rows(let rows): readings.rows < rows
    case .told(let signal): !signal.isGiven
    }
  }

  /// The strings of an answer that begin as an address does; those of refused rows begin with `error`.
  private static func addresses(in body: [UInt8]) -> Int {
    var count = 0
    for index in body.indices.dropLast() where body[index] == UInt8(ascii: "\"") && body[index + 1] == UInt8(ascii: "h") { count += 1 }
    return count
  }

  /// Asks for readings just acknowledged until they can be read, one after another.
  private func prove(_ samples: AsyncStream<(Readings.Sample, ContinuousClock.Instant)>) async throws -> Times {
    let client = HTTPClient(.init(connectionsPerHost: 1))
    var times = Times()
    do {
      for await (sample, acknowledged) in samples {
        // One that waited here would tell of this loop's pace.
        if ContinuousClock.now - acknowledged > .milliseconds(2) { continue }
        while try await !Self.reads(sample, client, city.url) {
          try expect(ContinuousClock.now - acknowledged < .seconds(10), "\(sample) cannot be read 10 s after it was acknowledged")
        }
        times.add(ContinuousClock.now - acknowledged)
        try await Task.sleep(for: .milliseconds(20))
      }
      await client.close()
    } catch {
      await client.close()
      throw error
    }
    return times
  }

  private static func reads(_ sample: Readings.Sample, _ client: HTTPClient, _ url: String) async throws -> Bool {
    let path = "/sensors/v1.1/Datastreams(\(sample.datastream))/Observations?$filter=phenomenonTime%20eq%20\(sample.time)&$top=1"
    let answer = try await client.send(ClientRequest(.get, url + path))
    try expect(answer.isSuccess, "\(path) answered \(answer.status): \(answer.text.prefix(300))")
    guard let found = try JSONValue(parsing: answer.body)["value"]?.array?.first else { return false }
    try expect(found["result"]?.double == sample.value, "\(sample) should be \(sample.value): \(found)")
    return true
  }

  private func report(_ began: ContinuousClock.Instant) async {
    var last = readings.rows
    while (try? await Task.sleep(for: .seconds(5))) != nil {
      let rows = readings.rows
      let behind = (try? await city.behind()).map { ", \($0) events behind" } ?? ""
      let rate = Figure.text(Double(rows - last) / 5)
      say("  \(Int((ContinuousClock.now - began) / .seconds(1))) s: \(Figure.text(Double(rows))) rows, \(rate) rows/s\(behind)")
      last = rows
    }
  }

  // MARK: - The proof

  /// Looks for every reading that was acknowledged: in the tables, in hours and days, and over HTTP.
  /// - Parameter datastreams: of how many it asks over HTTP.
  func verify(datastreams: Int = 1_000) async throws {
    let expected = readings.expected()
    let (from, to) = (readings.span.lowerBound, readings.span.upperBound)
    let rows = try await city.sensors.query(
      """
      select datastream_id, count(*), sum(round(number * 100))::bigint from observations where phenomenon_time >= \(from) and phenomenon_time < \(to) group by 1
      """)
    try Self.compare(rows, expected, "observations")
    let hours = try await city.sensors.query(
      """
      select datastream_id, sum(readings)::bigint, round(sum(total) * 100)::bigint from observation_hours where hour >= \(from) and hour < \(to) group by 1
      """)
    try Self.compare(hours, expected, "observation_hours")
    // Days of the city begin at other moments than those of UTC: all of them are asked for, and the load has these tables for itself.
    let days = try await city.sensors.query(
      "select datastream_id, sum(readings)::bigint, round(sum(total) * 100)::bigint from observation_days where day >= (\(from) at time zone 'Europe/Berlin')::date and day <= (\(to) at time zone 'Europe/Berlin')::date group by 1"
    )
    try Self.compare(days, expected, "observation_days")
    let revised = try await city.sensors.query("select count(*) from observation_revisions")[0].value(Int64.self, at: 0)
    try expect(revised == 0, "\(revised) readings count as revised, and none was")
    let step = max(1, expected.count / datastreams)
    for (index, id) in expected.keys.sorted().enumerated() where index % step == 0 {
      let filter = "phenomenonTime ge \(from) and phenomenonTime lt \(to)"
      let answer = try await city.get("Datastreams(\(id))/Observations", [("$count", "true"), ("$top", "1"), ("$filter", filter)])
      let count = answer["@iot.count"]?.int
      try expect(count == expected[id]?.count, "datastream \(id) shows \(count ?? -1) readings of \(expected[id]?.count ?? -1) acknowledged")
    }
  }

  private static func compare(_ rows: Rows, _ expected: [Int64: (count: Int64, hundredths: Int64)], _ table: String) throws {
    try expect(rows.count == expected.count, "\(table) has readings of \(rows.count) datastreams instead of \(expected.count)")
    for row in rows {
      let (id, count, hundredths) = try row.decode(Int64.self, Int64.self, Int64.self)
      let wanted = expected[id] ?? (0, 0)
      try expect(
        (count, hundredths) == wanted, "\(table) has \(count) readings of datastream \(id), in sum \(hundredths) hundredths, instead of \(wanted)")
    }
  }
}
