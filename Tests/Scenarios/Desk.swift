import Foundation
import HTTP
import JSON
import Testing
import Time

/// What happens behind an officer's back: sensors that rise, other officers, other senders.
struct Desk: Sendable {
  let city: RunningCity
  let ada: String
  let ben: String
  private let device: String
  private let operators: String

  init(_ city: RunningCity) async throws {
    self.city = city
    ada = try await city.token("warning-officer", subject: "ada", city: "dortmund")
    ben = try await city.token("warning-officer", subject: "ben", city: "dortmund")
    device = try await city.token("device")
    operators = try await city.token("sensor-operator")
  }

  @discardableResult
  func post(
    _ path: String, _ body: JSONValue, _ status: Int, as token: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> JSONValue {
    let answer = try await city.post(path, body, token: token ?? ada)
    #expect(answer.status == status, "\(path): \(answer.text.prefix(500))", sourceLocation: sourceLocation)
    return answer.body.isEmpty ? .null : try JSONValue(parsing: answer.body)
  }

  func get(_ path: String) async throws -> JSONValue {
    let answer = try await city.client.send(ClientRequest(.get, city.url + path, headers: ["Authorization": "Bearer \(ada)"], bodyLimit: 8 << 20))
    return try JSONValue(parsing: answer.body)
  }

  /// Sets a rule live for a sensor of its own, and lets that rise until there is a hint of it. Answers the datastream.
  func raise(_ name: String, rota: String?) async throws -> Int64 {
    let creek = try await city.registerStation("Pegel \(name.prefix { $0 != " " })", .waterLevel, token: operators)
    var rule: [String: JSONValue] = [
      "name": .string(name), "description": "Rechen prüfen, Anlieger warnen.", "city": "dortmund", "district": "Hombruch", "place": [7.43, 51.47],
      "severity": "Severe", "condition": ["kind": "threshold", "datastream": .int(creek), "direction": "above", "raiseAt": 1.2, "clearAt": 1.0, "for": 0],
    ]
    if let rota { rule["rota"] = .string(rota) }
    let drawn = try await post("/warnings/rules", .object(rule), 201)
    try await post("/warnings/rules/\(drawn["id"]?.string ?? "")/activate", ["version": 1], 200)
    var level = 0.05
    try await Browser.until("the hint \(name) is there") {
      level = min(level + 0.2, 2.4)
      try await send(level, to: creek)
      return try await get("/warnings/hints?open=true")["hints"]?.array?.contains { $0["title"]?.string == name } ?? false
    }
    return creek
  }

  func send(_ result: Double, to datastream: Int64, before now: Duration = .zero) async throws {
    let body: JSONValue = ["result": .number(result), "phenomenonTime": .string((Instant.now() - now).rfc3339)]
    try await post("/sensors/v1.1/Datastreams(\(datastream))/Observations", body, 201, as: device)
  }

  /// A sensor that has reported every half hour for days: low water, and two floods up to 4. Answers its datastream.
  func floods(_ name: String, days: Int) async throws -> Int64 {
    let count = days * 48
    return try await gauge(name, (0..<count).map { step in max(0.5, 4 - 0.35 * Double(min(abs(step - count / 4), abs(step - 3 * count / 4)))) })
  }

  /// Two gauges of a river over 60 days with 14 floods, each four hours later at the second one. Answers their datastreams.
  func river() async throws -> (upstream: Int64, downstream: Int64) {
    let count = 60 * 48
    func level(_ step: Int) -> Double {
      (0..<14).reduce(0) { sum, flood in
        let from = Double(step - (2 * flood + 1) * count / 28)
        return sum + (1 + Double(flood * 5 % 14) / 7) * exp(-pow(from / (from < 0 ? 6 : 16), 2))
      }
    }
    // As unsteady as water is, and the same each time.
    func ripple(_ step: Int) -> Double { 0.02 * (Double(step * 7_919 % 101) / 101 - 0.5) }
    return (
      try await gauge("Pegel Oberhalb", (0..<count).map { 0.5 + level($0) + ripple($0) }),
      try await gauge("Pegel Unterhalb", (0..<count).map { 0.4 + 0.8 * level($0 - 8) + ripple($0 + 17) })
    )
  }

  /// A gauge that has reported these levels, each half an hour after the one before, the last one half an hour ago.
  private func gauge(_ name: String, _ levels: [Double]) async throws -> Int64 {
    let creek = try await city.registerStation(name, .waterLevel, token: operators)
    let now = Instant.now()
    let rows = levels.enumerated().map { step, level -> JSONValue in
      [.string((now - .seconds(1_800 * (levels.count - step))).rfc3339), .number((level * 1_000).rounded() / 1_000)]
    }
    try await post(
      "/sensors/v1.1/CreateObservations",
      [
        [
          "Datastream": ["@iot.id": .int(creek)], "components": ["phenomenonTime", "result"], "dataArray@iot.count": .int(Int64(rows.count)),
          "dataArray": .array(rows),
        ]
      ],
      201, as: device)
    return creek
  }

  /// Ada drafts and submits. Answers the alert.
  @discardableResult
  func submitted(
    _ headline: String, district: String = "Hombruch", isCircle: Bool = false, channels: [String] = ["app"], mode: String = "Actual",
    lasting: Duration = .seconds(7_200)
  ) async throws -> String {
    let texts: [JSONValue] = ["de-DE", "en-GB"].map { language in
      [
        "language": .string(language), "event": "Gefahr", "headline": .string(headline), "description": "Es ist gefährlich.",
        "instruction": "Bleiben Sie fern.",
      ]
    }
    let area: JSONValue =
      isCircle
      ? ["description": "Um die Reinoldikirche", "circles": [["center": [7.466, 51.515], "radius": 1]]]
      : ["description": .string(district), "districts": [.string(district)]]
    let content: JSONValue = [
      "categories": ["Met"], "urgency": "Immediate", "severity": "Severe", "certainty": "Observed", "expires": .string((Instant.now() + lasting).rfc3339),
      "texts": .array(texts), "area": area, "channels": .array(channels.map(JSONValue.string)),
    ]
    let alert = try await post("/warnings/alerts", ["mode": .string(mode), "content": content], 201)["id"]?.string ?? ""
    try await post("/warnings/\(alert)/submit", [:], 200)
    return alert
  }

  /// A warning of the weather service's in a polygon, as CAP writes it: latitude first.
  func takeForeign(_ name: String, _ polygon: String) async throws {
    func time(_ offset: Duration) -> String { (Instant.now() + offset).rfc3339.replacing(/\.\d+Z$/, with: "Z").replacing("Z", with: "-00:00") }
    let document = """
      <?xml version="1.0" encoding="UTF-8"?>
      <alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>\(name)</identifier><sender>wetter@example.org</sender><sent>\(time(.seconds(-60)))</sent>
      <status>Actual</status><msgType>Alert</msgType><scope>Public</scope><info><language>de-DE</language><category>Met</category><event>GLÄTTE</event>
      <urgency>Immediate</urgency><severity>Minor</severity><certainty>Likely</certainty><expires>\(time(.seconds(7_200)))</expires>
      <senderName>Wetterdienst</senderName><headline>Glätte (\(name))</headline><area><areaDesc>Fläche \(name)</areaDesc><polygon>\(polygon)</polygon></area></info></alert>
      """
    let headers: Headers = ["Authorization": "Bearer \(ada)", "Content-Type": "application/cap+xml"]
    let answer = try await city.client.send(ClientRequest(.post, city.url + "/warnings/foreign", headers: headers, body: Array(document.utf8)))
    #expect(answer.status == 200, "\(answer.text)")
  }
}
