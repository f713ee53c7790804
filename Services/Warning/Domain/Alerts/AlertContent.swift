public import Geo
public import Time

/// Whether it is meant (CAP 1.2, section 3.2.1, status).
public enum AlertMode: String, Codable, Sendable, CaseIterable {
  case actual = "Actual"
  case exercise = "Exercise"
  case test = "Test"

  /// What stands before every headline, so that nobody takes it for what it is not.
  public func mark(in language: String) -> String {
    let german = language.hasPrefix("de")
    return switch self {
    case .actual: ""
    case .exercise: german ? "ÜBUNG: " : "EXERCISE: "
    case .test: german ? "PROBEWARNUNG: " : "TEST ALERT: "
    }
  }
}

/// What an alert says in one language.
public struct AlertText: Codable, Hashable, Sendable {
  /// RFC 3066, as CAP wants it: `de-DE`.
  public var language: String
  /// What happens, in one or two words: "Hochwasser".
  public var event: String
  public var headline: String
  public var description: String
  /// What to do.
  public var instruction: String

  public init(language: String, event: String, headline: String, description: String, instruction: String) {
    self.language = language
    self.event = event
    self.headline = headline
    self.description = description
    self.instruction = instruction
  }
}

/// Where an alert holds.
public struct AlertArea: Codable, Hashable, Sendable {
  /// In words: "Emscher zwischen Aplerbeck und Dorstfeld".
  public var description: String
  /// Names of districts, as the officer chose them.
  public var districts: [String]
  public var circles: [Circle]
  public var polygons: [Polygon]
  /// All of it as areas, districts and circles resolved when it was drafted: what is approved is this.
  public var outline: [Polygon]
  /// The same with few points, for phones and other systems: never smaller than the outline.
  public var simplified: [Polygon]

  public init(
    description: String, districts: [String] = [], circles: [Circle] = [], polygons: [Polygon] = [], outline: [Polygon], simplified: [Polygon]
  ) {
    self.description = description
    self.districts = districts
    self.circles = circles
    self.polygons = polygons
    self.outline = outline
    self.simplified = simplified
  }
}

/// What an alert says, where it holds, until when, and how it reaches people: what is approved, down to the last letter.
public struct AlertContent: Codable, Hashable, Sendable {
  public var categories: [Category]
  /// The federal event code, `BBK-EVC-053`, where there is one.
  public var eventCode: String?
  public var urgency: Urgency
  public var severity: Severity
  public var certainty: Certainty
  public var responseTypes: [ResponseType]
  public var onset: Instant?
  public var expires: Instant
  public var texts: [AlertText]
  public var area: AlertArea
  public var channels: Set<Channel>
  /// Where to ask, and where to read more.
  public var contact: String?
  public var web: String?

  public init(
    categories: [Category], eventCode: String? = nil, urgency: Urgency, severity: Severity, certainty: Certainty, responseTypes: [ResponseType] = [],
    onset: Instant? = nil, expires: Instant, texts: [AlertText], area: AlertArea, channels: Set<Channel>, contact: String? = nil, web: String? = nil
  ) {
    self.categories = categories
    self.eventCode = eventCode
    self.urgency = urgency
    self.severity = severity
    self.certainty = certainty
    self.responseTypes = responseTypes
    self.onset = onset
    self.expires = expires
    self.texts = texts
    self.area = area
    self.channels = channels
    self.contact = contact
    self.web = web
  }

  private enum CodingKeys: String, CodingKey {
    case categories, eventCode, urgency, severity, certainty, responseTypes, onset, expires, texts, area, channels, contact, web
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(categories, forKey: .categories)
    try container.encodeIfPresent(eventCode, forKey: .eventCode)
    try container.encode(urgency, forKey: .urgency)
    try container.encode(severity, forKey: .severity)
    try container.encode(certainty, forKey: .certainty)
    try container.encode(responseTypes, forKey: .responseTypes)
    try container.encodeIfPresent(onset, forKey: .onset)
    try container.encode(expires, forKey: .expires)
    try container.encode(texts, forKey: .texts)
    try container.encode(area, forKey: .area)
    // In one order: the same content has the same bytes.
    try container.encode(channels.sorted(), forKey: .channels)
    try container.encodeIfPresent(contact, forKey: .contact)
    try container.encodeIfPresent(web, forKey: .web)
  }
}

/// One thing that keeps a content from being issued.
public struct ContentProblem: Hashable, Sendable, Codable {
  /// As in the JSON of the content: `texts[0].headline`.
  public let path: String
  public let problem: String
  public let expected: String

  public init(_ path: String, _ problem: String, expected: String) {
    self.path = path
    self.problem = problem
    self.expected = expected
  }
}

extension AlertContent {
  /// The longest that an alert may hold without being renewed: one that nobody looks after any more must not stand for long.
  public static let longest = Duration.seconds(7 * 86_400)
  /// Points of an area, all polygons together.
  public static let mostPoints = 50_000

  /// What keeps it from being issued, all of it: shown while drafting, refused when submitted.
  public func problems(mode: AlertMode, at now: Instant) -> [ContentProblem] {
    var problems: [ContentProblem] = []
    if categories.isEmpty { problems.append(ContentProblem("categories", "is empty", expected: "at least one")) }
    if expires <= now { problems.append(ContentProblem("expires", "has passed", expected: "a time to come")) }
    if expires > now + Self.longest { problems.append(ContentProblem("expires", "is more than a week ahead", expected: "at most 7 days; an update renews it")) }
    if let onset, onset >= expires { problems.append(ContentProblem("onset", "is not before expires", expected: "before it, or none")) }
    if channels.isEmpty { problems.append(ContentProblem("channels", "is empty", expected: "at least one channel")) }
    return problems + Self.problems(of: texts, on: channels, mode) + areaProblems()
  }

  static func problems(of texts: [AlertText], on channels: Set<Channel>, _ mode: AlertMode) -> [ContentProblem] {
    var problems: [ContentProblem] = []
    for language in ["de", "en"] where !texts.contains(where: { $0.language == language || $0.language.hasPrefix(language + "-") }) {
      problems.append(ContentProblem("texts", "has nothing in the language \(language)", expected: "German and English at least"))
    }
    for (index, text) in texts.enumerated() {
      if texts[..<index].contains(where: { $0.language == text.language }) {
        problems.append(ContentProblem("texts[\(index)].language", "stands there twice", expected: "each language once"))
      }
      for (name, value) in [("event", text.event), ("headline", text.headline), ("description", text.description), ("instruction", text.instruction)] {
        let path = "texts[\(index)].\(name)"
        if value.allSatisfy(\.isWhitespace) { problems.append(ContentProblem(path, "is empty", expected: "words")) }
        if value.contains("<"), value.contains(">") { problems.append(ContentProblem(path, "has < and >", expected: "plain text without markup")) }
      }
      for channel in channels.sorted() {
        // As people will see it.
        let headline = (mode.mark(in: text.language) + text.headline).count
        if let most = channel.limits.headline, headline > most {
          problems.append(ContentProblem("texts[\(index)].headline", "has \(headline) characters", expected: "at most \(most) for \(channel.rawValue)"))
        }
        if let most = channel.limits.description, text.description.count > most {
          problems.append(
            ContentProblem("texts[\(index)].description", "has \(text.description.count) characters", expected: "at most \(most) for \(channel.rawValue)"))
        }
      }
    }
    return problems
  }

  private func areaProblems() -> [ContentProblem] {
    var problems: [ContentProblem] = []
    if area.description.allSatisfy(\.isWhitespace) { problems.append(ContentProblem("area.description", "is empty", expected: "the area in words")) }
    if area.outline.isEmpty { problems.append(ContentProblem("area", "names no place", expected: "districts, circles or polygons")) }
    let points = area.outline.reduce(0) { $0 + $1.rings.reduce(0) { $0 + $1.count } }
    if points > Self.mostPoints { problems.append(ContentProblem("area", "has \(points) points", expected: "at most \(Self.mostPoints)")) }
    return problems
  }
}
