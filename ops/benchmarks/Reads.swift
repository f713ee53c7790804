import JSON
import Time

extension Bench {
  private static let readers = 16

  /// Reads of a datastream's latest 100 observations.
  func reads() async throws {
    let (city, readings) = try await filled()
    try await server.analyze()
    let query = "$orderby=phenomenonTime%20desc&$top=100"
    for index in stride(from: 0, to: readings.datastreams.count, by: 97) { try await checkLatest(of: index, readings, city) }
    let wrk = Wrk.paths(readings.datastreams.map { "/sensors/v1.1/Datastreams(\($0))/Observations?\(query)" }, connections: Self.readers)
    say("reads: the latest 100 of \(readings.datastreams.count) datastreams over \(Self.readers) connections")
    let outcome = try await loaded(wrk, city)
    let limit = try await limits.select(
      "the same rows",
      """
      \\set d random(1, \(readings.datastreams.count))
      select id, phenomenon_time, number from observations where datastream_id = :d order by phenomenon_time desc limit 100;
      """)
    add(Figure(measure: "reads", name: "latest 100 of a datastream", value: outcome.rate, unit: "reads/s", limit: limit, aim: .atLeast(5_000)))
    add(Figure(measure: "reads", name: "latest 100 of a datastream, p50", value: outcome.p50, unit: "ms"))
    add(Figure(measure: "reads", name: "latest 100 of a datastream, p99", value: outcome.p99, unit: "ms", aim: .atMost(10)))
  }

  /// Reads of 100 datastreams, each with its latest observation.
  func expanded() async throws {
    let (city, readings) = try await filled()
    try await server.analyze()
    let query = "$expand=Observations($orderby=phenomenonTime%20desc;$top=1)&$orderby=id&$top=100"
    let pages = Array(stride(from: 0, to: readings.datastreams.count, by: 100))
    try await checkExpanded(readings, city)
    let wrk = Wrk.paths(pages.map { "/sensors/v1.1/Datastreams?\(query)&$skip=\($0)" }, connections: Self.readers)
    say("expanded: 100 of \(readings.datastreams.count) datastreams with their latest over \(Self.readers) connections")
    let outcome = try await loaded(wrk, city)
    let limit = try await limits.select(
      "the same rows expanded",
      """
      \\set s random(0, \(pages.count - 1))
      select d.*, o.* from (select * from datastreams order by id offset :s * 100 limit 100) d cross join lateral (
        select id, phenomenon_time, number from observations o where o.datastream_id = d.id order by phenomenon_time desc limit 1) o;
      """)
    add(Figure(measure: "expanded", name: "100 datastreams with their latest", value: outcome.rate, unit: "reads/s", limit: limit, aim: .atLeast(1_000)))
    add(Figure(measure: "expanded", name: "100 datastreams with their latest, p50", value: outcome.p50, unit: "ms"))
    add(Figure(measure: "expanded", name: "100 datastreams with their latest, p99", value: outcome.p99, unit: "ms"))
  }

  /// Runs a load for the short time, and says what it cost.
  func loaded(_ wrk: Wrk, _ city: City, path: String = "/") async throws -> Wrk.Outcome {
    let before = await city.usage()
    let outcome = try await wrk.run(city.url + path, seconds: settings.shortSeconds)
    say("  \(await city.usage().since(before)); \(Figure.text(outcome.requests)) answers of \(Figure.text(outcome.bytesEach)) bytes")
    return outcome
  }

  /// A datastream's latest 100 are the last 100 sent in order, newest first, each with its value.
  private func checkLatest(of index: Int, _ readings: Readings, _ city: City) async throws {
    guard let latest = readings.latest(of: index) else { throw Failure("no reading was sent to datastream \(readings.datastreams[index])") }
    let answer = try await city.get("Datastreams(\(latest.datastream))/Observations", [("$orderby", "phenomenonTime desc"), ("$top", "100")])
    let found = answer["value"]?.array ?? []
    try expect(found.count == 100, "\(found.count) observations of datastream \(latest.datastream) instead of 100")
    for (place, observation) in found.enumerated() {
      let wanted = Readings.Sample(datastream: latest.datastream, time: latest.time - .seconds(place))
      try expect(
        observation["phenomenonTime"]?.string == "\(wanted.time)" && observation["result"]?.double == wanted.value,
        "datastream \(latest.datastream) shows \(observation) at place \(place) instead of \(wanted.value) at \(wanted.time)")
    }
  }

  private func checkExpanded(_ readings: Readings, _ city: City) async throws {
    let answer = try await city.get("Datastreams", [("$expand", "Observations($orderby=phenomenonTime desc;$top=1)"), ("$orderby", "id"), ("$top", "100")])
    let found = answer["value"]?.array ?? []
    try expect(found.count == 100, "\(found.count) datastreams instead of 100")
    for (index, datastream) in found.enumerated() {
      let observations = datastream["Observations"]?.array ?? []
      let wanted = readings.latest(of: index)
      try expect(
        observations.count == 1 && observations[0]["result"]?.double == wanted?.value
          && observations[0]["phenomenonTime"]?.string == wanted.map { "\($0.time)" },
        "datastream \(index + 1) is expanded to \(observations) instead of \(String(describing: wanted))")
    }
  }
}
