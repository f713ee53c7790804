import DecidingTesting
import Foundation
import Geo
import Testing
import Time

@testable import WarningDomain

/// A day in June at noon, by the city's clocks.
let noon = Instant(milliseconds: 1_907_748_000_000)
let night = noon + .seconds(12 * 3_600)

let ada = Officer(subject: "ada", city: "dortmund")
let ben = Officer(subject: "ben", city: "dortmund")
let sam = Officer(subject: "sam", city: "schwerte")
let una = Officer(subject: "una", city: "kreis-unna")

let dortmund = Authority(id: "dortmund", name: "Stadt Dortmund", actingCities: ["dortmund"], ars: "059130000000")
let kreisUnna = Authority(id: "kreis-unna", name: "Kreis Unna", actingCities: [], ars: "059780000000")

let chain = UUID(uuidString: "01977388-8010-7000-8000-000000000001") ?? UUID()
func message(_ number: Int) -> UUID { UUID(uuidString: "01977388-8010-7000-8000-0000000001\(number < 10 ? "0" : "")\(number)") ?? UUID() }

func area(_ west: Double = 7.4) -> AlertArea {
  let ring = [(west, 51.5), (west + 0.1, 51.5), (west + 0.1, 51.6), (west, 51.5)].compactMap { try? Coordinate(longitude: $0.0, latitude: $0.1) }
  let outline = [try? Polygon(rings: [ring])].compactMap { $0 }
  return AlertArea(description: "Emscher bei Dorstfeld", outline: outline, simplified: outline)
}

func content(
  _ headline: String = "Hochwasser an der Emscher", expires: Instant = noon + .seconds(86_400), area: AlertArea = area(),
  channels: Set<Channel> = [.app, .email]
) -> AlertContent {
  AlertContent(
    categories: [.met], urgency: .immediate, severity: .severe, certainty: .observed, expires: expires,
    texts: [
      AlertText(language: "de-DE", event: "Hochwasser", headline: headline, description: "Der Pegel steigt.", instruction: "Keller meiden."),
      AlertText(language: "en-GB", event: "Flood", headline: "Flood", description: "The river rises.", instruction: "Stay out of cellars."),
    ], area: area, channels: channels)
}

func drafted(_ content: AlertContent = content(), mode: AlertMode = .actual, city: String = "dortmund", by: Officer = ada) -> AlertEvent {
  let draft = Draft(message: message(1), kind: .alert, refersTo: nil, revision: 1, content: content, authors: [by])
  return .drafted(AlertDrafted(alert: chain, city: city, mode: mode, origin: .hand, draft: draft, by: by, at: noon))
}

func submitted(_ number: Int = 1, by: Officer = ada) -> AlertEvent {
  .submitted(AlertSubmitted(message: message(number), revision: 1, by: by, at: noon))
}

func issued(
  _ number: Int = 1, _ kind: MessageKind = .alert, _ content: AlertContent = content(), mode: AlertMode = .actual, references: [MessageReference] = [],
  authority: Authority = dortmund, approvals: Approvals = Approvals(authors: [ada], approvedBy: ben, breakGlass: nil), channels: [Channel]? = nil,
  at: Instant = noon
) -> AlertEvent {
  .issued(
    AlertIssued(
      alert: chain, message: message(number), kind: kind, city: "dortmund", mode: mode, content: content, references: references, authority: authority,
      approvals: approvals, channels: channels ?? content.channels.sorted(), sent: at))
}

private func approve(by: Officer = ben, revision: Int = 1, authority: Authority = dortmund, release: Release? = nil, at: Instant = noon) -> AlertCommand {
  .approve(revision: revision, authority: authority, release: release, by: by, at: at)
}

private let approved = AlertEvent.approved(AlertApproved(message: message(1), revision: 1, by: ben, at: noon))
private let first = MessageReference(message: message(1), sent: noon)

private func draftedNext(_ number: Int, _ kind: MessageKind, _ content: AlertContent = content(), by: Officer = ada) -> AlertEvent {
  let draft = Draft(message: message(number), kind: kind, refersTo: message(number - 1), revision: 1, content: content, authors: [by])
  return .drafted(AlertDrafted(alert: chain, city: "dortmund", mode: .actual, origin: .hand, draft: draft, by: by, at: noon))
}

@Suite("An alert") struct AlertDeciderTests {
  @Test("is issued when somebody else approves what was submitted") func fourEyes() {
    given(AlertDecider.self, drafted(), submitted()).when(approve()).then(approved, issued())
  }

  @Test("is approved by nobody who drafted, edited or submitted it") func ownWork() {
    given(AlertDecider.self, drafted(), submitted()).when(approve(by: ada)).thenRefused(.ownWork(subject: "ada"))
    given(AlertDecider.self, drafted(), submitted(by: ben)).when(approve(by: ben)).thenRefused(.ownWork(subject: "ben"))
    let edited = AlertEvent.edited(AlertEdited(message: message(1), revision: 2, content: content(), by: ben, at: noon))
    given(AlertDecider.self, drafted(), edited, submitted()).when(approve(by: ben, revision: 2)).thenRefused(.ownWork(subject: "ben"))
  }

  @Test("is approved in exactly the version that was read") func revision() {
    let edited = AlertEvent.edited(AlertEdited(message: message(1), revision: 2, content: content("Anders"), by: ada, at: noon))
    given(AlertDecider.self, drafted(), edited, submitted()).when(approve(revision: 1)).thenRefused(.revisionChanged(given: 1, now: 2))
  }

  @Test("cannot be approved before it is submitted, nor again when it was sent back") func stages() {
    given(AlertDecider.self, drafted()).when(approve()).thenRefused(.wrongStage(is: "drafted", needs: "submitted"))
    given(AlertDecider.self, drafted(), submitted()).when(.returnForEdit(reason: "Ort fehlt", by: ben, at: noon)).when(approve())
      .thenRefused(.wrongStage(is: "returned", needs: "submitted"))
    given(AlertDecider.self, drafted(), submitted()).when(.edit(content("Neu"), by: ada, at: noon)).thenRefused(
      .wrongStage(is: "submitted", needs: "drafted or returned"))
  }

  @Test("takes one of two approvals at once") func twice() {
    given(AlertDecider.self, drafted(), submitted(), approved, issued()).when(approve()).thenRefused(.noDraft)
  }

  @Test("by day is approved in its own city, at night in either") func nightShift() {
    given(AlertDecider.self, drafted(), submitted()).when(approve(by: sam)).thenRefused(.otherCity(of: "sam", city: "dortmund"))
    given(AlertDecider.self, drafted(content(expires: noon + .seconds(2 * 86_400))), submitted()).when(approve(by: sam, at: night)).then(
      .approved(AlertApproved(message: message(1), revision: 1, by: sam, at: night)),
      issued(
        1, .alert, content(expires: noon + .seconds(2 * 86_400)), approvals: Approvals(authors: [ada], approvedBy: sam, breakGlass: nil), at: night))
  }

  @Test("Night is from ten to six by the city's clocks, also when they are changed") func isNight() {
    func at(_ text: String) -> Instant { Instant(rfc3339: text) ?? noon }
    #expect(!AlertDecider.isNight(at("2030-06-15T21:59:59+02:00")))
    #expect(AlertDecider.isNight(at("2030-06-15T22:00:00+02:00")))
    #expect(AlertDecider.isNight(at("2030-06-16T05:59:59+02:00")))
    #expect(!AlertDecider.isNight(at("2030-06-16T06:00:00+02:00")))
    #expect(!AlertDecider.isNight(at("2030-03-31T06:00:00+02:00")))
    #expect(AlertDecider.isNight(at("2030-03-31T05:59:59+02:00")))
    #expect(!AlertDecider.isNight(at("2030-10-27T06:00:00+01:00")))
    #expect(AlertDecider.isNight(at("2030-10-27T22:00:00+01:00")))
  }

  @Test("is not submitted with anything wrong in it, and all of it is said") func problems() {
    var bad = content("", expires: noon)
    bad.texts.removeLast()
    given(AlertDecider.self, drafted(bad)).when(.submit(by: ada, at: noon)).thenRefused { refusal in
      guard case .problems(let problems) = refusal else { return false }
      return problems.map(\.path) == ["expires", "texts", "texts[0].headline"]
    }
  }

  @Test("fits every channel it goes to, its mark included") func lengths() {
    let long = content(String(repeating: "x", count: 65), channels: [.app, .displays])
    #expect(long.problems(mode: .actual, at: noon).isEmpty)
    #expect(long.problems(mode: .exercise, at: noon).map(\.expected) == ["at most 70 for displays"])
  }

  @Test("expired while it waited for approval is not issued") func late() {
    let short = content(expires: noon + .seconds(60))
    given(AlertDecider.self, drafted(short), submitted()).when(approve(at: noon + .seconds(60))).thenRefused { if case .problems = $0 { true } else { false } }
  }

  @Test("is changed at its head only, one message at a time") func head() {
    let amend = AlertCommand.amend(kind: .update, refersTo: message(1), message: message(2), content: content(), by: ada, at: noon)
    given(AlertDecider.self, drafted(), submitted(), issued()).when(amend).then(draftedNext(2, .update))
    given(AlertDecider.self, drafted(), submitted(), issued(), draftedNext(2, .update)).when(amend).thenRefused(.draftOpen(message: message(2)))
    given(AlertDecider.self, drafted(), submitted(), issued(), draftedNext(2, .update), submitted(2), issued(2, .update, references: [first]))
      .when(.amend(kind: .cancel, refersTo: message(1), message: message(3), content: content(), by: ada, at: noon))
      .thenRefused(.notHead(given: message(1), head: message(2)))
    given(AlertDecider.self, drafted()).when(amend).thenRefused(.notIssuedYet)
  }

  @Test("keeps all messages before it as references, oldest first") func references() {
    let second = MessageReference(message: message(2), sent: noon)
    given(
      AlertDecider.self, drafted(), submitted(), issued(), draftedNext(2, .update), submitted(2), issued(2, .update, references: [first]),
      draftedNext(3, .allClear), submitted(3)
    ).when(approve()).then(
      .approved(AlertApproved(message: message(3), revision: 1, by: ben, at: noon)), issued(3, .allClear, references: [first, second]))
  }

  @Test("that was updated reaches everybody it reached before; called off, it is so in the same area") func sameAudience() {
    given(AlertDecider.self, drafted(), submitted(), issued(), draftedNext(2, .update, content(channels: [.app]))).when(.submit(by: ada, at: noon))
      .thenRefused(.channelsLeftOut([.email]))
    given(AlertDecider.self, drafted(), submitted(), issued(), draftedNext(2, .cancel, content(area: area(7.3)))).when(.submit(by: ada, at: noon))
      .thenRefused(.otherArea)
  }

  @Test("withdrawn, over or expired is over for good") func over() {
    for (kind, ending) in [(MessageKind.cancel, AlertChain.Ending.cancelled), (.allClear, .allClear)] {
      given(AlertDecider.self, drafted(), submitted(), issued(), draftedNext(2, kind), submitted(2), issued(2, kind, references: [first]))
        .when(.amend(kind: .update, refersTo: message(2), message: message(3), content: content(), by: ada, at: noon)).thenRefused(.ended(ending))
    }
    let later = noon + .seconds(86_400)
    given(AlertDecider.self, drafted(), submitted(), issued()).when(.expire(message: message(1), at: later))
      .then(.expired(AlertExpired(alert: chain, message: message(1), at: later)))
    given(AlertDecider.self, drafted(), submitted(), issued()).when(.expire(message: message(1), at: noon)).thenRefused(.notExpired(until: later))
    given(AlertDecider.self, drafted(), submitted(), issued(), draftedNext(2, .update), submitted(2), issued(2, .update, references: [first]))
      .when(.expire(message: message(1), at: later)).thenNothing()
  }

  @Test("behind broken glass is out at once, and somebody else has to look at it afterwards") func breakGlass() {
    let reason = "Damm gebrochen"
    let broken = issued(approvals: Approvals(authors: [ada], approvedBy: nil, breakGlass: reason))
    given(AlertDecider.self, drafted()).when(.breakGlass(revision: 1, reason: reason, authority: dortmund, by: ada, at: noon)).then(broken)
    given(AlertDecider.self, drafted()).when(.breakGlass(revision: 1, reason: " ", authority: dortmund, by: ada, at: noon)).thenRefused(.reasonMissing)
    given(AlertDecider.self, drafted(), broken).when(.review(justified: true, note: "", by: ada, at: noon)).thenRefused(.ownWork(subject: "ada"))
    let reviewed = AlertEvent.reviewed(AlertReviewed(message: message(1), justified: true, note: "ja", by: ben, at: noon))
    given(AlertDecider.self, drafted(), broken).when(.review(justified: true, note: "ja", by: ben, at: noon)).then(reviewed)
    given(AlertDecider.self, drafted(), broken, reviewed).when(.review(justified: true, note: "", by: ben, at: noon)).thenRefused(.noReviewDue)
    given(AlertDecider.self, drafted(mode: .exercise)).when(.breakGlass(revision: 1, reason: reason, authority: dortmund, by: ada, at: noon))
      .thenRefused(.onlyForActual)
  }

  @Test("beyond one's own competence becomes a request, and is out when that control room takes it on") func competence() {
    let sue = Officer(subject: "sue", city: "schwerte")
    let approvals = Approvals(authors: [sam], approvedBy: sue, breakGlass: nil)
    let requested = Requested(message: message(1), authority: kreisUnna, approvals: approvals, at: noon)
    let history = given(AlertDecider.self, drafted(city: "schwerte", by: sam), submitted(by: sam))
    history.when(approve(by: sue, authority: kreisUnna)).then(
      .approved(AlertApproved(message: message(1), revision: 1, by: sue, at: noon)), .requested(requested))
    history.when(approve(by: sue, authority: kreisUnna)).when(.acknowledge(by: ada, at: noon)).thenRefused(.notCompetent(authority: "kreis-unna"))
    history.when(approve(by: sue, authority: kreisUnna)).when(.decline(reason: "kein Anlass", by: una, at: noon))
      .then(.requestDeclined(RequestDeclined(message: message(1), reason: "kein Anlass", by: una, at: noon)))
    history.when(approve(by: sue, authority: kreisUnna)).when(.escalate(message: message(1), at: noon))
      .then(.requestEscalated(RequestEscalated(message: message(1), authority: "kreis-unna", times: 1, at: noon)))
    history.when(approve(by: sue, authority: kreisUnna)).when(.acknowledge(by: una, at: noon)).when(.escalate(message: message(1), at: noon)).thenNothing()
    given(AlertDecider.self, drafted(city: "schwerte", by: sam), submitted(by: sam), .requested(requested)).when(.acknowledge(by: una, at: noon)).thenIssued {
      $0.approvals.acknowledgedBy == una && $0.channels == [.app, .email]
    }
  }

  @Test("that is an exercise reaches nobody outside without an approved release for that time") func exercise() {
    let release = Release(id: message(9), city: "dortmund", mode: .exercise, from: noon, until: noon + .seconds(3_600), reason: "Warntag")
    let history = given(AlertDecider.self, drafted(mode: .exercise), submitted())
    history.when(approve()).thenIssued { $0.channels.isEmpty }
    history.when(approve(release: release)).thenIssued { $0.channels == [.app, .email] && $0.approvals.release == release.id }
    history.when(approve(release: release, at: noon + .seconds(3_600))).thenIssued { $0.channels.isEmpty }
    given(AlertDecider.self, drafted(mode: .test), submitted()).when(approve(release: release)).thenIssued { $0.channels.isEmpty }
  }

  @Test("of the other city is neither drafted nor edited there") func otherCity() {
    given(AlertDecider.self).when(
      .draft(alert: chain, message: message(1), city: "dortmund", mode: .actual, origin: .hand, content: content(), by: sam, at: noon)
    ).thenRefused(.otherCity(of: "sam", city: "dortmund"))
    given(AlertDecider.self, drafted()).when(.edit(content(), by: sam, at: noon)).thenRefused(.otherCity(of: "sam", city: "dortmund"))
  }

  @Test("rejected before anything was issued is over; an update that is rejected leaves what it was to change") func rejected() {
    let rejected = AlertEvent.rejected(AlertRejected(message: message(1), reason: "Irrtum", by: ben, at: noon))
    given(AlertDecider.self, drafted(), submitted()).when(.reject(reason: "Irrtum", by: ben, at: noon)).then(rejected)
    given(AlertDecider.self, drafted(), submitted(), rejected).when(.submit(by: ada, at: noon)).thenRefused(.ended(.neverIssued))
    let dropped = AlertEvent.rejected(AlertRejected(message: message(2), reason: "doch nicht", by: ada, at: noon))
    given(AlertDecider.self, drafted(), submitted(), issued(), draftedNext(2, .update)).when(.reject(reason: "doch nicht", by: ada, at: noon)).then(dropped)
    given(AlertDecider.self, drafted(), submitted(), issued(), draftedNext(2, .update), dropped)
      .when(.amend(kind: .update, refersTo: message(1), message: message(2), content: content(), by: ada, at: noon)).then(draftedNext(2, .update))
  }
}

extension Outcome<AlertDecider> {
  fileprivate func thenIssued(sourceLocation: SourceLocation = #_sourceLocation, where check: (AlertIssued) -> Bool) {
    guard case .decided(let events, _) = self, case .issued(let issued)? = events.last else {
      Issue.record("nothing was issued: \(self)", sourceLocation: sourceLocation)
      return
    }
    #expect(check(issued), "\(issued)", sourceLocation: sourceLocation)
  }
}
