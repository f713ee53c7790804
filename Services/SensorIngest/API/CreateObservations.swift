import Broker
import HTTP
import JSON
import Postgres
import SensorDomain
import Time

/// How readings come in: `CreateObservations` (OGC 18-088, section 13.2), `Observations` and `Datastreams(id)/Observations`.
struct CreateObservations: Sendable {
  static let roles: Set<String> = ["device", "sensor-operator", "administrator"]

  let intake: ObservationIntake

  var routes: [Route] {
    [
      Route(
        .post, "/sensors/v1.1/CreateObservations", access: .roles(Self.roles), bodyLimit: 8 << 20,
        info: RouteInfo(
          "Adds many readings; answers each with its address or with why it was not taken", tag: "Observations",
          request: BodyInfo(schema: #"{"type":"array","items":{"type":"object","required":["Datastream","components","dataArray"]}}"#),
          response: BodyInfo(schema: #"{"type":"array","items":{"type":"string"}}"#), status: 201)
      ) { request in try await many(request) },
      Route(
        .post, "/sensors/v1.1/Datastreams({id})/Observations", access: .roles(Self.roles),
        info: RouteInfo("Adds a reading to a datastream", tag: "Observations", status: 201)
      ) { request in try await one(request, datastream: try request.integerParameter("id")) },
      Route(
        .post, "/sensors/v1.1/Observations", access: .roles(Self.roles),
        info: RouteInfo("Adds a reading to the datastream it names", tag: "Observations", status: 201)
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
    let (outcomes, positions) = try await intake.take(answering: request, read)
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
    let observation: Observation
    do throws(JSONRejection) { observation = try body.observation(now: intake.clock()) } catch { throw Problem(error) }
    if let named = body.datastream?.id, let datastream, named != datastream {
      throw Problem.badRequest(path: "Datastream/@iot.id", problem: "names datastream \(named)", expected: "\(datastream) as in the address, or nothing")
    }
    guard let id = datastream ?? body.datastream?.id else {
      throw Problem.badRequest(path: "Datastream", problem: "the field is missing", expected: #"an object as {"@iot.id": 1}"#)
    }
    let (outcomes, positions) = try await intake.take(answering: request, [.init(datastream: id, rows: [.observation(observation)])])
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

  static func problem(_ refusal: IntakeRefusal) -> Problem {
    switch refusal {
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

  private static func entity(_ reading: RecordedReading, link: String) -> [UInt8] {
    var writer = JSONWriter()
    let observation = reading.observation
    writer.object { writer in
      writer.key("@iot.id")
      writer.int(reading.id)
      writer.key("@iot.selfLink")
      writer.string(link)
      writer.key("phenomenonTime")
      if let end = observation.phenomenonEnd { writer.string("\(observation.phenomenonTime)/\(end)") } else { writer.instant(observation.phenomenonTime) }
      writer.key("result")
      observation.result.write(to: &writer)
      writer.key("resultTime")
      if let time = observation.resultTime { writer.instant(time) } else { writer.null() }
      if let time = observation.validTime {
        writer.key("validTime")
        writer.string(time)
      }
      if let quality = observation.resultQuality {
        writer.key("resultQuality")
        writer.raw(quality)
      }
      if let parameters = observation.parameters {
        writer.key("parameters")
        writer.raw(parameters)
      }
      writer.key("dos:verdict")
      writer.string(reading.verdict.rawValue)
      writer.key("Datastream@iot.navigationLink")
      writer.string("\(link)/Datastream")
    }
    return writer.bytes
  }
}

extension ObservationIntake {
  /// Takes readings for a request; trouble of broker or database is 503, and repeating is safe.
  func take(answering request: Request, _ groups: [Group]) async throws -> (outcomes: [[Outcome]], positions: [BrokerPosition]) {
    do {
      return try await take(groups, from: Sender(request))
    } catch {
      throw Self.problem(error) ?? error
    }
  }

  /// 503 for trouble that passes; nil for what is no trouble of broker or database.
  static func problem(_ error: any Error) -> (any Error)? {
    switch error {
    case let error as BrokerError:
      switch error {
      case .unavailable, .full, .closed: Problem.unavailable("The broker does not take readings at the moment. Sending them again is safe.", retryAfter: 2)
      default: nil
      }
    case let error as PostgresError where error.isTransient:
      Problem.unavailable("The database does not answer at the moment. Sending the readings again is safe.", retryAfter: 2)
    default: nil
    }
  }
}

extension ObservationIntake.Sender {
  init(_ request: Request) {
    self.init(city: request.caller?.city, correlationID: request.correlationID, traceparent: request.traceparent)
  }
}

/// The body of one reading. A feature of interest is taken and not kept: a reading's feature is its thing's location.
private struct ObservationBody: Decodable, KnownFields {
  struct Reference: Decodable, KnownFields {
    let id: Int64
    static let fields = ["@iot.id"]
    enum CodingKeys: String, CodingKey { case id = "@iot.id" }
  }

  let phenomenonTime: String?
  let result: JSONValue
  let resultTime: Instant?
  let validTime: String?
  let resultQuality: JSONValue?
  let parameters: [String: JSONValue]?
  let datastream: Reference?
  let feature: JSONValue?

  enum CodingKeys: String, CodingKey, CaseIterable {
    case phenomenonTime, result, resultTime, validTime, resultQuality, parameters
    case datastream = "Datastream"
    case feature = "FeatureOfInterest"
  }

  static let fields = CodingKeys.allCases.map(\.rawValue)
  static func ignores(_ field: String) -> Bool { field.hasPrefix("@iot.") }

  /// Without a phenomenonTime it is now, as the standard says (section 8.2.6, table 13).
  func observation(now: Instant) throws(JSONRejection) -> Observation {
    let (start, end) = try phenomenonTime.map { (text) throws(JSONRejection) in try Self.span(text, "phenomenonTime") } ?? (now, nil)
    if let validTime { _ = try Self.span(validTime, "validTime") }
    guard let result = ObservedResult(result) else { throw JSONRejection(path: "result", problem: "the result is null", expected: "a value") }
    return Observation(
      phenomenonTime: start, phenomenonEnd: end, result: result, resultTime: resultTime, validTime: validTime,
      resultQuality: resultQuality == .null ? nil : resultQuality?.bytes, parameters: parameters.map { JSONValue.object($0).bytes })
  }

  private static func span(_ text: String, _ path: String) throws(JSONRejection) -> (Instant, Instant?) {
    do throws(TimeError) {
      let (start, end) = try readTimeOrInterval(text)
      return (start, end)
    } catch {
      throw JSONRejection(path: path, problem: "\(error)", expected: "a time, or two with '/' between")
    }
  }
}
