import Formats
import Geo
import Time

extension CAPAlert {
  /// Everything in the message that is against CAP 1.2, or that no receiver could make sense of, with its path; nothing where it is valid.
  ///
  /// Beyond the schema it holds to what the standard says in words: which parts need which others (section 3.2.1), references that are there where they are
  /// needed, of earlier messages and never of the message itself, polygons that are closed and do not cross themselves (3.2.4), plain text without HTML.
  public var problems: [CAPProblem] {
    var check = CAPCheck()
    check.alert(self)
    return check.problems
  }
}

/// Collects what is wrong, going through a message as it would be written.
private struct CAPCheck {
  private(set) var problems: [CAPProblem] = []
  /// For all polygons of a message together, a fraction of a second.
  private var comparisons = 5_000_000

  mutating func alert(_ alert: CAPAlert) {
    name(alert.identifier, at: "alert/identifier")
    name(alert.sender, at: "alert/sender")
    time(alert.sent, at: "alert/sent")
    text(alert.source, at: "alert/source")
    text(alert.restriction, at: "alert/restriction")
    if alert.scope == .restricted, alert.restriction == nil {
      note("alert/restriction", "is missing: with scope Restricted it says which rule limits the distribution")
    } else if alert.scope != .restricted, alert.restriction != nil {
      note("alert/restriction", "is there with scope \(alert.scope.rawValue): it goes with scope Restricted only")
    }
    if alert.scope == .private, alert.addresses.isEmpty { note("alert/addresses", "is missing: scope Private needs those it is for") }
    list(alert.addresses, at: "alert/addresses")
    for (path, code) in numbered(alert.codes, "alert/code") { text(code, at: path) }
    text(alert.note, at: "alert/note")
    references(of: alert)
    list(alert.incidents, at: "alert/incidents")
    for (path, part) in numbered(alert.infos, "alert/info") { info(part, of: alert, at: path) }
  }

  private mutating func references(of alert: CAPAlert) {
    let path = "alert/references"
    if alert.references.isEmpty, alert.msgType != .alert {
      note(path, "is missing: a message of type \(alert.msgType.rawValue) names the messages it is about, as sender,identifier,sent")
    }
    for reference in alert.references {
      let text = CAPText.reference(reference)
      if !Self.isName(reference.sender) || !Self.isName(reference.identifier) {
        note(path, "has '\(text)', whose sender or identifier is empty or has blanks, commas, < or &")
      }
      if reference.sent.milliseconds % 1_000 != 0 { note(path, "has '\(text)', whose time is not in whole seconds") }
      if reference.sender == alert.sender, reference.identifier == alert.identifier {
        note(path, "names the message itself")
      } else if reference.sent > alert.sent {
        note(path, "has '\(text)', which was sent later than this message")
      }
    }
  }

  private mutating func info(_ info: CAPInfo, of alert: CAPAlert, at path: String) {
    if !Self.isLanguage(info.language) { note("\(path)/language", "is '\(info.language)' and not a language such as de-DE") }
    if info.categories.isEmpty { note("\(path)/category", "is missing: at least one of \(Self.words(CAPInfo.Category.self))") }
    required(info.event, at: "\(path)/event")
    text(info.audience, at: "\(path)/audience")
    values(info.eventCodes, at: "\(path)/eventCode")
    time(info.effective, at: "\(path)/effective")
    time(info.onset, at: "\(path)/onset")
    time(info.expires, at: "\(path)/expires")
    let from = info.effective ?? alert.sent
    if let expires = info.expires, expires <= from, alert.msgType == .alert || alert.msgType == .update, !info.responseTypes.contains(.allClear) {
      note("\(path)/expires", "is not after \(info.effective == nil ? "sent" : "effective"), so that it would never be in force")
    }
    for (name, value) in [
      ("senderName", info.senderName), ("headline", info.headline), ("description", info.description), ("instruction", info.instruction),
      ("contact", info.contact),
    ] { text(value, at: "\(path)/\(name)") }
    if let web = info.web, !Self.isURI(web, absolute: true) { note("\(path)/web", "is '\(web)' and not an absolute URI such as https://www.dortmund.de/") }
    values(info.parameters, at: "\(path)/parameter")
    for (path, part) in numbered(info.resources, "\(path)/resource") { resource(part, at: path) }
    for (path, part) in numbered(info.areas, "\(path)/area") { area(part, at: path) }
  }

  private mutating func resource(_ resource: CAPResource, at path: String) {
    required(resource.resourceDesc, at: "\(path)/resourceDesc")
    let type = resource.mimeType.split(separator: "/", omittingEmptySubsequences: false)
    if type.count != 2 || type.contains(where: \.isEmpty) || resource.mimeType.contains(where: \.isWhitespace) {
      note("\(path)/mimeType", "is '\(resource.mimeType)' and not a type such as image/png")
    }
    if let size = resource.size, size < 0 { note("\(path)/size", "is \(size): it counts bytes") }
    if let uri = resource.uri, !Self.isURI(uri, absolute: resource.derefUri == nil) {
      note("\(path)/uri", "is '\(uri)' and not an absolute URI, or a relative one beside derefUri")
    }
    text(resource.derefUri, at: "\(path)/derefUri")
    if let digest = resource.digest, digest.utf8.count != 40 || !digest.allSatisfy(\.isHexDigit) {
      note("\(path)/digest", "is not a SHA-1 of 40 hexadecimal digits")
    }
  }

  private mutating func area(_ area: CAPArea, at path: String) {
    required(area.areaDesc, at: "\(path)/areaDesc")
    for (path, outline) in numbered(area.polygons, "\(path)/polygon") { polygon(outline, at: path) }
    for (path, circle) in numbered(area.circles, "\(path)/circle") where circle.center.altitude != nil {
      note(path, "has a middle with a height, which is lost: the area's altitude and ceiling say how high it reaches")
    }
    values(area.geocodes, at: "\(path)/geocode")
    if let altitude = area.altitude, !altitude.isFinite { note("\(path)/altitude", "is not a number of feet") }
    guard let ceiling = area.ceiling else { return }
    guard ceiling.isFinite else { return note("\(path)/ceiling", "is not a number of feet") }
    guard let altitude = area.altitude else { return note("\(path)/ceiling", "is there without altitude, which is the range's lower end") }
    if ceiling <= altitude { note("\(path)/ceiling", "is not above altitude") }
  }

  private mutating func polygon(_ polygon: Polygon, at path: String) {
    let ring = polygon.rings.first ?? []
    if polygon.rings.count > 1 { note(path, "has holes, which CAP does not know: make several polygons of it") }
    if ring.contains(where: { $0.altitude != nil }) { note(path, "has positions with a height, which is lost: altitude and ceiling say how high it reaches") }
    var places: Set<Coordinate> = []
    for place in ring where places.count < 3 { places.insert(place) }
    guard places.count == 3 else { return note(path, "has fewer than three different positions") }
    switch Polygon.selfContact(of: ring, comparisons: &comparisons) {
    case .none: break
    case .edges(let first, let second): note(path, "crosses or touches itself: the edges that begin at its positions \(first + 1) and \(second + 1)")
    case .undecided: note(path, "is too long and tangled to tell whether it crosses itself: simplify it")
    }
  }

  // MARK: - Texts

  private mutating func note(_ path: String, _ problem: String) { problems.append(CAPProblem(path: path, problem: problem)) }

  private func numbered<Part>(_ parts: [Part], _ path: String) -> [(String, Part)] {
    parts.enumerated().map { ("\(path)[\($0 + 1)]", $1) }
  }

  private mutating func name(_ name: String, at path: String) {
    if name.isEmpty {
      note(path, "is empty")
    } else if !Self.isName(name) {
      note(path, "is '\(name)', and may have no blanks, commas, < or &, nor control characters")
    }
  }

  private mutating func time(_ time: Instant?, at path: String) {
    guard let time else { return }
    if time.milliseconds % 1_000 != 0 { note(path, "is \(time.rfc3339): CAP has whole seconds") }
    if !Self.years.contains(time) { note(path, "is \(time.rfc3339): not within the years 1900 to 9998") }
  }

  private mutating func required(_ text: String, at path: String) {
    if text.allSatisfy(\.isWhitespace) { note(path, "is missing or empty") } else { plain(text, at: path) }
  }

  private mutating func text(_ text: String?, at path: String) {
    guard let text else { return }
    if text.allSatisfy(\.isWhitespace) { note(path, "is empty: leave it out") } else { plain(text, at: path) }
  }

  private mutating func plain(_ text: String, at path: String) {
    if !XMLWriter.holds(text) { note(path, "has a control character that XML does not have") }
    if CAPText.containsHTML(text) { note(path, "has tags or entities of HTML in it: CAP has plain text") }
  }

  private mutating func values(_ values: [CAPValue], at path: String) {
    for (path, value) in numbered(values, path) {
      required(value.valueName, at: "\(path)/valueName")
      if !XMLWriter.holds(value.value) { note("\(path)/value", "has a control character that XML does not have") }
    }
  }

  private mutating func list(_ names: [String], at path: String) {
    for name in names where name.isEmpty || name.unicodeScalars.contains("\"") || !XMLWriter.holds(name) {
      note(path, "has '\(name)': a name there is not empty and has no quotes or control characters")
    }
  }

  private static let years: ClosedRange<Instant> = Instant(milliseconds: -2_208_988_800_000)...Instant(milliseconds: 253_370_764_799_000)

  private static func isName(_ name: String) -> Bool {
    // Scalars, since a comma with an accent over it is another character, and still a comma to whoever splits a reference.
    !name.isEmpty && XMLWriter.holds(name) && !name.unicodeScalars.contains { $0.properties.isWhitespace || $0 == "," || $0 == "<" || $0 == "&" }
  }

  /// `xs:language`.
  private static func isLanguage(_ name: String) -> Bool {
    let parts = name.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    return parts.enumerated().allSatisfy { index, part in
      (1...8).contains(part.count) && part.allSatisfy { (97...122).contains($0 | 0x20) || (index > 0 && (48...57).contains($0)) }
    }
  }

  /// RFC 3986, as far as that no receiver stumbles: its characters, and a scheme where it is absolute.
  private static func isURI(_ text: String, absolute: Bool) -> Bool {
    let bytes = Array(text.utf8)
    guard !bytes.isEmpty else { return false }
    for (index, byte) in bytes.enumerated() {
      if byte == UInt8(ascii: "%") {
        guard index + 2 < bytes.count, isHex(bytes[index + 1]), isHex(bytes[index + 2]) else { return false }
      } else if !uriBytes.contains(byte) {
        return false
      }
    }
    guard bytes.filter({ $0 == UInt8(ascii: "#") }).count <= 1 else { return false }
    guard absolute else { return bytes.first != UInt8(ascii: ":") }
    let scheme = bytes.prefix { $0 != UInt8(ascii: ":") }
    guard let first = scheme.first, (97...122).contains(first | 0x20), scheme.count + 1 < bytes.count else { return false }
    return scheme.allSatisfy { (97...122).contains($0 | 0x20) || (48...57).contains($0) || "+-.".utf8.contains($0) }
  }

  private static let uriBytes = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#@!$&'()*+,;=".utf8)

  private static func isHex(_ byte: UInt8) -> Bool { (48...57).contains(byte) || (97...102).contains(byte | 0x20) }

  private static func words<Word: RawRepresentable & CaseIterable>(_: Word.Type) -> String where Word.RawValue == String {
    Word.allCases.map(\.rawValue).joined(separator: ", ")
  }
}
