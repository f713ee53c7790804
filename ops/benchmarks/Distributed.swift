import Foundation
import Time

extension Bench {
  /// The city in processes of its own, on Kafka: rates with 1, 2 and 4 of them, the time until a reading can be read under half of the load, and what a million
  /// readings cost.
  func distributed() async throws {
    await endCity()
    var first: Double?
    for instances in settings.isQuick ? [1, 2] : [1, 2, 4] {
      let kafka = try await KafkaServer.fresh()
      do {
        let city = try await City.new(on: server, kafka: kafka, instances: instances)
        let rate = try await distributed(city, kafka, first: first)
        if first == nil {
          try await halfLoaded(city, rate / 2)
          try await manyDatastreams(city, rate)
        }
        first = first ?? rate
        await city.end()
      } catch {
        await kafka.stop()
        throw error
      }
      await kafka.stop()
    }
  }

  private func distributed(_ city: City, _ kafka: KafkaServer, first: Double?) async throws -> Double {
    let instances = await city.pids.count
    try await city.register(1_000)
    try await warmUp(city)
    let readings = await Readings(datastreams: city.datastreams, begin: city.freshHours())
    try await server.checkpoint()
    say("distributed: \(instances) instance\(instances == 1 ? "" : "s"), \(settings.shortSeconds) s")
    let load = await IntakeLoad(city: city, readings: readings)
    let before = await city.usage()
    let outcome = try await load.run(until: .after(.seconds(settings.shortSeconds)))
    let used = await city.usage().times(since: before)
    say("  \(outcome.usage)")
    let memory = await city.pids.map { Usage.resident($0) }.max() ?? 0
    try await load.verify(datastreams: 200)
    let name = "\(instances) instance\(instances == 1 ? "" : "s")"
    if let first {
      add(Figure(measure: "distributed", name: "intake, \(name)", value: outcome.rate, unit: "rows/s", limit: .init(name: "one instance", value: first)))
    } else {
      let copy = try await limits.copy()
      add(Figure(measure: "distributed", name: "intake, \(name)", value: outcome.rate, unit: "rows/s", limit: copy, aim: .atLeast(25_000)))
      add(Figure(measure: "distributed", name: "acknowledged until read, p99", value: outcome.queryable.percentile(99), unit: "ms"))
      let millions = Double(outcome.rows) / 1e6
      for (part, seconds) in [("dos", used.dos), ("PostgreSQL", used.postgres), ("Kafka", used.kafka)] {
        add(Figure(measure: "distributed", name: "\(part), per million readings", value: seconds / millions, unit: "CPU s"))
      }
      add(Figure(measure: "distributed", name: "Kafka in memory", value: Usage.resident(kafka.pid) / 1e6, unit: "MB"))
    }
    add(Figure(measure: "distributed", name: "the largest of \(name) in memory", value: memory / 1e6, unit: "MB", aim: .atMost(150)))
    try expect(outcome.backlog < .seconds(5), "the backlog at the end was \(outcome.backlog)")
    return outcome.rate
  }

  /// Kafka runs on a machine that compiles what is used often: in its first half minute it is a third slower.
  private func warmUp(_ city: City) async throws {
    say("  warming up")
    let load = await IntakeLoad(city: city, readings: Readings(datastreams: city.datastreams, begin: city.freshHours()))
    _ = try await load.run(until: .after(.seconds(settings.shortSeconds)), proves: false)
  }

  /// From a fact's acknowledgement until it is in the read model, at a rate that leaves the machine room.
  private func halfLoaded(_ city: City, _ rate: Double) async throws {
    let readings = await Readings(datastreams: city.datastreams, begin: city.freshHours())
    say("distributed: \(Figure.text(rate)) rows/s, half of what it takes")
    let load = await IntakeLoad(city: city, readings: readings)
    let outcome = try await load.run(until: .after(.seconds(settings.shortSeconds)), rowsPerSecond: rate)
    say("  \(outcome.usage)")
    add(Figure(measure: "distributed", name: "half load until read, p50", value: outcome.queryable.percentile(50), unit: "ms"))
    add(Figure(measure: "distributed", name: "half load until read, p99", value: outcome.queryable.percentile(99), unit: "ms", aim: .atMost(500)))
  }

  private func manyDatastreams(_ city: City, _ first: Double) async throws {
    let count = settings.isQuick ? 10_000 : 100_000
    say("distributed: \(count) datastreams")
    try await city.register(count)
    try await server.analyze(["dos_sensors"])
    let readings = await Readings(datastreams: city.datastreams, begin: city.freshHours())
    let load = await IntakeLoad(city: city, readings: readings)
    let outcome = try await load.run(until: .after(.seconds(settings.shortSeconds)))
    say("  \(outcome.usage)")
    let point = "\(Figure.text(Double(count))) datastreams"
    add(
      Figure(
        measure: "distributed", name: "intake, 1 instance, \(point)", value: outcome.rate, unit: "rows/s", limit: .init(name: "1,000 datastreams", value: first)
      ))
    add(Figure(measure: "distributed", name: "in memory, \(point)", value: Usage.resident(await city.pid) / 1e6, unit: "MB"))
  }
}
