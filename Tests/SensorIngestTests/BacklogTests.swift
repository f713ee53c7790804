import Broker
import Synchronization
import Testing

@testable import SensorIngest

@Suite("Acknowledged and not yet readable")
struct BacklogTests {
  /// Where projections stand, by partition.
  private final class Standing: Sendable {
    let positions = Mutex<[Int: Int64]>([:])
    subscript(partition: Int) -> Int64? {
      get { positions.withLock { $0[partition] } }
      set { positions.withLock { $0[partition] = newValue } }
    }
  }

  private let standing = Standing()
  private var backlog: Backlog { Backlog { [standing] _, partition in standing[partition] } }

  private func at(_ partition: Int, _ offset: Int64) -> BrokerPosition { BrokerPosition(topic: "readings", partition: partition, offset: offset) }

  @Test("readings count until the projection of their partition has passed them, whatever the order they were told of in")
  func counts() {
    let backlog = backlog
    standing[0] = 5
    standing[1] = 0
    backlog.note([(at(0, 7), 10), (at(0, 6), 20), (at(1, 0), 300)])
    #expect(backlog.readings == 330)
    standing[0] = 7
    #expect(backlog.readings == 310)
    standing[1] = 1
    #expect(backlog.readings == 10)
    backlog.note([(at(0, 8), 5)])
    #expect(backlog.readings == 15)
    standing[0] = 9
    #expect(backlog.readings == 0)
  }

  @Test("what is projected elsewhere, or nowhere at the moment, does not count")
  func elsewhere() {
    let backlog = backlog
    standing[0] = 0
    backlog.note([(at(0, 0), 10), (at(1, 0), 100)])
    #expect(backlog.readings == 10)
    standing[0] = nil
    #expect(backlog.readings == 0)
  }

  @Test("who comes while too many wait is let in when the projection has come on")
  func admitted() async {
    let backlog = backlog
    standing[0] = 0
    backlog.note([(at(0, 0), Backlog.limit), (at(0, 1), 1)])
    let waiting = Task {
      await backlog.admit()
      return backlog.readings
    }
    standing[0] = 1
    #expect(await waiting.value == 1)
  }

  @Test("a projection that stands still keeps nobody out for longer than the stated time", .timeLimit(.minutes(1)))
  func patience() async {
    let backlog = backlog
    standing[0] = 0
    backlog.note([(at(0, 0), Backlog.limit + 1)])
    let began = ContinuousClock.now
    await backlog.admit()
    #expect(ContinuousClock.now - began >= Backlog.patience)
    #expect(backlog.readings == Backlog.limit + 1)
  }
}
