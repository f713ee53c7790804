import Broker
import HTTP
import JSON
import ServiceKit
import Postgres
import SensorDomain
import Time

/// How observations are read and taken back. Reading waits, at most 250 ms, for what this process had acknowledged when the read came.
struct ObservationsAPI: Sendable {
  static let patience = Duration.milliseconds(250)
  /// How long a read waits that names a position.
  static let positionPatience = Duration.seconds(5)

  let pool: PostgresPool
  let intake: ObservationIntake
  let progress: any ObservationProgress
  let model: STAModel

  var routes: [Route] {
    [
      Route(.get, "/sensors/v1.1/Observations", access: .everyone, info: Self.info("Observations", .observation, "Observations")) { request in
        try await page(request, .all, address: "Observations", datastream: nil)
      },
      Route(
        .get, "/sensors/v1.1/Datastreams({id})/Observations", access: .everyone,
        info: Self.info("A datastream's observations", .observation, "Observations", [.id])
      ) { request in
        let id = try request.integerParameter("id")
        guard let navigation = STAEntityType.datastream.navigation("Observations") else { throw Problem.notFound("There are no observations.") }
        return try await page(request, .reached(from: .datastream, id: id, navigation), address: "Datastreams(\(id))/Observations", datastream: id)
      },
      Route(.get, "/sensors/v1.1/Observations({id})", access: .everyone, info: Self.info("One observation", .observation, "Observation", [.id])) { request in
        let id = try await resolved(request)
        let entity = try await asking { try await reader(request).entity(.observation, .id(id), query(request)) }
        guard let entity else { throw Problem.notFound("There is no observation \(id).") }
        return .json(try entity.json())
      },
      Route(
        .get, "/sensors/v1.1/Observations({id})/Datastream", access: .everyone,
        info: Self.info("The datastream of an observation", .datastream, "Datastream", [.id])
      ) { request in
        let id = try await resolved(request)
        guard let navigation = STAEntityType.observation.navigation("Datastream") else { throw Problem.notFound("There is no datastream.") }
        let entity = try await asking { try await reader(request).entity(.datastream, .reached(from: .observation, id: id, navigation), query(request)) }
        guard let entity else { throw Problem.notFound("There is no observation \(id).") }
        return .json(try entity.json())
      },
      Route(
        .delete, "/sensors/v1.1/Observations({id})", access: .roles(["sensor-operator", "administrator"]),
        info: RouteInfo("Takes an observation back", tag: "Observations", parameters: [.id], headers: [.position])
      ) { request in try await withdraw(request) },
      Route(
        .patch, "/sensors/v1.1/Observations({id})", access: .roles(["sensor-operator", "administrator"]),
        info: RouteInfo(
          "Corrects an observation; what it was before stays as a revision", tag: "Observations", parameters: [.id], request: .schema("ObservationChange"),
          responses: [.schema("Observation")], headers: [.position])
      ) { request in try await revise(request) },
    ]
  }

  private static func info(_ summary: String, _ type: STAEntityType, _ answer: String, _ path: [ParameterInfo] = []) -> RouteInfo {
    RouteInfo(
      summary, tag: "Observations", parameters: path + ParameterInfo.options(of: type, isOne: answer == type.name) + [.position],
      responses: [.schema(answer)])
  }

  private func page(_ request: Request, _ scope: STAReader.Scope, address: String, datastream: Int64?) async throws -> Response {
    do {
      try await waitForOwnWrites(request, datastream: datastream)
      return try await asking {
        let query = try query(request)
        let page = try await reader(request).page(.observation, scope, query)
        // What has readings to show is there, and may be seen.
        if page.shown == 0, let datastream { try await check(datastream, request) }
        return .json(try page.json(root: root(request), next: Self.next("\(root(request))/\(address)", request, query, shown: page.shown)))
      }
    } catch let problem as Problem {
      if let datastream { try await check(datastream, request) }
      throw problem
    }
  }

  /// Answers 404 for a datastream that is not there, or that the caller may not see.
  func check(_ datastream: Int64, _ request: Request) async throws {
    let seen = STAViewer(request.caller).condition(.datastream, alias: "t")
    let known = try await pool.query("select 1 from datastreams t where t.id = \(datastream) and \(seen)")
    guard !known.isEmpty else { throw Problem.notFound("There is no datastream \(datastream).") }
  }

  private func withdraw(_ request: Request) async throws -> Response {
    let stored = try await stored(request)
    return try await publishing {
      let positions = try await intake.withdraw(stored.key, from: .init(request))
      var response = Response(status: 200)
      DOSPosition.write(positions, to: &response)
      return response
    }
  }

  private func revise(_ request: Request) async throws -> Response {
    let stored = try await stored(request)
    let changed: Observation
    do throws(JSONRejection) { changed = try ObservationPatch.apply(request.body, to: stored.observation) } catch { throw Problem(error) }
    return try await publishing {
      let (reading, positions) = try await intake.revise(stored.key, id: stored.id, with: changed, from: .init(request))
      var response = Response.json(CreateObservations.entity(reading, link: "\(root(request))/Observations(\(stored.id))"))
      DOSPosition.write(positions, to: &response)
      return response
    }
  }

  /// The observation that the address names, as it is stored.
  private func stored(_ request: Request) async throws -> StoredObservation {
    let id = try await resolved(request)
    let visible = STAViewer(request.caller).condition(.observation, alias: "t")
    let rows = try await pool.query("select \(Observations.selected("t")) from observations t where t.id = \(id) and \(visible)")
    guard let row = rows.first else { throw Problem.notFound("There is no observation \(id).") }
    return try Observations.read(row)
  }

  private func publishing(_ body: () async throws -> Response) async throws -> Response {
    do {
      return try await body()
    } catch let refusal as IntakeRefusal {
      throw CreateObservations.problem(refusal)
    }
  }

  /// The id of what holds for the id asked for: the answer to a reading that was known already named another.
  private func resolved(_ request: Request) async throws -> Int64 {
    let id = try request.integerParameter("id")
    try await waitForOwnWrites(request, datastream: nil)
    return try await ObservationAliases.holding(id, in: pool)
  }

  func waitForOwnWrites(_ request: Request, datastream: Int64?) async throws {
    let named = try DOSPosition.read(request)
    for position in named where await !progress.wait(for: position, atMost: Self.positionPatience) {
      throw Problem.unavailable("What was acknowledged at \(position.topic)/\(position.partition)/\(position.offset) cannot be read yet.")
    }
    guard named.isEmpty else { return }
    let own = datastream.map { intake.acknowledged.position(of: $0).map { [$0] } ?? [] } ?? intake.acknowledged.positions()
    let deadline = ContinuousClock.now + Self.patience
    for position in own {
      let left = ContinuousClock.now.duration(to: deadline)
      guard left > .zero, await progress.wait(beyond: position, atMost: left) else { return }
    }
  }

  private func query(_ request: Request) throws -> STAQuery { try STAQueryParser.parse(request.query.items.map { ($0.name, $0.value) }) }

  private func root(_ request: Request) -> String { "\(request.origin)/sensors/v1.1" }

  private func reader(_ request: Request) -> STAReader {
    STAReader(model: model, pool: pool, viewer: STAViewer(request.caller), root: root(request))
  }

  /// Answers 400 where a query asks for what there is not.
  private func asking<Answer: Sendable>(_ body: () async throws -> Answer) async throws -> Answer {
    do {
      return try await body()
    } catch let error as STAQueryError {
      throw Problem.badRequest(path: error.option, problem: "at character \(error.position): \(error.problem)", expected: error.expected)
    }
  }

  /// Everything but RFC 3986's unreserved characters as percent and two digits.
  private static func escaped(_ text: String) -> String {
    var bytes: [UInt8] = []
    let digits = Array("0123456789ABCDEF".utf8)
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
        UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
        bytes.append(byte)
      default: bytes.append(contentsOf: [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]])
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func next(_ address: String, _ request: Request, _ query: STAQuery, shown: Int) -> String {
    var options = request.query.items.filter { $0.name != "$skip" && $0.name != "$top" }.map { "\($0.name)=\(escaped($0.value))" }
    options += ["$top=\(query.limit)", "$skip=\(query.skip + shown)"]
    return "\(address)?\(options.joined(separator: "&"))"
  }
}
