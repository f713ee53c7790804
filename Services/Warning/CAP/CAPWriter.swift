import Formats
import Time

extension CAPAlert {
  /// The namespace of CAP 1.2 (section 3.4).
  public static let namespace = "urn:oasis:names:tc:emergency:cap:1.2"

  /// The message as XML, valid against the schema (CAP 1.2, section 3.4), the same bytes for the same message.
  ///
  /// Times are written as the city's clocks show them, `2030-06-15T14:00:00+02:00`: never `Z`, never parts of a second (section 3.3.2). A message with
  /// `problems` is refused with all of them.
  public func xml() throws(CAPError) -> [UInt8] {
    let problems = problems
    guard problems.isEmpty else { throw .invalid(problems) }
    var writer = XMLWriter()
    writer.element("alert", ["xmlns": Self.namespace]) { writer in write(into: &writer) }
    return writer.bytes
  }

  private func write(into writer: inout XMLWriter) {
    writer.element("identifier", text: identifier)
    writer.element("sender", text: sender)
    writer.element("sent", text: sent.cityTime)
    writer.element("status", text: status.rawValue)
    writer.element("msgType", text: msgType.rawValue)
    writer.optional("source", source)
    writer.element("scope", text: scope.rawValue)
    writer.optional("restriction", restriction)
    writer.optional("addresses", addresses.isEmpty ? nil : CAPText.list(addresses))
    for code in codes { writer.element("code", text: code) }
    writer.optional("note", note)
    writer.optional("references", references.isEmpty ? nil : references.map(CAPText.reference).joined(separator: " "))
    writer.optional("incidents", incidents.isEmpty ? nil : CAPText.list(incidents))
    for info in infos { writer.element("info") { writer in info.write(into: &writer) } }
  }
}

extension CAPInfo {
  fileprivate func write(into writer: inout XMLWriter) {
    writer.element("language", text: language)
    for category in categories { writer.element("category", text: category.rawValue) }
    writer.element("event", text: event)
    for type in responseTypes { writer.element("responseType", text: type.rawValue) }
    writer.element("urgency", text: urgency.rawValue)
    writer.element("severity", text: severity.rawValue)
    writer.element("certainty", text: certainty.rawValue)
    writer.optional("audience", audience)
    for code in eventCodes { writer.value("eventCode", code) }
    writer.optional("effective", effective?.cityTime)
    writer.optional("onset", onset?.cityTime)
    writer.optional("expires", expires?.cityTime)
    writer.optional("senderName", senderName)
    writer.optional("headline", headline)
    writer.optional("description", description)
    writer.optional("instruction", instruction)
    writer.optional("web", web)
    writer.optional("contact", contact)
    for parameter in parameters { writer.value("parameter", parameter) }
    for resource in resources { writer.element("resource") { writer in resource.write(into: &writer) } }
    for area in areas { writer.element("area") { writer in area.write(into: &writer) } }
  }
}

extension CAPResource {
  fileprivate func write(into writer: inout XMLWriter) {
    writer.element("resourceDesc", text: resourceDesc)
    writer.element("mimeType", text: mimeType)
    writer.optional("size", size.map(String.init))
    writer.optional("uri", uri)
    writer.optional("derefUri", derefUri)
    writer.optional("digest", digest)
  }
}

extension CAPArea {
  fileprivate func write(into writer: inout XMLWriter) {
    writer.element("areaDesc", text: areaDesc)
    for polygon in polygons { writer.element("polygon", text: CAPText.polygon(polygon)) }
    for circle in circles { writer.element("circle", text: CAPText.circle(circle)) }
    for geocode in geocodes { writer.value("geocode", geocode) }
    writer.optional("altitude", altitude.map(CAPText.decimal))
    writer.optional("ceiling", ceiling.map(CAPText.decimal))
  }
}

extension XMLWriter {
  fileprivate mutating func optional(_ name: StaticString, _ text: String?) {
    if let text { element(name, text: text) }
  }

  fileprivate mutating func value(_ name: StaticString, _ value: CAPValue) {
    element(name) { writer in
      writer.element("valueName", text: value.valueName)
      writer.element("value", text: value.value)
    }
  }
}
