import Geo
import Time

/// A time as senders write it, and what was odd about it.
struct CAPTime {
  let instant: Instant
  private(set) var problems: [String] = []

  /// Nil for what is no time at all.
  init?(_ text: String) {
    var text = text
    if text.utf8.count > 10, let mark = text.index(text.startIndex, offsetBy: 10, limitedBy: text.endIndex), text[mark] == " " || text[mark] == "t" {
      text.replaceSubrange(mark...mark, with: "T")
      problems.append("has no T between day and time")
    }
    if let zone = text.lastIndex(where: { $0 == "+" || $0 == "-" }), text.distance(from: zone, to: text.endIndex) == 5, text.utf8.count > 19 {
      text.insert(":", at: text.index(zone, offsetBy: 3))
      problems.append("has no colon in its offset")
    }
    if text.hasSuffix("Z") || text.hasSuffix("z") { problems.append("ends with Z: CAP writes UTC as -00:00") }
    if text.contains(".") { problems.append("has parts of a second, which are cut off") }
    if let read = Instant(rfc3339: text) {
      instant = Self.wholeSeconds(read)
    } else if let read = Instant(rfc3339: text + "Z") {
      problems.append("has no offset from UTC; taken for a time in Dortmund")
      instant = Self.wholeSeconds(Instant(cityClocksShow: read))
    } else {
      return nil
    }
  }

  private static func wholeSeconds(_ instant: Instant) -> Instant {
    let rest = instant.milliseconds % 1_000
    return Instant(milliseconds: instant.milliseconds - (rest < 0 ? rest + 1_000 : rest))
  }
}

/// The references of a message as senders write them: a triple is `sender,identifier,sent`, and blanks separate triples (CAP 1.2, section 3.2.1).
struct CAPReferences {
  private(set) var references: [CAPReference] = []
  private(set) var problems: [String] = []

  init(_ text: String) {
    var found: [CAPReference] = []
    var unread: [Substring] = []
    for word in CAPText.words(text) {
      if let reference = triple(word) { found.append(reference) } else { unread.append(word) }
    }
    if !unread.isEmpty, let joined = joined(text) {
      problems.append("has several senders, identifiers and times within one triple, read as \(joined.count) triples")
      found = joined
    } else {
      problems += unread.map { "has '\($0.prefix(100))', which is not sender,identifier,sent; it is not read" }
    }
    var known: Set<CAPReference> = []
    references = found.filter { known.insert($0).inserted }
  }

  private mutating func triple(_ text: Substring) -> CAPReference? {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 3, !parts[0].isEmpty, !parts[1].isEmpty, let time = CAPTime(parts[2]) else { return nil }
    problems += time.problems.map { "has a time that \($0)" }
    return CAPReference(sender: parts[0], identifier: parts[1], sent: time.instant)
  }

  /// Seen of a federal sender: a single triple with all senders in its first part, all identifiers in its second and all times in its third.
  private func joined(_ text: String) -> [CAPReference]? {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { CAPText.words($0).map(String.init) }
    guard parts.count == 3, parts[0].count == parts[1].count || parts[0].count == 1, parts[1].count == parts[2].count, !parts[1].isEmpty else { return nil }
    let times = parts[2].compactMap(CAPTime.init)
    guard times.count == parts[2].count else { return nil }
    return times.enumerated().map { index, time in
      CAPReference(sender: parts[0][parts[0].count == 1 ? 0 : index], identifier: parts[1][index], sent: time.instant)
    }
  }
}

/// Polygons and circles as senders write them.
enum CAPShape {
  struct Read<Shape> {
    var shape: Shape?
    var problems: [String] = []
  }

  static func polygon(_ text: String) -> Read<Polygon> {
    var read = Read<Polygon>()
    var ring: [Coordinate] = []
    for pair in pairs(text, &read.problems) {
      guard let place = coordinate(pair) else {
        read.problems.append("has '\(pair.prefix(100))', which is no latitude,longitude; the polygon is not read")
        return read
      }
      ring.append(place)
    }
    if let first = ring.first, let last = ring.last, ring.count > 2, first != last {
      read.problems.append("is open; it is closed with its first position")
      ring.append(first)
    }
    do throws(GeoError) {
      read.shape = try Polygon(rings: [ring])
    } catch {
      read.problems.append("\(error); the polygon is not read")
    }
    return read
  }

  static func circle(_ text: String) -> Read<Circle> {
    var read = Read<Circle>()
    let words = pairs(text, &read.problems)
    guard words.count == 2, let center = coordinate(words[0]), let radius = CAPText.number(words[1]),
      let circle = try? Circle(center: center, radius: radius)
    else {
      read.problems.append("is '\(text.prefix(100))' and not latitude,longitude radius; it is not read")
      return read
    }
    read.shape = circle
    return read
  }

  /// Some write a blank behind the comma.
  private static func pairs(_ text: String, _ problems: inout [String]) -> [String] {
    var pairs: [String] = []
    var joined = false
    for word in CAPText.words(text) {
      if let last = pairs.last, last.hasSuffix(",") || word.hasPrefix(",") {
        pairs[pairs.count - 1] = last + word
        joined = true
      } else {
        pairs.append(String(word))
      }
    }
    if joined { problems.append("has blanks beside its commas") }
    return pairs
  }

  private static func coordinate(_ pair: String) -> Coordinate? {
    let numbers = pair.split(separator: ",", omittingEmptySubsequences: false).map { CAPText.number($0) }
    guard numbers.count == 2, let latitude = numbers[0], let longitude = numbers[1] else { return nil }
    return try? Coordinate(longitude: longitude, latitude: latitude)
  }
}
