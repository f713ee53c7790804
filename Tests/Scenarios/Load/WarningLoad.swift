import Foundation
import HTTP
import JSON
import TestSupport
import Time

/// Officers who warn and rules that fire, as seeded, and those who are told: one who always takes what comes, one who has moods, and the crew on call.
final class WarningLoad: Sendable {
  /// Of alerts, by the ids of their targets.
  let receivers: [String: WebhookReceiver]
  /// Of hints.
  let crew: [String: WebhookReceiver]
  private let notes: LoadNotes
  private let work: Task<WarningLedger, Never>

  /// Begins.
  ///
  /// - Parameter pause: of officers between two alerts.
  init(on city: RunningCity, seed: UInt64, pause: Duration) async throws {
    guard let url = city.warnings else { throw RunningCity.Failure.ended("warnings were not asked for") }
    let ada = try await city.token("warning-officer", subject: "ada", city: "dortmund")
    let ben = try await city.token("warning-officer", subject: "ben", city: "dortmund")
    let client = HTTPClient(HTTPClient.Settings(connectionsPerHost: 8))
    var (receivers, crew): ([String: WebhookReceiver], [String: WebhookReceiver]) = ([:], [:])
    let moody = try WebhookReceiver { before in try await Self.mood(before, seed) }
    for (name, hook, purpose) in [
      ("steady", try WebhookReceiver(), "alerts"), ("moody", moody, "alerts"), ("crew", try WebhookReceiver(), "rota/load/1"),
    ] {
      try await hook.start()
      let body = Warnings.target(name, hook, purpose: purpose)
      let answer = try await client.send(.json(.post, url + "/warnings/targets", body.bytes, headers: ["Authorization": "Bearer \(ada)"]))
      guard answer.status == 201, let id = try JSONValue(parsing: answer.body)["id"]?.string else {
        throw RunningCity.Failure.answer(answer.status, answer.text)
      }
      if purpose == "alerts" { receivers[id.lowercased()] = hook } else { crew[id.lowercased()] = hook }
    }
    self.receivers = receivers
    self.crew = crew
    let notes = LoadNotes(instances: 1)
    self.notes = notes
    var gauges: [RisingGauge] = []
    for number in 1...2 {
      gauges.append(try await RisingGauge(number, in: city, url, client, officer: ada, notes: notes, seed: seed, pause: pause))
    }
    work = Task { [gauges] in
      let ledger = await withTaskGroup(of: WarningLedger.self) { group in
        for number in 1...2 {
          group.addTask {
            var officers = Officers(url, client, drafting: ada, approving: ben, notes: notes, number: number, seed: seed, pause: pause)
            return await officers.run()
          }
        }
        for gauge in gauges {
          group.addTask {
            var gauge = gauge
            return await gauge.run()
          }
        }
        return await group.reduce(into: WarningLedger()) { $0.merge($1) }
      }
      await client.close()
      return ledger
    }
  }

  /// Mostly at once; now and then late, and now and then it has the letter and says that it has not, so that it is asked again.
  private static func mood(_ before: Int, _ seed: UInt64) async throws -> Response {
    var random = SeededRandom(seed: seed &+ UInt64(before))
    switch Int.random(in: 0..<10, using: &random) {
    case 0: return Response(status: 503)
    case 1: try await Task.sleep(for: random.duration(50...800))
    default: break
    }
    return Response(status: 204)
  }

  /// Whether a command of an officer was acknowledged that had been sent after that moment.
  func isAcknowledged(after moment: ContinuousClock.Instant) -> Bool { notes.latest.allSatisfy { $0.command > moment } }

  /// Lets everybody come to the end of what they do, and tells what became of all. The receivers go on.
  func finish() async -> WarningLedger {
    notes.stop()
    return await work.value
  }

  func stop() async { for receiver in Array(receivers.values) + Array(crew.values) { await receiver.stop() } }
}
