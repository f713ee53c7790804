import CAP
import TestSupport
import Testing
import Time

@Suite("Warnings of other senders")
struct ForeignAlertsTests {
  private static func folded(_ alerts: [CAPAlert]) -> ForeignAlerts {
    var known = ForeignAlerts()
    for alert in alerts { known.take(alert) }
    return known
  }

  private func inForce(_ alerts: [CAPAlert], _ now: Instant) -> [String] {
    Self.folded(alerts).chains(at: now).flatMap { $0.inForce.map(\.alert.identifier) }
  }

  /// The only chain's state.
  private func state(_ alerts: [CAPAlert], _ now: Instant) -> ForeignChain.State? {
    let chains = Self.folded(alerts).chains(at: now)
    #expect(chains.count == 1)
    return chains.first?.state
  }

  private func at(_ hour: Int, _ minute: Int = 0) -> Instant { Samples.at(hour, minute) }

  private let first = Samples.alert("1")

  private func allClear(_ identifier: String, sent: Instant, names: [String]) -> CAPAlert {
    Samples.alert(identifier, .update, sent: sent, names: names, infos: [Samples.info(responseTypes: [.allClear])])
  }

  @Test("are in force from when they were sent until they expire")
  func span() {
    #expect(state([first], at(11, 59)) == .announced(from: at(12)))
    #expect(state([first], at(12)) == .inForce)
    #expect(inForce([first], at(17, 59)) == ["1"])
    #expect(state([first], at(18)) == .ended(.expired, at: at(18)))
    #expect(state([first], at(23)) == .ended(.expired, at: at(18)))
    let later = Samples.alert("2", infos: [Samples.info(effective: at(14))])
    #expect(state([later], at(13)) == .announced(from: at(14)))
    #expect(inForce([later], at(14)) == ["2"])
  }

  @Test("without an expiry are in force for 24 hours, and say that this is assumed")
  func assumed() {
    let silent = Samples.alert("1", infos: [Samples.info(effective: at(13), expires: nil)])
    let info = Self.folded([silent]).chains(at: at(13)).first?.inForce.first?.infos.first
    #expect(info?.until == at(37))
    #expect(info?.untilIsAssumed == true)
    #expect(state([silent], at(36, 59)) == .inForce)
    #expect(state([silent], at(37)) == .ended(.expired, at: at(37)))
    let said = Self.folded([first]).chains(at: at(13)).first?.inForce.first?.infos.first
    #expect(said?.until == at(18))
    #expect(said?.untilIsAssumed == false)
  }

  @Test("are replaced by the update that names them, without a gap")
  func update() {
    let update = Samples.alert("2", .update, sent: at(13), names: ["1"])
    #expect(inForce([first, update], at(12, 59)) == ["1"])
    #expect(inForce([first, update], at(13)) == ["2"])
    let later = Samples.alert("2", .update, sent: at(13), names: ["1"], infos: [Samples.info(effective: at(15))])
    #expect(inForce([first, later], at(14, 59)) == ["1"])
    #expect(Self.folded([first, later]).chains(at: at(14)).first?.inForce.first?.infos.first?.until == at(15))
    #expect(inForce([first, later], at(15)) == ["2"])
    // What says nothing takes the place of no warning.
    #expect(inForce([first, Samples.alert("2", .update, sent: at(13), names: ["1"], infos: [])], at(14)) == ["1"])
  }

  @Test("may be split in two and joined again")
  func split() {
    let parts =
      [Samples.alert("2a", .update, sent: at(13), names: ["1"], infos: [Samples.info("Hagel")])]
      + [Samples.alert("2b", .update, sent: at(13), names: ["1"], infos: [Samples.info("Sturm")])]
    #expect(inForce([first] + parts, at(14)) == ["2a", "2b"])
    #expect(inForce([first] + parts + [Samples.alert("3", .update, sent: at(15), names: ["2a", "2b"])], at(15)) == ["3"])
    #expect(inForce([first] + parts + [Samples.alert("3", .cancel, sent: at(15), names: ["2b"])], at(15)) == ["2a"])
  }

  @Test("are withdrawn by a cancel and lifted early by an all-clear, which are two different endings")
  func endings() {
    #expect(state([first, Samples.alert("2", .cancel, sent: at(13), names: ["1"])], at(13)) == .ended(.withdrawn, at: at(13)))
    #expect(state([first, allClear("2", sent: at(13), names: ["1"])], at(13)) == .ended(.allClear, at: at(13)))
    #expect(ForeignChain.End.withdrawn.german == "zurückgezogen")
    #expect(ForeignChain.End.allClear.german == "vorzeitig aufgehoben")
    // What had expired before was not lifted early.
    #expect(state([first, allClear("2", sent: at(20), names: ["1"])], at(21)) == .ended(.expired, at: at(18)))
    #expect(state([first, Samples.alert("2", .cancel, sent: at(20), names: ["1"])], at(21)) == .ended(.expired, at: at(18)))
  }

  @Test("stay ended where only the end arrived, and when the warning comes later")
  func onlyTheEnd() {
    let cancel = Samples.alert("2", .cancel, sent: at(13), names: ["1"])
    #expect(state([cancel], at(14)) == .ended(.withdrawn, at: at(13)))
    #expect(state([allClear("2", sent: at(13), names: ["1"])], at(14)) == .ended(.allClear, at: at(13)))
    #expect(state([cancel, first], at(14)) == .ended(.withdrawn, at: at(13)))
  }

  @Test("are ended by who names the first of a chain, with what had taken its place until then")
  func cancelOfTheFirst() {
    let update = Samples.alert("2", .update, sent: at(13), names: ["1"])
    let cancel = Samples.alert("3", .cancel, sent: at(14), names: ["1"])
    #expect(state([first, update, cancel], at(14)) == .ended(.withdrawn, at: at(14)))
    #expect(inForce([first, update, cancel], at(13, 30)) == ["2"])
    let anew = Samples.alert("4", .update, sent: at(15), names: ["1"], infos: [Samples.info("Sturm")])
    #expect(inForce([first, update, cancel, anew], at(15)) == ["4"])
  }

  @Test("of which one info of several is lifted keep the others")
  func partlyClear() {
    let both = Samples.alert("1", infos: [Samples.info("Hagel", expires: at(14)), Samples.info("Sturm")])
    #expect(Self.folded([both]).chains(at: at(13)).first?.inForce.first?.infos.map(\.index) == [0, 1])
    #expect(Self.folded([both]).chains(at: at(15)).first?.inForce.first?.infos.map(\.index) == [1])
    let partly = Samples.alert("2", .update, sent: at(13), names: ["1"], infos: [Samples.info("Sturm", responseTypes: [.allClear]), Samples.info("Hagel")])
    #expect(Self.folded([both, partly]).chains(at: at(13)).first?.inForce.first?.infos.map(\.index) == [1])
  }

  @Test("are called off by their own sender alone, and never by an exercise, a draft or an acknowledgement")
  func others() {
    var stranger = Samples.alert("2", .cancel, sent: at(13), sender: "fremd@example.org")
    stranger.references = [first.reference]
    #expect(inForce([first, stranger], at(14)) == ["1"])
    for status in [CAPAlert.Status.exercise, .test, .draft, .system] {
      #expect(inForce([first, Samples.alert("2", .cancel, sent: at(13), names: ["1"], status: status)], at(14)) == ["1"])
    }
    #expect(inForce([first, Samples.alert("2", .ack, sent: at(13), names: ["1"])], at(14)) == ["1"])
    #expect(inForce([first, Samples.alert("2", .error, sent: at(13), names: ["1"])], at(14)) == ["1"])
    #expect(inForce([Samples.alert("1", status: .draft)], at(14)) == [])
    #expect(state([Samples.alert("2", .ack, names: ["1"])], at(14)) == .empty)
  }

  @Test("under another identifier are the same warning, and who ends one ends both")
  func repeats() {
    var again = Samples.alert("2", sent: at(12, 30))
    again.infos[0].description = "Keller laufen voll.\n Pegel > 3 m & steigend. "
    let chains = Self.folded([again, first]).chains(at: at(13))
    #expect(chains.count == 1)
    #expect(chains.first?.inForce.map(\.alert.identifier) == ["1"])
    #expect(chains.first?.inForce.first?.repeats == [again.reference])
    #expect(state([first, again, Samples.alert("3", .cancel, sent: at(14), names: ["2"])], at(14)) == .ended(.withdrawn, at: at(14)))
    #expect(inForce([first, again, Samples.alert("3", .update, sent: at(14), names: ["1"], infos: [Samples.info("Hagel")])], at(14)) == ["3"])
    // Issued again after it was withdrawn, it is in force again.
    let anew = Samples.alert("4", sent: at(15))
    #expect(inForce([first, Samples.alert("3", .cancel, sent: at(14), names: ["1"]), anew], at(15)) == ["4"])
  }

  @Test("that differ in sender, event, area, text or times are not the same")
  func different() {
    let changes: [(inout CAPAlert) -> Void] = [
      { $0.sender = "fremd@example.org" }, { $0.infos[0].event = "Hagel" }, { $0.infos[0].areas[0].areaDesc = "Unna" }, { $0.infos[0].headline = "Andere" },
      { $0.infos[0].expires = Samples.at(19) }, { $0.infos[0].onset = Samples.at(13) }, { $0.infos[0].severity = .extreme }, { $0.status = .exercise },
    ]
    for change in changes {
      var other = Samples.alert("2")
      change(&other)
      #expect(Self.folded([first, other]).chains(at: at(13)).count == 2)
    }
  }

  @Test("that use an identifier again stand for what was sent last, and their chain says so")
  func reused() {
    let again = Samples.alert("1", sent: at(13), infos: [Samples.info("Hagel")])
    for order in [[first, again], [again, first], [again, first, again, first]] {
      let chain = Self.folded(order).chains(at: at(14)).first
      #expect(chain?.messages == [again])
      #expect(chain?.reusesIdentifiers == true)
    }
    #expect(Self.folded([first, first]).chains(at: at(14)).first?.reusesIdentifiers == false)
  }

  @Test("that name each other or themselves leave one in force")
  func circles() {
    let one = Samples.alert("1", .update, names: ["2", "1"], infos: [Samples.info("Hagel")])
    let two = Samples.alert("2", .update, names: ["1"], infos: [Samples.info("Sturm")])
    #expect(inForce([one, two], at(13)) == ["2"])
    let later = Samples.alert("3", .update, sent: at(13), names: ["1", "2"])
    let early = Samples.alert("1", .update, sent: at(12), names: ["3"], infos: [Samples.info("Hagel")])
    #expect(inForce([early, later], at(13)) == ["3"])
    // Nobody replaces what is sent later.
    #expect(inForce([early, Samples.alert("3", sent: at(13))], at(13)) == ["1", "3"])
  }

  @Test("belong together through a message that never came")
  func gap() {
    let two = Samples.alert("3", .update, sent: at(14), names: ["2"])
    let part = Samples.alert("4", .update, sent: at(14), names: ["2"], infos: [Samples.info("Sturm")])
    let chains = Self.folded([two, part]).chains(at: at(14))
    #expect(chains.count == 1)
    #expect(chains.first?.inForce.map(\.alert.identifier) == ["3", "4"])
  }

  @Test("that are over are forgotten, and ended still if they come again")
  func forget() {
    let cancel = Samples.alert("2", .cancel, sent: at(13), names: ["1"])
    var known = Self.folded([first])
    known.forget(endedBefore: at(18))
    #expect(known.chains(at: at(19)).count == 1)
    known.forget(endedBefore: at(18, 1))
    #expect(known == ForeignAlerts())
    known.take(first)
    #expect(known.chains(at: at(19)).first?.inForce.isEmpty == true)
    var ended = Self.folded([cancel])
    ended.forget(endedBefore: at(24 * 30))
    ended.take(first)
    #expect(ended.chains(at: at(14)).first?.state == .ended(.withdrawn, at: at(13)))
    ended.forget(endedBefore: at(24 * 31))
    #expect(ended == ForeignAlerts())
  }

  @Test("give the same answer whatever the order in which they came and however often", arguments: 1...30)
  func order(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var alerts: [CAPAlert] = []
    for number in 0..<30 {
      let names = (0..<Int.random(in: 0...2, using: &random)).map { _ in "\(Int.random(in: 0..<30, using: &random))" }
      let type = [CAPAlert.MsgType.alert, .update, .update, .update, .cancel, .ack].randomElement(using: &random) ?? .alert
      let info = Samples.info(
        ["Hagel", "Sturm", "Regen"].randomElement(using: &random) ?? "", effective: random.oneIn(4) ? at(Int.random(in: 10...20, using: &random)) : nil,
        expires: random.oneIn(4) ? nil : at(Int.random(in: 12...22, using: &random)), responseTypes: random.oneIn(5) ? [.allClear] : [.avoid])
      let identifier = random.oneIn(12) ? "0" : "\(number)"
      alerts.append(
        Samples.alert(
          identifier, type, sent: at(Int.random(in: 10...16, using: &random)), names: names, sender: random.oneIn(6) ? "b@example.org" : "a@example.org",
          status: random.oneIn(8) ? .exercise : .actual, infos: type == .cancel ? [] : [info]))
    }
    let moments = (9...24).map { at($0, 30) } + [at(12), at(40)]
    let expected = moments.map(Self.folded(alerts).chains)
    #expect(expected.contains { $0.contains { !$0.inForce.isEmpty } })
    for _ in 0..<10 {
      let known = Self.folded((alerts + alerts.filter { _ in random.oneIn(2) }).shuffled(using: &random))
      #expect(known == Self.folded(alerts))
      #expect(moments.map(known.chains) == expected)
    }
  }

  @Test("of many chains each have their one head")
  func many() {
    var alerts: [CAPAlert] = []
    for chain in 0..<500 {
      for number in 0..<6 {
        alerts.append(
          Samples.alert(
            "\(chain).\(number)", number == 0 ? .alert : .update, sent: at(12, number), names: (0..<number).map { "\(chain).\($0)" },
            infos: [Samples.info("\(chain)")]))
      }
    }
    let chains = Self.folded(alerts).chains(at: at(13))
    #expect(chains.count == 500)
    #expect(chains.allSatisfy { $0.inForce.count == 1 && $0.inForce.first?.alert.identifier.hasSuffix(".5") == true })
  }
}
