import Broker
import EventSourcing
import Foundation
import HTTP
import JSON
import Postgres
import SensorDomain
import TestSupport
import Testing
import Time

@testable import SensorIngest

/// The way of a reading as its sender sees it: over the routes, through a real broker, into the read model.
@Suite("Taking readings in")
struct IntakeTests {
  struct City {
    let pool: PostgresPool
    let create: CreateObservations
    let observations: ObservationsAPI
    let rollups: RollupsAPI

    func send(_ method: HTTP.Method, _ target: String, _ body: String = "", caller: Caller? = IntakeTests.device) async throws -> Response {
      var request = try Request(method: method, target: target, headers: ["Content-Type": "application/json"], body: Array(body.utf8))
      request.caller = caller
      let router = try Router(create.routes + observations.routes + rollups.routes)
      return await router.respond(to: request)
    }

    func value(_ method: HTTP.Method, _ target: String, _ body: String = "", caller: Caller? = IntakeTests.device) async throws -> JSONValue {
      try JSONValue(parsing: await send(method, target, body, caller: caller).bytes)
    }
  }

  static let device = Caller(id: "device-1", roles: ["device"], city: "dortmund", kind: .device)
  static let operator_ = Caller(id: "operator", roles: ["sensor-operator"], city: "dortmund", kind: .person)

  private func withCity(_ body: @Sendable (City) async throws -> Void) async throws {
    let migrations = try Migrations.load(SensorFiles.all.filter { $0.name.hasPrefix("Migrations/") })
    let schemas = [
      TestSchema(scope: EventSourcingMigrations.scope, migrations: try EventSourcingMigrations.load()), TestSchema(scope: "sensors", migrations: migrations),
    ]
    try await withTestDatabase(migrate: schemas, size: 8) { pool in
      let broker = try await PostgresBroker.open(pool.configuration, unsafeDurability: true)
      try await broker.declare(ObservationTopics.declared)
      try await Self.addDatastreams(pool)
      let acknowledged = Acknowledged()
      let intake = ObservationIntake(
        registry: DatastreamRegistry(pool: pool), pool: pool, broker: broker, acknowledged: acknowledged, backlog: Backlog { _, _ in nil })
      let subscriptions = ObservationSubscriptions(broker: broker, pool: pool)
      let observations = ObservationsAPI(pool: pool, intake: intake, progress: subscriptions, model: STAModel(STAModel.registry + [.observation]))
      let city = City(
        pool: pool, create: CreateObservations(intake: intake, registerFeature: { _, _ in 7 }), observations: observations,
        rollups: RollupsAPI(pool: pool, observations: observations))
      let running = Task { await subscriptions.run() }
      let result: Result<Void, any Error>
      do {
        result = .success(try await body(city))
      } catch {
        result = .failure(error)
      }
      running.cancel()
      await running.value
      await broker.close()
      try result.get()
    }
  }

  private static func addDatastreams(_ pool: PostgresPool) async throws {
    let measurement = ObservationType.measurement.rawValue
    try await pool.execute(
      """
      insert into datastreams (id, thing_id, sensor_id, observed_property_id, name, description, unit, observation_type, plausible_min, plausible_max,
        visibility, reporting, city, governance, opened_at, closed_at)
      select id, 1, 1, 1, 'd' || id, '', '{}', \(measurement), -40, 60, case id when 2 then 'internal' else 'public' end, '{"kind":"onChange"}',
        case id when 4 then 'schwerte' else 'dortmund' end, '{}', now(), case id when 3 then now() end from generate_series(1, 4) id
      """)
    try await pool.execute(
      """
      insert into features_of_interest (id, name, description, encoding_type, feature)
      select id, 'f', '', 'application/geo+json', '{}' from unnest(array[5, 6]) id
      """)
    try await pool.execute(
      "insert into locations (id, name, description, encoding_type, location, feature_id) values (1, 'l', '', 'application/geo+json', '{}', 5)")
    try await pool.execute("insert into thing_locations (thing_id, location_id) values (1, 1)")
  }

  /// Sends one group and reads it back, as soon as the header's position is in the read model.
  private func rows(_ city: City, _ datastream: Int, _ rows: String) async throws -> [String] {
    let body = #"[{"Datastream":{"@iot.id":\#(datastream)},"components":["phenomenonTime","result"],"dataArray":\#(rows)}]"#
    let answer = try await city.value(.post, "/sensors/v1.1/CreateObservations", body)
    return try #require(answer.array).map { try #require($0.string) }
  }

  @Test("each row of an array is answered with its address or with why it was not taken")
  func dataArray() async throws {
    try await withCity { city in
      let future = (Instant.now() + .seconds(3_600)).rfc3339
      let answers = try await rows(
        city, 1,
        #"[["2026-01-01T00:00:00Z",5],["\#(future)",5],["2026-01-01T00:01:00Z","x"],["1969-12-31T23:59:59Z",1],["2026-01-01T00:02:00",1],["2026-01-01T00:03:00Z",99]]"#
      )
      #expect(answers.map { $0.hasPrefix("error") } == [false, true, true, true, true, false])
      #expect(answers[1].contains("5 minutes ahead"))
      #expect(answers[2].contains("takes a number"))
      #expect(answers[4].contains("zone"))
      #expect(try await rows(city, 3, #"[["2026-01-01T00:00:00Z",5]]"#)[0].contains("closed"))
      #expect(try await rows(city, 4, #"[["2026-01-01T00:00:00Z",5]]"#)[0].contains("another city"))
      #expect(try await rows(city, 99, #"[["2026-01-01T00:00:00Z",5]]"#) == ["error: there is no datastream 99"])
      try await waitFor(city, "select count(*) from observations", 2)
      let flagged = try await city.pool.query("select count(*) from observations where implausible")
      #expect(try flagged[0].value(Int64.self, at: 0) == 1)
    }
  }

  @Test("a reading is read back under its address at once, and a repeat under the address it got")
  func readBack() async throws {
    try await withCity { city in
      let body = #"{"phenomenonTime":"2026-01-01T00:00:00Z/2026-01-01T00:05:00Z","result":5.5,"parameters":{"a":1}}"#
      let first = try await city.send(.post, "/sensors/v1.1/Datastreams(1)/Observations", body)
      let again = try await city.send(.post, "/sensors/v1.1/Datastreams(1)/Observations", body)
      #expect(first.status == 201)
      #expect(again.status == 201)
      try await waitFor(city, "select count(*) from observation_aliases", 1)
      let ids = try [first, again].map { try #require(JSONValue(parsing: $0.bytes)["@iot.id"]?.int) }
      for id in ids {
        let read = try await city.value(.get, "/sensors/v1.1/Observations(\(id))", caller: nil)
        #expect(read["@iot.id"]?.int == ids[0])
        #expect(read["phenomenonTime"] == "2026-01-01T00:00:00.000Z/2026-01-01T00:05:00.000Z")
        #expect(read["result"]?.double == 5.5)
      }
    }
  }

  @Test("collections are counted, filtered, sorted and paged; who may not see a datastream sees none of its readings")
  func collections() async throws {
    try await withCity { city in
      let times = (0..<10).map { #"["2026-01-01T00:0\#($0):00Z",\#($0)]"# }.joined(separator: ",")
      _ = try await rows(city, 1, "[\(times)]")
      _ = try await rows(city, 2, "[\(times)]")
      try await waitFor(city, "select count(*) from observations", 20)
      let filter = "$filter=phenomenonTime%20lt%202026-01-01T00:05:00Z%20and%20result%20gt%201"
      let page = try await city.value(.get, "/sensors/v1.1/Observations?$count=true&$top=2&$orderby=phenomenonTime%20desc&\(filter)", caller: nil)
      #expect(page["@iot.count"]?.int == 3)
      #expect(page["value"]?.array?.map { $0["result"]?.double } == [4, 3])
      let all = try await city.value(.get, "/sensors/v1.1/Observations?$count=true&$top=0", caller: Self.operator_)
      #expect(all["@iot.count"]?.int == 20)
      let hidden = try await city.send(.get, "/sensors/v1.1/Datastreams(2)/Observations", caller: nil)
      #expect(hidden.status == 404)
    }
  }

  @Test("an observation shows its verdict and what it is about: what it names, or the place of its thing")
  func verdictAndFeature() async throws {
    try await withCity { city in
      let body =
        #"[{"Datastream":{"@iot.id":1},"components":["phenomenonTime","result","FeatureOfInterest/id"],"dataArray":[["2026-01-01T00:00:00Z",5,null],["2026-01-01T00:01:00Z",99,6],["2026-01-01T00:02:00Z",1,66]]}]"#
      let answers = try await city.value(.post, "/sensors/v1.1/CreateObservations", body)
      #expect(answers.array?.last == "error: there is no feature of interest 66")
      try await waitFor(city, "select count(*) from observations", 2)
      let page = try await city.value(.get, "/sensors/v1.1/Observations?$orderby=phenomenonTime&$expand=FeatureOfInterest&$count=true", caller: nil)
      #expect(page["value"]?.array?.map { $0["dos:verdict"]?.string } == ["plausible", "implausible"])
      #expect(page["value"]?.array?.map { $0["FeatureOfInterest"]?["@iot.id"]?.int } == [5, 6])
      #expect(page["@iot.count"]?.int == 2)
      let flagged = try await city.value(.get, "/sensors/v1.1/Observations?$filter=dos:verdict%20eq%20'implausible'&$select=dos:verdict", caller: nil)
      #expect(flagged["value"] == [["dos:verdict": "implausible"]])
      let named = try await city.send(.post, "/sensors/v1.1/Datastreams(1)/Observations", #"{"result":1,"FeatureOfInterest":{"@iot.id":66}}"#)
      #expect(named.status == 400)
      try await city.pool.execute("delete from thing_locations")
      try await city.pool.execute("update datastreams set id = 9 where id = 1")
      #expect(try await city.send(.post, "/sensors/v1.1/Datastreams(9)/Observations", #"{"result":1}"#).status == 400)
      #expect(try await city.send(.post, "/sensors/v1.1/Datastreams(9)/Observations", #"{"result":1,"FeatureOfInterest":{"@iot.id":6}}"#).status == 201)
    }
  }

  @Test("a PATCH is a revision, even of the same result, and a new time moves the observation; who sent it before does not undo it")
  func revision() async throws {
    try await withCity { city in
      let sent = #"{"phenomenonTime":"2026-01-01T00:00:00Z","result":5,"parameters":{"a":1}}"#
      let created = try await city.value(.post, "/sensors/v1.1/Datastreams(1)/Observations", sent)
      let path = "/sensors/v1.1/Observations(\(try #require(created["@iot.id"]?.int)))"
      try await waitFor(city, "select count(*) from observations", 1)
      #expect(try await city.send(.patch, path, #"{"result":6}"#).status == 403)
      let changed = try await city.value(.patch, path, #"{"parameters":{"a":2},"resultTime":"2026-01-01T01:00:00Z"}"#, caller: Self.operator_)
      #expect(changed["parameters"] == ["a": 2])
      try await waitFor(city, "select count(*) from observation_revisions", 1)
      let read = try await city.value(.get, path, caller: nil)
      #expect(read["parameters"] == ["a": 2])
      #expect(read["resultTime"] == "2026-01-01T01:00:00.000Z")
      #expect(read["result"]?.double == 5)
      #expect(try await city.send(.patch, path, #"{"phenomenonTime":"2026-02-01T00:00:00Z","resultTime":null}"#, caller: Self.operator_).status == 200)
      try await waitFor(city, "select count(*) from observations where withdrawn", 1)
      let moved = try await city.value(.get, path, caller: nil)
      #expect(moved["phenomenonTime"] == "2026-02-01T00:00:00.000Z")
      #expect(moved["resultTime"] == .null)
      #expect(try await city.value(.get, "/sensors/v1.1/Observations?$count=true&$top=0", caller: nil)["@iot.count"]?.int == 1)
      for body in [
        #"{"Datastream":{"@iot.id":2}}"#, #"{"result":null}"#, #"{"result":"x"}"#, #"{"parameters":5}"#, #"{"phenomenonTime":"2026-02-01"}"#, #"{"reslt":1}"#,
      ] {
        #expect(try await city.send(.patch, path, body, caller: Self.operator_).status == 400, "\(body)")
      }
      #expect(try await city.send(.patch, "/sensors/v1.1/Observations(99)", #"{"result":1}"#, caller: Self.operator_).status == 404)
    }
  }

  @Test("counting all observations, or those of a datastream, reads the days and not the rows")
  func tally() async throws {
    try await withCity { city in
      let answers = try await rows(city, 1, #"[["2026-01-01T00:00:00Z",1],["2026-01-01T00:01:00Z",99],["2026-03-01T00:00:00Z",2]]"#)
      _ = try await rows(city, 2, #"[["2026-01-01T00:00:00Z",1]]"#)
      try await waitFor(city, "select count(*) from observations", 4)
      #expect(try await city.send(.delete, answers[0].replacing("http://localhost", with: ""), caller: Self.operator_).status == 200)
      try await waitFor(city, "select sum(readings)::bigint from observation_days", 3)
      for (path, caller, count) in [("Observations", nil, 2), ("Observations", Self.operator_, 3), ("Datastreams(1)/Observations", nil, 2)]
        as [(String, Caller?, Int64)]
      {
        let all = try await city.value(.get, "/sensors/v1.1/\(path)?$count=true&$top=0", caller: caller)
        #expect(all["@iot.count"]?.int == count, "\(path)")
        let filtered = try await city.value(.get, "/sensors/v1.1/\(path)?$count=true&$top=0&$filter=id%20gt%200", caller: caller)
        #expect(filtered["@iot.count"]?.int == count, "\(path)")
      }
    }
  }

  @Test("hours and days tell count, minimum, maximum and mean, and what is taken back counts no more")
  func rollups() async throws {
    try await withCity { city in
      let answers = try await rows(city, 1, #"[["2026-01-01T22:30:00Z",1],["2026-01-01T22:40:00Z",2],["2026-01-01T23:30:00Z",6],["2026-01-01T22:50:00Z",99]]"#)
      try await waitFor(city, "select count(*) from observations", 4)
      let hours = try await city.value(.get, "/sensors/v1/datastreams/1/hours?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z", caller: nil)
      #expect(
        hours["value"]?.array?.first == ["hour": "2026-01-01T22:00:00.000Z", "readings": 3, "plausible": 2, "minimum": 1, "maximum": 2, "mean": 1.5])
      let days = try await city.value(.get, "/sensors/v1/datastreams/1/days?from=2026-01-01&to=2026-01-03", caller: nil)
      #expect(days["value"]?.array?.map { $0["day"]?.string } == ["2026-01-01", "2026-01-02"])
      let path = answers[0].replacing("http://localhost", with: "")
      #expect(try await city.send(.delete, path, caller: Self.operator_).status == 200)
      try await waitFor(city, "select readings from observation_hours where hour = '2026-01-01T22:00:00Z'", 2)
      #expect(try await RollupReplay(pool: city.pool).run(verify: true).differences.isEmpty)
      #expect(try await city.send(.get, path, caller: nil).status == 404)
    }
  }

  @Test("a body that cannot be understood is refused whole and stores nothing")
  func refusedWhole() async throws {
    try await withCity { city in
      for body in [
        #"[{"Datastream":{"@iot.id":1},"components":["phenomenonTime","result"],"dataArray":[["2026-01-01T00:00:00Z",5],["2026-01-01T00:01:00Z",NaN]]}]"#, "",
        "{}",
      ] {
        #expect(try await city.send(.post, "/sensors/v1.1/CreateObservations", body).status == 400)
      }
      #expect(try await city.send(.post, "/sensors/v1.1/Datastreams(1)/Observations", #"{"reslt":1}"#).status == 400)
      #expect(try await city.send(.post, "/sensors/v1.1/Datastreams(99)/Observations", #"{"result":1}"#).status == 404)
      #expect(try await city.send(.post, "/sensors/v1.1/CreateObservations", "[]", caller: nil).status == 401)
      let stored = try await city.pool.query("select count(*) from observations")
      #expect(try stored[0].value(Int64.self, at: 0) == 0)
    }
  }

  /// Waits until a statement's number is there, or fails with what it was instead.
  private func waitFor(_ city: City, _ sql: SQL, _ wanted: Int64) async throws {
    let deadline = ContinuousClock.now + .seconds(20)
    var found: Int64?
    while ContinuousClock.now < deadline {
      found = try await city.pool.query(sql).first.map { try $0.value(Int64.self, at: 0) }
      if found == wanted { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    #expect(found == wanted)
  }
}
