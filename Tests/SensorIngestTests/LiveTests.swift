import Broker
import Foundation
import HTTP
import JSON
import SensorDomain
import Synchronization
import TestSupport
import Testing
import Time

@testable import SensorIngest

@Suite("The live stream")
struct LiveTests {
  /// Keeps what a stream would send.
  private final class Sink: StreamSink {
    private let sent = Mutex("")
    var text: String { sent.withLock { $0 } }
    var isOpen: Bool { true }
    func push(_ bytes: [UInt8]) { sent.withLock { $0 += String(decoding: bytes, as: UTF8.self) } }
    func end() {}
  }

  private func publish(_ datastream: Int64, _ visibility: DatastreamVisibility, _ result: Double, through broker: PostgresBroker) async throws {
    let reading = RecordedReading(
      id: 1, observation: Observation(phenomenonTime: Instant(milliseconds: 0), result: .number(result)), verdict: .plausible)
    let fact = ObservationFact.recorded(ObservationsRecorded(datastream: datastream, readings: [reading]))
    let event = CloudEvent(
      id: UUID(), source: "/dortmund/sensors", type: ObservationsRecorded.type, subject: "datastream-\(datastream)", time: Instant(milliseconds: 0),
      city: "dortmund", data: fact.data)
    _ = try await broker.publish([OutgoingEvent(topic: ObservationTopics.topic(visibility), key: String(datastream), event: event)])
  }

  @Test("brings new readings of the datastreams asked for, and none that its reader may not see")
  func filters() async throws {
    try await withTestDatabase { pool in
      let broker = try await PostgresBroker.open(pool.configuration, unsafeDurability: true)
      try await broker.declare(ObservationTopics.declared)
      let live = Live(broker: broker)
      try await live.start()
      let router = try Router(live.routes)
      let response = await router.respond(to: try Request(method: .get, target: "/sensors/live?datastream=1&datastream=2"))
      guard case .stream(let stream) = response.body else { throw Problem.notFound("no stream: \(response.status)") }
      let sink = Sink()
      let reading = Task { try await stream.run(EventStreamWriter(sink)) }
      let deadline = ContinuousClock.now + .seconds(20)
      // The stream begins when it is attached, which nobody outside can see: readings are sent until one arrives.
      while !sink.text.contains(#""result":5"#), ContinuousClock.now < deadline {
        try await publish(2, .restricted, 7, through: broker)
        try await publish(3, .public, 6, through: broker)
        try await publish(1, .public, 5, through: broker)
        try await Task.sleep(for: .milliseconds(50))
      }
      let text = sink.text
      #expect(text.contains("event: observations"))
      #expect(
        text.contains(#"{"datastream":1,"observations":[{"@iot.id":1,"phenomenonTime":"1970-01-01T00:00:00.000Z","result":5,"dos:verdict":"plausible"}]}"#))
      #expect(text.contains("id: public:"))
      #expect(!text.contains(#""result":6"#))
      #expect(!text.contains(#""result":7"#))
      await live.stop()
      try? await reading.value
      await broker.close()
    }
  }

  /// Opens the stream as a reader of the administration, until it has said what is looked for.
  private func read(_ live: Live, after lastID: String? = nil, until isThere: (String) -> Bool) async throws -> String {
    var headers: Headers = [:]
    if let lastID { headers["Last-Event-ID"] = lastID }
    var request = try Request(method: .get, target: "/sensors/live", headers: headers)
    request.caller = Caller(id: "r", roles: ["reader"], kind: .person)
    guard case .stream(let stream) = try await Router(live.routes).respond(to: request).body else { throw Problem.notFound("no stream") }
    let sink = Sink()
    let reading = Task { try await stream.run(EventStreamWriter(sink)) }
    let deadline = ContinuousClock.now + .seconds(20)
    while !isThere(sink.text), ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(10)) }
    reading.cancel()
    _ = try? await reading.value
    return sink.text
  }

  private func lastID(_ text: String) -> String? {
    text.split(separator: "\n").last { $0.hasPrefix("id: ") }.map { String($0.dropFirst(4)) }
  }

  private func results(_ text: String) -> [String] {
    text.split(separator: "\n").filter { $0.hasPrefix("data: ") }.compactMap { line in
      line.split(separator: "\"result\":").dropFirst().first.map { String($0.prefix { $0 != "," }) }
    }
  }

  @Test("who comes back misses nothing of a topic that had said nothing before, also after a restart of the server")
  func silentTopics() async throws {
    try await withTestDatabase { pool in
      let broker = try await PostgresBroker.open(pool.configuration, unsafeDurability: true)
      try await broker.declare(ObservationTopics.declared)
      let live = Live(broker: broker)
      try await live.start()
      // Cut off before the first event: the stream began with its place.
      let nothing = try await read(live) { $0.contains("id: ") }
      #expect(results(nothing).isEmpty)
      try await publish(1, .public, 1, through: broker)
      // The feed has heard of it when a new stream begins behind it.
      let deadline = ContinuousClock.now + .seconds(10)
      var begin = nothing
      while lastID(begin) == lastID(nothing), ContinuousClock.now < deadline { begin = try await read(live) { $0.contains("id: ") } }
      #expect(lastID(begin) != lastID(nothing))
      let first = try await read(live, after: lastID(nothing)) { results($0).count == 1 }
      #expect(results(first) == ["1"])
      // The internal topic has not spoken to this reader yet.
      try await publish(2, .internal, 2, through: broker)
      try await publish(1, .public, 3, through: broker)
      let second = try await read(live, after: lastID(first)) { results($0).count == 2 }
      #expect(Set(results(second)) == ["2", "3"])
      await live.stop()
      try await publish(2, .internal, 4, through: broker)
      let restarted = Live(broker: broker)
      try await restarted.start()
      try await publish(1, .public, 5, through: broker)
      let third = try await read(restarted, after: lastID(second)) { results($0).count == 2 }
      #expect(Set(results(third)) == ["4", "5"])
      try await publish(1, .public, 6, through: broker)
      let fourth = try await read(restarted, after: lastID(third)) { !results($0).isEmpty }
      #expect(results(fourth) == ["6"])
      let strange = try await read(restarted, after: "public:x") { $0.contains("event: reset") }
      #expect(strange.contains("event: reset"))
      await restarted.stop()
      await broker.close()
    }
  }

  @Test("refuses what is no id")
  func refuses() async throws {
    try await withTestDatabase { pool in
      let broker = try await PostgresBroker.open(pool.configuration, unsafeDurability: true)
      let router = try Router(Live(broker: broker).routes)
      for query in ["datastream=x", "datastream=01", "stream=1"] {
        #expect(await router.respond(to: try Request(method: .get, target: "/sensors/live?\(query)")).status == 400)
      }
      await broker.close()
    }
  }
}
