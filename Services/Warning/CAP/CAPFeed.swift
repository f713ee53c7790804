import Formats
import Time

/// A feed of alerts by RFC 4287 (Atom), as readers of warnings poll it: each entry links to the alert's XML and says the most important of it in elements of
/// CAP's own namespace, the way the feeds of the US National Weather Service made it common.
public struct CAPFeed: Sendable {
  /// An alert and where its XML is.
  public struct Entry: Sendable {
    /// The alert, with at least one info.
    public let alert: CAPAlert
    /// An absolute URL, which is the entry's id too (RFC 4287, section 4.2.6): it must name this alert for ever.
    public let link: String

    public init(alert: CAPAlert, link: String) {
      self.alert = alert
      self.link = link
    }
  }

  /// The feed's id, an absolute URI that stays the same wherever it moves (RFC 4287, section 4.2.6).
  public let id: String
  /// Where the feed itself is.
  public let link: String
  /// What it is called.
  public let title: String
  /// Whose it is.
  public let author: String
  /// When something in it changed last (RFC 4287, section 4.2.15); the latest `sent` of its entries is named where that is later.
  public let updated: Instant
  /// In the order in which they are written.
  public let entries: [Entry]

  /// A feed of these parts.
  public init(id: String, link: String, title: String, author: String, updated: Instant, entries: [Entry]) {
    self.id = id
    self.link = link
    self.title = title
    self.author = author
    self.updated = updated
    self.entries = entries
  }

  /// The feed as XML, the same bytes for the same feed, in the language nearest to the one wanted of each alert.
  public func xml(language: String = "de") -> [UInt8] {
    var writer = XMLWriter()
    writer.element("feed", ["xmlns": "http://www.w3.org/2005/Atom", "xmlns:cap": CAPAlert.namespace, "xml:lang": language]) { writer in
      writer.element("id", text: id)
      writer.element("title", text: title)
      writer.element("updated", text: entries.map(\.alert.sent).reduce(updated, max).cityTime)
      writer.element("author") { writer in writer.element("name", text: author) }
      writer.element("link", ["rel": "self", "type": "application/atom+xml", "href": link], text: "")
      for entry in entries { writer.element("entry") { writer in entry.write(into: &writer, language: language) } }
    }
    return writer.bytes
  }
}

extension CAPAlert {
  /// The first info in a language, `de` being met by `de-DE`; the first of all where there is none.
  public func info(in language: String) -> CAPInfo? {
    let wanted = language.lowercased().prefix { $0 != "-" }
    return infos.first { $0.language.lowercased() == language.lowercased() } ?? infos.first { $0.language.lowercased().prefix { $0 != "-" } == wanted }
      ?? infos.first
  }
}

extension CAPFeed.Entry {
  fileprivate func write(into writer: inout XMLWriter, language: String) {
    let info = alert.info(in: language)
    writer.element("id", text: link)
    writer.element("title", text: info?.headline ?? info?.event ?? alert.identifier)
    writer.element("updated", text: alert.sent.cityTime)
    writer.element("published", text: alert.sent.cityTime)
    writer.element("author") { writer in writer.element("name", text: info?.senderName ?? alert.sender) }
    for category in info?.categories ?? [] { writer.element("category", ["term": category.rawValue], text: "") }
    writer.element("link", ["rel": "alternate", "type": "application/cap+xml", "href": link], text: "")
    if let summary = info?.description ?? info?.instruction { writer.element("summary", text: summary) }
    writer.element("cap:identifier", text: alert.identifier)
    writer.element("cap:sender", text: alert.sender)
    writer.element("cap:sent", text: alert.sent.cityTime)
    writer.element("cap:status", text: alert.status.rawValue)
    writer.element("cap:msgType", text: alert.msgType.rawValue)
    if !alert.references.isEmpty { writer.element("cap:references", text: alert.references.map(CAPText.reference).joined(separator: " ")) }
    if let info { write(info, into: &writer) }
  }

  private func write(_ info: CAPInfo, into writer: inout XMLWriter) {
    writer.element("cap:language", text: info.language)
    for category in info.categories { writer.element("cap:category", text: category.rawValue) }
    writer.element("cap:event", text: info.event)
    for type in info.responseTypes { writer.element("cap:responseType", text: type.rawValue) }
    writer.element("cap:urgency", text: info.urgency.rawValue)
    writer.element("cap:severity", text: info.severity.rawValue)
    writer.element("cap:certainty", text: info.certainty.rawValue)
    writer.element("cap:effective", text: (info.effective ?? alert.sent).cityTime)
    if let onset = info.onset { writer.element("cap:onset", text: onset.cityTime) }
    if let expires = info.expires { writer.element("cap:expires", text: expires.cityTime) }
    writer.element("cap:areaDesc", text: info.areas.map(\.areaDesc).joined(separator: "; "))
    for area in info.areas {
      for polygon in area.polygons { writer.element("cap:polygon", text: CAPText.polygon(polygon)) }
      for circle in area.circles { writer.element("cap:circle", text: CAPText.circle(circle)) }
      for geocode in area.geocodes {
        writer.element("cap:geocode") { writer in
          writer.element("cap:valueName", text: geocode.valueName)
          writer.element("cap:value", text: geocode.value)
        }
      }
    }
  }
}
