import Foundation
import HTTP
import Time

extension Bench {
  /// Requests to a route that does nothing, beside nginx that answers as many bytes.
  func empty() async throws {
    let city = try await city()
    let answer = try await city.client.send(ClientRequest(.get, city.url + "/health/live"))
    try expect(answer.isSuccess, "/health/live answered \(answer.status)")
    let limit = try await limits.nginx(connections: 64, bytes: answer.body.count)
    say("empty: /health/live over 64 connections")
    let outcome = try await loaded(Wrk(connections: 64, threads: 2), city, path: "/health/live")
    add(Figure(measure: "empty", name: "an empty route", value: outcome.rate, unit: "requests/s", limit: limit, aim: .ofLimit(0.75)))
    add(Figure(measure: "empty", name: "an empty route, p99", value: outcome.p99, unit: "ms"))
  }

  /// 10,000 open streams: what each holds, and the time from a post until the last one has its reading.
  func streams() async throws {
    let city = try await city()
    // Memory that an earlier load left free would hide what streams take.
    await city.stop()
    _ = try await city.start()
    let count = settings.isQuick ? 1_000 : 10_000
    let datastream = await city.datastreams[0]
    let begin = await city.freshHours()
    let headers: Headers = ["Authorization": "Bearer \(await city.device)"]
    let post: @Sendable (Int) async throws -> Void = { number in
      let time = begin + .seconds(number)
      let body = Array(#"{"phenomenonTime":"\#(time)","result":21.5}"#.utf8)
      let answer = try await city.client.send(.json(.post, "\(city.url)/sensors/v1.1/Datastreams(\(datastream))/Observations", body, headers: headers))
      try expect(answer.status == 201, "a post was answered with \(answer.status): \(answer.text.prefix(300))")
    }
    for number in 0..<20 { try await post(number) }
    // These are no event of the streams that are counted: whoever tells of them must be done.
    _ = try await city.catchUp()
    try await Task.sleep(for: .seconds(1))
    let before = Usage.resident(await city.pid)
    say("streams: \(count) of them")
    let streams = try await OpenStreams(count, path: "/sensors/live?datastream=\(datastream)", mark: OpenStreams.reading, port: city.port)
    defer { streams.end() }
    let metrics = try await city.client.send(ClientRequest(.get, city.url + "/metrics")).text
    try expect(metrics.contains("\ndos_http_streams \(count)\n"), "the server does not count \(count) streams")
    let each = (Usage.resident(await city.pid) - before) / Double(count)
    var times = Times()
    let rounds = settings.isQuick ? 5 : 20
    for round in 1...rounds {
      let sent = ContinuousClock.now
      try await post(100 + round)
      times.add(try await streams.wait(for: round * count) - sent)
    }
    let (least, most) = streams.extremes
    try expect(
      least == rounds && most == rounds && streams.ended == 0, "the streams had from \(least) to \(most) of \(rounds) readings, \(streams.ended) ended")
    let after = (Usage.resident(await city.pid) - before) / Double(count)
    add(Figure(measure: "streams", name: "memory of each of \(count), opened", value: each, unit: "bytes", aim: .atMost(2_000)))
    add(Figure(measure: "streams", name: "memory of each of \(count), after \(rounds) events", value: after, unit: "bytes"))
    add(Figure(measure: "streams", name: "post until the last of \(count) has it, p50", value: times.percentile(50), unit: "ms", aim: .atMost(100)))
    add(Figure(measure: "streams", name: "post until the last of \(count) has it, slowest", value: times.percentile(100), unit: "ms"))
  }

  /// What a city takes of a machine on which nothing happens: a small one has other things to do.
  func idle() async throws {
    let city = try await city()
    // What came before may still be swept up.
    try await Task.sleep(for: .seconds(settings.isQuick ? 2 : 10))
    let before = await city.usage()
    try await Task.sleep(for: .seconds(settings.shortSeconds))
    let used = await city.usage().times(since: before)
    for (part, seconds) in [("dos", used.dos), ("PostgreSQL", used.postgres)] {
      add(Figure(measure: "idle", name: "\(part), of one core", value: seconds / Double(settings.shortSeconds) * 100, unit: "%"))
    }
  }

  /// From the start of the process until it is ready, on databases with what the other measures left and on empty ones.
  func start() async throws {
    let (city, _) = try await filled()
    var times = Times()
    for _ in 0..<5 {
      await city.stop()
      times.add(try await city.start())
    }
    add(Figure(measure: "start", name: "dos serve all until ready, median of 5", value: times.percentile(50) / 1_000, unit: "s", aim: .atMost(2)))
    await endCity()
    let fresh = try await City.new(on: server)
    add(Figure(measure: "start", name: "on empty databases", value: await fresh.firstStart / .seconds(1), unit: "s"))
    await fresh.end()
  }
}
