import CAP
import Formats
import Geo
import Testing
import Time

@Suite("CAP as an Atom feed")
struct FeedTests {
  private func feed(_ entries: [CAPFeed.Entry]) -> CAPFeed {
    CAPFeed(
      id: "https://example.org/warnings/cap", link: "https://example.org/warnings/cap.atom", title: "Warnungen in Dortmund & Schwerte",
      author: "Stadt Dortmund",
      updated: Samples.at(10), entries: entries)
  }

  @Test("has what RFC 4287 wants of a feed and of each entry")
  func atom() throws {
    let link = "https://example.org/warnings/dos.1/cap?a=1&b=2"
    let root = try XMLReader.read(feed([CAPFeed.Entry(alert: Samples.alert("dos.1"), link: link)]).xml())
    #expect(root.name == "feed")
    #expect(root.namespace == "http://www.w3.org/2005/Atom")
    #expect(root.first("id")?.text == "https://example.org/warnings/cap")
    #expect(root.first("title")?.text == "Warnungen in Dortmund & Schwerte")
    #expect(root.first("updated")?.text == "2030-06-15T14:00:00+02:00")
    #expect(root.first("author")?.first("name")?.text == "Stadt Dortmund")
    #expect(root.first("link")?.attributes["rel"] == "self")
    let entry = try #require(root.first("entry"))
    #expect(entry.first("id")?.text == link)
    #expect(entry.first("title")?.text == "Amtliche Warnung vor Starkregen")
    #expect(entry.first("updated")?.text == "2030-06-15T14:00:00+02:00")
    #expect(entry.first("summary")?.text == "Keller laufen voll. Pegel > 3 m & steigend.")
    #expect(entry.first("link")?.attributes == ["rel": "alternate", "type": "application/cap+xml", "href": link])
    #expect(entry.first("category")?.attributes["term"] == "Met")
  }

  @Test("says the most important in elements of CAP")
  func extensions() throws {
    var alert = Samples.alert("dos.2", .update, names: ["dos.1"])
    alert.infos[0].areas[0].polygons = [try Samples.square(7.5, 51.25, size: 0.5)]
    let root = try XMLReader.read(feed([CAPFeed.Entry(alert: alert, link: "https://example.org/2")]).xml())
    let parts = try #require(root.first("entry")).children.filter { $0.namespace == CAPAlert.namespace }
    let texts = Dictionary(parts.map { ($0.name, $0.text) }, uniquingKeysWith: { first, _ in first })
    #expect(texts["msgType"] == "Update")
    #expect(texts["references"] == "warnung@example.org,dos.1,2030-06-15T14:00:00+02:00")
    #expect(texts["event"] == "Starkregen")
    #expect(texts["severity"] == "Severe")
    #expect(texts["effective"] == "2030-06-15T14:00:00+02:00")
    #expect(texts["expires"] == "2030-06-15T20:00:00+02:00")
    #expect(texts["areaDesc"] == "Schwerte")
    #expect(texts["polygon"] == "51.25,7.5 51.25,8.0 51.75,8.0 51.75,7.5 51.25,7.5")
    #expect(parts.first { $0.name == "geocode" }?.first("value")?.text == "105978032")
  }

  @Test("speaks the language that is wanted where an alert has it")
  func language() throws {
    let infos = [Samples.info(), Samples.info("Heavy rain", headline: "Heavy rain warning", language: "en-GB")]
    let entries = [CAPFeed.Entry(alert: Samples.alert("dos.1", infos: infos), link: "https://example.org/1"), .init(alert: Samples.alert("dos.2"), link: "b")]
    let root = try XMLReader.read(feed(entries).xml(language: "en"))
    #expect(root.attributes["xml:lang"] == "en")
    #expect(root.all("entry").compactMap { $0.first("title")?.text } == ["Heavy rain warning", "Amtliche Warnung vor Starkregen"])
  }

  @Test("is one without entries too, and the same bytes each time")
  func empty() throws {
    #expect(try XMLReader.read(feed([]).xml()).first("updated")?.text == "2030-06-15T12:00:00+02:00")
    #expect(feed([]).xml() == feed([]).xml())
    #expect(throws: CAPError.noAlert(root: "feed")) { try CAPReader.readAll(feed([.init(alert: Samples.alert("a"), link: "b")]).xml()) }
  }

  @Test("names an alert without an info by its identifier")
  func bare() throws {
    let root = try XMLReader.read(feed([.init(alert: Samples.alert("dos.3", .cancel, names: ["dos.1"]), link: "b")]).xml())
    #expect(root.first("entry")?.first("title")?.text == "dos.3")
  }
}
