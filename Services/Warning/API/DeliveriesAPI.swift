import EventSourcing
import Foundation
import HTTP
import ServiceKit
import WarningDomain

/// Who has what, and what persons say they have done.
struct DeliveriesAPI: Sendable {
  let commands: WarningCommands
  let lists: WarningLists

  private static let confirmed = Channel.allCases.filter { $0.means == .confirmed }

  var routes: [Route] {
    let watchers = Access.roles(.warningOfficer, .controlRoom)
    return [
      Route(
        .get, "/warnings/{id}/deliveries", access: watchers, accepts: [],
        info: .read("Who has what of an alert or a hint", "Deliveries", "Deliveries", [.id(of: "an alert or a hint")])
      ) { request in
        try await lists.ownWrites(request)
        return try await lists.deliveries(of: try request.uuid("id")).unlessUnchanged(for: request)
      },
      Route(
        .post, "/warnings/{id}/deliveries/{channel}/confirm", access: watchers,
        info: .decision(
          "Says that a siren went, a van drove, or MoWaS has it and under which number", "Deliveries", "Deliveries", takes: .confirmation,
          [.alert, ParameterInfo("channel", in: .path, "One that a person confirms", schema: Shape.one(of: Self.confirmed.map(\.rawValue)), required: true)])
      ) { request in try await confirm(request) },
      Route(
        .get, "/warnings/kpis", access: watchers, accepts: [],
        info: .read(
          "Messages issued by month, kind, severity and category; exercises and tests never count", "Figures", "Figures", [.city], waits: false)
      ) { request in
        try request.query.allowing(["city"])
        return try await lists.figures(city: try request.query.value("city")).unlessUnchanged(for: request)
      },
    ]
  }

  private func confirm(_ request: Request) async throws -> Response {
    let body = try request.decoded(ConfirmBody.self)
    let name = try request.parameter("channel")
    guard let channel = Channel(rawValue: name) else {
      throw Problem.notFound("\"\(name.prefix(40))\" is no channel; one of \(Channel.allCases.map(\.rawValue).joined(separator: ", ")).")
    }
    if channel == .mowasHandover, body.reference?.allSatisfy(\.isWhitespace) ?? true {
      throw Problem.badRequest(path: "reference", problem: "is missing", expected: "the number that MoWaS gave")
    }
    let now = commands.clock()
    let receipt = Receipt(reference: body.reference, by: try request.officer())
    let destination = Destination(subject: try request.uuid("id"), channel: channel)
    let handled = try await commands.give(
      DeliveryDecider.self, .confirm(message: body.message, receipt, at: now), to: destination.stream, coding: WarningCoding.deliveries, for: request, at: now,
      WarningProblems.of)
    var response = try await lists.deliveries(of: destination.subject)
    DOSPosition.write(handled.positions, to: &response)
    return response
  }
}
