import CAP
import Formats
import Geo
import Testing
import TestSupport
import Time

@Suite("CAP in")
struct ReaderTests {
  /// A valid alert in which something was put in another's place.
  private func read(_ right: String = "", _ wrong: String = "", alert: CAPAlert? = nil) throws -> CAPReader.Reading {
    var base = Samples.alert("dos.1", .update, names: ["dos.0"])
    base.references = [CAPReference(sender: "warnung@example.org", identifier: "dos.0", sent: Samples.at(11))]
    base.infos[0].areas[0].polygons = [try Samples.square()]
    base.infos[0].areas[0].circles = [try Circle(center: try Coordinate(longitude: 7.5, latitude: 51.4), radius: 2)]
    let text = String(decoding: try (alert ?? base).xml(), as: UTF8.self)
    try #require(text.contains(right) || right.isEmpty)
    return try CAPReader.read(Array((right.isEmpty ? text : text.replacing(right, with: wrong)).utf8))
  }

  private func remarked(_ path: String, _ right: String, _ wrong: String) throws -> CAPAlert {
    let reading = try read(right, wrong)
    #expect(Set(reading.remarks.map(\.path)) == [path], "\(reading.remarks)")
    return reading.alert
  }

  @Test(
    "is taken with times as senders write them",
    arguments: [
      "2030-06-15T12:00:00Z", "2030-06-15T14:00:00.25+02:00", "2030-06-15T14:00:00+0200", "2030-06-15 14:00:00+02:00", "2030-06-15t12:00:00z",
      "2030-06-15T14:00:00", "2030-06-15 14:00:00",
    ])
  func times(text: String) throws {
    #expect(try remarked("alert/sent", "<sent>2030-06-15T14:00:00+02:00", "<sent>\(text)").sent == Samples.at(12))
  }

  @Test("takes UTC as the standard writes it, and blanks at the ends, without a remark")
  func unremarked() throws {
    let reading = try read("<sent>2030-06-15T14:00:00+02:00", "<sent>\n  2030-06-15T12:00:00-00:00 ")
    #expect(reading.alert.sent == Samples.at(12))
    #expect(reading.remarks.isEmpty)
    #expect(try read("</description>", "</description><instruction/>").remarks.isEmpty)
  }

  @Test(
    "is refused without what makes it a message, and only then",
    arguments: [
      ("<identifier>dos.1</identifier>", "", "alert/identifier"), ("<identifier>dos.1", "<identifier> ", "alert/identifier"),
      ("<sender>warnung@example.org</sender>", "", "alert/sender"), ("<sent>2030-06-15T14:00:00+02:00</sent>", "", "alert/sent"),
      ("<sent>2030-06-15T14:00:00+02:00", "<sent>2030-02-30T14:00:00+02:00", "alert/sent"), ("<sent>2030-06-15T14:00:00+02:00", "<sent>gestern", "alert/sent"),
      ("<status>Actual</status>", "", "alert/status"), ("<status>Actual", "<status>Real", "alert/status"), ("<msgType>Update</msgType>", "", "alert/msgType"),
      ("<msgType>Update", "<msgType>Change", "alert/msgType"),
    ])
  func refused(right: String, wrong: String, path: String) throws {
    let error = #expect(throws: CAPError.self) { try read(right, wrong) }
    guard case .unusable(let problem) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(problem.path == path)
  }

  @Test("knows the standard's words in any case, and keeps the others as unknown")
  func words() throws {
    #expect(try remarked("alert/status", "<status>Actual", "<status>ACTUAL").status == .actual)
    #expect(try remarked("alert/info[1]/severity", "<severity>Severe", "<severity>Katastrophal").infos[0].severity == .unknown)
    #expect(try remarked("alert/info[1]/urgency", "<urgency>Immediate</urgency>", "").infos[0].urgency == .unknown)
    #expect(try remarked("alert/info[1]/certainty", "<certainty>Likely", "<certainty>Very Likely").infos[0].certainty == .likely)
    #expect(try remarked("alert/info[1]/category[1]", "<category>Met", "<category>Weather").infos[0].categories == [.other])
    #expect(try remarked("alert/info[1]/responseType[1]", "<responseType>Avoid", "<responseType>Run").infos[0].responseTypes == [])
    #expect(try remarked("alert/scope", "<scope>Public", "<scope>All").scope == .public)
    #expect(try remarked("alert/scope", "<scope>Public</scope>", "<restriction>intern</restriction>").scope == .restricted)
  }

  @Test("is taken with what is missing in an info, each with a remark")
  func missing() throws {
    #expect(try remarked("alert/info[1]/event", "<event>Starkregen</event>", "").infos[0].event == "")
    #expect(try remarked("alert/info[1]/category", "<category>Met</category>", "").infos[0].categories == [])
    #expect(try remarked("alert/info[1]/area[1]/areaDesc", "<areaDesc>Schwerte</areaDesc>", "").infos[0].areas[0].areaDesc == "")
    let silent = try read("<description>Keller laufen voll. Pegel &gt; 3 m &amp; steigend.</description>", "")
    #expect(silent.alert.infos[0].description == nil)
    #expect(silent.remarks.isEmpty)
    #expect(try read("<language>de-DE</language>", "").alert.infos[0].language == "en-US")
  }

  @Test("takes malformed references apart")
  func references() throws {
    let right = "<references>warnung@example.org,dos.0,2030-06-15T13:00:00+02:00"
    func references(_ text: String) throws -> [String] {
      try remarked("alert/references", right, "<references>\(text)").references.map { "\($0.sender),\($0.identifier),\($0.sent.cityTime)" }
    }
    // As seen of a federal sender: all senders, all identifiers and all times within one triple.
    #expect(
      try references("DE-X DE-X,DE-X-1 DE-X-2,2030-06-15T12:00:00+02:00 2030-06-15T13:00:00+02:00") == [
        "DE-X,DE-X-1,2030-06-15T12:00:00+02:00", "DE-X,DE-X-2,2030-06-15T13:00:00+02:00",
      ])
    #expect(
      try references("DE-X,1 2,2030-06-15T12:00:00Z 2030-06-15T11:30:00Z") == ["DE-X,1,2030-06-15T14:00:00+02:00", "DE-X,2,2030-06-15T13:30:00+02:00"])
    #expect(
      try references("a,1,2030-06-15T12:00:00+02:00 dos.0 b,2,2030-06-15T13:00:00Z") == ["a,1,2030-06-15T12:00:00+02:00", "b,2,2030-06-15T15:00:00+02:00"])
    #expect(try references("dos.0") == [])
    #expect(try references("a,1,gestern") == [])
    #expect(try references("") == [])
    #expect(try read(right, "<references> a,1,2030-06-15T12:00:00+02:00\n\t a,2,2030-06-15T12:00:00+02:00").remarks.isEmpty)
  }

  @Test("takes shapes as far as they are any")
  func shapes() throws {
    let polygon = "<polygon>51.4,7.5 51.4,7.6 51.5,7.6 51.5,7.5 51.4,7.5"
    let path = "alert/info[1]/area[1]/polygon[1]"
    let square = [try Samples.square()]
    #expect(try remarked(path, polygon, "<polygon>51.4,7.5 51.4,7.6 51.5,7.6 51.5,7.5").infos[0].areas[0].polygons == square)
    #expect(try remarked(path, polygon, "<polygon>51.4, 7.5 51.4, 7.6 51.5 ,7.6 51.5,7.5 51.4,7.5").infos[0].areas[0].polygons == square)
    #expect(try remarked(path, polygon, "<polygon>51.4,7.5 51.4,7.6 51.4,7.5").infos[0].areas[0].polygons == [])
    #expect(try remarked(path, polygon, "<polygon>51.4,7.5 91,7.6 51.5,7.6 51.5,7.5 51.4,7.5").infos[0].areas[0].polygons == [])
    #expect(try remarked(path, polygon, "<polygon>51.4,7.5 0x33,7.6 nan,7.6 51.5,7.5 51.4,7.5").infos[0].areas[0].polygons == [])
    #expect(try remarked(path, polygon, "<polygon>51.4,7.5 51.5,7.6 51.4,7.6 51.5,7.5 51.4,7.5").infos[0].areas[0].polygons.count == 1)
    #expect(try remarked(path, polygon, "<polygon> ").infos[0].areas[0].polygons == [])
    for wrong in ["51.4,7.5", "51.4,7.5 -1", "51.4 7.5 2", "51.4,7.5 2 3", "x"] {
      #expect(try remarked("alert/info[1]/area[1]/circle[1]", "<circle>51.4,7.5 2.0", "<circle>\(wrong)").infos[0].areas[0].circles == [])
    }
    #expect(try remarked("alert/info[1]/area[1]/ceiling", "</geocode>", "</geocode><ceiling>9000</ceiling>").infos[0].areas[0].ceiling == 9000)
  }

  @Test("names what is unknown, double or out of order, and reads the rest")
  func strange() throws {
    _ = try remarked("alert", "<scope>", "<password>x</password><scope>")
    _ = try remarked("alert/info[1]", "<event>", "<x:extra xmlns:x='urn:x'/><event>")
    #expect(try remarked("alert/info[1]/event", "<event>Starkregen", "<event>Regen</event><event>Starkregen").infos[0].event == "Regen")
    #expect(try remarked("alert/info[1]", "<headline>", "<contact>112</contact><headline>").infos[0].contact == "112")
    #expect(try remarked("alert/info[1]/headline", "<headline>", "<headline><b/>").infos[0].headline == "Amtliche Warnung vor Starkregen")
    #expect(try remarked("alert/info[1]/parameter[1]", "<area>", "<parameter>x</parameter><area>").infos[0].parameters == [])
    let old = try remarked("alert/info[1]/eventCode[1]", "<expires>", "<eventCode>SAME=SVR</eventCode><expires>")
    #expect(old.infos[0].eventCodes == [CAPValue("SAME", "SVR")])
  }

  @Test(
    "is read in older and in no namespaces, with a remark",
    arguments: ["urn:oasis:names:tc:emergency:cap:1.1", "http://www.incident.com/cap/1.0", "urn:oasis:names:tc:emergency:cap:1.0", ""])
  func namespaces(name: String) throws {
    #expect(try remarked("alert", "\"\(CAPAlert.namespace)\"", "\"\(name)\"").identifier == "dos.1")
  }

  @Test("keeps every language of a message")
  func languages() throws {
    let infos = [
      Samples.info(language: "de-DE"), Samples.info("Heavy rain", headline: "Heavy rain", language: "en-GB"), Samples.info("Yağmur", language: "tr"),
    ]
    let reading = try read(alert: Samples.alert("dos.1", infos: infos))
    #expect(reading.alert.infos == infos)
    #expect(reading.alert.info(in: "en")?.event == "Heavy rain")
    #expect(reading.alert.info(in: "tr-TR")?.event == "Yağmur")
    #expect(reading.alert.info(in: "fr")?.event == "Starkregen")
  }

  @Test("finds the messages within something else, one that is refused taking no other with it")
  func within() throws {
    func text(_ identifier: String) throws -> String {
      let lines = String(decoding: try Samples.alert(identifier).xml(), as: UTF8.self).split(separator: "\n")
      return lines.dropFirst().joined(separator: "\n")
    }
    let broken = try text("b").replacing("<status>Actual</status>", with: "")
    let feed = """
      <feed xmlns="http://www.w3.org/2005/Atom"><title>x</title><entry><content>\(try text("a"))</content></entry>
      <entry><summary>no alert</summary></entry><entry><content>\(broken)</content></entry>
      <entry><content>\(try text("c"))\(try text("d"))</content></entry><alert>not one</alert></feed>
      """
    let readings = try CAPReader.readAll(Array(feed.utf8))
    #expect(readings.map { try? $0.get().alert.identifier } == ["a", nil, "c", "d"])
    guard case .failure(.unusable(let problem)) = readings[1] else {
      Issue.record("\(readings[1])")
      return
    }
    #expect(problem.path == "feed/entry[3]/content/alert/status")
    #expect(throws: CAPError.several(4)) { try CAPReader.read(Array(feed.utf8)) }
    #expect(throws: CAPError.noAlert(root: "html")) { try CAPReader.read(Array("<html><alert/></html>".utf8)) }
  }

  @Test("passes on why something is no XML that is read here")
  func notXML() {
    #expect(throws: CAPError.xml(.declaration(line: 1))) { try CAPReader.read(Array("<!DOCTYPE alert><alert/>".utf8)) }
    #expect(throws: CAPError.xml(.notUTF8(line: 1))) { try CAPReader.read([0x3c, 0xff]) }
    #expect(throws: CAPError.self) { try CAPReader.read([]) }
  }

  @Test("has a bounded number of short remarks, however much is wrong")
  func bounded() throws {
    let wrong = String(repeating: "<extra/>", count: 5_000) + "<code>" + String(repeating: "<x/>", count: 10) + "</code>"
    let reading = try read("<scope>Public", "\(wrong)<scope>\(String(repeating: "y", count: 1 << 20))")
    #expect(reading.remarks.count == 200)
    #expect(reading.remarks.allSatisfy { $0.description.utf8.count < 1_000 })
  }

  @Test(
    "stalls at no alert, however it is made up",
    arguments: [
      "<references>" + String(repeating: "a,b ", count: 100_000) + "</references>",
      "<references>" + String(repeating: "a,", count: 200_000) + "</references>",
      "<note>" + String(repeating: "&lt;a ", count: 50_000) + String(repeating: "&amp;aaaa", count: 30_000) + "</note>",
      "<addresses>" + String(repeating: "\" ", count: 200_000) + "</addresses>",
      "<info><area><polygon>" + (0..<20_000).map { "0.\($0),-100 0.\($0)5,100" }.joined(separator: " ") + "</polygon></area></info>",
      "<info><area><polygon>" + String(repeating: "1,", count: 200_000) + "</polygon></area></info>",
    ])
  func hostile(part: String) throws {
    let head = "<identifier>1</identifier><sender>a</sender><sent>2030-06-15T14:00:00+02:00</sent><status>Test</status><msgType>Alert</msgType>"
    let started = ContinuousClock.now
    let reading = try CAPReader.read(Array("<alert xmlns='\(CAPAlert.namespace)'>\(head)<scope>Public</scope>\(part)</alert>".utf8))
    #expect(reading.alert.identifier == "1")
    // Seconds of an unoptimised build on a busy machine; what grows with the square would take hours.
    #expect(ContinuousClock.now - started < .seconds(60))
  }
}
