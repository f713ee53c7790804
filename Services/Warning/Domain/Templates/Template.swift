public import Deciding
public import Time

/// What an alert of some kind begins with, so that nobody has to find words at three in the morning. Every word can be changed in the draft.
///
/// It has no area: one that a template brought along would be warned of by mistake.
public struct AlertTemplate: Codable, Hashable, Sendable {
  /// What officers choose it by, German: *Hochwasser*.
  public var title: String
  /// Seconds that an alert holds that is drafted from it, where the draft says nothing else.
  public var lasts: Int
  public var content: TemplateContent

  public init(title: String, lasts: Int, content: TemplateContent) {
    self.title = title
    self.lasts = lasts
    self.content = content
  }

  /// What keeps it from being saved, all of it.
  public func problems() -> [ContentProblem] {
    var problems: [ContentProblem] = []
    if title.allSatisfy(\.isWhitespace) || title.count > 100 {
      problems.append(ContentProblem("title", "has \(title.count) characters", expected: "words of at most 100 characters"))
    }
    let longest = AlertContent.longest / .seconds(1)
    if !(60...Int(longest)).contains(lasts) {
      problems.append(ContentProblem("lasts", "is \(lasts)", expected: "seconds from 60 to \(Int(longest))"))
    }
    if content.categories.isEmpty { problems.append(ContentProblem("content.categories", "is empty", expected: "at least one")) }
    if content.channels.isEmpty { problems.append(ContentProblem("content.channels", "is empty", expected: "at least one channel")) }
    return problems
      + AlertContent.problems(of: content.texts, on: content.channels, .actual).map {
        ContentProblem("content." + $0.path, $0.problem, expected: $0.expected)
      }
  }
}

/// What an alert says, but where and until when.
public struct TemplateContent: Codable, Hashable, Sendable {
  public var categories: [Category]
  public var eventCode: String?
  public var urgency: Urgency
  public var severity: Severity
  public var certainty: Certainty
  public var responseTypes: [ResponseType]
  public var texts: [AlertText]
  public var channels: Set<Channel>
  public var contact: String?
  public var web: String?

  public init(
    categories: [Category], eventCode: String? = nil, urgency: Urgency, severity: Severity, certainty: Certainty, responseTypes: [ResponseType] = [],
    texts: [AlertText], channels: Set<Channel>, contact: String? = nil, web: String? = nil
  ) {
    self.categories = categories
    self.eventCode = eventCode
    self.urgency = urgency
    self.severity = severity
    self.certainty = certainty
    self.responseTypes = responseTypes
    self.texts = texts
    self.channels = channels
    self.contact = contact
    self.web = web
  }

  private enum CodingKeys: String, CodingKey { case categories, eventCode, urgency, severity, certainty, responseTypes, texts, channels, contact, web }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(categories, forKey: .categories)
    try container.encodeIfPresent(eventCode, forKey: .eventCode)
    try container.encode(urgency, forKey: .urgency)
    try container.encode(severity, forKey: .severity)
    try container.encode(certainty, forKey: .certainty)
    try container.encode(responseTypes, forKey: .responseTypes)
    try container.encode(texts, forKey: .texts)
    // In one order: the same content has the same bytes.
    try container.encode(channels.sorted(), forKey: .channels)
    try container.encodeIfPresent(contact, forKey: .contact)
    try container.encodeIfPresent(web, forKey: .web)
  }
}

public enum TemplateCommand: Hashable, Sendable {
  case save(AlertTemplate, name: String, by: Officer, at: Instant)
  case remove(name: String, by: Officer, at: Instant)
}

public enum TemplateEvent: Hashable, Sendable {
  case saved(TemplateSaved)
  case removed(TemplateRemoved)
}

public struct TemplateSaved: Codable, Hashable, Sendable {
  public let name: String
  public let template: AlertTemplate
  public let by: Officer
  public let at: Instant
}

public struct TemplateRemoved: Codable, Hashable, Sendable {
  public let name: String
  public let by: Officer
  public let at: Instant
}

public enum TemplateState: Hashable, Sendable {
  case none
  case saved(AlertTemplate)
}

public enum TemplateRefusal: Error, Hashable, Sendable {
  case unknown
  case name(String)
  case problems([ContentProblem])
}

/// Templates of all officers, each known by its name.
public enum TemplateDecider: Decider {
  public static var initial: TemplateState { .none }

  public static func decide(_ command: TemplateCommand, _ state: TemplateState) throws(TemplateRefusal) -> [TemplateEvent] {
    switch (command, state) {
    case (.save(let template, let name, let by, let at), _):
      guard name.wholeMatch(of: /[a-z0-9-]{1,60}/) != nil else { throw .name(name) }
      let problems = template.problems()
      guard problems.isEmpty else { throw .problems(problems) }
      return state == .saved(template) ? [] : [.saved(TemplateSaved(name: name, template: template, by: by, at: at))]
    case (.remove, .none): throw .unknown
    case (.remove(let name, let by, let at), .saved): return [.removed(TemplateRemoved(name: name, by: by, at: at))]
    }
  }

  public static func evolve(_ state: TemplateState, _ event: TemplateEvent) -> TemplateState {
    switch event {
    case .saved(let saved): .saved(saved.template)
    case .removed: .none
    }
  }
}
