import Foundation
import Postgres

extension Bench {
  /// How intake and reads hold from 1,000 to 100,000 datastreams and from 1 to 10 million stored observations.
  func scale() async throws {
    await endCity()
    let city = try await city(datastreams: 1_000)
    let factor = settings.isQuick ? 10 : 1
    var first: (intake: Double, reads: Double)?
    for (datastreams, stored) in [(1_000, 1_000_000 / factor), (1_000, 10_000_000 / factor), (100_000 / factor, 10_000_000 / factor)] {
      say("scale: \(datastreams) datastreams, \(stored) stored observations")
      try await city.register(datastreams)
      try await fill(city, to: Int64(stored))
      try await server.analyze()
      try await server.checkpoint()
      let readings = await Readings(datastreams: city.datastreams, begin: city.freshHours())
      let load = await IntakeLoad(city: city, readings: readings)
      let outcome = try await load.run(until: .after(.seconds(settings.shortSeconds)))
      say("  \(outcome.usage)")
      try await load.verify(datastreams: 200)
      try expect(outcome.backlog < .seconds(1), "the backlog at the end was \(outcome.backlog), and should be under a second")
      // Those that were there from the beginning have 100 readings at least, so that the answers are of one size.
      let some = readings.datastreams.prefix(1_000)
      let wrk = Wrk.paths(some.map { "/sensors/v1.1/Datastreams(\($0))/Observations?$orderby=phenomenonTime%20desc&$top=100" }, connections: 16)
      let reads = try await loaded(wrk, city)
      let base = first ?? (outcome.rate, reads.rate)
      let point = "\(Figure.text(Double(datastreams))) datastreams, \(Figure.text(Double(stored))) stored"
      add(Figure(measure: "scale", name: "intake, \(point)", value: outcome.rate, unit: "rows/s", limit: .init(name: "the first of these", value: base.0)))
      add(Figure(measure: "scale", name: "latest 100, \(point)", value: reads.rate, unit: "reads/s", limit: .init(name: "the first of these", value: base.1)))
      first = base
    }
    await endCity()
  }

  /// Stores observations of past months without sending them, so that there are that many.
  private func fill(_ city: City, to count: Int64) async throws {
    let datastreams = Int64(await city.datastreams.count)
    let stored = try await city.sensors.query("select count(*) from observations")[0].value(Int64.self, at: 0)
    guard stored < count else { return }
    let (first, missing) = (stored, count - stored)
    say("  storing \(Figure.text(Double(missing))) observations")
    // Three months, 90 days of 86,400 seconds, are enough for ten million of a thousand datastreams, and no two are of the same time.
    try await city.sensors.execute(
      "select dos_make_observation_partition(timestamptz '2025-01-01' + n * interval '1 month') from generate_series(0, 2) n")
    try await city.sensors.execute(
      """
      insert into observations (datastream_id, phenomenon_time, id, number, implausible, withdrawn, log_offset, log_index)
      select n % \(datastreams) + 1, timestamptz '2025-01-01' + n / \(datastreams) * interval '60 seconds',
        nextval('entity_ids_observations') - 500, n % 4000 / 100.0 + 10, false, false, 0, 0
      from generate_series(\(first), \(first + missing) - 1) n
      """)
  }
}
