import HTTP
import WarningDomain

/// What a refusal is answered with: which rule it met, and what would be right.
enum WarningProblems {
  /// Before the name of a kind of problem: with it, it is the `type` of RFC 9457, as a URI that leads nowhere (RFC 4151). Pages have their own words for each.
  static let kind = "tag:dos2030.de,2026:warnings/"

  static func of(_ refusal: AlertRefusal) -> Problem {
    switch refusal {
    case .unknown: .notFound("There is no such alert.").named("alert-unknown")
    case .taken: .conflict("There is an alert of this id already.").named("taken")
    case .ended(let ending): .conflict("This alert is over (\(ending.name)). Draft a new one.").named("alert-over")
    case .draftOpen(let message):
      .conflict("Another message of this alert is being prepared (\(message.uuidString.lowercased())). Finish or reject it first.").named("draft-open")
    case .noDraft: .conflict("No message of this alert is being prepared.").named("no-draft")
    case .notHead(let given, let head):
      .conflict(
        "\(given.uuidString.lowercased()) is not what holds now.",
        errors: [.init(path: "refersTo", problem: "is not the last message issued", expected: head?.uuidString.lowercased() ?? "none")]
      ).named("not-head")
    case .notIssuedYet: .conflict("Nothing of this alert has been issued yet: edit its draft.").named("not-issued-yet")
    case .notAnAmendment: .badRequest(path: "kind", problem: "is alert", expected: "update, cancel or all-clear").named("not-an-amendment")
    case .wrongStage(let now, let needs): .conflict("The message is \(now); this needs one that is \(needs).").named("wrong-stage")
    case .problems(let problems):
      .unprocessable(
        "The alert cannot be issued as it is.", errors: problems.map { .init(path: $0.path, problem: $0.problem, expected: $0.expected) }
      ).named("content")
    case .channelsLeftOut(let channels):
      .unprocessable(
        "Whoever was warned has to hear this too.",
        errors: [
          .init(path: "channels", problem: "leaves out \(channels.map(\.rawValue).joined(separator: ", "))", expected: "every channel of the last message")
        ]
      ).named("channels-left-out")
    case .otherArea: .unprocessable("Whoever was warned has to hear this too: the area is that of the last message.").named("other-area")
    case .ownWork: .forbidden("Nobody approves, rejects, returns or reviews their own work: this needs another officer.").named("own-work")
    case .otherCity(_, let city): .forbidden("This is for officers of \(city).").named("other-city")
    case .revisionChanged(let given, let now):
      .conflict("The draft was changed: you read revision \(given), and it is \(now). Read it again.").named("revision-changed")
    case .expired(let at): .conflict("The message expired at \(at.rfc3339).").named("expired")
    case .reasonMissing: .badRequest(path: "reason", problem: "is empty", expected: "words that others will understand later").named("reason-missing")
    case .onlyForActual: .conflict("Breaking the glass is for what is meant, and this is an exercise or a test.").named("only-for-actual")
    case .notCompetent(let authority): .forbidden("This is for the control room of \(authority).").named("not-competent")
    case .noReviewDue: .conflict("No review is due.").named("no-review-due")
    case .notExpired(let until): .conflict("It holds until \(until.rfc3339).").named("not-expired")
    }
  }

  static func of(_ refusal: HintRefusal) -> Problem {
    switch refusal {
    case .unknown: .notFound("There is no such hint.").named("hint-unknown")
    case .taken: .conflict("There is a hint of this id already.").named("taken")
    case .over: .conflict("This hint is over.").named("hint-over")
    case .otherCity(_, let city): .forbidden("This is for officers of \(city).").named("other-city")
    case .reasonMissing: .badRequest(path: "reason", problem: "is empty", expected: "words that others will understand later").named("reason-missing")
    }
  }

  static func of(_ refusal: RuleRefusal) -> Problem {
    switch refusal {
    case .unknown: .notFound("There is no such rule.").named("rule-unknown")
    case .taken: .conflict("There is a rule of this id already.").named("taken")
    case .retired: .conflict("This rule is retired. Draw up a new one.").named("rule-retired")
    case .problems(let problems):
      .unprocessable("The rule cannot watch as it is.", errors: problems.map { .init(path: $0.path, problem: $0.problem, expected: $0.expected) }).named("rule")
    case .version(let asked, let newest):
      .conflict("The rule was changed: you looked at version \(asked), and it is \(newest). Read it again.").named("rule-changed")
    case .notLive: .conflict("The rule is not live.").named("rule-not-live")
    case .otherCity(_, let city): .forbidden("This is for officers of \(city).").named("other-city")
    }
  }

  static func of(_ refusal: TemplateRefusal) -> Problem {
    switch refusal {
    case .unknown: .notFound("No officer saved such a template.").named("template-unknown")
    case .name(let name):
      .badRequest(path: "name", problem: "is \"\(name.prefix(60))\"", expected: "1 to 60 small letters, digits and hyphens").named("template-name")
    case .problems(let problems):
      .unprocessable("The template cannot be saved as it is.", errors: problems.map { .init(path: $0.path, problem: $0.problem, expected: $0.expected) })
        .named("template")
    }
  }

  static func of(_ refusal: FitRefusal) -> Problem {
    func no(_ path: String, _ problem: String, _ expected: String) -> Problem {
      .unprocessable("No model comes of this history.", errors: [.init(path: path, problem: problem, expected: expected)]).named("fit")
    }
    func rounded(_ value: Double) -> Double { (value * 1_000).rounded() / 1_000 }
    switch refusal {
    case .tooLittleHistory(let moments, let needed):
      return no("days", "has \(moments) moments at which both gauges have a reading", "at least \(needed): more days, or the step at which both report")
    case .noVariance(let gauge):
      return no(gauge == .upstream ? "gaugeA" : "gaugeB", "shows one level all the time", "a gauge that rises and falls")
    case .tooFewFloods(let count, let needed):
      return no("days", "holds \(count) floods", "at least \(needed), to know how forecasts err: more days")
    case .noRelation(let correlation, let needed):
      return no(
        "gaugeB", "does not follow gauge A: their changes correlate by \(rounded(correlation)) at best",
        "at least \(needed): a gauge downstream of A, within the longest lag")
    case .noSkill(let error, let persistence):
      return no(
        "gaugeB", "is forecast with an error of \(rounded(error))",
        "less than 95 % of \(rounded(persistence)), the error of saying that it stays as it is: a gauge that A announces earlier")
    }
  }

  static func of(_ refusal: ReleaseRefusal) -> Problem {
    switch refusal {
    case .unknown: .notFound("There is no such release.").named("release-unknown")
    case .taken: .conflict("There is a release of this id already.").named("taken")
    case .notForActual:
      .badRequest(path: "mode", problem: "is Actual", expected: "Exercise or Test: what is meant needs no release").named("release-for-actual")
    case .window:
      .badRequest(path: "until", problem: "is before from, or more than a day after it", expected: "a window of at most 24 hours").named("release-window")
    case .ownWork: .forbidden("Nobody approves their own release: this needs another officer.").named("own-release")
    case .otherCity(_, let city): .forbidden("This is for officers of \(city).").named("other-city")
    case .notProposed: .conflict("The release is approved already.").named("release-approved")
    case .revoked: .conflict("The release was revoked.").named("release-revoked")
    case .past: .conflict("The window is over.").named("release-past")
    case .reasonMissing: .badRequest(path: "reason", problem: "is empty", expected: "words that others will understand later").named("reason-missing")
    }
  }

  static func of(_ refusal: DeliveryRefusal) -> Problem {
    switch refusal {
    case .unknown: .notFound("Nothing of this message was handed to that channel.").named("delivery-unknown")
    case .notDue, .stale: .conflict("The delivery is not waiting for this.").named("delivery-not-due")
    case .notConfirmable: .conflict("Only sirens, loudspeaker-vans and mowas-handover are confirmed by a person.").named("delivery-not-confirmable")
    }
  }

  static func of(_ error: CompetenceError) -> Problem {
    switch error {
    case .nobody: .unprocessable("Nobody is known to be competent in this area.").named("nobody-competent")
    case .several(let authorities):
      .unprocessable(
        "Several authorities are competent in parts of this area (\(authorities.map(\.name).joined(separator: ", "))): draft one alert for each.",
        errors: [.init(path: "area", problem: "crosses a border", expected: "an area within one of them")]
      ).named("several-competent")
    case .partly(let authority):
      .unprocessable(
        "Part of the area lies where nobody is known to be competent.",
        errors: [.init(path: "area", problem: "goes beyond \(authority.name)", expected: "an area within it")]
      ).named("partly-competent")
    }
  }
}

extension Problem {
  fileprivate func named(_ name: String) -> Problem {
    var named = self
    named.type = WarningProblems.kind + name
    return named
  }
}
