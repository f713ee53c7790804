import Broker
import Synchronization

/// Readings that were acknowledged and cannot be read yet: a bound on them, so that who sends much goes at the pace of the read model.
///
/// Only arrays wait, so an import keeps no device waiting. They wait for a second at most: what is acknowledged is safe in the broker, and a read model that
/// stands still must not keep readings out. What another process projects is not counted, since nobody here knows how far it is.
final class Backlog: Sendable {
  /// Half a second's work of a machine with two cores.
  static let limit = 20_000
  static let patience = Duration.seconds(1)

  private struct Entry {
    let offset: Int64
    let readings: Int
  }

  /// What waits in one partition, in the order in which it was told of: two requests may be told of in another order than they were stored.
  private struct Line {
    var entries: [Entry] = []
    var readings = 0
    /// Where the projection stood when the entries were last looked at.
    var seen: Int64 = 0
  }

  private let lines = Mutex<[TopicPartition: Line]>([:])
  /// The next position of this process's projection; nil where it does not project the partition, or waits for its database.
  private let standing: @Sendable (_ topic: String, _ partition: Int) -> Int64?

  init(standing: @escaping @Sendable (_ topic: String, _ partition: Int) -> Int64?) {
    self.standing = standing
  }

  /// These were acknowledged.
  func note(_ published: [(position: BrokerPosition, readings: Int)]) {
    lines.withLock { lines in
      for (position, readings) in published {
        let place = TopicPartition(position)
        lines[place, default: Line()].entries.append(Entry(offset: position.offset, readings: readings))
        lines[place]?.readings += readings
      }
    }
  }

  /// How many readings cannot be read yet.
  var readings: Int {
    lines.withLock { lines in
      var count = 0
      for (place, line) in lines {
        guard let next = standing(place.topic, place.partition) else {
          lines[place] = nil
          continue
        }
        if next != line.seen {
          let left = line.entries.filter { $0.offset >= next }
          lines[place] = Line(entries: left, readings: left.reduce(0) { $0 + $1.readings }, seen: next)
        }
        count += lines[place]?.readings ?? 0
      }
      return count
    }
  }

  /// Returns when few enough wait, when the time is up, or when the task is cancelled.
  func admit() async {
    let deadline = ContinuousClock.now + Self.patience
    while readings > Self.limit, ContinuousClock.now < deadline, !Task.isCancelled { try? await Task.sleep(for: .milliseconds(5)) }
  }
}
