import JSON
import Synchronization
import Time

/// Readings to send, each known by its datastream and time, with a value that follows from both: whoever checks needs to remember none of them.
///
/// Each request of 100 rows goes to 10 datastreams. 2 of its rows are late: up to a day before those of their datastream. 2 are doubled: sent before, perhaps
/// by a request that has no answer yet.
final class Readings: Sendable {
  static let datastreamsPerRequest = 10
  static let rowsPerDatastream = 10
  static let rowsPerRequest = datastreamsPerRequest * rowsPerDatastream

  /// One reading as it must be found.
  struct Sample: Sendable {
    let datastream: Int64
    let time: Instant
    var value: Double { Double(Readings.hundredths(datastream, time.milliseconds)) / 100 }
  }

  private struct State {
    /// How many were sent of each datastream: in order, late, doubled.
    var ordered: [Int64]
    var late: [Int64]
    var doubled: Int64 = 0
    var random = SplitMix(state: 2_030)
  }

  let datastreams: [Int64]
  /// A full hour. In order a datastream has a reading each second from here on; late ones are of the day before.
  let begin: Instant
  private let state: Mutex<State>

  init(datastreams: [Int64], begin: Instant) {
    self.datastreams = datastreams
    self.begin = begin
    let zeros = [Int64](repeating: 0, count: datastreams.count)
    state = Mutex(State(ordered: zeros, late: zeros))
  }

  /// Everything that can be sent lies in these times.
  var span: Range<Instant> { begin - .seconds(86_400)..<begin + .seconds(43_200) }

  /// How many different ones were handed out.
  var distinct: Int64 { state.withLock { $0.ordered.reduce(0, +) + $0.late.reduce(0, +) } }
  /// How many rows were handed out.
  var rows: Int64 { state.withLock { $0.ordered.reduce(0, +) + $0.late.reduce(0, +) + $0.doubled } }

  /// By datastream, how many different ones were handed out and the sum of their hundredths.
  func expected() -> [Int64: (count: Int64, hundredths: Int64)] {
    let (ordered, late) = state.withLock { ($0.ordered, $0.late) }
    var expected: [Int64: (Int64, Int64)] = [:]
    for (index, id) in datastreams.enumerated() where ordered[index] + late[index] > 0 {
      let times = (0..<ordered[index]).map(orderedTime) + (0..<late[index]).map(lateTime)
      expected[id] = (Int64(times.count), times.reduce(0) { $0 + Self.hundredths(id, $1) })
    }
    return expected
  }

  /// The latest of a datastream.
  func latest(of index: Int) -> Sample? {
    let count = state.withLock { $0.ordered[index] }
    return count == 0 ? nil : Sample(datastream: datastreams[index], time: Instant(milliseconds: orderedTime(count - 1)))
  }

  /// The body of the next request, and one of its rows.
  func next() -> (body: [UInt8], sample: Sample) {
    let (times, chosen) = state.withLock { state in choose(&state) }
    var writer = JSONWriter(capacity: 5_000)
    writer.beginArray()
    for (index, times) in zip(chosen, times) {
      writer.beginObject()
      writer.key("Datastream")
      writer.beginObject()
      writer.key("@iot.id")
      writer.int(datastreams[index])
      writer.endObject()
      writer.key("components")
      writer.raw(Self.components)
      writer.key("dataArray")
      writer.beginArray()
      for time in times {
        writer.beginArray()
        writer.instant(Instant(milliseconds: time))
        writer.double(Double(Self.hundredths(datastreams[index], time)) / 100)
        writer.endArray()
      }
      writer.endArray()
      writer.endObject()
    }
    writer.endArray()
    return (writer.bytes, Sample(datastream: datastreams[chosen[0]], time: Instant(milliseconds: times[0][0])))
  }

  private func choose(_ state: inout State) -> (times: [[Int64]], indices: [Int]) {
    var indices: [Int] = []
    while indices.count < Self.datastreamsPerRequest {
      let index = Int(state.random.next() % UInt64(datastreams.count))
      if !indices.contains(index) { indices.append(index) }
    }
    let times = indices.enumerated().map { place, index -> [Int64] in
      (0..<Self.rowsPerDatastream).map { row in
        if row == 4, place % 5 == 0 {
          defer { state.late[index] += 1 }
          return lateTime(state.late[index])
        }
        if row == 8, place % 5 == 1 {
          state.doubled += 1
          let back = Int64(state.random.next() % UInt64(min(100, state.ordered[index])))
          return orderedTime(state.ordered[index] - 1 - back)
        }
        defer { state.ordered[index] += 1 }
        return orderedTime(state.ordered[index])
      }
    }
    return (times, indices)
  }

  private func orderedTime(_ number: Int64) -> Int64 { begin.milliseconds + number * 1_000 }

  /// All over the day before, and no time twice: 997 and the day's 86,400 seconds have no divisor in common.
  private func lateTime(_ number: Int64) -> Int64 { begin.milliseconds - 86_400_000 + number * 997_000 % 86_400_000 }

  /// From 10.00 to 49.99, within every datastream's plausible range.
  static func hundredths(_ datastream: Int64, _ milliseconds: Int64) -> Int64 { (milliseconds / 1_000 * 31 + datastream * 17) % 4_000 + 1_000 }

  private static let components = Array(#"["phenomenonTime","result"]"#.utf8)
}

/// A small generator of random numbers that is the same each time (Steele, Lea and Flood, Fast splittable pseudorandom number generators, 2014).
struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
