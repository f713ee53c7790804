import Formats
import Geo
import Time

/// Reads one message out of its element.
struct CAPAlertReader {
  /// Where the message is in its document.
  let path: String
  private var remarks = CAPRemarks()

  init(path: String) { self.path = path }

  mutating func read(_ tree: XMLTree) throws(CAPError) -> CAPReader.Reading {
    if tree.namespace != CAPAlert.namespace {
      let version = CAPReader.versions[tree.namespace].map { "is CAP \($0)" } ?? "has no namespace"
      remarks.note(path, "\(version); it is read as CAP 1.2 (\(CAPAlert.namespace))")
    }
    let isSigned = tree.children.contains { $0.name == "Signature" }
    if isSigned { remarks.note("\(path)/Signature", "is there and is not checked") }
    let parts = CAPParts(tree, path: path, order: Self.order, remarks: &remarks)
    let identifier = try needed(parts, "identifier")
    let sender = try needed(parts, "sender")
    let sentText = try needed(parts, "sent")
    guard let sent = time(sentText, at: "\(path)/sent") else { throw unusable("sent", "is '\(sentText)' and not a time such as 2030-06-15T14:00:00+02:00") }
    let status = try neededWord(parts, "status", CAPAlert.Status.self)
    let type = try neededWord(parts, "msgType", CAPAlert.MsgType.self)
    let restriction = parts.text("restriction", &remarks)
    let addresses = CAPText.names(parts.text("addresses", &remarks) ?? "")
    let alert = CAPAlert(
      identifier: identifier, sender: sender, sent: sent, status: status, msgType: type, source: parts.text("source", &remarks),
      scope: scope(parts, restriction: restriction, addresses: addresses), restriction: restriction, addresses: addresses,
      codes: parts.texts("code", &remarks).map(\.text), note: parts.text("note", &remarks),
      references: references(parts.text("references", &remarks)), incidents: CAPText.names(parts.text("incidents", &remarks) ?? ""),
      infos: parts.all("info").map { info($0.tree, at: $0.path) })
    for problem in alert.problems { remarks.note(path + problem.path.dropFirst("alert".count), problem.problem) }
    return CAPReader.Reading(alert: alert, remarks: remarks.all, isSigned: isSigned)
  }

  // MARK: - Alert

  private static let order = [
    "identifier", "sender", "sent", "status", "msgType", "source", "scope", "restriction", "addresses", "code", "note", "references", "incidents", "info",
  ]

  private mutating func needed(_ parts: CAPParts, _ name: String) throws(CAPError) -> String {
    guard let text = parts.text(name, &remarks) else { throw unusable(name, "is missing: without it this is no message") }
    return text
  }

  /// What is neither in the standard nor like it cannot be guessed: an unknown status might be an exercise.
  private mutating func neededWord<Word: RawRepresentable & CaseIterable>(
    _ parts: CAPParts, _ name: String, _ word: Word.Type
  ) throws(CAPError) -> Word where Word.RawValue == String {
    let text = try needed(parts, name)
    guard let word = CAPParts.word(text, path: "\(path)/\(name)", word, &remarks) else {
      throw unusable(name, "is '\(text)' and not one of \(Word.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return word
  }

  private func unusable(_ name: String, _ problem: String) -> CAPError { .unusable(CAPProblem(path: "\(path)/\(name)", problem: problem)) }

  /// Where it is not said for whom a message is, what else it says tells: a message for few names a rule or addressees.
  private mutating func scope(_ parts: CAPParts, restriction: String?, addresses: [String]) -> CAPAlert.Scope {
    if let text = parts.text("scope", &remarks), let scope = CAPParts.word(text, path: "\(path)/scope", CAPAlert.Scope.self, &remarks) { return scope }
    let scope: CAPAlert.Scope = restriction != nil ? .restricted : addresses.isEmpty ? .public : .private
    remarks.note("\(path)/scope", "is missing or unknown; taken for \(scope.rawValue)")
    return scope
  }

  private mutating func references(_ text: String?) -> [CAPReference] {
    guard let text else { return [] }
    let read = CAPReferences(text)
    for problem in read.problems { remarks.note("\(path)/references", problem) }
    return read.references
  }

  // MARK: - Info

  private static let infoOrder = [
    "language", "category", "event", "responseType", "urgency", "severity", "certainty", "audience", "eventCode", "effective", "onset", "expires",
    "senderName", "headline", "description", "instruction", "web", "contact", "parameter", "resource", "area",
  ]

  private mutating func info(_ tree: XMLTree, at path: String) -> CAPInfo {
    let parts = CAPParts(tree, path: path, order: Self.infoOrder, remarks: &remarks)
    return CAPInfo(
      language: parts.text("language", &remarks) ?? "en-US", categories: words(parts, "category", CAPInfo.Category.self, unknown: .other),
      event: parts.text("event", &remarks) ?? "", responseTypes: words(parts, "responseType", CAPInfo.ResponseType.self, unknown: nil),
      urgency: word(parts, "urgency", unknown: CAPInfo.Urgency.unknown), severity: word(parts, "severity", unknown: CAPInfo.Severity.unknown),
      certainty: word(parts, "certainty", unknown: CAPInfo.Certainty.unknown), audience: parts.text("audience", &remarks),
      eventCodes: values(parts, "eventCode"),
      effective: time(parts, "effective"), onset: time(parts, "onset"), expires: time(parts, "expires"), senderName: parts.text("senderName", &remarks),
      headline: parts.text("headline", &remarks), description: parts.text("description", &remarks), instruction: parts.text("instruction", &remarks),
      web: parts.text("web", &remarks), contact: parts.text("contact", &remarks), parameters: values(parts, "parameter"),
      resources: parts.all("resource").map { resource($0.tree, at: $0.path) }, areas: parts.all("area").map { area($0.tree, at: $0.path) })
  }

  private mutating func words<Word: RawRepresentable & CaseIterable>(
    _ parts: CAPParts, _ name: String, _ word: Word.Type, unknown: Word?
  ) -> [Word] where Word.RawValue == String {
    parts.texts(name, &remarks).compactMap { path, text in CAPParts.word(text, path: path, word, &remarks) ?? unknown }
  }

  private mutating func word<Word: RawRepresentable & CaseIterable>(_ parts: CAPParts, _ name: String, unknown: Word) -> Word where Word.RawValue == String {
    guard let text = parts.text(name, &remarks) else {
      remarks.note("\(parts.path)/\(name)", "is missing; taken for \(unknown.rawValue)")
      return unknown
    }
    // CAP 1.0 had `Very Likely`, which is to be taken for `Likely` (section 3.2.2, certainty).
    if Word.self == CAPInfo.Certainty.self, text.lowercased() == "very likely", let likely = Word(rawValue: CAPInfo.Certainty.likely.rawValue) {
      remarks.note("\(parts.path)/\(name)", "is '\(text)' of CAP 1.0, read as Likely")
      return likely
    }
    return CAPParts.word(text, path: "\(parts.path)/\(name)", Word.self, &remarks) ?? unknown
  }

  /// CAP 1.0 wrote `<eventCode>SAME=SVR</eventCode>`.
  private mutating func values(_ parts: CAPParts, _ name: String) -> [CAPValue] {
    parts.all(name).compactMap { path, tree in
      let inner = CAPParts(tree, path: path, order: ["valueName", "value"], remarks: &remarks)
      if let valueName = inner.text("valueName", &remarks) { return CAPValue(valueName, inner.text("value", &remarks) ?? "") }
      let old = CAPText.trimmed(tree.text).split(separator: "=", maxSplits: 1).map(String.init)
      guard old.count == 2, tree.children.isEmpty else {
        remarks.note(path, "has no valueName; it is not read")
        return nil
      }
      remarks.note(path, "is written as in CAP 1.0, read as valueName '\(old[0])' and value '\(old[1])'")
      return CAPValue(old[0], old[1])
    }
  }

  private mutating func time(_ parts: CAPParts, _ name: String) -> Instant? {
    guard let text = parts.text(name, &remarks) else { return nil }
    let read = time(text, at: "\(parts.path)/\(name)")
    if read == nil { remarks.note("\(parts.path)/\(name)", "is '\(text)' and not a time such as 2030-06-15T14:00:00+02:00; it is not read") }
    return read
  }

  private mutating func time(_ text: String, at path: String) -> Instant? {
    guard let read = CAPTime(text) else { return nil }
    for problem in read.problems { remarks.note(path, problem) }
    return read.instant
  }

  // MARK: - Resource and area

  private mutating func resource(_ tree: XMLTree, at path: String) -> CAPResource {
    let parts = CAPParts(tree, path: path, order: ["resourceDesc", "mimeType", "size", "uri", "derefUri", "digest"], remarks: &remarks)
    let size = parts.text("size", &remarks)
    if let size, Int(size) == nil { remarks.note("\(path)/size", "is '\(size)' and not a number of bytes; it is not read") }
    return CAPResource(
      resourceDesc: parts.text("resourceDesc", &remarks) ?? "", mimeType: parts.text("mimeType", &remarks) ?? "", size: size.flatMap { Int($0) },
      uri: parts.text("uri", &remarks), derefUri: parts.text("derefUri", &remarks), digest: parts.text("digest", &remarks))
  }

  private mutating func area(_ tree: XMLTree, at path: String) -> CAPArea {
    let parts = CAPParts(tree, path: path, order: ["areaDesc", "polygon", "circle", "geocode", "altitude", "ceiling"], remarks: &remarks)
    return CAPArea(
      areaDesc: parts.text("areaDesc", &remarks) ?? "",
      polygons: parts.texts("polygon", &remarks).compactMap { path, text in shape(CAPShape.polygon(text), at: path) },
      circles: parts.texts("circle", &remarks).compactMap { path, text in shape(CAPShape.circle(text), at: path) },
      geocodes: values(parts, "geocode"), altitude: number(parts, "altitude"), ceiling: number(parts, "ceiling"))
  }

  private mutating func shape<Shape>(_ read: CAPShape.Read<Shape>, at path: String) -> Shape? {
    for problem in read.problems { remarks.note(path, problem) }
    return read.shape
  }

  private mutating func number(_ parts: CAPParts, _ name: String) -> Double? {
    guard let text = parts.text(name, &remarks) else { return nil }
    let value = CAPText.number(text)
    if value == nil { remarks.note("\(parts.path)/\(name)", "is '\(text)' and not a number of feet; it is not read") }
    return value
  }
}
