import Foundation
import JSON
import Time

/// A seeded simulation of both cities: registers its things, makes up the last day, then goes on in real time until its task is cancelled.
///
/// It is a client like any other. A server that is away is waited for; readings due meanwhile are sent when it is back.
struct Demo: Sendable {
  var api: DemoAPI
  var seed: UInt64
  /// How far back the readings begin for a datastream that has none.
  var history: Duration = .seconds(24 * 3600)
  var report: @Sendable (String) -> Void

  private static let rowsPerRequest = 2_000

  func run() async throws {
    let datastreams = try await patiently { try await DemoRegistration(api: api, seed: seed).run() }
    report("\(DemoThing.all.count) things with \(datastreams.count) datastreams are registered")
    var next: [Instant] = []
    for datastream in datastreams { next.append(try await patiently { try await firstMissing(of: datastream) }) }
    var sent = 0
    var told = ContinuousClock.now
    var isLive = false
    while !Task.isCancelled {
      let now = Instant.now()
      let due = Self.due(datastreams, next, at: now)
      if !due.isEmpty {
        try await patiently { try check(try await api.createObservations(Self.body(due))) }
        sent += due.reduce(0) { $0 + $1.times.count }
        for part in due {
          if let last = part.times.last { next[part.index] = last + .seconds(part.datastream.stream.interval) }
        }
        let full = due.reduce(0) { $0 + $1.times.count } >= Self.rowsPerRequest
        if !isLive || told.duration(to: .now) > .seconds(60) {
          report("\(sent) readings sent\(full ? "" : "; going on in real time")")
          told = .now
        }
        isLive = !full
        if full { continue }
      }
      try await Task.sleep(for: .seconds(1))
    }
  }

  /// The first moment on the datastream's own grid for which it has no reading. The grids of two datastreams are apart, so that readings trickle in.
  private func firstMissing(of datastream: DemoDatastream) async throws(DemoFailure) -> Instant {
    let page = try await api.get("Datastreams(\(datastream.id))/Observations?$orderby=phenomenonTime%20desc&$top=1&$select=phenomenonTime")
    let interval = Int64(datastream.stream.interval) * 1000
    let offset = datastream.id * 7_000 % interval
    var from = Instant.now() - history
    if let text = page["value"]?.array?.first?["phenomenonTime"]?.string, let latest = Instant(rfc3339: text), latest >= from {
      from = latest + .milliseconds(1)
    }
    let steps = (from.milliseconds - offset + interval - 1) / interval
    return Instant(milliseconds: steps * interval + offset)
  }

  private struct Due: Sendable {
    var index: Int
    var datastream: DemoDatastream
    var times: [Instant]
  }

  /// What is due, at most one request full.
  private static func due(_ datastreams: [DemoDatastream], _ next: [Instant], at now: Instant) -> [Due] {
    var room = rowsPerRequest
    var parts: [Due] = []
    for (index, datastream) in datastreams.enumerated() where room > 0 {
      var times: [Instant] = []
      var time = next[index]
      while time <= now, times.count < room {
        times.append(time)
        time = time + .seconds(datastream.stream.interval)
      }
      if !times.isEmpty { parts.append(Due(index: index, datastream: datastream, times: times)) }
      room -= times.count
    }
    return parts
  }

  private static func body(_ parts: [Due]) -> [UInt8] {
    var writer = JSONWriter(capacity: 1 << 16)
    writer.array { writer in
      for part in parts {
        writer.object { writer in
          writer.key("Datastream")
          writer.object { writer in
            writer.key("@iot.id")
            writer.int(part.datastream.id)
          }
          writer.key("components")
          writer.array { writer in
            writer.string("phenomenonTime")
            writer.string("result")
          }
          writer.key("dataArray")
          writer.array { writer in
            for time in part.times {
              writer.array { writer in
                writer.string(time.rfc3339)
                writer.double(part.datastream.stream.signal.value(at: time, seed: part.datastream.seed))
              }
            }
          }
        }
      }
    }
    return writer.bytes
  }

  private func check(_ answers: JSONValue) throws {
    let refused = (answers.array ?? []).compactMap(\.string).filter { $0.hasPrefix("error") }
    if let first = refused.first { report("\(refused.count) readings were refused, the first with: \(first)") }
  }

  /// Repeats what failed for a reason that may pass, ever slower up to every 10 s.
  private func patiently<T: Sendable>(_ work: @Sendable () async throws -> T) async throws -> T {
    var pause = Duration.milliseconds(250)
    while true {
      do {
        return try await work()
      } catch let failure as DemoFailure where failure.isTransient {
        report("\(failure); trying again in \(pause)")
        try await Task.sleep(for: pause)
        pause = min(pause * 2, .seconds(10))
      }
    }
  }
}
