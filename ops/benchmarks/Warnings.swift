import Time

extension Bench {
  private static let aim = Figure.Aim.atMost(250)

  /// With 500 rules over 10,000 datastreams, the time from the reading that crosses a threshold to the hint, and from an approval to each channel: idle and with
  /// 5,000 observations a second beside it. Then 10,000 streams of the app.
  func warnings() async throws {
    await endCity()
    let rules = settings.isQuick ? 50 : 500
    let warned = try await WarnedCity.new(on: server, rules: rules)
    do {
      try await warnings(warned, rules)
      try await appStreams(warned)
    } catch {
      await warned.end()
      throw error
    }
    await warned.end()
  }

  private func warnings(_ warned: WarnedCity, _ rules: Int) async throws {
    // The first are not counted: they find out when all rules are watched for.
    var next = 0
    for _ in 0..<rules / 10 {
      _ = try await warned.raise(next)
      next += 1
    }
    let half = (rules - next) / 2
    _ = try await limits.commit()
    try await hints(warned, next..<next + half, "idle")
    try await approvals(warned, settings.isQuick ? 10 : 150, "idle")
    try await loaded(warned) { try await self.hints(warned, next + half..<rules, "5,000 obs/s") }
    try await loaded(warned) { try await self.approvals(warned, self.settings.isQuick ? 10 : 150, "5,000 obs/s") }
  }

  private func hints(_ warned: WarnedCity, _ rules: Range<Int>, _ when: String) async throws {
    say("warnings: \(rules.count) readings that cross a threshold, \(when)")
    var (hints, pages) = (Times(), Times())
    for rule in rules {
      let times = try await warned.raise(rule)
      hints.add(times.hint)
      pages.add(times.page)
    }
    try await add(hints, "reading until hint, \(when)", aim: Self.aim)
    try await add(pages, "reading until the crew's webhook has its page, \(when)", aim: nil)
  }

  private func approvals(_ warned: WarnedCity, _ count: Int, _ when: String) async throws {
    say("warnings: \(count) approvals, \(when)")
    let app = try await OpenStreams(1, path: "/warnings/stream", mark: OpenStreams.alert, port: warned.city.port)
    defer { app.end() }
    var waiting: [WarnedCity.Submitted] = []
    for _ in 0..<count { waiting.append(try await warned.submitted()) }
    var channels: [(name: String, times: Times)] = ["app", "webhook", "mail", "CAP feed", "topic"].map { ($0, Times()) }
    for (number, submitted) in waiting.enumerated() {
      let (began, message) = try await warned.approve(submitted)
      async let fed = warned.fed(message)
      async let streamed = app.wait(for: number + 1)
      async let hooked = warned.hook.arrivals.wait(for: message, "webhook")
      async let mailed = warned.mail.arrivals.wait(for: message, "mail")
      async let told = warned.topic.arrivals.wait(for: message, "topic")
      for (place, moment) in try await [streamed, hooked, mailed, fed, told].enumerated() { channels[place].times.add(moment - began) }
    }
    for channel in channels { try await add(channel.times, "approval until \(channel.name), \(when)", aim: Self.aim) }
  }

  /// Does something while 5,000 readings a second come to the datastreams that rules look at.
  private func loaded(_ warned: WarnedCity, _ body: () async throws -> Void) async throws {
    // A load's readings in order are a second apart, and of each datastream one comes in two seconds: none is of the future, and few are late.
    let readings = Readings(datastreams: warned.loaded, begin: .now() - .seconds(60))
    let load = await IntakeLoad(city: warned.city, readings: readings)
    let over = Signal()
    let loading = Task { try await load.run(until: .told(over), proves: false, rowsPerSecond: 5_000) }
    do {
      try await Task.sleep(for: .seconds(5))
      try await body()
    } catch {
      over.give()
      _ = try? await loading.value
      throw error
    }
    over.give()
    let outcome = try await loading.value
    say("  beside \(Figure.text(outcome.rate)) observations/s, \(outcome.usage)")
    try expect(outcome.rate > 4_500, "only \(Figure.text(outcome.rate)) observations a second came beside it")
  }

  /// From an approval until the last of all streams of the app has the alert.
  private func appStreams(_ warned: WarnedCity) async throws {
    let count = settings.isQuick ? 1_000 : 10_000
    say("warnings: \(count) streams of the app")
    let streams = try await OpenStreams(count, path: "/warnings/stream", mark: OpenStreams.alert, port: warned.city.port)
    defer { streams.end() }
    let rounds = settings.isQuick ? 5 : 20
    var times = Times()
    for round in 1...rounds {
      let (began, _) = try await warned.approve(try await warned.submitted())
      times.add(try await streams.wait(for: round * count) - began)
    }
    let (least, most) = streams.extremes
    try expect(least == rounds && most == rounds && streams.ended == 0, "the streams had from \(least) to \(most) of \(rounds) alerts, \(streams.ended) ended")
    add(Figure(measure: "warnings", name: "approval until the last of \(count) app streams, p50", value: times.percentile(50), unit: "ms"))
    add(
      Figure(measure: "warnings", name: "approval until the last of \(count) app streams, slowest", value: times.percentile(100), unit: "ms", aim: Self.aim))
  }

  /// - Parameter times: their median stands beside what one durable row costs, of which each way needs several.
  private func add(_ times: Times, _ name: String, aim: Figure.Aim?) async throws {
    add(Figure(measure: "warnings", name: "\(name), p50", value: times.percentile(50), unit: "ms", limit: try await limits.commit()))
    add(Figure(measure: "warnings", name: "\(name), p99", value: times.percentile(99), unit: "ms", aim: aim))
  }
}
