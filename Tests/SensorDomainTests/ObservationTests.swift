import SensorDomain
import Testing
import Time

@Suite("A reading")
struct ObservationTests {
  private static let now = Instant(milliseconds: 1_767_225_600_000)

  private func verdict(
    _ result: ObservedResult, _ type: ObservationType = .measurement, at time: Instant = now, isClosed: Bool = false
  ) throws(ObservationRefusal) -> Verdict {
    let datastream = ObservedDatastream(id: 7, observationType: type, plausibleRange: PlausibleRange(min: -40, max: 60), isClosed: isClosed)
    return try Observation(phenomenonTime: time, result: result).verdict(for: datastream, now: Self.now)
  }

  @Test("that is no finite number is refused, whatever its datastream takes", arguments: [Double.nan, .infinity, -.infinity])
  func notFinite(_ value: Double) {
    for type in ObservationType.allCases {
      #expect(throws: ObservationRefusal.notFinite) { try verdict(.number(value), type) }
    }
  }

  @Test("may be five minutes ahead of our clock and not more")
  func future() throws {
    #expect(try verdict(.number(1), at: Self.now + .seconds(300)) == .plausible)
    let late = Self.now + .milliseconds(300_001)
    #expect(throws: ObservationRefusal.inFuture(late, now: Self.now)) { try verdict(.number(1), at: late) }
  }

  @Test("is of 1970 or later")
  func past() throws {
    #expect(try verdict(.number(1), at: Instant(milliseconds: 0)) == .plausible)
    let early = Instant(milliseconds: -1)
    #expect(throws: ObservationRefusal.tooEarly(early)) { try verdict(.number(1), at: early) }
  }

  @Test("for a closed datastream is refused")
  func closed() {
    #expect(throws: ObservationRefusal.datastreamClosed(7)) { try verdict(.number(1), isClosed: true) }
  }

  @Test("that can hardly be is kept, with the verdict")
  func implausible() throws {
    #expect(try verdict(.number(60)) == .plausible)
    #expect(try verdict(.number(60.1)) == .implausible)
  }
}
