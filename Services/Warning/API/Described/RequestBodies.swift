import HTTP
import JSON
import WarningDomain

/// The bodies that requests bring, as schemas: what no member is for is refused.
enum RequestBodies {
  /// By the names of the document's components.
  static var all: [String: String] {
    var all = EventShapes.published.asked(["draftContent", "rule", "template", "circle"])
    for (name, members, optional) in bodies {
      let shown = members.map { ($0.name, optional.contains($0.name) ? Shape.nullable($0.schema) : $0.schema) }
      all[name] = Shape.object(shown, required: members.map(\.name).filter { !optional.contains($0) }, others: .refused)
    }
    all["NewAlert"] = newAlert
    all["NewTarget"] = newTarget
    all["ContentOverTemplate"] = contentOverTemplate
    return all
  }

  private static let bodies: [(name: String, members: [Shape.Member], optional: Set<String>)] = [
    (
      "NamedArea",
      [
        ("description", Shape.described(Shape.text(), "The area in words (CAP 1.2, section 3.2.4, areaDesc)")),
        ("districts", Shape.described(Shape.list(of: Shape.text()), "By their names in /warnings/areas.json")),
        ("circles", Shape.list(of: Shape.named("NewCircle"))),
        ("polygons", Shape.described(Shape.list(of: Shape.named("Polygon")), "Rings that cross neither themselves nor each other")),
      ], ["districts", "circles", "polygons"]
    ),
    ("AlertUpdate", [refersTo, ("content", Shape.named("NewContent"))], []),
    ("AlertEnd", [refersTo, ("texts", Shape.described(Shape.list(of: Shape.named("NewText")), "Why it is over, in each language"))], []),
    ("Reason", [("reason", reason)], []),
    (
      "Approval", [revision, ("release", Shape.described(Shape.uuid, "The approved release under which an exercise or test reaches real channels"))],
      ["release"]
    ),
    ("BreakGlass", [revision, ("reason", reason)], []),
    (
      "Review",
      [("justified", Shape.described(Shape.truth, "Whether breaking the glass was right")), ("note", Shape.text())], []
    ),
    (
      "Confirmation",
      [
        ("message", Shape.described(Shape.uuid, "The message that was passed on")),
        ("reference", Shape.described(Shape.text(), "The number that MoWaS gave; needed where the channel is mowas-handover")),
      ], ["reference"]
    ),
    ("RuleActivation", [("version", Shape.described(Shape.natural, "The version that was looked at"))], []),
    (
      "RuleSimulation",
      [
        ("rule", Shape.named("NewRule")), ("days", days),
        ("events", Shape.described(Shape.list(of: Shape.moment), "When it happened in truth: gives hits, misses and false alarms; not beside truth")),
        ("truth", Shape.described(Shape.named("NewCondition"), "What it was when it happened: a condition on the same readings; not beside events")),
        (
          "announces",
          Shape.described(
            Shape.integer(in: 0...RuleTrialsAPI.mostAnnounces),
            "Seconds before an event in which a hint announces it; \(RuleTrialsAPI.usuallyAnnounces) if left out")
        ),
      ], ["events", "truth", "announces"]
    ),
    (
      "RuleFitting",
      [
        ("gaugeA", Shape.described(Shape.integer, "The datastream of the gauge upstream")),
        ("gaugeB", Shape.described(Shape.integer, "The datastream of the gauge downstream, another one")), ("days", days),
        ("step", Shape.described(Shape.integer(in: RuleTrialsAPI.steps), "Seconds between two moments that are looked at; the more days, the more")),
        ("longestLag", Shape.described(Shape.integer(in: RuleTrialsAPI.steps.lowerBound...RuleTrialsAPI.longestLag), "Seconds of travel, at least a step")),
      ], ["step", "longestLag"]
    ),
    (
      "NewRelease",
      [
        city, ("mode", Shape.one(of: [AlertMode.exercise, .test].map(\.rawValue))), ("from", Shape.moment),
        ("until", Shape.described(Shape.moment, "After from, by at most \(Int(ReleaseDecider.longest / .seconds(3_600))) hours, and not past")),
        ("reason", reason),
      ], ["city"]
    ),
  ]

  private static let refersTo: Shape.Member = ("refersTo", Shape.described(Shape.uuid, "The last message issued, which this takes the place of"))
  private static let days = Shape.described(Shape.integer(in: 1...RuleTrialsAPI.mostDays), "How far back")
  private static let revision: Shape.Member = ("revision", Shape.described(Shape.natural, "The revision that was read"))
  private static let reason = Shape.described(Shape.text(Shape.notBlank), "Words that others will understand later")
  private static let city: Shape.Member = ("city", Shape.described(Shape.text(), "The officer's own where nothing is said"))

  private static var newTarget: String {
    let common: [Shape.Member] = [
      (city.name, Shape.nullable(city.schema)), ("name", Shape.text(Shape.notBlank, most: 200)),
      (
        "purpose",
        Shape.nullable(
          Shape.described(
            Shape.text("^(\(TargetsAPI.purposes))$"),
            "What is sent there: alerts, which is usual; a rota's pages of one level; or requests to an authority's control room"))
      ),
    ]
    let webhook: [Shape.Member] = [
      ("channel", Shape.one(of: [TargetsAPI.Sending.webhook.rawValue])),
      ("address", Shape.described(Shape.text("^\(TargetsAPI.webAddress)$", most: TargetsAPI.longestAddress), "It leads to no private network")),
      (
        "secret",
        Shape.described(
          Shape.text(#"^[^\u0000]{\#(TargetsAPI.shortestSecret),}$"#), "What is sent is signed with it (standardwebhooks.com); it is never shown")
      ),
    ]
    let email: [Shape.Member] = [
      ("channel", Shape.one(of: [TargetsAPI.Sending.email.rawValue])), ("secret", Shape.nullable(Shape.text())),
      (
        "address",
        Shape.described(
          Shape.text("^\(TargetsAPI.mailAddress)(, *\(TargetsAPI.mailAddress)){0,\(TargetsAPI.mostAddresses - 1)}$", most: TargetsAPI.longestAddress),
          "A list, with commas between")
      ),
    ]
    return Shape.either(
      Shape.object(common + webhook, required: ["name", "channel", "address", "secret"], others: .refused),
      Shape.object(common + email, required: ["name", "channel", "address"], others: .refused))
  }

  /// By hand or from a hint with all of its content, or from a template with what is other than there.
  private static var newAlert: String {
    let place: [Shape.Member] = [(city.name, Shape.nullable(city.schema)), ("mode", Shape.nullable(Shape.named("AlertMode")))]
    return Shape.either(
      Shape.object(
        place + [
          ("hint", Shape.nullable(Shape.described(Shape.uuid, "The hint that it follows from"))), ("template", Shape.null),
          ("content", Shape.named("NewContent")),
        ], required: ["content"], others: .refused),
      Shape.object(
        place + [("hint", Shape.null), ("template", Shape.named("TemplateName")), ("content", Shape.named("ContentOverTemplate"))],
        required: ["template", "content"], others: .refused))
  }

  /// What stands here takes the place of what stands in the template (RFC 7396), lists as a whole; null takes away what may be absent.
  private static var contentOverTemplate: String {
    guard var content = EventShapes.published.asking("draftContent").object else { return Shape.free }
    content["required"] = ["area"]
    content["description"] = "What is other than in the template (RFC 7396); where is always said anew."
    return String(decoding: JSONValue.object(content).bytes, as: UTF8.self)
  }
}
