import Foundation

/// What the loaded minute left.
struct Loaded: Sendable {
  let outcome: IntakeLoad.Outcome
  /// Bytes of the databases and of the log that it added.
  let sensors: Double
  let broker: Double
  let log: Double
  /// Bytes in memory at its end.
  let dos: Double
  let postgres: Double
}

extension Bench {
  /// Observations from HTTP until queryable: requests of 100 rows over 10 of 1,000 datastreams, 2 % late, 2 % doubled, rollups and one live stream on.
  func intake() async throws {
    let load = try await load()
    let outcome = load.outcome
    let copy = try await limits.copy()
    add(Figure(measure: "intake", name: "observations until queryable", value: outcome.rate, unit: "rows/s", limit: copy, aim: .atLeast(50_000)))
    add(Figure(measure: "intake", name: "answer to 100 rows, p50", value: outcome.answers.percentile(50), unit: "ms"))
    add(Figure(measure: "intake", name: "answer to 100 rows, p99", value: outcome.answers.percentile(99), unit: "ms"))
    add(Figure(measure: "intake", name: "acknowledged until read, p50", value: outcome.queryable.percentile(50), unit: "ms"))
    add(Figure(measure: "intake", name: "acknowledged until read, p99", value: outcome.queryable.percentile(99), unit: "ms"))
    add(Figure(measure: "intake", name: "backlog at the end", value: outcome.backlog / .milliseconds(1), unit: "ms", aim: .atMost(1_000)))
    try expect(outcome.backlog < .seconds(1), "the backlog at the end was \(outcome.backlog), and should be under a second")
  }

  /// Resident memory after the loaded minute.
  func memory() async throws {
    let load = try await load()
    add(Figure(measure: "memory", name: "dos after the load", value: load.dos / 1e6, unit: "MB", aim: .atMost(150)))
    add(Figure(measure: "memory", name: "PostgreSQL after the load", value: load.postgres / 1e6, unit: "MB"))
  }

  /// What a million different observations take.
  func disk() async throws {
    let load = try await load()
    let millions = Double(load.outcome.distinct) / 1e6
    add(Figure(measure: "disk", name: "read models, per million observations", value: load.sensors / 1e6 / millions, unit: "MB"))
    add(Figure(measure: "disk", name: "topics, per million observations", value: load.broker / 1e6 / millions, unit: "MB"))
    add(Figure(measure: "disk", name: "written to the log, per million observations", value: load.log / 1e6 / millions, unit: "MB"))
  }

  /// The loaded minute, on a city of its own.
  func load() async throws -> Loaded {
    if let loaded { return loaded }
    await endCity()
    let city = try await city()
    let readings = await Readings(datastreams: city.datastreams, begin: city.freshHours())
    try await server.checkpoint()
    let before = try await server.bytes()
    let live = try await OpenStreams(1, path: "/sensors/live", mark: OpenStreams.reading, port: city.port)
    defer { live.end() }
    say("intake: \(settings.seconds) s over \(IntakeLoad.connections) connections")
    let load = await IntakeLoad(city: city, readings: readings)
    let outcome = try await load.run(until: .after(.seconds(settings.seconds)))
    say("  \(outcome.usage); \(Figure.text(Double(outcome.rows))) rows acknowledged, \(outcome.queryable.count) read back meanwhile")
    let (dos, postgres) = (Usage.resident(await city.pid), Usage.proportional(of: server.postmaster))
    _ = try await live.wait(for: Int(outcome.rows))
    try expect(live.received.total == Int(outcome.rows) && live.ended == 0, "the live stream had \(live.received.total) readings of \(outcome.rows)")
    say("  looking for every acknowledged row")
    try await load.verify()
    try await server.checkpoint()
    let after = try await server.bytes()
    let left = Loaded(
      outcome: outcome, sensors: after.sensors - before.sensors, broker: after.broker - before.broker, log: after.log - before.log,
      dos: dos, postgres: postgres)
    loaded = left
    self.readings = readings
    return left
  }

  /// The shared city with at least 100 readings of each datastream, from the loaded minute where there was one.
  func filled() async throws -> (city: City, readings: Readings) {
    let city = try await city()
    if let readings { return (city, readings) }
    let readings = await Readings(datastreams: city.datastreams, begin: city.freshHours())
    say("200 readings for each datastream")
    let load = await IntakeLoad(city: city, readings: readings)
    _ = try await load.run(until: .rows(Int64(200 * readings.datastreams.count)), proves: false)
    self.readings = readings
    return (city, readings)
  }
}
