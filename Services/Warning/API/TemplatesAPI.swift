import EventSourcing
import Foundation
import HTTP
import JSON
import Postgres
import ServiceKit
import Time
import WarningDomain

/// What alerts begin with: those that the service brings along, and those that officers saved, which take the place of one of the same name.
struct TemplatesAPI: Sendable {
  let commands: WarningCommands
  let lists: WarningLists
  let templates: Templates

  var routes: [Route] {
    let officers = Access.roles(.warningOfficer)
    return [
      Route(.get, "/warnings/templates", access: officers, accepts: [], info: .read("Templates, by their names", "Templates", "Templates")) { request in
        try await lists.ownWrites(request)
        let all = try await templates.all()
        return Response.json(try WarningJSON.bytes(["templates": all.keys.sorted().compactMap { name in all[name].map { View(name, $0) } }]))
          .unlessUnchanged(for: request)
      },
      Route(
        .put, "/warnings/templates/{name}", access: officers,
        info: .decision("Saves a template for all officers", "Templates", "Template", takes: .newTemplate, [Self.name])
      ) { request in
        let template = try request.decoded(AlertTemplate.self)
        return try await decide(request, answer: .json(try WarningJSON.bytes(View(try request.parameter("name"), template)))) {
          .save(template, name: $0, by: $1, at: $2)
        }
      },
      Route(
        .delete, "/warnings/templates/{name}", access: officers, accepts: [],
        info: .decision(
          "Removes what officers saved; what the service brings along under this name is offered again", "Templates", nil, [Self.name], status: 204)
      ) { request in try await decide(request, answer: .noContent) { .remove(name: $0, by: $1, at: $2) } },
    ]
  }

  private struct View: Encodable {
    let name: String
    let title: String
    let lasts: Int
    let content: TemplateContent

    init(_ name: String, _ template: AlertTemplate) {
      self.name = name
      (title, lasts, content) = (template.title, template.lasts, template.content)
    }
  }

  private static let name = ParameterInfo("name", in: .path, "The same name is the same template", schema: Shape.named("TemplateName"), required: true)

  /// - Parameter answer: what the request is answered, also where it comes again and the template is another by now.
  private func decide(_ request: Request, answer: Response, _ command: (String, Officer, Instant) -> TemplateCommand) async throws -> Response {
    let name = try request.parameter("name")
    let now = commands.clock()
    let handled = try await commands.give(
      TemplateDecider.self, command(name, try request.officer(), now), to: WarningStreams.template(name), coding: WarningCoding.templates, for: request,
      at: now, WarningProblems.of)
    var response = answer
    DOSPosition.write(handled.positions, to: &response)
    return response
  }
}

/// The templates that there are.
struct Templates: Sendable {
  /// Those that the service brings along.
  static let brought: [String: AlertTemplate] = {
    let bytes = WarningFiles.all.first { $0.name == "Templates/templates.json" }?.bytes ?? []
    return (try? JSONDecoder().decode([String: AlertTemplate].self, from: Data(bytes))) ?? [:]
  }()

  let pool: PostgresPool

  func all() async throws -> [String: AlertTemplate] {
    let rows = try await pool.query("select name, template::text from templates order by name limit 1000")
    let saved = try rows.map { row throws in try Self.read(row) }
    return Self.brought.merging(saved) { _, saved in saved }
  }

  func named(_ name: String) async throws -> AlertTemplate? {
    let rows = try await pool.query("select name, template::text from templates where name = \(name)")
    return try rows.first.map { row throws in try Self.read(row).1 } ?? Self.brought[name]
  }

  private static func read(_ row: Row) throws -> (String, AlertTemplate) {
    let (name, text) = try row.decode(String.self, String.self)
    return (name, try JSONDecoder().decode(AlertTemplate.self, from: Data(text.utf8)))
  }

  /// What `POST /warnings/alerts` asks for, with what it leaves out of its content taken from the template that it names (RFC 7396: what stands in the request
  /// wins, lists as a whole). What is drafted from a template ends `lasts` seconds from now, where the request says nothing else.
  func draft(_ request: Request, at now: Instant) async throws -> DraftBody {
    do {
      var body = try JSONValue(parsing: request.body)
      try body.refuseNullCharacter()
      if let name = body["template"]?.string, var draft = body.object {
        guard let template = try await named(name) else {
          throw JSONRejection(
            path: "template", problem: "there is no template '\(name.prefix(60))'", expected: "one of those that GET /warnings/templates lists")
        }
        var content = try JSONValue(parsing: WarningJSON.bytes(template.content)).object ?? [:]
        content["expires"] = .string((now + .seconds(template.lasts)).rfc3339)
        for (field, value) in draft["content"]?.object ?? [:] { content[field] = value == .null ? nil : value }
        draft["content"] = .object(content)
        body = .object(draft)
      }
      return try decodeStrictly(DraftBody.self, from: body)
    } catch let rejection as JSONRejection {
      throw Problem(rejection)
    }
  }
}
