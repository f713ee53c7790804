import Foundation
import HTTP
import JSON
import ServiceKit
import TestSupport
import Testing

@testable import Warning

@Suite("An alert from draft to all-clear", .timeLimit(.minutes(5))) struct AlertStoryTests {
  @Test("reaches the app, the webhook and the topic; an update widens it, the all-clear ends it, and every step can be explained") func wholeStory()
    async throws
  {
    try await WholeWarnings.run { city in
      let hook = try WebhookReceiver()
      try await hook.start()
      try await city.subscribe(hook)
      let (alert, first) = try await city.issue(Content.flood())
      #expect(try await eventually { hook.letters.count == 1 })
      let letter = try #require(hook.letters.first)
      #expect(letter.id == first && letter.type == "de.dos2030.warnings.alert-published.v1")
      #expect(letter.data["texts"]?.array?.first?["headline"]?.string == "Hochwasser an der Emscher")
      let signed = "\(letter.id).\(letter.headers["webhook-timestamp"] ?? "").".utf8 + letter.body
      let signature = Data(Hashing.hmacSHA256(Array(signed), key: Array(WebhookReceiver.secret.utf8))).base64EncodedString()
      #expect(letter.headers["webhook-signature"] == "v1,\(signature)")

      // In Huckarde and not in Hörde.
      let here = try await city.get("/warnings/active?lat=51.537&lon=7.40", as: nil) { $0["alerts"]?.array?.count == 1 }
      #expect(here["alerts"]?.array?.first?["message"]?.string?.lowercased() == first)
      #expect(try await city.get("/warnings/active?lat=51.475&lon=7.50", as: nil)["alerts"]?.array?.isEmpty == true)

      let wider = Content.flood("Hochwasser, auch in Mengede", districts: ["Huckarde", "Mengede"])
      try await city.expect(201, .post, "/warnings/\(alert)/update", .object(["refersTo": .string(first), "content": wider]))
      let second = try await city.pass(alert)
      #expect(try await eventually { hook.letters.count == 2 })
      #expect(hook.letters.last?.data["references"]?.array?.map { $0["message"]?.string?.lowercased() } == [first])
      let mengede = try await city.get("/warnings/active?lat=51.573&lon=7.39", as: nil) { $0["alerts"]?.array?.count == 1 }
      #expect(mengede["alerts"]?.array?.first?["message"]?.string?.lowercased() == second)

      try await city.expect(409, .post, "/warnings/\(alert)/all-clear", .object(["refersTo": .string(first), "texts": Content.texts("Entwarnung")]))
      try await city.expect(201, .post, "/warnings/\(alert)/all-clear", .object(["refersTo": .string(second), "texts": Content.texts("Entwarnung")]))
      let third = try await city.pass(alert)
      #expect(try await eventually { hook.letters.count == 3 })
      #expect(hook.letters.last?.data["kind"]?.string == "all-clear")
      let after = try await city.get("/warnings/active?lat=51.573&lon=7.39", as: nil) { $0["alerts"]?.array?.first?["kind"]?.string == "all-clear" }
      #expect(after["alerts"]?.array?.map { $0["message"]?.string?.lowercased() } == [third])

      let deliveries = try await city.get("/warnings/\(alert)/deliveries") { value in
        value["deliveries"]?.array?.count == 12 && value["deliveries"]?.array?.allSatisfy { $0["status"]?.string == "delivered" } == true
      }
      let webhooks = deliveries["deliveries"]?.array?.filter { $0["channel"]?.string == "webhook" } ?? []
      #expect(webhooks.map { $0["message"]?.string?.lowercased() } == [first, second, third])
      #expect(webhooks.first?["receipt"]?["sent"]?.int == 990 && webhooks.first?["name"]?.string == "app")

      let why = try await city.get("/warnings/\(alert)/why")
      let types = why["alert"]?.array?.compactMap { $0["type"]?.string } ?? []
      #expect(types.first == "de.dos2030.warnings.alert-issued.v1" && types.last == "de.dos2030.warnings.alert-drafted.v1")
      // Each delivery names the event that led to it.
      let issued = Set(why["alert"]?.array?.filter { $0["type"]?.string == "de.dos2030.warnings.alert-issued.v1" }.compactMap { $0["id"]?.string } ?? [])
      let handed = why["deliveries"]?.array?.filter { $0["type"]?.string == "de.dos2030.warnings.delivery-handed.v1" } ?? []
      #expect(handed.count == 12 && handed.allSatisfy { issued.contains($0["cause"]?.string ?? "") })
      let figures = try await city.get("/warnings/kpis")["figures"]?.array ?? []
      #expect(figures.map { $0["kind"]?.string } == ["alert", "all-clear", "update"])
      for replay in city.replays { #expect(try await replay.run(true) { _ in }.differences.isEmpty) }
      await hook.stop()
    }
  }

  @Test("Whoever comes back to the stream hears what was missed, once") func stream() async throws {
    try await WholeWarnings.run { city in
      let (_, first) = try await city.issue(Content.flood(channels: ["app"]))
      _ = try await city.get("/warnings/active", as: nil) { $0["alerts"]?.array?.count == 1 }
      let events = try await StreamReader.read(city.origin + "/warnings/stream", lastEventID: "alerts:0", until: { $0.contains("event: alert") })
      #expect(events.components(separatedBy: "event: alert").count == 2)
      #expect(events.lowercased().contains(first))
    }
  }

  @Test("Two officers who approve at once issue it once") func atOnce() async throws {
    try await WholeWarnings.run { city in
      let drafted = try await city.expect(201, .post, "/warnings/alerts", .object(["content": Content.flood(channels: ["app"])]))
      let alert = drafted["id"]?.string ?? ""
      try await city.expect(200, .post, "/warnings/\(alert)/submit")
      let answers = try await withThrowingTaskGroup(of: Int.self) { group in
        for number in 0..<8 {
          group.addTask {
            try await city.send(.post, "/warnings/\(alert)/approve", .object(["revision": .int(1)]), as: "officer\(number)/warning-officer/dortmund").status
          }
        }
        return try await group.reduce(into: [Int]()) { $0.append($1) }.sorted()
      }
      #expect(answers == [200] + Array(repeating: 409, count: 7))
      let rows = try await city.pool.query("select count(*) from journal_events where type = 'de.dos2030.warnings.alert-issued.v1'")
      #expect(try rows.first?.value(Int64.self, at: 0) == 1)
    }
  }

  @Test("The same request with its key is answered the same, and decides once") func repeated() async throws {
    try await WholeWarnings.run { city in
      let body = JSONValue.object(["content": Content.flood(channels: ["app"])])
      let first = try await city.expect(201, .post, "/warnings/alerts", body, key: "one")
      let second = try await city.expect(201, .post, "/warnings/alerts", body, key: "one")
      #expect(first["id"] == second["id"])
      let list = try await city.get("/warnings/alerts")
      #expect(list["alerts"]?.array?.count == 1)
    }
  }

  @Test("What was taken is answered the same when it comes again with its key, though the draft that it was about has gone with it")
  func repeatedApproval() async throws {
    try await WholeWarnings.run { city in
      let drafted = try await city.expect(201, .post, "/warnings/alerts", .object(["content": Content.flood(channels: ["app"])]))
      let alert = drafted["id"]?.string ?? ""
      func step(_ name: String, _ body: JSONValue? = nil, as token: String = WholeWarnings.ada, key: String, _ status: Int = 200) async throws -> JSONValue {
        try await city.expect(status, .post, "/warnings/\(alert)/\(name)", body, as: token, key: key)
      }
      _ = try await step("submit", key: "s1")
      let issued = try await step("approve", ["revision": 1], as: WholeWarnings.ben, key: "a1")
      #expect(try await step("approve", ["revision": 1], as: WholeWarnings.ben, key: "a1")["head"] == issued["head"])
      #expect(try await step("submit", key: "s1")["head"] == issued["head"])
      _ = try await step("approve", ["revision": 1], as: WholeWarnings.ben, key: "a2", 409)
      _ = try await step("approve", ["revision": 2], as: WholeWarnings.ben, key: "a1", 422)

      let end: JSONValue = ["refersTo": issued["head"]?["message"] ?? .null, "texts": Content.texts("Vorbei")]
      _ = try await step("all-clear", end, key: "e1", 201)
      _ = try await step("submit", key: "s2")
      let over = try await step("approve", ["revision": 1], as: WholeWarnings.ben, key: "a3")
      #expect(over["ending"]?.string == "all-clear")
      #expect(try await step("approve", ["revision": 1], as: WholeWarnings.ben, key: "a3")["head"] == over["head"])
      _ = try await step("all-clear", end, key: "e1", 201)
      let rows = try await city.pool.query("select count(*) from journal_events where type = 'de.dos2030.warnings.alert-issued.v1'")
      #expect(try rows.first?.value(Int64.self, at: 0) == 2)
    }
  }

  @Test("Bad input is answered with the field and what would be right") func badInput() async throws {
    try await WholeWarnings.run { city in
      func refused(_ content: JSONValue) async throws -> (path: String?, expected: String?) {
        let problem = try await city.expect(400, .post, "/warnings/alerts", .object(["content": content]))
        return (problem["errors"]?.array?.first?["path"]?.string, problem["errors"]?.array?.first?["expected"]?.string)
      }
      let flood = Content.flood()
      #expect(try await refused(flood.with("severity", .string("Sever"))) == ("content/severity", "'Severe'"))
      #expect(try await refused(flood.with("urgncy", .string("Immediate"))) == ("content/urgncy", "'urgency'"))
      let unknown = JSONValue.object(["description": .string("x"), "districts": .array([.string("Hoerde")])])
      #expect(try await refused(flood.with("area", unknown)) == ("area/districts/0", "'Hörde'"))
      let knot = JSONValue.array([[7.4, 51.5], [7.5, 51.6], [7.5, 51.5], [7.4, 51.6], [7.4, 51.5]].map { .array($0.map(JSONValue.number)) })
      let crossed = JSONValue.object(["description": .string("x"), "polygons": .array([.array([knot])])])
      #expect(try await refused(flood.with("area", crossed)).path == "area/polygons/0")
      try await city.expect(400, .get, "/warnings/active?lat=91&lon=7", as: nil)
      try await city.expect(400, .get, "/warnings/active?lat=51", as: nil)
      try await city.expect(401, .get, "/warnings/alerts", as: nil)
      try await city.expect(403, .get, "/warnings/alerts", as: "x/device")
      try await city.expect(404, .get, "/warnings/01977388-8010-7000-8000-000000000001")
    }
  }

  @Test("An alert expires by itself, once, and everybody is told") func expires() async throws {
    try await WholeWarnings.run { city in
      let (alert, message) = try await city.issue(Content.flood(expires: "2030-06-15T12:00:20Z", channels: ["app"]))
      _ = try await city.get("/warnings/active", as: nil) { $0["alerts"]?.array?.count == 1 }
      city.clock.pass(.seconds(25))
      let over = try await city.get("/warnings/\(alert)") { $0["ending"]?.string == "expired" }
      #expect(over["ending"]?.string == "expired")
      let events = try await StreamReader.read(city.origin + "/warnings/stream", lastEventID: "alerts:0", until: { $0.contains("event: ended") })
      #expect(events.components(separatedBy: "event: ended").count == 2 && events.lowercased().contains(message))
      let again = try await city.pool.query("select count(*) from journal_events where type = 'de.dos2030.warnings.alert-expired.v1'")
      #expect(try again.first?.value(Int64.self, at: 0) == 1)
    }
  }

  @Test("In Schwerte it becomes a request to the district's control room, which is paged, and goes on when it is taken on") func request() async throws {
    try await WholeWarnings.run { city in
      let hook = try WebhookReceiver()
      try await hook.start()
      try await city.subscribe(hook, name: "Leitstelle", purpose: "control-room/kreis-unna")
      let content = Content.flood(districts: ["Westhofen"], channels: ["app", "mowas-handover"])
      let drafted = try await city.expect(201, .post, "/warnings/alerts", .object(["content": content]), as: WholeWarnings.sam)
      let alert = drafted["id"]?.string ?? ""
      try await city.expect(200, .post, "/warnings/\(alert)/submit", as: WholeWarnings.sam)
      let requested = try await city.expect(200, .post, "/warnings/\(alert)/approve", .object(["revision": .int(1)]), as: WholeWarnings.sue)
      #expect(requested["draft"]?["stage"]?.string == "requested" && requested["draft"]?["authority"]?.string == "kreis-unna")
      #expect(try await eventually { hook.letters.count == 1 })
      #expect(hook.letters.first?.type == "de.dos2030.warnings.request-page.v1")
      // Nobody answers: it is passed on.
      city.clock.pass(.seconds(301))
      #expect(try await eventually { hook.letters.count == 2 })
      try await city.expect(403, .post, "/warnings/\(alert)/acknowledge", as: "x/control-room/kreis-soest")
      let issued = try await city.expect(200, .post, "/warnings/\(alert)/acknowledge", as: WholeWarnings.una)
      let message = issued["head"]?["message"]?.string ?? ""
      // It counts as delivered when the control room says under which number.
      let waiting = try await city.get("/warnings/\(alert)/deliveries") { value in
        value["deliveries"]?.array?.contains { $0["channel"]?.string == "mowas-handover" } == true
      }
      #expect(waiting["deliveries"]?.array?.first { $0["channel"]?.string == "mowas-handover" }?["status"]?.string == "due")
      let path = "/warnings/\(alert)/deliveries/mowas-handover/confirm"
      try await city.expect(400, .post, path, .object(["message": .string(message)]), as: WholeWarnings.una)
      try await city.expect(200, .post, path, .object(["message": .string(message), "reference": .string("DE-NW-UN-W1")]), as: WholeWarnings.una)
      let confirmed = try await city.get("/warnings/\(alert)/deliveries") { value in
        value["deliveries"]?.array?.first { $0["channel"]?.string == "mowas-handover" }?["status"]?.string == "delivered"
      }
      #expect(
        confirmed["deliveries"]?.array?.first { $0["channel"]?.string == "mowas-handover" }?["receipt"]?["reference"]?.string == "DE-NW-UN-W1")
      try await city.expect(
        422, .post,
        "/warnings/\(try await city.expect(201, .post, "/warnings/alerts", .object(["content": Content.flood(districts: ["Hombruch", "Ergste"])]))["id"]?.string ?? "")/submit"
      )
      await hook.stop()
    }
  }

  @Test("An exercise reaches people only under an approved release, is marked, and counts nowhere") func exercise() async throws {
    try await WholeWarnings.run { city in
      let hook = try WebhookReceiver()
      try await hook.start()
      try await city.subscribe(hook)
      let (silent, _) = try await city.issue(Content.flood(), mode: "Exercise")
      let proposed = try await city.expect(
        201, .post, "/warnings/releases",
        .object([
          "mode": .string("Exercise"), "from": .string("2030-06-15T11:00:00Z"), "until": .string("2030-06-15T13:00:00Z"), "reason": .string("Warntag"),
        ]))
      let release = proposed["release"]?["id"]?.string ?? ""
      try await city.expect(403, .post, "/warnings/releases/\(release)/approve")
      try await city.expect(200, .post, "/warnings/releases/\(release)/approve", as: WholeWarnings.ben)
      let (_, message) = try await city.issue(Content.flood(), mode: "Exercise", release: release)
      #expect(try await eventually { hook.letters.count == 1 })
      #expect(hook.letters.first?.id == message)
      #expect(hook.letters.first?.data["texts"]?.array?.first?["headline"]?.string == "ÜBUNG: Hochwasser an der Emscher")
      #expect(hook.letters.first?.data["status"]?.string == "Exercise")
      #expect(try await city.get("/warnings/\(silent)/deliveries")["deliveries"]?.array?.isEmpty == true)
      #expect(try await city.get("/warnings/kpis")["figures"]?.array?.isEmpty == true)
      await hook.stop()
    }
  }
}
