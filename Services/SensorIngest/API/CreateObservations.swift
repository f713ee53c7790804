import Broker
import HTTP
import JSON
import ServiceKit
import Postgres
import SensorDomain
import Time

/// How readings come in: `CreateObservations` (OGC 18-088, section 13.2), `Observations` and `Datastreams(id)/Observations`.
struct CreateObservations: Sendable {
  static let roles: Set<String> = ["device", "sensor-operator", "administrator"]

  let intake: ObservationIntake
  /// Registers a feature of interest that a reading brings along.
  let registerFeature: @Sendable (JSONValue, Request) async throws -> Int64

  var routes: [Route] {
    [
      Route(
        .post, "/sensors/v1.1/CreateObservations", access: .roles(Self.roles), bodyLimit: 8 << 20,
        info: RouteInfo(
          "Adds many readings; answers each with its address or with why it was not taken", tag: "Observations",
          request: .schema("DataArrays"), responses: [BodyInfo(schema: Shape.list(of: Shape.words))], status: 201,
          headers: [.position])
      ) { request in try await many(request) },
      Route(
        .post, "/sensors/v1.1/Datastreams({id})/Observations", access: .roles(Self.roles),
        info: RouteInfo(
          "Adds a reading to a datastream", tag: "Observations", parameters: [.id], request: .schema("NewObservationOfDatastream"),
          responses: [.schema("Observation")], status: 201, headers: [.location, .position])
      ) { request in try await one(request, datastream: try request.integerParameter("id")) },
      Route(
        .post, "/sensors/v1.1/Observations", access: .roles(Self.roles),
        info: RouteInfo(
          "Adds a reading to the datastream it names", tag: "Observations", request: .schema("NewObservation"), responses: [.schema("Observation")],
          status: 201, headers: [.location, .position])
      ) { request in try await one(request, datastream: nil) },
    ]
  }

  private func many(_ request: Request) async throws -> Response {
    let groups: [DataArrayGroup]
    do throws(JSONRejection) { groups = try DataArrays.read(body: request.body) } catch { throw Problem(error) }
    let read = groups.map { group in
      ObservationIntake.Group(
        datastream: group.datastream,
        rows: group.rows.map { row in
          switch row {
          case .reading(let reading): .observation(Observation(reading))
          case .refused(let reason): .refused(reason)
          }
        })
    }
    await intake.backlog.admit()
    let (outcomes, positions) = try await intake.take(read, from: ObservationIntake.Sender(request))
    var writer = JSONWriter(capacity: 64 * read.reduce(1) { $0 + $1.rows.count })
    let address = "\(request.origin)/sensors/v1.1/Observations("
    var flagged = 0
    writer.beginArray()
    for outcome in outcomes.joined() {
      switch outcome {
      case .taken(let reading):
        if reading.verdict != .plausible { flagged += 1 }
        writer.string("\(address)\(reading.id))")
      case .refused(let refusal): writer.string("error: \(refusal)")
      }
    }
    writer.endArray()
    var response = Response.json(writer.bytes, status: 201)
    // The standard leaves no place for it in the body.
    response.headers["DOS-Flagged"] = String(flagged)
    DOSPosition.write(positions, to: &response)
    return response
  }

  private func one(_ request: Request, datastream: Int64?) async throws -> Response {
    let body: ObservationBody
    do throws(JSONRejection) { body = try decodeStrictly(ObservationBody.self, from: request.body) } catch { throw Problem(error) }
    var observation: Observation
    do throws(JSONRejection) { observation = try body.observation(now: intake.clock()) } catch { throw Problem(error) }
    if let named = body.datastream?.id, let datastream, named != datastream {
      throw Problem.badRequest(path: "Datastream/@iot.id", problem: "names datastream \(named)", expected: "\(datastream) as in the address, or nothing")
    }
    guard let id = datastream ?? body.datastream?.id else {
      throw Problem.badRequest(path: "Datastream", problem: "the field is missing", expected: #"an object as {"@iot.id": 1}"#)
    }
    var registered: Set<Int64> = []
    if let feature = body.feature {
      if let link = try Self.link(feature) {
        observation.feature = link
      } else {
        // The reading is judged first: nothing is registered for one that is refused.
        if let refusal = try await intake.refusal(of: observation, id, from: .init(request)) { throw Self.problem(refusal) }
        let new = try await registerFeature(feature, request)
        observation.feature = new
        registered = [new]
      }
    }
    let (outcomes, positions) = try await intake.take(
      [.init(datastream: id, rows: [.observation(observation)])], from: ObservationIntake.Sender(request), features: registered)
    guard let outcome = outcomes.first?.first else { throw Problem.internalError(correlationID: request.correlationID) }
    switch outcome {
    case .refused(let refusal): throw Self.problem(refusal)
    case .taken(let reading):
      let link = "\(request.origin)/sensors/v1.1/Observations(\(reading.id))"
      var response = Response.created(location: link, json: Self.entity(reading, link: link))
      DOSPosition.write(positions, to: &response)
      return response
    }
  }

  private static func link(_ feature: JSONValue) throws(Problem) -> Int64? {
    do throws(JSONRejection) { return try STABody.link(feature, path: "FeatureOfInterest") } catch { throw Problem(error) }
  }

  static func problem(_ refusal: IntakeRefusal) -> Problem {
    switch refusal {
    case .featureUnknown: .badRequest(path: "FeatureOfInterest/@iot.id", problem: "\(refusal)", expected: "the id of one that is there")
    case .unplaced:
      .badRequest(path: "FeatureOfInterest", problem: "\(refusal)", expected: "a FeatureOfInterest here, or a Location of the thing")
    case .otherCity: .forbidden("\(refusal)")
    case .unreadable: .badRequest("\(refusal)")
    case .domain(.datastreamUnknown): .notFound("\(refusal)")
    case .domain(.datastreamClosed): .conflict("\(refusal)")
    case .domain(.tooEarly): .badRequest(path: "phenomenonTime", problem: "\(refusal)", expected: "1970 or later")
    case .domain(.inFuture): .badRequest(path: "phenomenonTime", problem: "\(refusal)", expected: "a time that has come")
    case .domain(.tooLarge): .badRequest("\(refusal)")
    case .domain: .badRequest(path: "result", problem: "\(refusal)", expected: "a result as the datastream's observationType says")
    }
  }
}

extension ObservationIntake.Sender {
  init(_ request: Request) {
    self.init(city: request.caller?.city, correlationID: request.correlationID, traceparent: request.traceparent)
  }
}
