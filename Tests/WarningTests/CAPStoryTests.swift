import CAP
import Foundation
import HTTP
import JSON
import Postgres
import TestSupport
import Testing

@testable import Warning

@Suite("CAP", .timeLimit(.minutes(5))) struct CAPStoryTests {
  @Test("Every issued message is CAP with its chain of references, in a feed; what does not go there is not") func out() async throws {
    try await WholeWarnings.run { city in
      let (alert, first) = try await city.issue(Content.flood(channels: ["cap-feed"]))
      let (_, hidden) = try await city.issue(Content.flood(channels: ["app"]))
      try await city.expect(201, .post, "/warnings/\(alert)/all-clear", .object(["refersTo": .string(first), "texts": Content.texts("Entwarnung")]))
      let last = try await city.pass(alert)
      #expect(try await eventually { try await city.send(.get, "/warnings/cap/\(last)", as: nil).status == 200 })
      let document = try await city.send(.get, "/warnings/cap/\(last)", as: nil)
      #expect(document.headers["Content-Type"]?.hasPrefix("application/cap+xml") == true)
      let reading = try CAPReader.read(document.body)
      #expect(reading.remarks.isEmpty)
      #expect(reading.alert.msgType == .update && reading.alert.infos.first?.responseTypes == [.allClear])
      #expect(reading.alert.references.map(\.identifier) == ["dos2030.dortmund.\(first)"])
      #expect(reading.alert.infos.map(\.language) == ["de-DE", "en-GB"])
      let feed = try await city.send(.get, "/warnings/feed", as: nil)
      #expect(feed.text.contains("/warnings/cap/\(first)") && feed.text.contains("/warnings/cap/\(last)") && !feed.text.contains(hidden))
      let tag = feed.headers["ETag"] ?? ""
      #expect(try await city.send(.get, "/warnings/feed", as: nil, headers: ["If-None-Match": tag]).status == 304)
      try await city.expect(404, .get, "/warnings/cap/\(hidden)", as: nil)
      #expect(try await city.send(.get, "/warnings/cap/\(hidden)").status == 200)
    }
  }

  @Test("Others' warnings are taken in once, merged, shown as theirs; fifty old ones send nothing to anybody") func foreign() async throws {
    try await WholeWarnings.run { city in
      let hook = try WebhookReceiver()
      try await hook.start()
      try await city.subscribe(hook)
      func cap(_ number: Int, _ kind: String = "Alert", references: String = "", year: Int = 2030) -> [UInt8] {
        Array(
          """
          <?xml version="1.0" encoding="UTF-8"?><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>dwd.\(number)</identifier>\
          <sender>CAP@dwd.de</sender><sent>\(year)-06-15T13:30:0\(number % 10)+02:00</sent><status>Actual</status><msgType>\(kind)</msgType><scope>Public</scope>\(references)\
          <info><language>de-DE</language><category>Met</category><event>STARKREGEN</event><urgency>Immediate</urgency><severity>Severe</severity>\
          <certainty>Likely</certainty><expires>\(year)-06-15T20:00:00+02:00</expires><headline>Amtliche WARNUNG \(number)</headline>\
          <area><areaDesc>Stadt Dortmund</areaDesc></area></info></alert>
          """.utf8)
      }
      func send(_ document: [UInt8]) async throws -> ClientResponse {
        try await city.client.send(
          ClientRequest(
            .post, city.origin + "/warnings/foreign", headers: ["Content-Type": "application/cap+xml", "Authorization": "Bearer \(WholeWarnings.ada)"],
            body: document))
      }
      for number in 1...50 { #expect(try await send(cap(number, year: 2029)).status == 200) }
      #expect(try await send(cap(1)).status == 200)
      #expect(try await send(cap(1)).text.contains("known"))
      _ = try await send(cap(2, "Update", references: "<references>CAP@dwd.de,dwd.1,2030-06-15T13:30:01+02:00</references>"))
      let shown = try await city.get("/warnings/foreign", as: nil) { $0["alerts"]?.array?.first?["identifier"]?.string == "dwd.2" }
      #expect(shown["alerts"]?.array?.map { $0["identifier"]?.string } == ["dwd.2"])
      #expect(shown["alerts"]?.array?.first?["foreign"]?.bool == true)
      #expect(try await send(Array("<!DOCTYPE x [<!ENTITY a \"b\">]><alert/>".utf8)).status == 400)
      #expect(hook.letters.isEmpty)
      #expect(try await city.pool.query("select 1 from deliveries").isEmpty)
      await hook.stop()
    }
  }
}
