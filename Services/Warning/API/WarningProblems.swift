import HTTP
import WarningDomain

/// What a refusal is answered with: which rule it met, and what would be right.
enum WarningProblems {
  static func of(_ refusal: AlertRefusal) -> Problem {
    switch refusal {
    case .unknown: .notFound("There is no such alert.")
    case .taken: .conflict("There is an alert of this id already.")
    case .ended(let ending): .conflict("This alert is over (\(ending.name)). Draft a new one.")
    case .draftOpen(let message): .conflict("Another message of this alert is being prepared (\(message.uuidString.lowercased())). Finish or reject it first.")
    case .noDraft: .conflict("No message of this alert is being prepared.")
    case .notHead(let given, let head):
      .conflict(
        "\(given.uuidString.lowercased()) is not what holds now.",
        errors: [.init(path: "refersTo", problem: "is not the last message issued", expected: head?.uuidString.lowercased() ?? "none")])
    case .notIssuedYet: .conflict("Nothing of this alert has been issued yet: edit its draft.")
    case .notAnAmendment: .badRequest(path: "kind", problem: "is alert", expected: "update, cancel or all-clear")
    case .wrongStage(let now, let needs): .conflict("The message is \(now); this needs one that is \(needs).")
    case .problems(let problems):
      .unprocessable(
        "The alert cannot be issued as it is.", errors: problems.map { .init(path: $0.path, problem: $0.problem, expected: $0.expected) })
    case .channelsLeftOut(let channels):
      .unprocessable(
        "Whoever was warned has to hear this too.",
        errors: [
          .init(path: "channels", problem: "leaves out \(channels.map(\.rawValue).joined(separator: ", "))", expected: "every channel of the last message")
        ])
    case .otherArea: .unprocessable("Whoever was warned has to hear this too: the area is that of the last message.")
    case .ownWork: .forbidden("Nobody approves, rejects, returns or reviews their own work: this needs another officer.")
    case .otherCity(_, let city): .forbidden("This is for officers of \(city).")
    case .revisionChanged(let given, let now): .conflict("The draft was changed: you read revision \(given), and it is \(now). Read it again.")
    case .expired(let at): .conflict("The message expired at \(at.rfc3339).")
    case .reasonMissing: .badRequest(path: "reason", problem: "is empty", expected: "words that others will understand later")
    case .onlyForActual: .conflict("Breaking the glass is for what is meant, and this is an exercise or a test.")
    case .notCompetent(let authority): .forbidden("This is for the control room of \(authority).")
    case .noReviewDue: .conflict("No review is due.")
    case .notExpired(let until): .conflict("It holds until \(until.rfc3339).")
    }
  }

  static func of(_ refusal: HintRefusal) -> Problem {
    switch refusal {
    case .unknown: .notFound("There is no such hint.")
    case .taken: .conflict("There is a hint of this id already.")
    case .over: .conflict("This hint is over.")
    case .otherCity(_, let city): .forbidden("This is for officers of \(city).")
    case .reasonMissing: .badRequest(path: "reason", problem: "is empty", expected: "words that others will understand later")
    }
  }

  static func of(_ refusal: RuleRefusal) -> Problem {
    switch refusal {
    case .unknown: .notFound("There is no such rule.")
    case .taken: .conflict("There is a rule of this id already.")
    case .retired: .conflict("This rule is retired. Draw up a new one.")
    case .problems(let problems):
      .unprocessable("The rule cannot watch as it is.", errors: problems.map { .init(path: $0.path, problem: $0.problem, expected: $0.expected) })
    case .version(let asked, let newest): .conflict("The rule was changed: you looked at version \(asked), and it is \(newest). Read it again.")
    case .notLive: .conflict("The rule is not live.")
    case .otherCity(_, let city): .forbidden("This is for officers of \(city).")
    }
  }

  static func of(_ refusal: TemplateRefusal) -> Problem {
    switch refusal {
    case .unknown: .notFound("No officer saved such a template.")
    case .name(let name):
      .badRequest(path: "name", problem: "is \"\(name.prefix(60))\"", expected: "1 to 60 small letters, digits and hyphens")
    case .problems(let problems):
      .unprocessable("The template cannot be saved as it is.", errors: problems.map { .init(path: $0.path, problem: $0.problem, expected: $0.expected) })
    }
  }

  static func of(_ refusal: FitRefusal) -> Problem {
    func no(_ path: String, _ problem: String, _ expected: String) -> Problem {
      .unprocessable("No model comes of this history.", errors: [.init(path: path, problem: problem, expected: expected)])
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
    case .unknown: .notFound("There is no such release.")
    case .taken: .conflict("There is a release of this id already.")
    case .notForActual: .badRequest(path: "mode", problem: "is Actual", expected: "Exercise or Test: what is meant needs no release")
    case .window: .badRequest(path: "until", problem: "is before from, or more than a day after it", expected: "a window of at most 24 hours")
    case .ownWork: .forbidden("Nobody approves their own release: this needs another officer.")
    case .otherCity(_, let city): .forbidden("This is for officers of \(city).")
    case .notProposed: .conflict("The release is approved already.")
    case .revoked: .conflict("The release was revoked.")
    case .past: .conflict("The window is over.")
    }
  }

  static func of(_ refusal: DeliveryRefusal) -> Problem {
    switch refusal {
    case .unknown: .notFound("Nothing of this message was handed to that channel.")
    case .notDue, .stale: .conflict("The delivery is not waiting for this.")
    case .notConfirmable: .conflict("Only sirens, loudspeaker-vans and mowas-handover are confirmed by a person.")
    }
  }

  static func of(_ error: CompetenceError) -> Problem {
    switch error {
    case .nobody: .unprocessable("Nobody is known to be competent in this area.")
    case .several(let authorities):
      .unprocessable(
        "Several authorities are competent in parts of this area (\(authorities.map(\.name).joined(separator: ", "))): draft one alert for each.",
        errors: [.init(path: "area", problem: "crosses a border", expected: "an area within one of them")])
    case .partly(let authority):
      .unprocessable(
        "Part of the area lies where nobody is known to be competent.",
        errors: [.init(path: "area", problem: "goes beyond \(authority.name)", expected: "an area within it")])
    }
  }
}
