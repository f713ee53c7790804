import Broker
import EventSourcing
import Foundation
import HTTP
import JSON
import Postgres
import ServiceKit
import Time
import WarningDomain

/// Alerts as officers work on them, from the draft to the end.
struct AlertsAPI: Sendable {
  let commands: WarningCommands
  let areas: AreaResolver
  let templates: Templates
  let lists: WarningLists
  let city: String

  private static let officers = Access.roles(.warningOfficer)
  private static let watchers = Access.roles(.warningOfficer, .controlRoom)
  /// An area of 50,000 points fits.
  private static let bodyLimit = 4 << 20
  private static let revision = [
    ParameterInfo(
      "revision", "The revision that was read; 409 where the draft is another by now", schema: #"{"type":"integer","minimum":1,"maximum":2147483647}"#)
  ]

  var routes: [Route] {
    [
      Route(
        .get, "/warnings/alerts", access: Self.watchers, accepts: [],
        info: .read("Alerts, those changed last first", "Alerts", "Alerts", ParameterInfo.page + [.open])
      ) { try await list($0) },
      Route(.post, "/warnings/alerts", access: Self.officers, bodyLimit: Self.bodyLimit, info: decision("Drafts an alert", takes: .newAlert, status: 201)) {
        try await draft($0)
      },
      Route(
        .get, "/warnings/{id}", access: Self.watchers, accepts: [],
        info: .read("An alert, with its draft and what was issued last", "Alerts", "Alert", [.alert], waits: false)
      ) { try await show($0) },
      Route(
        .put, "/warnings/{id}/draft", access: Self.officers, bodyLimit: Self.bodyLimit, info: decision("Changes the draft", takes: .newContent, Self.revision)
      ) {
        try await edit($0)
      },
      Route(
        .post, "/warnings/{id}/update", access: Self.officers, bodyLimit: Self.bodyLimit,
        info: decision("Drafts an update of what holds", takes: .alertUpdate, status: 201)
      ) {
        try await update($0)
      },
      Route(.post, "/warnings/{id}/cancel", access: Self.officers, info: decision("Drafts the withdrawal of what was wrong", takes: .alertEnd, status: 201)) {
        try await end(.cancel, $0)
      },
      Route(.post, "/warnings/{id}/all-clear", access: Self.officers, info: decision("Drafts the all-clear", takes: .alertEnd, status: 201)) {
        try await end(.allClear, $0)
      },
      Route(.post, "/warnings/{id}/submit", access: Self.officers, accepts: [], info: decision("Submits the draft for approval", Self.revision)) {
        try await submit($0)
      },
      Route(.post, "/warnings/{id}/return", access: Self.officers, info: decision("Sends what was submitted back to be edited", takes: .reason)) { request in
        let reason = try request.decoded(ReasonBody.self).reason
        return try await decide(request) { .returnForEdit(reason: reason, by: $0, at: $1) }
      },
      Route(.post, "/warnings/{id}/reject", access: Self.officers, info: decision("Drops the draft", takes: .reason)) { request in
        let reason = try request.decoded(ReasonBody.self).reason
        return try await decide(request) { .reject(reason: reason, by: $0, at: $1) }
      },
      Route(.post, "/warnings/{id}/approve", access: Self.officers, info: decision("Approves exactly the revision named, and issues it", takes: .approval)) {
        try await approve($0)
      },
      Route(
        .post, "/warnings/{id}/break-glass", access: Self.officers,
        info: decision("Issues at once, without a second pair of eyes; a review follows", takes: .breakGlass)
      ) {
        try await breakGlass($0)
      },
      Route(.post, "/warnings/{id}/review", access: Self.officers, info: decision("Reviews what was issued behind broken glass", takes: .review)) { request in
        let body = try request.decoded(ReviewBody.self)
        return try await decide(request) { .review(justified: body.justified, note: body.note, by: $0, at: $1) }
      },
      Route(.post, "/warnings/{id}/acknowledge", access: .roles(.controlRoom), accepts: [], info: decision("A control room takes a request on")) { request in
        try await decide(request) { .acknowledge(by: $0, at: $1) }
      },
      Route(.post, "/warnings/{id}/decline", access: .roles(.controlRoom), info: decision("A control room declines a request", takes: .reason)) { request in
        let reason = try request.decoded(ReasonBody.self).reason
        return try await decide(request) { .decline(reason: reason, by: $0, at: $1) }
      },
    ]
  }

  private func decision(_ summary: String, takes body: BodyInfo? = nil, _ parameters: [ParameterInfo] = [], status: Int = 200) -> RouteInfo {
    let isNew = body?.schema == BodyInfo.newAlert.schema
    return .decision(summary, "Alerts", "Alert", takes: body, (isNew ? [] : [.alert]) + parameters, status: status)
  }

  private func list(_ request: Request) async throws -> Response {
    try await lists.ownWrites(request)
    return try await lists.alerts(request).unlessUnchanged(for: request)
  }

  private func show(_ request: Request) async throws -> Response {
    guard case .chain(let chain) = try await commands.letters.chain(try request.uuid("id")) else { throw Problem.notFound("There is no such alert.") }
    return Response.json(try WarningJSON.bytes(AlertView(chain, at: commands.clock()))).unlessUnchanged(for: request)
  }

  private func draft(_ request: Request) async throws -> Response {
    let body = try await templates.draft(request, at: commands.clock())
    let officer = try request.officer()
    let origin: AlertOrigin
    switch (body.hint, body.template) {
    case (let hint?, nil):
      guard case .hint = try await commands.letters.hint(hint) else {
        throw Problem.badRequest(path: "hint", problem: "there is no such hint", expected: "the id of a hint")
      }
      origin = .hint(hint.uuidString.lowercased())
    case (nil, let template?): origin = .template(template)
    case (nil, nil): origin = .hand
    case (.some, .some): throw Problem.badRequest(path: "template", problem: "stands beside hint", expected: "one of the two")
    }
    let content = body.content.content(in: try await resolve(body.content.area))
    let id = commands.newID(for: request)
    return try await decide(request, on: id, status: 201) {
      .draft(
        alert: id, message: commands.newID(for: request, "message"), city: body.city ?? officer.city ?? city, mode: body.mode ?? .actual, origin: origin,
        content: content, by: $0, at: $1)
    }
  }

  private func edit(_ request: Request) async throws -> Response {
    let body = try request.decoded(ContentBody.self)
    let content = body.content(in: try await resolve(body.area))
    return try await decide(request, revision: try revision(request)) { .edit(content, by: $0, at: $1) }
  }

  private func submit(_ request: Request) async throws -> Response {
    if let answer = try await again(request) { return answer }
    // Whoever submits learns at once where nobody alone is competent.
    _ = try await authority(of: try await preparing(request))
    return try await decide(request, revision: try revision(request)) { .submit(by: $0, at: $1) }
  }

  private func revision(_ request: Request) throws(Problem) -> Int? {
    try request.query.allowing(["revision"])
    return try request.query.integer("revision", in: 1...Int(Int32.max))
  }

  private func update(_ request: Request) async throws -> Response {
    let body = try request.decoded(UpdateBody.self)
    let content = body.content.content(in: try await resolve(body.content.area))
    return try await amend(.update, body.refersTo, content, request)
  }

  private func end(_ kind: MessageKind, _ request: Request) async throws -> Response {
    let body = try request.decoded(EndBody.self)
    guard case .chain(let chain) = try await commands.letters.chain(try request.uuid("id")) else { throw WarningProblems.of(AlertRefusal.unknown) }
    guard let head = chain.head else { throw WarningProblems.of(.notIssuedYet) }
    var content = head.content
    content.texts = body.texts
    content.onset = nil
    content.urgency = .past
    content.responseTypes = kind == .allClear ? [.allClear] : [.none]
    content.expires = commands.clock() + AlertDecider.endingShown
    return try await amend(kind, body.refersTo, content, request)
  }

  private func amend(_ kind: MessageKind, _ refersTo: UUID, _ content: AlertContent, _ request: Request) async throws -> Response {
    let message = commands.newID(for: request, "message")
    return try await decide(request, status: 201) {
      .amend(kind: kind, refersTo: refersTo, message: message, content: content, by: $0, at: $1)
    }
  }

  private func approve(_ request: Request) async throws -> Response {
    let body = try request.decoded(ApproveBody.self)
    if let answer = try await again(request) { return answer }
    let authority = try await authority(of: try await preparing(request))
    var release: Release?
    if let id = body.release {
      guard case .approved(let approved) = try await commands.letters.release(id) else {
        throw Problem.badRequest(path: "release", problem: "is not approved", expected: "an approved release")
      }
      release = approved
    }
    return try await decide(request) { [release] in
      .approve(revision: body.revision, authority: authority, release: release, by: $0, at: $1)
    }
  }

  private func breakGlass(_ request: Request) async throws -> Response {
    let body = try request.decoded(BreakGlassBody.self)
    if let answer = try await again(request) { return answer }
    let authority = try await authority(of: try await preparing(request))
    return try await decide(request) { .breakGlass(revision: body.revision, reason: body.reason, authority: authority, by: $0, at: $1) }
  }

  /// The answer to a command that was taken before under its key: the draft that it would be looked at with has gone with it.
  private func again(_ request: Request) async throws -> Response? {
    guard let positions = try await commands.remembered(request), case .chain(let chain) = try await commands.letters.chain(try request.uuid("id")) else {
      return nil
    }
    return try answer(chain, positions)
  }

  private func preparing(_ request: Request) async throws -> Draft {
    guard case .chain(let chain) = try await commands.letters.chain(try request.uuid("id")) else { throw WarningProblems.of(AlertRefusal.unknown) }
    if let ending = chain.ending { throw WarningProblems.of(.ended(ending)) }
    guard let preparing = chain.preparing else { throw WarningProblems.of(.noDraft) }
    return preparing.draft
  }

  private func resolve(_ area: NamedArea) async throws -> AlertArea {
    do {
      return try await areas.resolve(area)
    } catch let rejection as JSONRejection {
      throw Problem(rejection)
    }
  }

  private func authority(of draft: Draft) async throws -> Authority {
    do {
      return try await areas.authority(for: draft.content.area)
    } catch let error as CompetenceError {
      throw WarningProblems.of(error)
    }
  }

  private func decide(
    _ request: Request, on given: UUID? = nil, revision: Int? = nil, status: Int = 200, _ command: (Officer, Instant) -> AlertCommand
  ) async throws -> Response {
    let id = try given ?? request.uuid("id")
    let now = commands.clock()
    let handled = try await commands.give(
      RevisedAlert.self, .init(command: command(try request.officer(), now), revision: revision), to: WarningStreams.alert(id), coding: WarningCoding.alerts,
      for: request, at: now, WarningProblems.of)
    guard case .chain(let chain) = handled.state else { throw WarningProblems.of(AlertRefusal.unknown) }
    return try answer(chain, handled.positions, status: status)
  }

  private func answer(_ chain: AlertChain, _ positions: [BrokerPosition], status: Int = 200) throws -> Response {
    var response = Response.json(try WarningJSON.bytes(AlertView(chain, at: commands.clock())), status: status)
    if status == 201 { response.headers["Location"] = "/warnings/\(chain.id.uuidString.lowercased())" }
    DOSPosition.write(positions, to: &response)
    return response
  }
}
