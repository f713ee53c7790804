import TestSupport
import Testing
import Time
import WarningDomain

@Suite("A window of readings")
struct ReadingWindowTests {
  @Test("keeps them by time, however they come")
  func sorted() {
    var window = ReadingWindow(horizon: 3_600)
    for minute in [5, 1, 9, 3] { window.insert(reading(minute, Double(minute), offset: Int64(minute))) }
    #expect(window.readings.map(\.value) == [1, 3, 5, 9])
    #expect(window.newest?.time == minutes(9))
  }

  @Test("takes the fact with the highest offset for a time")
  func revised() {
    var window = ReadingWindow(horizon: 3_600)
    window.insert(reading(1, 10, offset: 5))
    window.insert(reading(1, 11, offset: 4))
    #expect(window.readings.map(\.value) == [10])
    window.insert(reading(1, 12, offset: 6))
    #expect(window.readings.map(\.value) == [12])
    window.insert(reading(1, 12, offset: 8))
    window.insert(reading(1, 13, offset: 7))
    #expect(window.readings.map(\.value) == [12])
  }

  @Test("forgets what was withdrawn, also where that is heard of first")
  func withdrawn() {
    var window = ReadingWindow(horizon: 3_600)
    window.withdraw(minutes(1), offset: 9)
    window.insert(reading(1, 10, offset: 8))
    #expect(window.count == 0)
    #expect(window.newest == nil)
    #expect(window.lastHeard == nil)
    window.insert(reading(1, 11, offset: 10))
    #expect(window.readings.map(\.value) == [11])
  }

  @Test("keeps implausible ones apart, and has heard them nonetheless")
  func implausible() {
    var window = ReadingWindow(horizon: 3_600)
    window.insert(reading(1, 10, offset: 1))
    window.insert(Reading(time: minutes(2), value: 999, isPlausible: false, offset: 2))
    #expect(window.readings.map(\.value) == [10])
    #expect(window.newest?.time == minutes(1))
    #expect(window.lastHeard == minutes(2))
  }

  @Test("drops what is older than it reaches, but for the last one before")
  func trims() {
    var window = ReadingWindow(horizon: 600)
    for minute in 0...1_000 {
      window.insert(reading(minute, Double(minute), offset: Int64(minute)))
      window.trim()
    }
    #expect(window.readings.map(\.value) == (989...1_000).map(Double.init))
    window.insert(reading(20, 20, offset: 2_000))
    window.trim()
    #expect(window.readings.first?.value == 989)
  }

  @Test("holds the same whatever order they came in", arguments: 1...60 as ClosedRange<UInt64>)
  func anyOrder(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var facts: [ReadingFact] = []
    for offset in 0..<200 {
      let time = minutes(Int.random(in: 0..<60, using: &random))
      if random.oneIn(6) {
        facts.append(.withdrawn(time, offset: Int64(offset)))
      } else {
        let value = Double(Int.random(in: 0..<5, using: &random))
        facts.append(.recorded(Reading(time: time, value: value, isPlausible: !random.oneIn(6), offset: Int64(offset))))
      }
    }
    let inOrder = window(facts)
    let shuffled = window((facts + facts.shuffled(using: &random).prefix(50)).shuffled(using: &random))
    #expect(shuffled.readings.map(\.time) == inOrder.readings.map(\.time))
    #expect(shuffled.readings.map(\.value) == inOrder.readings.map(\.value))
    #expect(shuffled.lastHeard == inOrder.lastHeard)
  }

  private func reading(_ minute: Int, _ value: Double, offset: Int64) -> Reading { Reading(time: minutes(minute), value: value, offset: offset) }

  private func window(_ facts: [ReadingFact]) -> ReadingWindow {
    var window = ReadingWindow(horizon: 7_200)
    for fact in facts {
      switch fact {
      case .recorded(let reading): window.insert(reading)
      case .withdrawn(let time, let offset): window.withdraw(time, offset: offset)
      }
    }
    window.trim()
    return window
  }
}
