import Foundation
import HTTP
import JSON
import Testing

@testable import ServiceKit

@Suite("Pages and who logs in on them")
struct PagesTests {
  private func login(_ settings: Settings) -> PageLogin {
    PageLogin("/warnings/officer/", roles: [.warningOfficer, .controlRoom], cities: ["dortmund", "schwerte"], settings)
  }

  private func ask(_ login: PageLogin, _ method: HTTP.Method, _ path: String, _ body: String = "", host: String = "localhost") async throws -> Response {
    let router = try Router(login.routes, hooks: Router.Hooks(mapError: { $0 as? Problem ?? ErrorMapping.problem(for: $0) }))
    let headers: Headers = body.isEmpty ? [:] : ["Content-Type": "application/json"]
    return await router.respond(to: try Request(method: method, target: path, headers: headers, body: Array(body.utf8), host: host))
  }

  @Test("In development whoever sits at the machine chooses a role of the page, and no other")
  func development() async throws {
    let folder = FileManager.default.temporaryDirectory.path + "/pages-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var settings = Settings()
    settings[ProcessSettings.home] = folder
    let login = login(settings)
    let path = "/warnings/officer/login/development"
    let choice = #"{"subject":"ada","role":"warning-officer","city":"dortmund"}"#
    let given = try await ask(login, .post, path, choice, host: "127.0.0.1:8080")
    #expect(given.status == 200 && given.headers["Cache-Control"] == "no-store")
    let token = try #require(try JSONValue(parsing: given.bytes)["token"]?.string)
    let keys = try DevelopmentIssuer(folder: folder).key.keySet()
    let claims = try TokenVerifier(rules: DevelopmentIssuer.rules).verify(token, keys: keys, now: .now())
    #expect(claims.subject == "ada" && claims.roles == [.warningOfficer] && claims.city == "dortmund")
    #expect(try await ask(login, .post, path, choice, host: "city.example").status == 403)
    #expect(try await ask(login, .post, path, choice, host: "localhost.city.example").status == 403)
    #expect(try await ask(login, .post, path, choice.replacing("warning-officer", with: "administrator")).status == 400)
    #expect(try await ask(login, .post, path, choice.replacing("dortmund", with: "unna")).status == 400)
    #expect(try await ask(login, .post, path, choice.replacing("ada", with: "a da")).status == 400)
  }

  @Test("Where an issuer is set nobody chooses a role, and the page may talk to the issuer")
  func issuer() async throws {
    var settings = Settings()
    settings[ProcessSettings.oidcIssuer] = "https://id.city.example/realms/city"
    let incomplete = try JSONValue(parsing: try await ask(login(settings), .get, "/warnings/officer/login.json").bytes)
    #expect(incomplete["mode"]?.string == "none" && incomplete["missing"]?.string == "--oidc-client-id")
    settings[ProcessSettings.oidcClient] = "dos-pages"
    let complete = login(settings)
    let how = try JSONValue(parsing: try await ask(complete, .get, "/warnings/officer/login.json").bytes)
    #expect(how["mode"]?.string == "oidc" && how["client"]?.string == "dos-pages" && how["token"]?.string == "access")
    #expect(try await ask(complete, .post, "/warnings/officer/login/development", "{}").status == 404)
    #expect(complete.origins == ["https://id.city.example"])
    let files = PageFiles("/x", pages: [.init("/x/", file: "login.js", summary: "A page", connecting: complete.origins)], files: [], map: .none)
    let page = await (try Router(files.routes)).respond(to: try Request(method: .get, target: "/x/", host: "city.example"))
    let policy = page.headers["Content-Security-Policy"] ?? ""
    #expect(policy.contains("connect-src 'self' https://id.city.example;") && policy.contains("script-src 'self';") && !policy.contains("unsafe"))
  }

  @Test("A map's tiles are a template with a host, and nothing else is believed")
  func tiles() throws {
    #expect(try MapTiles(template: "https://tiles.example.org/{z}/{x}/{y}.png", attribution: "©").origin == "https://tiles.example.org")
    #expect(try MapTiles(template: "https://{s}.tiles.example.org:8443/{z}/{x}/{y}", attribution: nil).origin == "https://*.tiles.example.org:8443")
    #expect(MapTiles.none.origin == nil)
    for template in ["https://tiles.example.org/{z}/{x}.png", "ftp://tiles.example.org/{z}/{x}/{y}", "{z}/{x}/{y}", "https:///{z}/{x}/{y}"] {
      #expect(throws: MapTiles.Unusable(template: template)) { try MapTiles(template: template, attribution: nil) }
    }
  }
}
