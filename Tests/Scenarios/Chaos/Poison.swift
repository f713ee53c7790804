import Broker
import Foundation
import JSON
import Postgres
import SensorIngest
import TestSupport
import Time

/// Events that no projection can take, fed to a topic while all else goes on: each must be parked, once, and hold up nobody.
final class Poison: Sendable {
  /// By the subject of each, whether it was acknowledged. One that was not may have arrived all the same.
  typealias Fed = [String: Bool]

  private let feeding: Task<Fed, any Error>

  private init(_ feeding: Task<Fed, any Error>) { self.feeding = feeding }

  /// One every second or so, from now on.
  static func feeding(_ city: RunningCity, seed: UInt64) async throws -> Poison {
    guard let topic = SensorIngestService().topics.first(where: { $0.name.hasSuffix("observations.public") }) else { throw NoTopic() }
    var random = SeededRandom(seed: seed ^ 0x5eed)
    return Poison(
      Task {
        let broker = try await city.broker()
        var fed: Fed = [:]
        while !Task.isCancelled {
          let subject = "datastream/poison-\(fed.count)"
          let event = CloudEvent(
            id: UUID(), source: "/dortmund/sensors", type: "de.dos2030.sensors.observations-recorded.v1", subject: subject,
            time: Instant(milliseconds: 1_590_969_600_000), city: "dortmund", data: Array(#"{"datastream": "none", "readings": 7}"#.utf8))
          let answer = try? await broker.publish([OutgoingEvent(topic: topic, key: subject, event: event)])
          fed[subject] = answer != nil
          try? await Task.sleep(for: random.duration(200...2_000))
        }
        await broker.close()
        return fed
      })
  }

  private struct NoTopic: Error {}

  /// Feeds no more, and tells what was fed.
  func finish() async throws -> Fed {
    feeding.cancel()
    return try await feeding.value
  }

  /// What was not parked exactly once.
  static func reckon(_ fed: Fed, in city: RunningCity) async throws -> [String] {
    let pool = PostgresPool(city.database.configuration(database: "dos_sensors"), size: 1)
    var wrong: [String] = []
    let deadline = ContinuousClock.now + .seconds(30)
    repeat {
      var parked: [String: Int] = [:]
      for row in try await pool.query("select subject, count(*) from dos_dead_letters group by 1") {
        let (subject, count) = try row.decode(String.self, Int64.self)
        parked[subject] = Int(count)
      }
      wrong = fed.compactMap { subject, isAcknowledged in
        let count = parked[subject] ?? 0
        return count == 1 || (count == 0 && !isAcknowledged) ? nil : "\(subject) was parked \(count) times"
      }
      wrong += parked.keys.filter { fed[$0] == nil }.map { "\($0) was parked, and was no poison" }
      if !wrong.isEmpty { try await Task.sleep(for: .milliseconds(100)) }
    } while !wrong.isEmpty && ContinuousClock.now < deadline
    await pool.close()
    return wrong
  }
}
