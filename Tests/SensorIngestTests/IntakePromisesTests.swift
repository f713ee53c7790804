import Broker
import HTTP
import Postgres
import SensorDomain
import ServiceKit
import Synchronization
import TestSupport
import Testing
import Time

@testable import SensorIngest

/// What the intake owes to who sends and to who reads, whatever the broker and the read model do.
@Suite("The intake")
struct IntakePromisesTests {
  private static let noon = Instant(milliseconds: 1_767_268_800_000)
  private static let device = Caller(id: "device-1", roles: ["device"], city: "dortmund", kind: .device)

  private func withIntake(_ broker: StubBroker, _ body: (ObservationIntake, PostgresPool) async throws -> Void) async throws {
    try await withTestDatabase(migrate: RegistryHarness.schema()) { pool in
      let names = DatastreamVisibility.allCases.map(\.rawValue)
      try await pool.execute(
        """
        insert into datastreams (id, thing_id, sensor_id, observed_property_id, name, description, unit, observation_type, visibility, reporting, city,
          governance, opened_at)
        select number, 1, 1, 1, name, '', '{}', \(ObservationType.any.rawValue), name, '{"kind":"onChange"}', 'dortmund', '{}', now()
        from unnest(\(names)) with ordinality as given(name, number)
        """)
      try await pool.execute("insert into thing_locations (thing_id, location_id) values (1, 1)")
      let intake = ObservationIntake(
        registry: DatastreamRegistry(pool: pool), pool: pool, broker: broker, acknowledged: Acknowledged(), backlog: Backlog { _, _ in nil },
        clock: { Self.noon })
      try await body(intake, pool)
    }
  }

  private func group(_ datastream: Int64, _ results: [ObservedResult]) -> ObservationIntake.Group {
    let rows = results.enumerated().map { index, result in
      ObservationIntake.Row.observation(Observation(phenomenonTime: Instant(milliseconds: Int64(index)), result: result))
    }
    return ObservationIntake.Group(datastream: datastream, rows: rows)
  }

  private func ask(_ routes: [Route], _ method: HTTP.Method, _ target: String, _ body: String = "", position: String? = nil) async throws -> Response {
    var headers: Headers = ["Content-Type": "application/json"]
    if let position { headers["DOS-Position"] = position }
    let request = try Request(method: method, target: target, headers: headers, body: Array(body.utf8), host: "city.example", caller: Self.device)
    return await (try Router(routes, hooks: Router.Hooks(mapError: ErrorMapping.problem))).respond(to: request)
  }

  @Test(
    "acknowledges nothing that the broker does not have: 503, and when to try again",
    arguments: [BrokerError.unavailable(reason: "told so", mayHaveArrived: true), .full(waitingBytes: 1), .closed])
  func broker(error: BrokerError) async throws {
    try await withIntake(StubBroker(failing: error)) { intake, _ in
      let routes = CreateObservations(intake: intake, registerFeature: { _, _ in 7 }).routes
      let one = try await ask(routes, .post, "/sensors/v1.1/Datastreams(1)/Observations", #"{"result":1}"#)
      let many = try await ask(
        routes, .post, "/sensors/v1.1/CreateObservations",
        #"[{"Datastream":{"@iot.id":1},"components":["phenomenonTime","result"],"dataArray":[["2026-01-01T00:00:00Z",1]]}]"#)
      for answer in [one, many] {
        #expect(answer.status == 503)
        #expect(answer.headers["Retry-After"] != nil)
      }
      #expect(intake.acknowledged.positions().isEmpty)
    }
  }

  @Test("sends each reading to the topic of its datastream's visibility and to no other")
  func topics() async throws {
    let broker = StubBroker()
    try await withIntake(broker) { intake, _ in
      _ = try await intake.take((1...4).map { group($0, [.number(Double($0))]) }, from: .init())
      _ = try await intake.withdraw(ObservationKey(datastream: 3, phenomenonTime: Instant(milliseconds: 0)), from: .init())
      let sent = broker.published.map { "\($0.topic.name) \($0.topic.visibility.rawValue) \($0.key)" }
      let expected = DatastreamVisibility.allCases.enumerated().map { index, visibility in
        "dos.sensors.observations.\(visibility.rawValue) \(visibility.rawValue) \(index + 1)"
      }
      #expect(sent == expected + [expected[2]])
    }
  }

  @Test("puts at most 1,000 readings, and at most 256 kB of them, into one event")
  func sizes() async throws {
    let broker = StubBroker()
    try await withIntake(broker) { intake, _ in
      _ = try await intake.take([group(1, (0..<2_500).map { .number(Double($0)) })], from: .init())
      #expect(try broker.published.map { try readings(in: $0) } == [1_000, 1_000, 500])
      let long = String(repeating: "x", count: 60_000)
      _ = try await intake.take([group(1, (0..<9).map { _ in .text(long) })], from: .init())
      let large = broker.published.dropFirst(3)
      #expect(try large.map { try readings(in: $0) } == [4, 4, 1])
      #expect(large.allSatisfy { $0.event.data.count < 257_000 })
    }
  }

  private func readings(in event: OutgoingEvent) throws -> Int {
    guard case .recorded(let recorded) = try ObservationFact(type: event.event.type, data: event.event.data) else { return 0 }
    return recorded.readings.count
  }

  @Test("lets a reader wait for what it had acknowledged for the datastream, at most 250 ms, and answers then as far as it is")
  func ownWrites() async throws {
    try await withIntake(StubBroker()) { intake, pool in
      for reaches in [true, false] {
        let progress = StubProgress(reaches: reaches)
        let reads = ObservationsAPI(pool: pool, intake: intake, progress: progress, model: STAModel(STAModel.registry + [.observation]))
        let taken = try await intake.take([group(1, [.number(1)])], from: .init())
        _ = try await intake.take([group(2, [.number(1)])], from: .init())
        #expect(try await ask(reads.routes, .get, "/sensors/v1.1/Datastreams(1)/Observations").status == 200)
        #expect(progress.asked.map(\.position) == taken.positions)
        #expect(progress.asked.allSatisfy { $0.limit <= .milliseconds(250) })
      }
    }
  }

  @Test("lets a reader wait for the position that it names, and says when that is not there in time")
  func namedPosition() async throws {
    try await withIntake(StubBroker()) { intake, pool in
      for (reaches, status) in [(true, 200), (false, 503)] {
        let progress = StubProgress(reaches: reaches)
        let reads = ObservationsAPI(pool: pool, intake: intake, progress: progress, model: STAModel(STAModel.registry + [.observation]))
        let answer = try await ask(
          reads.routes, .get, "/sensors/v1.1/Observations", position: "dos.sensors.observations.public/3/17")
        #expect(answer.status == status)
        #expect(progress.asked.map(\.position) == [BrokerPosition(topic: "dos.sensors.observations.public", partition: 3, offset: 17)])
      }
    }
  }
}

/// Keeps what is published, or refuses all of it.
private final class StubBroker: EventBroker {
  private let log = Mutex<[OutgoingEvent]>([])
  private let error: BrokerError?

  init(failing error: BrokerError? = nil) { self.error = error }

  var published: [OutgoingEvent] { log.withLock { $0 } }

  func publish(_ events: [OutgoingEvent]) async throws(BrokerError) -> [BrokerPosition] {
    if let error { throw error }
    return log.withLock { log in
      events.map { event in
        log.append(event)
        return BrokerPosition(topic: event.topic.name, partition: event.targetPartition, offset: Int64(log.count))
      }
    }
  }

  func declare(_ topics: [Topic]) async throws(BrokerError) {}
  func reader(topic: Topic, partition: Int, from offset: Int64) async throws(BrokerError) -> any PartitionReader { throw .closed }
  func end(of topic: Topic) async throws(BrokerError) -> [Int64] { throw .closed }
  func earliest(of topic: Topic) async throws(BrokerError) -> [Int64] { throw .closed }
  var waitingBytes: Int { 0 }
  func close() async {}
}

/// A read model that says whether it is there, and remembers what it was asked for.
private final class StubProgress: ObservationProgress {
  private let questions = Mutex<[(position: BrokerPosition, limit: Duration)]>([])
  private let reaches: Bool

  init(reaches: Bool) { self.reaches = reaches }

  var asked: [(position: BrokerPosition, limit: Duration)] { questions.withLock { $0 } }

  func wait(for position: BrokerPosition, atMost limit: Duration) async -> Bool {
    questions.withLock { $0.append((position, limit)) }
    return reaches
  }

  func wait(beyond position: BrokerPosition, atMost limit: Duration) async -> Bool { await wait(for: position, atMost: limit) }
}
