public import HTTP
import JSON
import Time

/// How people log in on a service's pages.
///
/// Where an OIDC issuer is set, the page sends them there: authorization code with PKCE (RFC 7636), done by `login.js` in the browser, which keeps the token in
/// the tab's session alone. Where none is set, this is development: whoever sits at the machine chooses a role, and gets a token of the local key.
public struct PageLogin: Sendable {
  /// What an issuer gives out that this process can verify.
  public enum TokenKind: String, Sendable, CaseIterable {
    /// The access token, a JSON Web Token (RFC 9068), as most providers write it.
    case access
    /// The ID token, where access tokens say nothing to anybody but the provider; its audience is the client.
    case id
  }

  private enum Mode: Sendable {
    case development(home: String)
    case issuer(String, client: String, token: TokenKind)
    case incomplete
  }

  private let path: String
  private let roles: [Role]
  private let cities: [String]
  private let mode: Mode
  private let clock: @Sendable () -> Instant

  /// How long a token lasts that somebody chose in development.
  static let developmentToken = Duration.seconds(12 * 3_600)

  /// - Parameters:
  ///   - path: of the page, with a slash at its end; the provider has to know it as a redirect address.
  ///   - roles: who has business on the page: what can be chosen in development.
  ///   - cities: whose somebody may be, likewise.
  public init(_ path: String, roles: [Role], cities: [String], _ settings: Settings, clock: @escaping @Sendable () -> Instant = { Instant.now() }) {
    self.path = path
    self.roles = roles
    self.cities = cities
    self.clock = clock
    switch (settings[ProcessSettings.oidcIssuer], settings[ProcessSettings.oidcClient]) {
    case (nil, _): mode = .development(home: settings[ProcessSettings.home])
    case (let issuer?, let client?): mode = .issuer(issuer, client: client, token: settings[ProcessSettings.oidcToken])
    case (_?, nil): mode = .incomplete
    }
  }

  /// The origins that the page has to talk to.
  public var origins: [String] {
    if case .issuer(let issuer, _, _) = mode { [WebOrigin.of(issuer)].compactMap { $0 } } else { [] }
  }

  public var routes: [Route] {
    let how = Route(
      .get, path + "login.json", access: .everyone, accepts: [],
      info: RouteInfo("How to log in on the page", tag: "Page", responses: [BodyInfo(schema: Self.how)], isTagged: true)
    ) { [described] request in Response.json(described.bytes).unlessUnchanged(for: request) }
    guard case .development(let home) = mode else { return [how] }
    let choose = Route(
      .post, path + "login/development", access: .everyone, bodyLimit: 4_096,
      info: RouteInfo(
        "A token for a role that somebody chose; in development alone, and on the machine itself", tag: "Page", request: chosen,
        responses: [BodyInfo(schema: Shape.object([("token", Shape.words)], required: ["token"], others: .taken))])
    ) { request in try token(for: request, home) }
    return [how, choose]
  }

  /// As ``described`` is, in either mode.
  private static let how = Shape.object(
    [
      ("mode", Shape.one(of: ["development", "oidc", "none"])), ("roles", Shape.described(Shape.list(of: Shape.words), "In development: what can be chosen")),
      ("cities", Shape.list(of: Shape.words)), ("issuer", Shape.described(Shape.address, "Of OpenID Connect")), ("client", Shape.words),
      ("token", Shape.one(of: TokenKind.self)), ("missing", Shape.described(Shape.words, "The setting without which nobody can log in")),
    ], required: ["mode"], others: .taken)

  private var chosen: BodyInfo {
    let members: [Shape.Member] = [
      ("subject", Shape.text("^[A-Za-z0-9-]+$", most: 64)), ("role", Shape.one(of: roles.map(\.rawValue))), ("city", Shape.one(of: cities)),
    ]
    let example = zip(members.map(\.name), ["ada", roles.first?.rawValue ?? "", cities.first ?? ""]).map { "\(Shape.quoted($0)):\(Shape.quoted($1))" }
    return BodyInfo(
      schema: Shape.object(members, required: members.map(\.name), others: .refused), example: "{\(example.joined(separator: ","))}")
  }

  private var described: JSONValue {
    switch mode {
    case .development:
      .object([
        "mode": .string("development"), "roles": .array(roles.map { .string($0.rawValue) }), "cities": .array(cities.map(JSONValue.string)),
      ])
    case .issuer(let issuer, let client, let token):
      .object(["mode": .string("oidc"), "issuer": .string(issuer), "client": .string(client), "token": .string(token.rawValue)])
    case .incomplete: .object(["mode": .string("none"), "missing": .string(ProcessSettings.oidcClient.setting.flag)])
    }
  }

  private struct Choice: Decodable, KnownFields, Sendable {
    static let fields = ["subject", "role", "city"]
    let subject: String
    let role: String
    let city: String
  }

  private func token(for request: Request, _ home: String) throws -> Response {
    // A name of elsewhere that leads to this machine would let a foreign page act as somebody of the city.
    guard Self.isLoopback(request.host) else {
      throw Problem.forbidden("Roles can be chosen on the machine itself alone: open the page at http://127.0.0.1 or http://localhost.")
    }
    let choice: Choice
    do throws(JSONRejection) {
      choice = try decodeStrictly(Choice.self, from: request.body)
    } catch {
      throw Problem(error)
    }
    guard let role = roles.first(where: { $0.rawValue == choice.role }) else {
      throw Problem.badRequest(path: "role", problem: "is none of this page", expected: "one of " + roles.map(\.rawValue).joined(separator: ", "))
    }
    guard cities.contains(choice.city) else {
      throw Problem.badRequest(path: "city", problem: "is unknown here", expected: "one of " + cities.joined(separator: ", "))
    }
    guard !choice.subject.isEmpty, choice.subject.utf8.count <= 64, choice.subject.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") })
    else {
      throw Problem.badRequest(path: "subject", problem: "is no name for a token", expected: "1 to 64 letters, digits and hyphens")
    }
    let issuer = try DevelopmentIssuer(folder: home)
    let token = try issuer.token(subject: choice.subject, roles: [role], city: choice.city, issued: clock(), validFor: Self.developmentToken)
    var response = Response.json(JSONValue.object(["token": .string(token)]).bytes)
    response.headers["Cache-Control"] = "no-store"
    return response
  }

  static func isLoopback(_ host: String) -> Bool {
    let name = host.hasPrefix("[") ? String(host.prefix { $0 != "]" }) + "]" : String(host.prefix { $0 != ":" })
    return ["127.0.0.1", "localhost", "[::1]"].contains(name.lowercased())
  }
}
