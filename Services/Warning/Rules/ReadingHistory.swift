import Broker
import Time
import WarningDomain

/// Readings of the past, from the topics: the log is their archive.
struct ReadingHistory: Sendable {
  struct TooMany: Error { let limit: Int }

  let broker: any EventBroker
  /// About 200 MB.
  var limit = 4_000_000

  /// By datastream, each in the order of time; of several facts for a time the last told holds.
  func readings(of datastreams: Set<Int64>, from: Instant, until: Instant) async throws -> [Int64: [Reading]] {
    var found: [Int64: [Instant: ReadingFact]] = [:]
    var count = 0
    for topic in SensorReadings.topics(of: broker) {
      let partitions = Set(datastreams.map { topic.partition(forKey: String($0)) })
      for partition in partitions.sorted() {
        let end = try await broker.end(of: topic)[partition]
        var position = try await begin(of: topic, partition, at: from, end: end)
        let reader = try await broker.reader(topic: topic, partition: partition, from: position)
        while position < end {
          try Task.checkCancellation()
          let events = try await reader.next(limit: 1_000, wait: .seconds(5))
          guard let last = events.last else { break }
          position = last.position.offset + 1
          for event in events {
            guard let datastream = SensorReadings.datastream(event), datastreams.contains(datastream) else { continue }
            for fact in (try? SensorReadings.facts(event)) ?? [] where fact.time >= from && fact.time <= until {
              if found[datastream, default: [:]].updateValue(fact, forKey: fact.time) == nil { count += 1 }
            }
          }
          if count > limit { break }
        }
        await reader.close()
        if count > limit { throw TooMany(limit: limit) }
      }
    }
    return found.mapValues { facts in
      facts.values.compactMap { fact in if case .recorded(let reading) = fact { reading } else { nil } }.sorted { $0.time < $1.time }
    }
  }

  /// The first event that was taken in at or after a time, by halves: events of a partition are in the order in which they came. A day more is read, for
  /// clocks that differ.
  private func begin(of topic: Topic, _ partition: Int, at time: Instant, end: Int64) async throws -> Int64 {
    var low = try await broker.earliest(of: topic)[partition]
    var high = end
    let wanted = time - .seconds(86_400)
    while low < high {
      let middle = low + (high - low) / 2
      let reader = try await broker.reader(topic: topic, partition: partition, from: middle)
      let event = try? await reader.next(limit: 1, wait: .seconds(5)).first
      await reader.close()
      guard let event, event.event.time < wanted else {
        high = middle
        continue
      }
      low = event.position.offset + 1
    }
    return low
  }
}

extension ReadingFact {
  var time: Instant {
    switch self {
    case .recorded(let reading): reading.time
    case .withdrawn(let time, _): time
    }
  }
}
