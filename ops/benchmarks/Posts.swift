import Time

extension Bench {
  private static let senders = 16

  /// Single posts, each a reading of its own to one of the datastreams.
  func posts() async throws {
    let city = try await city()
    let datastreams = await city.datastreams
    let begin = await city.freshHours()
    // A whole day, since the script writes times of day.
    let day = Instant(milliseconds: begin.milliseconds / 86_400_000 * 86_400_000) - .seconds(86_400)
    let wrk = Wrk(connections: Self.senders, script: Self.script(datastreams, day: day, device: await city.device))
    try await server.checkpoint()
    say("posts: single readings over \(Self.senders) connections")
    let outcome = try await loaded(wrk, city)
    let backlog = try await city.catchUp()
    let rows = try await city.sensors.query(
      """
      select count(*), count(*) filter (where number = (extract(epoch from phenomenon_time)::bigint + datastream_id) % 30 + 10)
      from observations where phenomenon_time >= \(day) and phenomenon_time < \(day + .seconds(86_400))
      """)
    let (stored, right) = try rows[0].decode(Int64.self, Int64.self)
    // Those on their way when the time was up may have been stored, or not.
    let acknowledged = Int64(outcome.requests)
    try expect(
      stored >= acknowledged && stored <= acknowledged + Int64(Self.senders) && right == stored,
      "\(acknowledged) posts were acknowledged, \(stored) are stored and \(right) of them with the value sent")
    try expect(backlog < .seconds(1), "the backlog at the end was \(backlog), and should be under a second")
    let inserts = try await limits.inserts(clients: Self.senders)
    add(Figure(measure: "posts", name: "single posts", value: outcome.rate, unit: "posts/s", limit: inserts, aim: .atLeast(10_000)))
    add(Figure(measure: "posts", name: "single posts, p50", value: outcome.p50, unit: "ms"))
    add(Figure(measure: "posts", name: "single posts, p99", value: outcome.p99, unit: "ms", limit: try await limits.fsync()))
  }

  /// One reading after another: a second later than the last of its datastream.
  private static func script(_ datastreams: [Int64], day: Instant, device: String) -> String {
    """
    local ids, turn = {\(datastreams.map(String.init).joined(separator: ","))}, 0
    local day, epoch = '\(String("\(day)".prefix(10)))', \(day.milliseconds / 1_000)
    local headers = { ['Authorization'] = 'Bearer \(device)', ['Content-Type'] = 'application/json' }
    function request()
      local id, s = ids[turn % #ids + 1], math.floor(turn / #ids)
      turn = turn + 1
      local time = string.format('%sT%02d:%02d:%02dZ', day, math.floor(s / 3600), math.floor(s / 60) % 60, s % 60)
      return wrk.format('POST', '/sensors/v1.1/Datastreams(' .. id .. ')/Observations', headers,
        '{"phenomenonTime":"' .. time .. '","result":' .. ((epoch + s + id) % 30 + 10) .. '}')
    end

    """
  }
}
