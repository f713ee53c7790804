import CAP
import Foundation
import Geo
import TestSupport
import Testing
import Time

@Suite("CAP out")
struct WriterTests {
  @Test("is as the standard orders it, in the city's time, the same bytes each time")
  func bytes() throws {
    var alert = Samples.alert("dos.7", .update, names: ["dos.6"])
    alert.infos[0].areas[0].polygons = [try Samples.square(7.5, 51.25, size: 0.5)]
    alert.infos[0].areas[0].circles = [try Circle(center: try Coordinate(longitude: 7.5, latitude: 0.00001), radius: 2.5)]
    let written = String(decoding: try alert.xml(), as: UTF8.self)
    #expect(
      written == """
        <?xml version="1.0" encoding="UTF-8"?>
        <alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
          <identifier>dos.7</identifier>
          <sender>warnung@example.org</sender>
          <sent>2030-06-15T14:00:00+02:00</sent>
          <status>Actual</status>
          <msgType>Update</msgType>
          <scope>Public</scope>
          <references>warnung@example.org,dos.6,2030-06-15T14:00:00+02:00</references>
          <info>
            <language>de-DE</language>
            <category>Met</category>
            <event>Starkregen</event>
            <responseType>Avoid</responseType>
            <urgency>Immediate</urgency>
            <severity>Severe</severity>
            <certainty>Likely</certainty>
            <expires>2030-06-15T20:00:00+02:00</expires>
            <headline>Amtliche Warnung vor Starkregen</headline>
            <description>Keller laufen voll. Pegel &gt; 3 m &amp; steigend.</description>
            <area>
              <areaDesc>Schwerte</areaDesc>
              <polygon>51.25,7.5 51.25,8.0 51.75,8.0 51.75,7.5 51.25,7.5</polygon>
              <circle>0.00001,7.5 2.5</circle>
              <geocode>
                <valueName>WARNCELLID</valueName>
                <value>105978032</value>
              </geocode>
            </area>
          </info>
        </alert>

        """)
    #expect(try alert.xml() == alert.xml())
  }

  @Test("reads back equal and without a remark, whatever is in it", arguments: 1...40)
  func roundTrip(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    for _ in 0..<25 {
      let alert = try Samples.random(&random)
      let reading = try CAPReader.read(try alert.xml())
      #expect(reading.alert == alert)
      #expect(reading.remarks.isEmpty)
    }
  }

  @Test(
    "is valid against the schema, whatever is in it",
    .enabled(if: Schema.isAtHand, "xmllint (Debian: libxml2-utils) or the schema is missing; \(SharedData.missing)"))
  func schema() async throws {
    var random = SeededRandom(seed: 2030)
    var documents = [try Samples.alert("dos.1").xml(), try Samples.alert("dos.2", .cancel, names: ["dos.1"]).xml()]
    for _ in 0..<300 { documents.append(try Samples.random(&random).xml()) }
    #expect(try await Schema.faults(in: documents) == "")
  }

  @Test("against the schema is seen to be invalid where it is", .enabled(if: Schema.isAtHand))
  func schemaJudges() async throws {
    let text = String(decoding: try Samples.alert("dos.1").xml(), as: UTF8.self)
    for (right, wrong) in [("+02:00</sent>", "Z</sent>"), ("<status>Actual", "<status>actual"), ("<scope>Public</scope>", "")] {
      #expect(try await Schema.faults(in: [Array(text.replacing(right, with: wrong).utf8)]).contains("fails to validate"), "\(wrong)")
    }
  }

  private static func problem(_ path: String, _ change: @escaping @Sendable (inout CAPAlert) throws -> Void) -> (
    String, @Sendable (inout CAPAlert) throws -> Void
  ) {
    (path, change)
  }

  @Test(
    "is refused with the path of what would be invalid",
    arguments: [
      problem("alert/identifier") { $0.identifier = "" }, problem("alert/identifier") { $0.identifier = "a b" },
      problem("alert/identifier") { $0.identifier = "a,b" },
      problem("alert/identifier") { $0.identifier = "a<b" }, problem("alert/identifier") { $0.identifier = "a,\u{301}b" },
      problem("alert/sender") { $0.sender = "a&b" }, problem("alert/sender") { $0.sender = "a\u{a0}b" }, problem("alert/sender") { $0.sender = "a\u{1}" },
      problem("alert/sent") { $0.sent = Instant(milliseconds: $0.sent.milliseconds + 1) },
      problem("alert/sent") {
        $0.sent = Instant(milliseconds: 300_000_000_000_000); $0.infos = []
      },
      problem("alert/source") { $0.source = " " }, problem("alert/note") { $0.note = "<b>wichtig</b>" }, problem("alert/code[2]") { $0.codes = ["a", ""] },
      problem("alert/restriction") { $0.restriction = "nur Feuerwehr" }, problem("alert/restriction") { $0.scope = .restricted },
      problem("alert/addresses") { $0.scope = .private }, problem("alert/addresses") { $0.addresses = ["a\"b"] },
      problem("alert/incidents") { $0.incidents = [""] },
      problem("alert/references") { $0.msgType = .update }, problem("alert/references") { $0.msgType = .cancel },
      problem("alert/references") { $0.msgType = .ack },
      problem("alert/references") { $0.references = [$0.reference] },
      problem("alert/references") { $0.references = [CAPReference(sender: $0.sender, identifier: "b", sent: Samples.at(13))] },
      problem("alert/references") { $0.references = [CAPReference(sender: $0.sender, identifier: "b c", sent: Samples.at(11))] },
      problem("alert/references") { $0.references = [CAPReference(sender: "", identifier: "b", sent: Samples.at(11))] },
      problem("alert/references") { $0.references = [CAPReference(sender: "a", identifier: "b", sent: Instant(milliseconds: 1))] },
      problem("alert/info[1]/language") { $0.infos[0].language = "deutsch_DE" }, problem("alert/info[1]/language") { $0.infos[0].language = "" },
      problem("alert/info[1]/category") { $0.infos[0].categories = [] }, problem("alert/info[2]/event") { $0.infos.append(Samples.info("\t")) },
      problem("alert/info[1]/headline") { $0.infos[0].headline = "" }, problem("alert/info[1]/description") { $0.infos[0].description = "a<br />b" },
      problem("alert/info[1]/description") { $0.infos[0].description = "a&nbsp;b" },
      problem("alert/info[1]/instruction") { $0.infos[0].instruction = "a\u{0}b" },
      problem("alert/info[1]/expires") { $0.infos[0].expires = Samples.at(12) }, problem("alert/info[1]/expires") { $0.infos[0].effective = Samples.at(18) },
      problem("alert/info[1]/onset") { $0.infos[0].onset = Instant(milliseconds: 1_907_712_000_500) },
      problem("alert/info[1]/web") { $0.infos[0].web = "www.dortmund.de" }, problem("alert/info[1]/web") { $0.infos[0].web = "https://dortmund.de/a b" },
      problem("alert/info[1]/web") { $0.infos[0].web = "https://dortmund.de/%zz" },
      problem("alert/info[1]/eventCode[1]/valueName") { $0.infos[0].eventCodes = [CAPValue("", "1")] },
      problem("alert/info[1]/parameter[1]/value") { $0.infos[0].parameters = [CAPValue("a", "\u{b}")] },
      problem("alert/info[1]/resource[1]/mimeType") { $0.infos[0].resources = [CAPResource(resourceDesc: "Karte", mimeType: "png")] },
      problem("alert/info[1]/resource[1]/uri") { $0.infos[0].resources = [CAPResource(resourceDesc: "Karte", mimeType: "image/png", uri: "karte.png")] },
      problem("alert/info[1]/resource[1]/size") { $0.infos[0].resources = [CAPResource(resourceDesc: "Karte", mimeType: "image/png", size: -1)] },
      problem("alert/info[1]/resource[1]/digest") { $0.infos[0].resources = [CAPResource(resourceDesc: "Karte", mimeType: "image/png", digest: "0a")] },
      problem("alert/info[1]/area[1]/areaDesc") { $0.infos[0].areas[0].areaDesc = "" },
      problem("alert/info[1]/area[1]/ceiling") { $0.infos[0].areas[0].ceiling = 100 },
      problem("alert/info[1]/area[1]/ceiling") {
        $0.infos[0].areas[0].altitude = 100; $0.infos[0].areas[0].ceiling = 100
      },
      problem("alert/info[1]/area[1]/altitude") { $0.infos[0].areas[0].altitude = .infinity },
      problem("alert/info[1]/area[1]/polygon[2]") {
        $0.infos[0].areas[0].polygons = [try Samples.square(), try ring([(0, 0), (1, 1), (1, 0), (0, 1), (0, 0)])]
      },
      problem("alert/info[1]/area[1]/polygon[1]") { $0.infos[0].areas[0].polygons = [try ring([(0, 0), (1, 1), (0, 0), (0, 0)])] },
      problem("alert/info[1]/area[1]/polygon[1]") {
        $0.infos[0].areas[0].polygons = [try Polygon(rings: [try Samples.square().rings[0], try Samples.square(7.52, 51.42, size: 0.01).rings[0]])]
      },
    ])
  func refused(path: String, change: @Sendable (inout CAPAlert) throws -> Void) throws {
    var alert = Samples.alert("dos.1")
    try change(&alert)
    let error = #expect(throws: CAPError.self) { try alert.xml() }
    guard case .invalid(let problems) = error else { return }
    #expect(problems.map(\.path) == [path], "\(problems)")
  }

  @Test(
    "takes plain text for plain text",
    arguments: ["Pegel <5 m", "a < b und c > d", "Tom & Jerry", "x<y", "R & D; a& b;", "<", "&", "1 <2> 3", "&;", "i<3"])
  func plain(text: String) throws {
    var alert = Samples.alert("dos.1")
    alert.infos[0].description = text
    #expect(try CAPReader.read(try alert.xml()).alert == alert)
  }

  private static func ring(_ places: [(Double, Double)]) throws -> Polygon {
    try Polygon(rings: [try places.map { try Coordinate(longitude: $0.0, latitude: $0.1) }])
  }
}

/// libxml2's judgement by the schema of CAP 1.2.
enum Schema {
  private static let program = "/usr/bin/xmllint"
  static let isAtHand = FileManager.default.isExecutableFile(atPath: program) && SharedData.has("cap/cap12.xsd")

  /// What it complains of; nothing where all are valid.
  static func faults(in documents: [[UInt8]]) async throws -> String {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("cap-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let files = try documents.enumerated().map { index, document in
      let file = folder.appendingPathComponent("\(index).xml")
      try Data(document).write(to: file)
      return file.path
    }
    let schema = try #require(SharedData.url("cap/cap12.xsd")).path
    let log = folder.appendingPathComponent("log")
    try Data().write(to: log)
    let output = try FileHandle(forWritingTo: log)
    let status = try await Program(program, ["--noout", "--schema", schema] + files, output: output.fileDescriptor).end()
    try output.close()
    let said = String(decoding: try Data(contentsOf: log), as: UTF8.self).split(separator: "\n").filter { !$0.hasSuffix(" validates") }
    return status == 0 ? "" : "xmllint ended with \(status):\n" + said.joined(separator: "\n")
  }
}
