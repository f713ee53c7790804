import CAP
import HTTP
import WarningDomain

/// What is answered, as schemas; values that events hold too are theirs (`EventShapes`). Members may be added.
enum AnswerBodies {
  /// By the names of the document's components.
  static var all: [String: String] {
    var all = EventShapes.published.answered([
      "alert-published", "alert-ended", "draftContent", "content", "origin", "officer", "authority", "approvals", "reference", "rule", "finding", "release",
      "templateContent",
      "templateName", "receipt", "uuid", "instant", "severity", "mode", "polygon", "circle", "messageKind", "channel", "category",
    ])
    for (name, list, item) in lists {
      all[name] = Shape.object(
        [(list, Shape.list(of: Shape.named(item)))] + (paged.contains(name) ? [("next", next)] : []), required: [list], others: .taken)
    }
    for (name, members, absent) in alerts + watching + sending + others {
      all[name] = Shape.object(members, required: members.map(\.name).filter { !absent.contains($0) }, others: .taken)
    }
    return all
  }

  private static let lists = [
    ("ActiveAlerts", "alerts", "PublishedAlert"), ("Alerts", "alerts", "AlertSummary"), ("Hints", "hints", "HintSummary"), ("Rules", "rules", "RuleSummary"),
    ("Deliveries", "deliveries", "Delivery"), ("Releases", "releases", "ReleaseSummary"), ("Targets", "targets", "Target"),
    ("Templates", "templates", "Template"), ("Figures", "figures", "Figure"), ("ForeignAlerts", "alerts", "ForeignAlert"),
  ]
  private static let paged: Set = ["Alerts", "Hints", "Rules"]
  private static let next = Shape.described(Shape.words, "The cursor of the next page; absent on the last")

  private typealias Body = (name: String, members: [Shape.Member], absent: Set<String>)

  private static let uuid = Shape.named("Uuid")
  private static let instant = Shape.named("Instant")
  private static let city: Shape.Member = ("city", Shape.named("City"))
  private static let endings = AlertChain.Ending.allCases.map(\.name)

  // MARK: - Alerts

  private static let stage = Shape.described(
    Shape.one(of: Stage.Name.self), "How far the message is that is being prepared; requested: another authority's control room is asked")

  private static let alerts: [Body] = [
    (
      "Alert",
      [
        ("id", uuid), city, ("mode", Shape.named("AlertMode")), ("origin", Shape.named("AlertOrigin")),
        ("draft", Shape.described(Shape.named("AlertDraft"), "The message that is being prepared; absent where none is")),
        ("head", Shape.described(Shape.named("IssuedMessage"), "What was issued last; absent before that")),
        ("ending", Shape.described(Shape.one(of: endings), "How it ended; absent before that")),
        ("reviewDue", Shape.described(Shape.truth, "Whether it was issued behind broken glass, and nobody has reviewed that")),
      ], ["draft", "head", "ending"]
    ),
    (
      "AlertDraft",
      [
        ("message", uuid), ("kind", Shape.named("MessageKind")), ("refersTo", Shape.described(uuid, "What it changes or ends; absent in a first one")),
        ("revision", Shape.described(Shape.natural, "Counts its versions, from 1: an approval names the one it is for")), ("stage", stage),
        ("reason", Shape.described(Shape.words, "Why it was sent back, where it was")),
        ("authority", Shape.described(Shape.words, "Whose control room is asked, where one is")), ("authors", Shape.list(of: Shape.named("Officer"))),
        ("content", Shape.named("DraftContent")),
        ("problems", Shape.described(Shape.list(of: Shape.named("ContentProblem")), "What would keep it from being issued now")),
      ], ["refersTo", "reason", "authority"]
    ),
    ("ContentProblem", [("path", Shape.described(Shape.words, "As texts[0].headline")), ("problem", Shape.words), ("expected", Shape.words)], []),
    (
      "IssuedMessage",
      [
        ("message", uuid), ("kind", Shape.named("MessageKind")), ("sent", instant), ("content", Shape.named("AlertContent")),
        ("references", Shape.described(Shape.list(of: Shape.named("MessageReference")), "The messages before it, oldest first")),
        ("authority", Shape.named("Authority")), ("approvals", Shape.named("Approvals")),
        ("channels", Shape.described(Shape.list(of: Shape.named("Channel")), "Those it really went to: none for an exercise without a release")),
      ], []
    ),
    (
      "AlertSummary",
      [
        ("id", uuid), city, ("mode", Shape.named("AlertMode")), ("origin", Shape.one(of: AlertOrigin.Kind.self)), ("hint", Shape.nullable(uuid)),
        ("title", Shape.described(Shape.words, "The German headline")), ("severity", Shape.named("Severity")), ("stage", Shape.nullable(stage)),
        ("draft", Shape.nullable(uuid)), ("draftKind", Shape.nullable(Shape.named("MessageKind"))), ("revision", Shape.nullable(Shape.natural)),
        ("authority", Shape.nullable(Shape.words)), ("head", Shape.nullable(uuid)), ("headKind", Shape.nullable(Shape.named("MessageKind"))),
        ("sent", Shape.nullable(instant)), ("expires", Shape.nullable(instant)), ("ending", Shape.nullable(Shape.one(of: endings))), ("reviewDue", Shape.truth),
        ("changed", instant),
      ], []
    ),
    (
      "Why",
      ["deliveries", "alert", "hint", "rule"].map { ($0, Shape.described(Shape.list(of: Shape.named("RecordedEvent")), "Newest first")) }, []
    ),
    (
      "RecordedEvent",
      [
        ("id", uuid), ("type", Shape.described(Shape.words, "Its data is as schemas/events/<type>.json says")), ("stream", Shape.words), ("time", instant),
        ("cause", Shape.described(Shape.words, "The event that it follows from")),
        ("correlation", Shape.described(Shape.words, "What all that follows from one request has in common")), ("data", Shape.free),
      ], ["cause", "correlation"]
    ),
  ]

  // MARK: - Hints and rules

  private static let standing = Shape.one(of: ["raised", "acknowledged", "confirmed", "dismissed", "cleared"])
  private static let ruleStatus = Shape.described(Shape.one(of: ["drafted", "live", "paused", "retired"]), "Only a live one raises hints")
  private static let level = Shape.described(Shape.integer(in: 1...HintDecider.mostLevels), "How many levels of the rota have been paged")

  private static let watching: [Body] = [
    (
      "Hint",
      [
        ("id", uuid), ("standing", standing), ("level", level), ("finding", Shape.named("HintFinding")),
        ("by", Shape.described(Shape.named("Officer"), "Who acknowledged, confirmed or dismissed it last")),
        ("reason", Shape.described(Shape.words, "Why it was dismissed")),
      ], ["by", "reason"]
    ),
    (
      "HintSummary",
      [
        ("id", uuid), ("rule", uuid), ("version", Shape.natural), city, ("title", Shape.words), ("text", Shape.words), ("severity", Shape.named("Severity")),
        ("longitude", Shape.nullable(Shape.number)), ("latitude", Shape.nullable(Shape.number)), ("standing", standing), ("level", level), ("since", instant),
        ("raised", instant), ("changed", instant), ("readings", Shape.named("HintReadings")),
        ("forecast", Shape.described(Shape.nullable(Shape.named("Forecast")), "What a gauge upstream announces")),
      ], []
    ),
    (
      "RuleVersion",
      [
        ("id", uuid), ("version", Shape.described(Shape.natural, "An activation names the one it is for")), ("status", ruleStatus),
        ("rule", Shape.named("Rule")),
      ],
      []
    ),
    (
      "RuleSummary",
      [
        ("id", uuid), ("version", Shape.natural), ("status", ruleStatus), ("since", Shape.described(Shape.nullable(instant), "Since when it is live")),
        ("changed", instant), ("rule", Shape.named("Rule")),
      ], []
    ),
    (
      "Simulation",
      [
        ("from", instant), ("until", instant), ("readings", Shape.described(Shape.natural, "How many there were")),
        ("firings", Shape.list(of: Shape.named("Firing"))),
        ("verdict", Shape.described(Shape.named("Verdict"), "Absent where nothing said what happened in truth")),
      ], ["verdict"]
    ),
    (
      "Firing",
      [
        ("raised", instant), ("since", instant), ("cleared", Shape.described(instant, "Absent where it still held")), ("readings", Shape.named("HintReadings")),
        ("forecast", Shape.described(Shape.named("Forecast"), "Where a gauge upstream announced it")),
      ], ["cleared", "forecast"]
    ),
    (
      "RuleFit",
      [
        ("model", Shape.described(Shape.named("UpstreamModel"), "As it goes into a condition")), ("floods", Shape.described(Shape.natural, "How many it saw")),
        ("lag", Shape.described(Shape.natural, "Seconds of travel")), ("error", Shape.described(Shape.number, "On floods left out, in B's unit")),
        ("errorIfUnchanged", Shape.described(Shape.number, "That of saying that B stays as it is")),
        (
          "coverage",
          Shape.described(
            Shape.object(
              [("all", Shape.number), ("rising", Shape.described(Shape.number, "While the water rises; absent where it did not"))], required: ["all"],
              others: .taken),
            "The share of outcomes within the band, on floods that it was not made with")
        ), ("from", instant), ("until", instant),
        ("readings", Shape.object([("gaugeA", Shape.natural), ("gaugeB", Shape.natural)], required: ["gaugeA", "gaugeB"], others: .taken)),
      ], []
    ),
    (
      "Verdict",
      [
        ("hits", Shape.natural), ("misses", Shape.natural), ("falseAlarms", Shape.natural), ("shortestLead", Shape.described(Shape.number, "Seconds")),
        ("medianLead", Shape.described(Shape.number, "Seconds")),
      ], ["shortestLead", "medianLead"]
    ),
  ]

  // MARK: - Deliveries

  private static let sending: [Body] = [
    (
      "Delivery",
      [
        ("message", uuid), ("kind", Shape.described(Shape.one(of: Parcel.Kind.self), "page: a hint to a rota")), ("channel", Shape.named("Channel")),
        ("target", Shape.described(Shape.nullable(uuid), "The webhook or mailing list; null where the channel is one")), ("name", Shape.nullable(Shape.words)),
        ("status", Shape.one(of: ["waiting", "due", "attempting", "delivered", "given-up"])), ("attempts", Shape.natural),
        ("next", Shape.described(Shape.nullable(instant), "When it is tried next")),
        ("reason", Shape.described(Shape.nullable(Shape.words), "Why it is not there")),
        ("receipt", Shape.nullable(Shape.named("Receipt"))), ("handed", instant), ("changed", instant),
      ], []
    ),
    (
      "Target",
      [
        ("id", uuid), city, ("channel", Shape.one(of: TargetsAPI.Sending.self)), ("name", Shape.words), ("address", Shape.words),
        ("purpose", Shape.described(Shape.words, "alerts, rota/<name>/<level> or control-room/<authority>")),
      ], []
    ),
    ("ReleaseSummary", release + [("status", releaseStatus)], []),
    ("ReleaseDecision", [("release", Shape.named("Release")), ("status", releaseStatus)], []),
    (
      "Figure",
      [
        ("month", Shape.described(Shape.text("^[0-9]{4}-[0-9]{2}$"), "By the city's clocks")), city, ("kind", Shape.named("MessageKind")),
        ("severity", Shape.named("Severity")), ("category", Shape.described(Shape.named("Category"), "The first of the message")), ("count", Shape.natural),
      ], []
    ),
  ]

  private static let releaseStatus = Shape.one(of: ["proposed", "approved", "revoked"])
  private static let release: [Shape.Member] = [
    ("id", uuid), city, ("mode", Shape.one(of: AlertMode.self)), ("from", instant), ("until", instant), ("reason", Shape.words),
  ]

  // MARK: - Templates, others' warnings, areas

  private static let multiPolygon = Shape.object(
    [("type", Shape.one(of: ["MultiPolygon"])), ("coordinates", Shape.list(of: Shape.named("Polygon")))], required: ["type", "coordinates"], others: .taken)

  private static let others: [Body] = [
    (
      "Template",
      [
        ("name", Shape.named("TemplateName")), ("title", Shape.described(Shape.words, "What officers choose it by")),
        ("lasts", Shape.described(Shape.natural, "Seconds that what is drafted from it holds")), ("content", Shape.named("TemplateContent")),
      ], []
    ),
    (
      "ForeignTaken",
      [
        ("messages", Shape.list(of: Shape.named("ForeignMessage"))),
        ("refused", Shape.described(Shape.list(of: Shape.words), "What of a feed is no alert of CAP 1.2, and why")),
      ], []
    ),
    (
      "ForeignMessage",
      [
        ("identifier", Shape.described(Shape.words, "CAP 1.2, section 3.2.1, identifier")), ("outcome", Shape.one(of: ["taken", "known"])),
        ("remarks", Shape.described(Shape.list(of: Shape.words), "What was read otherwise than it stood there")),
      ], []
    ),
    (
      "ForeignAlert",
      [
        ("foreign", Shape.described(Shape.truth, "That it is another's")), ("sender", Shape.described(Shape.words, "CAP 1.2, section 3.2.1, sender")),
        ("identifier", Shape.described(Shape.words, "CAP 1.2, section 3.2.1, identifier")), ("sent", instant),
        ("status", Shape.described(Shape.one(of: CAPAlert.Status.self), "CAP 1.2, section 3.2.1, status")),
        ("texts", Shape.list(of: Shape.named("ForeignText"))),
      ], []
    ),
    (
      "ForeignText",
      [
        ("language", Shape.words), ("senderName", Shape.described(Shape.words, "Who warns, in words")), ("event", Shape.words), ("headline", Shape.words),
        ("description", Shape.words), ("instruction", Shape.words),
        ("severity", Shape.described(Shape.one(of: CAPInfo.Severity.self), "CAP 1.2, section 3.2.2, severity")), ("until", instant),
        ("untilIsAssumed", Shape.described(Shape.truth, "Whether its sender did not say until when: it is shown for 24 hours then")),
        ("areas", Shape.described(Shape.list(of: Shape.words), "CAP 1.2, section 3.2.4, areaDesc")),
        ("polygons", Shape.described(Shape.list(of: Shape.named("Polygon")), "Where it holds, as far as that was said in shapes")),
        ("circles", Shape.list(of: Shape.named("Circle"))),
      ], ["senderName", "headline", "description", "instruction"]
    ),
    ("Outlines", [("type", Shape.one(of: ["FeatureCollection"])), ("features", Shape.list(of: Shape.named("Outline")))], []),
    (
      "Outline",
      [
        ("type", Shape.one(of: ["Feature"])), ("properties", Shape.object([("message", uuid)], required: ["message"], others: .taken)),
        ("geometry", multiPolygon),
      ], []
    ),
    ("Districts", [("type", Shape.one(of: ["FeatureCollection"])), ("features", Shape.list(of: Shape.named("District")))], []),
    (
      "District",
      [
        ("type", Shape.one(of: ["Feature"])),
        ("geometry", multiPolygon),
        (
          "properties",
          Shape.object([("name", Shape.described(Shape.words, "What areas name it by")), city], required: ["name", "city"], others: .taken)
        ),
      ], []
    ),
  ]
}
