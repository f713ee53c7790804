import Broker
import EventSourcing
import Foundation
import Geo
import HTTP
import JSON
import Postgres
import Synchronization
import TestSupport
import Testing
import Time

@testable import Warning
import WarningDomain

@Suite("Warnings survive", .timeLimit(.minutes(5))) struct TroubleTests {
  @Test("a death between approval and delivery: whoever starts next delivers, once") func killedBetween() async throws {
    try await withTestDatabase(migrate: WholeWarnings.schema(), size: 8) { pool in
      let broker = try await PostgresBroker.open(pool.configuration, unsafeDurability: true)
      try await broker.declare(WarningService().topics)
      let clock = TestClock()
      let hook = try WebhookReceiver()
      try await hook.start()
      // It has reacted to nothing yet when it dies; that it exists at all is known since an earlier start.
      try await WholeWarnings.serving(pool, broker, clock) { city in
        try await city.subscribe(hook)
        #expect(try await eventually { try await pool.query("select 1 from dos_checkpoints where subscription = 'dispatch'").count == 1 })
      }
      try await WholeWarnings.serving(pool, broker, clock, leaving: ["warnings reactions"]) { city in
        _ = try await city.issue(Content.flood())
        #expect(hook.letters.isEmpty)
      }
      try await WholeWarnings.serving(pool, broker, clock) { city in
        #expect(try await eventually { hook.letters.count == 1 })
        let alerts = try await city.get("/warnings/active", as: nil) { $0["alerts"]?.array?.count == 1 }
        #expect(alerts["alerts"]?.array?.count == 1)
      }
      // Nothing is told again at a further start, nor by a replay.
      try await WholeWarnings.serving(pool, broker, clock) { city in
        for replay in city.replays { _ = try await replay.run(false) { _ in } }
        _ = try await city.issue(Content.flood("Ein anderes"))
        #expect(try await eventually { hook.letters.count == 2 })
      }
      #expect(hook.letters.count == 2)
      await hook.stop()
      await broker.close()
    }
  }

  @Test("a death in the middle of an attempt: it is found, and goes out again under the same id") func killedAttempting() async throws {
    try await withTestDatabase(migrate: WholeWarnings.schema(), size: 8) { pool in
      let broker = try await PostgresBroker.open(pool.configuration, unsafeDurability: true)
      try await broker.declare(WarningService().topics)
      let clock = TestClock()
      let hook = try WebhookReceiver()
      try await hook.start()
      try await WholeWarnings.serving(pool, broker, clock, leaving: ["warnings post webhook"]) { city in
        try await city.subscribe(hook)
        let (alert, message) = try await city.issue(Content.flood())
        let waiting = try await city.get("/warnings/\(alert)/deliveries") { value in
          value["deliveries"]?.array?.count == 4
            && value["deliveries"]?.array?.contains { $0["channel"]?.string == "webhook" && $0["status"]?.string == "due" } == true
        }
        #expect(waiting["deliveries"]?.array?.count == 4)
        // What a process decided that then died.
        let stream = try #require(try await pool.query("select stream from deliveries where channel = 'webhook'").first).value(String.self, at: 0)
        let journal = Journal(pool: pool, topic: WarningTopics.decisions, city: "dortmund", source: "/dortmund/warnings")
        _ = try await handle(
          DeliveryDecider.self, .attempt(message: UUID(uuidString: message) ?? UUID(), at: clock.now), stream: stream, in: journal,
          coding: WarningCoding.deliveries, partition: 0, context: EventContext(time: clock.now))
        await journal.close()
        _ = try await city.get("/warnings/\(alert)/deliveries") { value in
          value["deliveries"]?.array?.contains { $0["status"]?.string == "attempting" } == true
        }
      }
      try await WholeWarnings.serving(pool, broker, clock) { city in
        clock.pass(.seconds(59))
        #expect(hook.letters.isEmpty)
        clock.pass(.seconds(5))
        let came = try await eventually { hook.letters.count == 1 }
        #expect(came)
      }
      await hook.stop()
      await broker.close()
    }
  }

  @Test("a webhook that is down, one that never answers and one that refuses: the others are not delayed, and each is dealt with as it should be")
  func badWebhooks() async throws {
    try await WholeWarnings.run { city in
      let good = try WebhookReceiver()
      let down = try WebhookReceiver { before in before < 2 ? Response(status: 503) : Response(status: 204) }
      let silent = try WebhookReceiver { _ in
        try await Task.sleep(for: .seconds(600))
        return Response(status: 204)
      }
      let refusing = try WebhookReceiver { _ in Response(status: 410) }
      for (hook, name) in [(silent, "silent"), (down, "down"), (refusing, "refusing"), (good, "good")] {
        try await hook.start()
        try await city.subscribe(hook, name: name)
      }
      let (alert, message) = try await city.issue(Content.flood(channels: ["webhook"]))
      #expect(try await eventually { good.letters.count == 1 && silent.letters.count == 1 })
      #expect(
        try await eventually {
          city.clock.pass(.seconds(2))
          return down.letters.count == 3
        })
      #expect(Set(down.letters.map(\.id)) == [message])
      let deliveries = try await city.get("/warnings/\(alert)/deliveries") { value in
        value["deliveries"]?.array?.filter { $0["status"]?.string == "delivered" }.count == 2
      }
      let byName = Dictionary(
        (deliveries["deliveries"]?.array ?? []).map { ($0["name"]?.string ?? "", $0["status"]?.string ?? "") }, uniquingKeysWith: { first, _ in first })
      #expect(byName["good"] == "delivered" && byName["down"] == "delivered" && byName["refusing"] == "given-up")
      #expect(refusing.letters.count == 1)
      for hook in [good, down, refusing, silent] { await hook.stop() }
    }
  }

  @Test("nothing is sent after expiry, also where the other side was down until then") func neverAfterExpiry() async throws {
    try await WholeWarnings.run { city in
      let down = try WebhookReceiver { _ in Response(status: 503) }
      try await down.start()
      try await city.subscribe(down)
      let (alert, _) = try await city.issue(Content.flood(expires: "2030-06-15T12:10:00Z", channels: ["webhook"]))
      // Written down before the time passes: an attempt under way would fail after it, and wait for its next turn to be given up.
      _ = try await city.get("/warnings/\(alert)/deliveries") { $0["deliveries"]?.array?.first?["reason"]?.string?.contains("503") == true }
      #expect(down.letters.count >= 1)
      city.clock.pass(.seconds(900))
      let over = try await city.get("/warnings/\(alert)/deliveries") { $0["deliveries"]?.array?.first?["status"]?.string == "given-up" }
      #expect(over["deliveries"]?.array?.first?["reason"]?.string == "expired")
      let sent = down.letters.count
      for _ in 0..<5 { city.clock.pass(.seconds(120)) }
      _ = try await city.get("/warnings/\(alert)") { $0["ending"]?.string == "expired" }
      #expect(down.letters.count == sent)
      await down.stop()
    }
  }

  @Test("a machine's clock that is set ahead by an hour and back: nothing expires") func clockJumps() async throws {
    try await WholeWarnings.run { city in
      let (alert, _) = try await city.issue(Content.flood(expires: "2030-06-15T12:30:00Z", channels: ["app"]))
      _ = try await city.get("/warnings/active", as: nil) { $0["alerts"]?.array?.count == 1 }
      // The ticker looks before it is set, and while it is.
      let looks = city.clock.now
      #expect(try await eventually { city.clock.now > looks + .milliseconds(20) })
      city.clock.set(by: .seconds(3_600))
      let set = city.clock.now
      #expect(try await eventually { city.clock.now > set + .milliseconds(20) })
      try await Task.sleep(for: .seconds(1))
      city.clock.set(by: .seconds(-3_600))
      let standing = try await city.get("/warnings/\(alert)")
      #expect(standing["head"] != nil && standing["ending"]?.string == nil)
      #expect(try await city.get("/warnings/active", as: nil)["alerts"]?.array?.count == 1)
    }
  }

  @Test("an area of 6,208 points: it goes out with few, and never smaller than it was approved") func largeArea() async throws {
    try await WholeWarnings.run { city in
      var random = SeededRandom(seed: 7)
      let count = 6_207
      var ring: [JSONValue] = (0..<count).map { index in
        let angle = Double(index) / Double(count) * 2 * Double.pi
        let radius = 0.03 + 0.004 * Foundation.sin(angle * 40) + Double.random(in: 0...0.0005, using: &random)
        return .array([.number(7.46 + radius * Foundation.cos(angle)), .number(51.515 + radius * 0.6 * Foundation.sin(angle))])
      }
      ring.append(ring[0])
      let area = JSONValue.object(["description": .string("Innenstadt"), "polygons": .array([.array([.array(ring)])])])
      let (alert, _) = try await city.issue(Content.flood().with("area", area))
      let shown = try await city.get("/warnings/\(alert)")
      let content = shown["head"]?["content"]?["area"]
      #expect((content?["simplified"].map(points) ?? 0) <= 100)
      #expect((content?["outline"].map(points) ?? 0) > 6_000)
      let active = try await city.get("/warnings/active", as: nil) { $0["alerts"]?.array?.count == 1 }
      #expect(try #require(active["alerts"]?.array?.first?["area"].map(points)) <= 100)
    }
  }

  private func points(_ value: JSONValue) -> Int {
    guard let items = value.array else { return 0 }
    return items.first?.array == nil ? 1 : items.reduce(0) { $0 + points($1) }
  }

  @Test("whatever the area: who is in it is in what goes out", arguments: 1...20 as ClosedRange<UInt64>) func onlyEnlarges(seed: UInt64) async throws {
    try await withTestDatabase(migrate: WholeWarnings.schema()) { pool in
      var random = SeededRandom(seed: seed)
      let directory = AreaDirectory(districts: [], authorities: [])
      let resolver = AreaResolver(pool: pool, directory: directory)
      // Stars with many thin arms and a hole, which simplifying likes to cut off.
      let arms = Int.random(in: 40...400, using: &random)
      func ring(_ size: Double) throws -> [Coordinate] {
        var ring = try (0..<arms).map { index in
          let angle = Double(index) / Double(arms) * 2 * Double.pi
          let radius = size * (index % 2 == 0 ? 1 : Double.random(in: 0.3...0.95, using: &random))
          return try Coordinate(longitude: 7.5 + radius * Foundation.cos(angle), latitude: 51.5 + radius * Foundation.sin(angle))
        }
        ring.append(ring[0])
        return ring
      }
      let polygon = try Polygon(rings: [ring(0.05), ring(0.01)])
      let circle = try Circle(center: try Coordinate(longitude: 7.56, latitude: 51.52), radius: Double.random(in: 0.1...3, using: &random))
      let area = try await resolver.resolve(NamedArea(description: "x", districts: nil, circles: [circle], polygons: [polygon]))
      #expect(area.simplified.reduce(0) { $0 + $1.rings.reduce(0) { $0 + $1.count } } <= 100)
      var inside = 0
      for _ in 0..<4_000 {
        let place = try Coordinate(
          longitude: 7.5 + Double.random(in: -0.1...0.15, using: &random), latitude: 51.5 + Double.random(in: -0.1...0.1, using: &random))
        let isIn = polygon.contains(place) || distance(place, circle.center) <= circle.radius
        guard isIn else { continue }
        inside += 1
        #expect(area.outline.contains { $0.contains(place) }, "\(place) is in what was named, and not in the outline")
        #expect(area.simplified.contains { $0.contains(place) }, "\(place) is in the area, and not in what goes out")
      }
      #expect(inside > 100)
    }
  }

  /// Kilometres on a sphere: within 0.3 % of the ellipsoid, so what is close to the edge is not asked.
  private func distance(_ one: Coordinate, _ other: Coordinate) -> Double {
    let radians = Double.pi / 180
    let height = (one.latitude - other.latitude) * radians
    let width = (one.longitude - other.longitude) * radians * Foundation.cos((one.latitude + other.latitude) / 2 * radians)
    return 6_371 * (height * height + width * width).squareRoot() * 1.005
  }
}
