import DecidingTesting
import Foundation
import TestSupport
import Testing
import Time

@testable import WarningDomain

private let destination = Destination(subject: chain, channel: .webhook, target: message(90))
private let until = noon + .seconds(3_600)

private func parcel(_ number: Int, _ kind: Parcel.Kind = .alert) -> Parcel { Parcel(message: message(number), kind: kind, expires: until) }
private func handed(_ number: Int, _ kind: Parcel.Kind = .alert) -> DeliveryEvent {
  .handed(DeliveryHanded(destination: destination, parcel: parcel(number, kind), at: noon))
}
private func attempted(_ number: Int, _ attempt: Int = 1, at: Instant = noon) -> DeliveryEvent {
  .attempted(DeliveryAttempted(message: message(number), attempt: attempt, at: at))
}
private func delivered(_ number: Int, _ attempt: Int = 1, _ receipt: Receipt = Receipt(), at: Instant = noon) -> DeliveryEvent {
  .delivered(DeliveryDelivered(message: message(number), attempt: attempt, receipt: receipt, at: at))
}
private func givenUp(_ number: Int, _ why: GivenUp, at: Instant = noon) -> DeliveryEvent {
  .givenUp(DeliveryGivenUp(message: message(number), why: why, reason: nil, at: at))
}
private func failed(_ number: Int, _ attempt: Int = 1, mayHaveArrived: Bool = false, next: Duration = .seconds(1)) -> DeliveryEvent {
  .failed(DeliveryFailed(message: message(number), attempt: attempt, reason: "503", mayHaveArrived: mayHaveArrived, next: noon + next, at: noon))
}
private func fail(_ number: Int, _ attempt: Int = 1, mayHaveArrived: Bool = false, lasting: Bool = false, retryAfter: Duration? = nil) -> DeliveryCommand {
  .fail(
    message: message(number), attempt: attempt, reason: "503", mayHaveArrived: mayHaveArrived, lasting: lasting, retryAfter: retryAfter, at: noon)
}

@Suite("A delivery") struct DeliveryDeciderTests {
  @Test("of one message is attempted by one who wants to, and delivered once") func once() {
    given(DeliveryDecider.self).when(.hand(destination, parcel(1), at: noon)).then(handed(1))
    given(DeliveryDecider.self, handed(1)).when(.hand(destination, parcel(1), at: noon)).thenNothing()
    given(DeliveryDecider.self, handed(1)).when(.attempt(message: message(1), at: noon)).then(attempted(1))
    given(DeliveryDecider.self, handed(1), attempted(1)).when(.attempt(message: message(1), at: noon)).thenRefused(.notDue(until: nil))
    given(DeliveryDecider.self, handed(1), attempted(1), delivered(1)).when(.attempt(message: message(1), at: noon)).thenRefused(.notDue(until: nil))
    given(DeliveryDecider.self, handed(1), attempted(1), delivered(1)).when(.hand(destination, parcel(1), at: noon)).thenNothing()
  }

  @Test("that fails is tried again after a pause that grows, or that the other side named") func pauses() {
    given(DeliveryDecider.self, handed(1), attempted(1)).when(fail(1)).then(failed(1))
    given(DeliveryDecider.self, handed(1), attempted(1), failed(1)).when(.attempt(message: message(1), at: noon)).thenRefused(
      .notDue(until: noon + .seconds(1)))
    given(DeliveryDecider.self, handed(1), attempted(1)).when(fail(1, retryAfter: .seconds(20))).then(failed(1, next: .seconds(20)))
    #expect((1...9).map { DeliveryDecider.pause(after: $0).components.seconds } == [1, 2, 4, 8, 16, 32, 60, 60, 60])
  }

  @Test("that would fail for ever is given up with the reason") func lasting() {
    given(DeliveryDecider.self, handed(1), attempted(1)).when(fail(1, lasting: true)).then(
      failed(1), .givenUp(DeliveryGivenUp(message: message(1), why: .refused, reason: "503", at: noon)))
  }

  @Test("is never sent after expiry") func expiry() {
    given(DeliveryDecider.self, handed(1)).when(.attempt(message: message(1), at: until)).then(givenUp(1, .expired, at: until))
  }

  @Test("whose attempt was lost goes out again under the same id, and only after it must be over") func lost() {
    given(DeliveryDecider.self, handed(1), attempted(1)).when(.lose(message: message(1), attempt: 1, at: noon + .seconds(59)))
      .thenRefused(.notDue(until: nil))
    let later = noon + .seconds(60)
    given(DeliveryDecider.self, handed(1), attempted(1)).when(.lose(message: message(1), attempt: 1, at: later)).when(.attempt(message: message(1), at: later))
      .then(attempted(1, 2, at: later))
    given(DeliveryDecider.self, handed(1), attempted(1), failed(1, mayHaveArrived: true), attempted(1, 2))
      .when(.deliver(message: message(1), attempt: 1, Receipt(), at: noon)).thenRefused(.stale(attempt: 1, now: 2))
  }

  @Test("takes the newest message and drops one that is not through yet") func superseded() {
    given(DeliveryDecider.self, handed(1)).when(.hand(destination, parcel(2, .update), at: noon)).then(handed(2, .update), givenUp(1, .superseded))
    given(DeliveryDecider.self, handed(1), attempted(1)).when(.hand(destination, parcel(2, .update), at: noon)).then(handed(2, .update))
    given(DeliveryDecider.self, handed(1), attempted(1), handed(2, .update)).when(.attempt(message: message(2), at: noon)).thenRefused(.notDue(until: nil))
    given(DeliveryDecider.self, handed(1), attempted(1), handed(2, .update)).when(fail(1)).then(failed(1), givenUp(1, .superseded))
    given(DeliveryDecider.self, handed(1), attempted(1), handed(2, .update), delivered(1)).when(.attempt(message: message(2), at: noon)).then(attempted(2))
  }

  @Test("calls nothing off that never arrived, and everything that may have") func callsOff() {
    given(DeliveryDecider.self, handed(1)).when(.hand(destination, parcel(2, .allClear), at: noon)).then(
      handed(2, .allClear), givenUp(1, .superseded), givenUp(2, .nothingToCallOff))
    given(DeliveryDecider.self, handed(1), attempted(1), failed(1, mayHaveArrived: true)).when(.hand(destination, parcel(2, .cancel), at: noon)).then(
      handed(2, .cancel), givenUp(1, .superseded))
    given(DeliveryDecider.self, handed(1), attempted(1), delivered(1)).when(.hand(destination, parcel(2, .allClear), at: noon)).then(handed(2, .allClear))
  }

  @Test("by a person counts when that person says so, once, with the other side's number") func confirmed() {
    let mowas = Destination(subject: chain, channel: .mowasHandover)
    let order = DeliveryEvent.handed(DeliveryHanded(destination: mowas, parcel: parcel(1), at: noon))
    let receipt = Receipt(reference: "DE-NW-UN-W123", by: una)
    let confirm = DeliveryCommand.confirm(message: message(1), receipt, at: noon)
    given(DeliveryDecider.self, order).when(confirm).then(delivered(1, 0, receipt))
    given(DeliveryDecider.self, order, delivered(1, 0, receipt)).when(confirm).thenNothing()
    given(DeliveryDecider.self, handed(1)).when(confirm).thenRefused(.notConfirmable)
  }

  @Test("whatever happens in whatever order: nothing is sent twice at once, nothing after expiry, nothing older after something newer") func anyOrder() {
    for seed in 1...200 as ClosedRange<UInt64> {
      var random = SeededRandom(seed: seed)
      var state = DeliveryDecider.initial
      var time = noon
      var flying: Int?
      var newest = 0
      var handedOver = 0
      for _ in 0..<60 {
        time = time + .seconds(Int.random(in: 0...120, using: &random))
        let number = Int.random(in: 1...6, using: &random)
        let attempt = Int.random(in: 1...4, using: &random)
        let choice = Int.random(in: 0..<6, using: &random)
        if choice == 0 { handedOver = min(6, handedOver + 1) }
        let command: DeliveryCommand =
          switch choice {
          case 0: .hand(destination, parcel(handedOver, .update), at: time)
          case 1: .attempt(message: message(number), at: time)
          case 2: .deliver(message: message(number), attempt: attempt, Receipt(), at: time)
          case 3: .fail(message: message(number), attempt: attempt, reason: "x", mayHaveArrived: false, lasting: attempt == 4, retryAfter: nil, at: time)
          case 4: .lose(message: message(number), attempt: attempt, at: time)
          default: .attempt(message: message(handedOver), at: time)
          }
        guard let events = try? DeliveryDecider.decide(command, state) else { continue }
        for event in events {
          switch event {
          case .attempted(let event):
            #expect(flying == nil && event.at < until)
            let number = (1...6).first { message($0) == event.message } ?? 0
            #expect(number >= newest)
            newest = number
            flying = number
          case .delivered, .failed: flying = nil
          case .handed, .givenUp: break
          }
          state = DeliveryDecider.evolve(state, event)
        }
      }
    }
  }
}
