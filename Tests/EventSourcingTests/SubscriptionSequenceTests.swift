import Broker
@testable import EventSourcing
import Foundation
import Testing
import Time

struct SubscriptionSequenceTests {
  @Test("The offset that follows is projected, and facts without a Journal position always are") func follows() {
    var sequence = SubscriptionSequence(partition: 3, last: at(1, 4))
    #expect(sequence.judge(happened(1, 5)) == .project)
    #expect(sequence.judge(happened(nil)) == .project)
    #expect(sequence.last == at(1, 5))
    #expect(sequence.judge(happened(1, 6)) == .project)
  }

  @Test("A new consumer takes whatever comes first as its beginning") func first() {
    var sequence = SubscriptionSequence(partition: 3, last: nil)
    #expect(sequence.judge(happened(2, 17)) == .project)
    #expect(sequence.judge(happened(2, 19)) == .stop(.gap(expected: 18, found: 19)))
  }

  @Test("An offset that skips ahead stops, and goes on stopping, because nothing beyond it counts as seen") func skips() {
    var sequence = SubscriptionSequence(partition: 3, last: at(1, 4))
    for _ in 0..<2 { #expect(sequence.judge(happened(1, 6)) == .stop(.gap(expected: 5, found: 6))) }
    #expect(sequence.last == at(1, 4))
    #expect(sequence.judge(happened(1, 5)) == .project)
  }

  @Test("What was seen before is dropped, in its epoch and from earlier ones") func doubled() {
    var sequence = SubscriptionSequence(partition: 3, last: at(2, 4))
    let seen = [happened(2, 4), happened(2, 0), happened(1, 4), happened(1, 9), began(1, keeps: -1, offset: 0)]
    for event in seen { #expect(sequence.judge(event) == .drop) }
    #expect(sequence.last == at(2, 4))
    #expect(sequence.judge(happened(2, 5)) == .project)
  }

  @Test("An epoch that keeps all that was seen goes on, and its record is none for projections") func keeps() {
    var sequence = SubscriptionSequence(partition: 3, last: at(1, 4))
    #expect(sequence.judge(began(2, keeps: 4, offset: 5)) == .pass)
    #expect(sequence.last == at(2, 5))
    #expect(sequence.judge(began(2, keeps: 4, offset: 5)) == .drop)
    #expect(sequence.judge(happened(2, 6)) == .project)
    #expect(sequence.judge(began(7, keeps: 6, offset: 7)) == .pass)
  }

  @Test("An epoch that keeps more than was seen shows the gap before it") func keepsMore() {
    var sequence = SubscriptionSequence(partition: 3, last: at(1, 4))
    #expect(sequence.judge(began(2, keeps: 6, offset: 7)) == .stop(.gap(expected: 5, found: 7)))
  }

  @Test("An epoch that keeps less than was seen stops and says which events are gone") func gone() {
    var sequence = SubscriptionSequence(partition: 3, last: at(1, 9))
    let loss = EpochLoss(partition: 3, epoch: 2, gone: 5...9)
    #expect(sequence.judge(began(2, keeps: 4, offset: 5)) == .stop(.gone(loss)))
    #expect(sequence.last == at(1, 9))
  }

  @Test("An event of a new epoch without the record that opens it stops") func withoutBeginning() {
    var sequence = SubscriptionSequence(partition: 3, last: at(1, 4))
    #expect(sequence.judge(happened(2, 5)) == .stop(.epochWithoutBeginning(epoch: 2)))
    #expect(sequence.last == at(1, 4))
  }

  @Test("An event of another journal partition stops, also as the very first") func misrouted() {
    for last in [nil, at(1, 4)] {
      var sequence = SubscriptionSequence(partition: 2, last: last)
      #expect(sequence.judge(happened(1, 5)) == .stop(.misrouted(journalPartition: 3)))
    }
  }

  @Test("A replay passes over what later epochs took back, as if it had never been") func cuts() {
    let cut = EpochBegan(epoch: 2, keeps: 1)
    var sequence = SubscriptionSequence(partition: 3, last: nil, cuts: [cut])
    let given = [happened(1, 0), happened(1, 1), happened(1, 2), happened(1, 3), began(2, keeps: 1, offset: 2), happened(2, 3)]
    #expect(given.map { sequence.judge($0) } == [.project, .project, .drop, .drop, .pass, .project])
    #expect(sequence.last == at(2, 3))
  }

  @Test("A batch ends before the reason to stop, and its checkpoint counts what was dropped") func sifted() {
    let given = [happened(1, 4), happened(1, 5), happened(1, 7)].enumerated().map { index, event in
      ProjectedEvent(position: BrokerPosition(topic: "t", partition: 3, offset: 10 + Int64(index)), key: "k", event: event)
    }
    let batch = SiftedBatch(given[...], after: Checkpoint(position: 10, journal: at(1, 4)), partition: 3, rows: 100, weigh: { _ in 1 })
    #expect(batch.events == [given[1]])
    #expect(batch.checkpoint == Checkpoint(position: 12, journal: at(1, 5)))
    #expect(batch.consumed == 2)
    #expect(batch.stop == .gap(expected: 6, found: 7))
  }

  @Test("A batch is full with the event that reaches its rows") func full() {
    let given = (0..<4).map { offset in
      ProjectedEvent(position: BrokerPosition(topic: "t", partition: 3, offset: offset), key: "k", event: happened(1, offset))
    }
    let batch = SiftedBatch(given[...], after: Checkpoint(position: 0), partition: 3, rows: 5, weigh: { _ in 3 })
    #expect(batch.consumed == 2 && batch.events.count == 2 && batch.stop == nil)
  }
}

private func at(_ epoch: Int64, _ offset: Int64) -> JournalPosition { JournalPosition(partition: 3, epoch: epoch, offset: offset) }

private func happened(_ epoch: Int64?, _ offset: Int64 = 0) -> CloudEvent {
  event("de.dos2030.tests.happened.v1", epoch.map { at($0, offset) }, "{}")
}

private func began(_ epoch: Int64, keeps: Int64, offset: Int64) -> CloudEvent {
  event(EpochBegan.type, at(epoch, offset), #"{"epoch":\#(epoch),"keeps":\#(keeps)}"#)
}

private func event(_ type: String, _ position: JournalPosition?, _ data: String) -> CloudEvent {
  CloudEvent(
    id: UUID(), source: "/dortmund/tests", type: type, subject: "s", time: Instant(milliseconds: 0), city: "dortmund", journal: position,
    data: Array(data.utf8))
}
