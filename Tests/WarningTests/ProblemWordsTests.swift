import Foundation
import HTTP
import Testing
import Time
import WarningDomain

@testable import Warning

@Suite("What officers are refused")
struct ProblemWordsTests {
  private static let id = UUID()
  private static let now = Instant(milliseconds: 0)

  private static let alerts: [AlertRefusal] = [
    .unknown, .taken, .ended(.expired), .draftOpen(message: id), .noDraft, .notHead(given: id, head: nil), .notIssuedYet, .notAnAmendment,
    .wrongStage(is: "drafted", needs: "submitted"), .problems([]), .channelsLeftOut([.app]), .otherArea, .ownWork(subject: "ada"),
    .otherCity(of: "ada", city: "schwerte"), .revisionChanged(given: 1, now: 2), .expired(at: now), .reasonMissing, .onlyForActual,
    .notCompetent(authority: "kreis-unna"), .noReviewDue, .notExpired(until: now),
  ]
  private static let hints: [HintRefusal] = [.unknown, .taken, .over, .otherCity(of: "ada", city: "schwerte"), .reasonMissing]
  private static let rules: [RuleRefusal] = [
    .unknown, .taken(id: id), .retired(id: id), .problems([]), .version(asked: 1, newest: 2), .notLive(id: id), .otherCity(of: "ada", city: "schwerte"),
  ]
  private static let releases: [ReleaseRefusal] = [
    .unknown, .taken, .notForActual, .window(from: now, until: now), .ownWork(subject: "ada"), .otherCity(of: "ada", city: "schwerte"), .notProposed,
    .revoked, .past,
  ]
  private static let deliveries: [DeliveryRefusal] = [.unknown, .notDue(until: nil), .stale(attempt: 1, now: 2), .notConfirmable]
  private static let fits: [FitRefusal] = [
    .tooLittleHistory(moments: 1, needed: 2), .noVariance(.upstream), .tooFewFloods(1, needed: 8), .noRelation(correlation: 0, needed: 1),
    .noSkill(error: 1, persistence: 1),
  ]
  private static let templates: [TemplateRefusal] = [.unknown, .name("Ä"), .problems([])]
  private static let competence: [CompetenceError] = [
    .nobody, .several([]), .partly(Authority(id: "a", name: "A", actingCities: [], ars: "1")),
  ]

  private static var problems: [Problem] {
    var all = alerts.map { WarningProblems.of($0) }
    all += hints.map { WarningProblems.of($0) }
    all += rules.map { WarningProblems.of($0) }
    all += releases.map { WarningProblems.of($0) }
    all += deliveries.map { WarningProblems.of($0) }
    all += fits.map { WarningProblems.of($0) }
    all += templates.map { WarningProblems.of($0) }
    all += competence.map { WarningProblems.of($0) }
    return all
  }

  @Test("has a kind, and the page has German words for it")
  func german() throws {
    let page = try #require(WarningFiles.all.first { $0.name == "Pages/problems.js" })
    let text = String(decoding: page.bytes, as: UTF8.self)
    #expect(text.contains("\"\(WarningProblems.kind)\""))
    for problem in Self.problems {
      try #require(problem.type.hasPrefix(WarningProblems.kind), "\(problem.detail)")
      let name = String(problem.type.dropFirst(WarningProblems.kind.count))
      #expect(text.contains("  \"\(name)\": \"") || text.contains("  \(name): \""), "\(name)")
    }
  }
}
