import DecidingTesting
import Foundation
import Testing

@testable import WarningDomain

private func finding(rota: String? = "bach") -> Finding {
  Finding(
    rule: message(50), version: 3, city: "dortmund", title: "Bach steigt", text: "Rechen prüfen", place: nil, severity: .severe, since: noon,
    readings: [HintReading(datastream: 7, time: noon, result: 1.2)], rota: rota)
}

private let raised = HintEvent.raised(HintRaised(id: message(20), finding: finding(), at: noon))

@Suite("A hint") struct HintDeciderTests {
  @Test("is raised once for an episode") func once() {
    given(HintDecider.self).when(.raise(id: message(20), finding(), at: noon)).then(raised)
    given(HintDecider.self, raised).when(.raise(id: message(20), finding(), at: noon)).thenNothing()
  }

  @Test("goes up its rota level by level until somebody acknowledges") func escalates() {
    let second = HintEvent.escalated(HintEscalated(id: message(20), rota: "bach", level: 2, at: noon))
    given(HintDecider.self, raised).when(.escalate(level: 2, at: noon)).then(second)
    given(HintDecider.self, raised, second).when(.escalate(level: 2, at: noon)).thenNothing()
    given(HintDecider.self, raised).when(.acknowledge(by: ada, at: noon)).when(.escalate(level: 2, at: noon)).thenNothing()
    given(HintDecider.self, raised).when(.clear(readings: [], at: noon)).when(.escalate(level: 2, at: noon)).thenNothing()
    given(HintDecider.self, .raised(HintRaised(id: message(20), finding: finding(rota: nil), at: noon))).when(.escalate(level: 2, at: noon)).thenNothing()
  }

  @Test("is acknowledged by the first who does so") func acknowledged() {
    let first = HintEvent.acknowledged(HintAcknowledged(id: message(20), by: ada, at: noon))
    given(HintDecider.self, raised).when(.acknowledge(by: ada, at: noon)).then(first)
    given(HintDecider.self, raised, first).when(.acknowledge(by: ben, at: noon)).thenNothing()
    given(HintDecider.self, raised).when(.acknowledge(by: sam, at: noon)).thenRefused(.otherCity(of: "sam", city: "dortmund"))
  }

  @Test("that was dismissed or has cleared is over") func over() {
    given(HintDecider.self, raised).when(.dismiss(reason: "", by: ada, at: noon)).thenRefused(.reasonMissing)
    given(HintDecider.self, raised).when(.dismiss(reason: "Ast am Sensor", by: ada, at: noon)).when(.confirm(by: ada, at: noon)).thenRefused(.over)
    given(HintDecider.self, raised).when(.clear(readings: [], at: noon)).when(.acknowledge(by: ada, at: noon)).thenRefused(.over)
    given(HintDecider.self, raised).when(.clear(readings: [], at: noon)).when(.clear(readings: [], at: noon)).thenNothing()
  }
}
