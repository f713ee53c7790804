import Broker
import Foundation
import JSON
import SensorIngest
import TestSupport
import Time

/// Delivers what a city's topics hold a second time, in any order, as a broker or a producer may that does not know what arrived.
///
/// Of places that were written more than once nothing is repeated: there a later event is a revision, whatever it repeats.
struct Doubling {
  let city: RunningCity

  /// - Returns: how many events were delivered again.
  func run(_ ledger: Ledger, random: SeededRandom) async throws -> Int {
    var random = random
    let broker = try await city.broker()
    var count = 0
    for topic in SensorIngestService().topics {
      var again: [OutgoingEvent] = []
      for (partition, end) in try await broker.end(of: topic).enumerated() {
        let reader = try await broker.reader(topic: topic, partition: partition, from: 0)
        var next: Int64 = 0
        while next < end {
          for event in try await reader.next(limit: 5_000, wait: .seconds(10)) {
            next = event.position.offset + 1
            guard event.event.journal != nil || isOfPlacesWrittenOnce(event.event, ledger) else { continue }
            again.append(OutgoingEvent(topic: topic, key: event.key, partition: partition, event: event.event))
          }
        }
        await reader.close()
      }
      again.shuffle(using: &random)
      for start in stride(from: 0, to: again.count, by: 500) { _ = try await broker.publish(Array(again[start..<min(start + 500, again.count)])) }
      count += again.count
    }
    await broker.close()
    return count
  }

  private func isOfPlacesWrittenOnce(_ event: CloudEvent, _ ledger: Ledger) -> Bool {
    guard let data = try? JSONValue(parsing: event.data), let datastream = data["datastream"]?.int, let readings = data["readings"]?.array else { return false }
    return readings.allSatisfy { reading in
      guard let time = reading["phenomenonTime"]?.string.flatMap({ Instant(rfc3339: $0) }) else { return false }
      return ledger.readings[Ledger.Place(datastream: datastream, time: time.milliseconds)]?.count == 1
    }
  }
}
