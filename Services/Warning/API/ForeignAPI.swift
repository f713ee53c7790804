import CAP
import EventSourcing
import Foundation
import Geo
import HTTP
import JSON
import Postgres
import ServiceKit
import Time
import WarningDomain

/// Warnings of others (Deutscher Wetterdienst, neighbours), taken in as CAP, merged to chains, and shown beside one's own.
struct ForeignAPI: Sendable {
  let commands: WarningCommands
  let lists: WarningLists
  let board: ForeignBoard

  var routes: [Route] {
    [
      Route(
        .post, "/warnings/foreign", access: .roles(.warningOfficer), bodyLimit: 8 << 20,
        accepts: ["application/cap+xml", "application/xml", "text/xml", "application/atom+xml"],
        info: RouteInfo(
          "Takes in CAP of another sender: one message, or an Atom feed of them", tag: "Foreign", request: .foreign, responses: [.schema("ForeignTaken")])
      ) { try await take($0) },
      Route(
        .get, "/warnings/foreign", access: .everyone, accepts: [],
        info: .read("What others warn of now", "Foreign", "ForeignAlerts")
      ) { try await show($0) },
    ]
  }

  private struct Taken: Encodable {
    let identifier: String
    /// taken, or known already.
    let outcome: String
    /// What was read otherwise than it stood there.
    let remarks: [String]
  }

  private func take(_ request: Request) async throws -> Response {
    let readings: [Result<CAPReader.Reading, CAPError>]
    do throws(CAPError) {
      readings = try CAPReader.readAll(request.body)
    } catch {
      throw Problem.badRequest(path: "body", problem: "\(error)", expected: "CAP 1.2 in UTF-8, without a document type")
    }
    let now = commands.clock()
    var taken: [Taken] = []
    var refused: [Problem.FieldError] = []
    for (index, reading) in readings.enumerated() {
      switch reading {
      case .failure(let error): refused.append(.init(path: "alert[\(index)]", problem: "\(error)", expected: "an alert of CAP 1.2"))
      case .success(let reading):
        let remarks = reading.remarks.map(\.description)
        taken.append(Taken(identifier: reading.alert.identifier, outcome: try await take(reading.alert, request, now) ? "taken" : "known", remarks: remarks))
      }
    }
    guard !taken.isEmpty || refused.isEmpty else { throw Problem.unprocessable("Nothing of it is an alert.", errors: refused) }
    struct View: Encodable {
      let messages: [Taken]
      let refused: [String]
    }
    return .json(try WarningJSON.bytes(View(messages: taken, refused: refused.map { "\($0.path): \($0.problem)" })))
  }

  /// - Returns: false for a message that is known already.
  private func take(_ alert: CAPAlert, _ request: Request, _ now: Instant) async throws -> Bool {
    let document: String
    do throws(CAPError) {
      document = String(decoding: try alert.xml(), as: UTF8.self)
    } catch {
      // Read leniently, it cannot be written strictly: as it came, then.
      document = String(decoding: request.body, as: UTF8.self)
    }
    let received = ForeignReceived(sender: alert.sender, identifier: alert.identifier, sent: alert.sent, document: document, at: now)
    let event = NewEvent(type: ForeignReceived.type, data: try WarningJSON.bytes(received))
    do throws(JournalError) {
      _ = try await commands.decisions.append(
        [StreamWrite(stream: received.stream, expected: .noStream, events: [event])], partition: 0,
        context: EventContext(time: now, correlationID: request.correlationID, traceparent: request.traceparent))
      return true
    } catch {
      if case .conflict = error { return false }
      throw error
    }
  }

  private struct View: Encodable {
    struct Text: Encodable {
      let language: String
      /// Who warns, in words.
      let senderName: String?
      let event: String
      let headline: String?
      let description: String?
      let instruction: String?
      let severity: String
      let until: Instant
      let untilIsAssumed: Bool
      let areas: [String]
      /// Where it holds, as far as it was said in shapes: the coordinates of GeoJSON polygons, and circles with their radius in kilometres.
      let polygons: [Polygon]
      let circles: [Circle]
    }

    let foreign = true
    let sender: String
    let identifier: String
    let sent: Instant
    let status: String
    let texts: [Text]

    init(_ inForce: ForeignChain.InForce) {
      let alert = inForce.alert
      (sender, identifier, sent, status) = (alert.sender, alert.identifier, alert.sent, alert.status.rawValue)
      texts = inForce.infos.map { info in
        let said = alert.infos[info.index]
        return Text(
          language: said.language, senderName: said.senderName, event: said.event, headline: said.headline, description: said.description,
          instruction: said.instruction,
          severity: said.severity.rawValue, until: info.until, untilIsAssumed: info.untilIsAssumed, areas: said.areas.map(\.areaDesc),
          polygons: said.areas.flatMap(\.polygons), circles: said.areas.flatMap(\.circles))
      }
    }
  }

  private func show(_ request: Request) async throws -> Response {
    try request.query.allowing([])
    try await lists.ownWrites(request)
    let inForce = try await board.inForce(at: commands.clock()).map(View.init)
    return Response.json(try WarningJSON.bytes(["alerts": inForce])).unlessUnchanged(for: request)
  }
}
