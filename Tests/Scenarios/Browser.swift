import Foundation
import HTTP
import JSON
import TestSupport

/// A real browser without a window, driven over WebDriver (W3C), for tests that look at pages as their users do.
struct Browser: Sendable {
  enum Failure: Error, CustomStringConvertible {
    case missing(String)
    case driver(String)
    case timeout(String)

    var description: String {
      switch self {
      case .missing(let program): "\(program) is missing: run `make test`, which installs it"
      case .driver(let text): "the browser's driver says: \(text)"
      case .timeout(let what): "waited in vain until \(what)"
      }
    }
  }

  private let client: HTTPClient
  private let session: String

  /// Opens a browser, hands it over and closes it again.
  static func with<T>(width: Int = 1280, height: Int = 900, _ body: (Browser) async throws -> T) async throws -> T {
    guard FileManager.default.isExecutableFile(atPath: "/usr/bin/chromedriver") else { throw Failure.missing("chromedriver") }
    let port = try freePort()
    let driver = try Program("/usr/bin/chromedriver", ["--port=\(port)", "--log-level=OFF"])
    defer { driver.signal(SIGKILL) }
    let client = HTTPClient()
    let root = "http://127.0.0.1:\(port)"
    try await until("chromedriver answers") { (try? await client.send(ClientRequest(.get, "\(root)/status")))?.isSuccess == true }
    let options: JSONValue = [
      "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", .string("--window-size=\(width),\(height)"), "--lang=de-DE"]
    ]
    let capabilities: JSONValue = [
      "capabilities": ["alwaysMatch": ["browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": ["browser": "ALL"]]]
    ]
    let created = try await call(client, .post, "\(root)/session", capabilities)
    guard let id = created["sessionId"]?.string else { throw Failure.driver("no session") }
    let browser = Browser(client: client, session: "\(root)/session/\(id)")
    let result: T
    do {
      result = try await body(browser)
    } catch {
      _ = try? await call(client, .delete, browser.session, nil)
      throw error
    }
    _ = try? await call(client, .delete, browser.session, nil)
    await client.close()
    return result
  }

  func open(_ url: String) async throws { _ = try await call(.post, "url", ["url": .string(url)]) }

  /// The value of a script's `return`.
  func run(_ script: String) async throws -> JSONValue {
    try await call(.post, "execute/sync", ["script": .string(script), "args": []])
  }

  /// Waits until a script returns true.
  func wait(until what: String, _ script: String) async throws {
    try await Self.until(what) { (try? await run(script)) == .bool(true) }
  }

  /// Presses keys where the focus is, as a keyboard would.
  func press(_ keys: String) async throws {
    let strokes = keys.flatMap { key -> [JSONValue] in
      [["type": "keyDown", "value": .string(String(key))], ["type": "keyUp", "value": .string(String(key))]]
    }
    _ = try await call(.post, "actions", ["actions": [["type": "key", "id": "keyboard", "actions": .array(strokes)]]])
  }

  /// Clicks into an element, at a share of its width and height, with a mouse.
  func click(into selector: String, _ x: Double, _ y: Double) async throws {
    let box = try await run(
      "const e = document.querySelector('\(selector)'); e.scrollIntoView({ block: 'center' }); const b = e.getBoundingClientRect(); return [b.left, b.top, b.width, b.height]"
    )
    let sides = (box.array ?? []).compactMap(\.double)
    guard sides.count == 4 else { throw Failure.driver("there is no \(selector)") }
    let place: JSONValue = [
      "type": "pointerMove", "x": .int(Int64(sides[0] + sides[2] * x)), "y": .int(Int64(sides[1] + sides[3] * y)), "origin": "viewport",
    ]
    // Two clicks of one moment would be a double click.
    let steps: [JSONValue] = [place, ["type": "pointerDown", "button": 0], ["type": "pointerUp", "button": 0], ["type": "pause", "duration": 400]]
    _ = try await call(.post, "actions", ["actions": [["type": "pointer", "id": "mouse", "actions": .array(steps)]]])
  }

  /// A command of the browser's own protocol.
  func command(_ name: String, _ parameters: JSONValue = [:]) async throws {
    _ = try await call(.post, "goog/cdp/execute", ["cmd": .string(name), "params": parameters])
  }

  /// Lets pages know where the device is.
  func stand(at latitude: Double, _ longitude: Double, on origin: String) async throws {
    try await command("Browser.grantPermissions", ["origin": .string(origin), "permissions": ["geolocation"]])
    try await command("Emulation.setGeolocationOverride", ["latitude": .number(latitude), "longitude": .number(longitude), "accuracy": 10])
  }

  /// What the page complained about: errors of scripts and of the content security policy, and files not found.
  ///
  /// - Parameter refused: whether something was refused on purpose; browsers log that, too.
  func complaints(besidesRefusals refused: Bool = false) async throws -> [String] {
    let entries = try await call(.post, "se/log", ["type": "browser"]).array ?? []
    return entries.filter { $0["level"]?.string == "SEVERE" }.compactMap { $0["message"]?.string }
      .filter { !refused || $0.firstMatch(of: /responded with a status of 4\d\d/) == nil }
  }

  func screenshot() async throws -> Data {
    let text = try await call(.get, "screenshot", nil).string ?? ""
    return Data(base64Encoded: text) ?? Data()
  }

  private func call(_ method: HTTP.Method, _ path: String, _ body: JSONValue?) async throws -> JSONValue {
    try await Self.call(client, method, "\(session)/\(path)", body)
  }

  private static func call(_ client: HTTPClient, _ method: HTTP.Method, _ url: String, _ body: JSONValue?) async throws -> JSONValue {
    var request = ClientRequest(method, url)
    if let body { request = .json(method, url, body.bytes) }
    request.timeout = .seconds(60)
    request.bodyLimit = 32 << 20
    let response = try await client.send(request)
    let answer = try JSONValue(parsing: response.body)["value"] ?? .null
    guard response.isSuccess else { throw Failure.driver(answer["message"]?.string ?? response.text) }
    return answer
  }

  /// Looks again and again until it holds.
  static func until(_ what: String, within limit: Duration = .seconds(120), _ holds: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !holds() {
      guard ContinuousClock.now < deadline else { throw Failure.timeout(what) }
      try await Task.sleep(for: .milliseconds(50))
    }
  }
}
