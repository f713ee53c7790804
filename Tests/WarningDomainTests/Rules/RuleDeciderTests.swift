import DecidingTesting
import Foundation
import Testing

@testable import WarningDomain

@Suite("A rule's life")
struct RuleDeciderTests {
  private let id = UUID()
  private let officer = Officer(subject: "o-1", city: "dortmund")
  private let rule: Rule
  private let drafted: RuleEvent
  private let activated: RuleEvent

  init() throws {
    rule = try sampleRule()
    drafted = .drafted(RuleDrafted(id: id, rule: rule, by: officer, at: ruleNoon))
    activated = .activated(RuleActivated(id: id, version: 1, by: officer, at: minutes(1)))
  }

  private var changed: Rule {
    var changed = rule
    changed.staleAfter = 1_800
    return changed
  }

  @Test("begins with a draft, is set live, paused, set live again and retired")
  func life() {
    given(RuleDecider.self).when(.draft(id: id, rule, by: officer, at: ruleNoon)).then(drafted)
    given(RuleDecider.self, drafted).when(.activate(version: 1, by: officer, at: minutes(1))).then(activated)
    let paused = RuleEvent.paused(RulePaused(id: id, by: officer, at: minutes(2)))
    given(RuleDecider.self, drafted, activated).when(.pause(by: officer, at: minutes(2))).then(paused)
    let again = RuleEvent.activated(RuleActivated(id: id, version: 1, by: officer, at: minutes(3)))
    given(RuleDecider.self, drafted, activated, paused).when(.activate(version: 1, by: officer, at: minutes(3))).then(again)
    #expect(given(RuleDecider.self, drafted, activated, paused, again).state == .live(RuleVersion(id: id, version: 1, rule: rule), since: minutes(3)))
    given(RuleDecider.self, drafted, activated).when(.retire(by: officer, at: minutes(4)))
      .then(.retired(RuleRetired(id: id, by: officer, at: minutes(4))))
  }

  @Test("counts its versions, and a live one watches anew from the change on")
  func versions() {
    let second = RuleEvent.changed(RuleChanged(id: id, version: 2, rule: changed, by: officer, at: minutes(5)))
    given(RuleDecider.self, drafted, activated).when(.change(changed, by: officer, at: minutes(5))).then(second)
    #expect(given(RuleDecider.self, drafted, activated, second).state == .live(RuleVersion(id: id, version: 2, rule: changed), since: minutes(5)))
    let third = RuleEvent.changed(RuleChanged(id: id, version: 3, rule: rule, by: officer, at: minutes(6)))
    given(RuleDecider.self, drafted, second).when(.change(rule, by: officer, at: minutes(6))).then(third)
    #expect(given(RuleDecider.self, drafted, second).state == .drafted(RuleVersion(id: id, version: 2, rule: changed)))
  }

  @Test("is set live only as the version that was looked at")
  func version() {
    let second = RuleEvent.changed(RuleChanged(id: id, version: 2, rule: changed, by: officer, at: minutes(5)))
    given(RuleDecider.self, drafted, second).when(.activate(version: 1, by: officer, at: minutes(6))).thenRefused(.version(asked: 1, newest: 2))
  }

  @Test("takes what changes nothing without an event")
  func nothing() {
    given(RuleDecider.self, drafted).when(.change(rule, by: officer, at: minutes(5))).thenNothing()
    given(RuleDecider.self, drafted, activated).when(.activate(version: 1, by: officer, at: minutes(5))).thenNothing()
    let paused = RuleEvent.paused(RulePaused(id: id, by: officer, at: minutes(2)))
    given(RuleDecider.self, drafted, activated, paused).when(.pause(by: officer, at: minutes(3))).thenNothing()
  }

  @Test("ends for good")
  func ended() {
    let retired = RuleEvent.retired(RuleRetired(id: id, by: officer, at: minutes(4)))
    for command in [
      RuleCommand.change(changed, by: officer, at: minutes(5)), .activate(version: 1, by: officer, at: minutes(5)), .pause(by: officer, at: minutes(5)),
      .retire(by: officer, at: minutes(5)),
    ] {
      given(RuleDecider.self, drafted, retired).when(command).thenRefused(.retired(id: id))
    }
    given(RuleDecider.self, drafted, retired).when(.draft(id: id, rule, by: officer, at: minutes(5))).thenRefused(.taken(id: id))
  }

  @Test("is refused where there is none, and where it is not live")
  func missing() {
    given(RuleDecider.self).when(.activate(version: 1, by: officer, at: ruleNoon)).thenRefused(.unknown)
    given(RuleDecider.self, drafted).when(.draft(id: id, rule, by: officer, at: ruleNoon)).thenRefused(.taken(id: id))
    given(RuleDecider.self, drafted).when(.pause(by: officer, at: ruleNoon)).thenRefused(.notLive(id: id))
  }

  @Test("is refused with all that is wrong")
  func unsound() {
    var unsound = rule
    unsound.name = ""
    unsound.condition = .silence(Silence(datastream: 1, longerThan: 0))
    let check = { (refusal: RuleRefusal) in
      guard case .problems(let problems) = refusal else { return false }
      return problems.map(\.path) == ["name", "condition.longerThan"]
    }
    given(RuleDecider.self).when(.draft(id: id, unsound, by: officer, at: ruleNoon)).thenRefused(where: check)
    given(RuleDecider.self, drafted).when(.change(unsound, by: officer, at: ruleNoon)).thenRefused(where: check)
  }

  @Test("is no business of another city's officers")
  func otherCity() {
    let stranger = Officer(subject: "o-2", city: "schwerte")
    let refusal = RuleRefusal.otherCity(of: "o-2", city: "dortmund")
    given(RuleDecider.self).when(.draft(id: id, rule, by: stranger, at: ruleNoon)).thenRefused(refusal)
    given(RuleDecider.self, drafted).when(.activate(version: 1, by: stranger, at: ruleNoon)).thenRefused(refusal)
    var moved = rule
    moved.city = "schwerte"
    given(RuleDecider.self, drafted).when(.change(moved, by: officer, at: ruleNoon)).thenRefused(.otherCity(of: "o-1", city: "schwerte"))
  }
}
