import Foundation
import HTTP
import JSON
import Postgres
import TestSupport
import Time

/// A gauge that rises above a rule's mark and falls below it again, each time waiting until the city has noticed.
struct RisingGauge: Sendable {
  let city: RunningCity
  let client: HTTPClient
  let datastream: Int64
  let rule: String
  let device: String
  let officer: String
  let notes: LoadNotes
  let pause: Duration
  private var random: SeededRandom
  private var ledger = WarningLedger()
  private var last = Instant(milliseconds: 0)

  private static let (mark, low) = (3.0, 1.0)

  /// Registers it, sets its rule live, and waits until its readings are looked at.
  init(
    _ number: Int, in city: RunningCity, _ warnings: String, _ client: HTTPClient, officer: String, notes: LoadNotes, seed: UInt64, pause: Duration
  ) async throws {
    self.city = city
    self.client = client
    self.officer = officer
    self.notes = notes
    self.pause = pause
    random = SeededRandom(seed: seed &+ UInt64(number) &* 0x8CB9_2BA7_2F3D_8DD7)
    device = try await city.token("device")
    datastream = try await city.registerStation("Pegel \(number)", .waterLevel, token: try await city.token("sensor-operator"))
    let drawn: JSONValue = [
      "name": .string("Pegel \(number) über 3 m"), "description": "Übungslast.", "city": "dortmund", "district": "Hörde", "place": [7.5, 51.47],
      "severity": "Minor", "rota": "load", "condition": Warnings.above(datastream, Self.mark, clear: Self.mark - 0.5),
    ]
    func decide(_ path: String, _ body: JSONValue) async throws -> JSONValue {
      let answer = try await client.send(.json(.post, warnings + path, body.bytes, headers: ["Authorization": "Bearer \(officer)"]))
      guard answer.isSuccess else { throw RunningCity.Failure.answer(answer.status, answer.text) }
      return try JSONValue(parsing: answer.body)
    }
    let id = try await decide("/warnings/rules", drawn)["id"]?.string ?? ""
    _ = try await decide("/warnings/rules/\(id)/activate", ["version": 1])
    rule = id.lowercased()
    let pool = PostgresPool(city.database.configuration(database: "dos_warnings"), size: 1)
    try await Browser.until("the gauge is watched") {
      _ = await report(Self.low)
      return try await !pool.query("select 1 from rule_readings where datastream = \(datastream)").isEmpty
    }
    await pool.close()
  }

  /// Rises and falls until told to stop.
  mutating func run() async -> WarningLedger {
    while !notes.isStopping {
      let rise = await report(Self.mark + Double.random(in: 0...1, using: &random))
      ledger.rises.append(WarningLedger.Rise(rule: rule, time: rise.time, isAcknowledged: rise.isAcknowledged))
      guard rise.isAcknowledged else { break }
      await wait(for: "raised", since: rise.time)
      guard !notes.isStopping, await report(Self.low).isAcknowledged else { break }
      await wait(for: "cleared", since: rise.time)
      try? await Task.sleep(for: pause)
    }
    return ledger
  }

  /// A reading of now, or a little later than the one before.
  private mutating func report(_ level: Double) async -> (time: Instant, isAcknowledged: Bool) {
    let time = max(Instant.now(), last + .milliseconds(1))
    last = time
    let place = Ledger.Place(datastream: datastream, time: time.milliseconds)
    let body: JSONValue = ["phenomenonTime": .string(time.rfc3339), "result": .number(level)]
    let request = ClientRequest.json(
      .post, city.url + "/sensors/v1.1/Datastreams(\(datastream))/Observations", body.bytes, headers: ["Authorization": "Bearer \(device)"])
    ledger.load.readings[place] = [Ledger.Sent(value: level, id: nil)]
    let answer = await ledger.load.persist(request, over: client, givesUp: false, random: &random, while: { [notes] in !notes.isStopping })
    guard let answer, let id = (try? JSONValue(parsing: answer.0.body))?["@iot.id"]?.int else { return (time, false) }
    ledger.load.readings[place]?[0].id = id
    return (time, true)
  }

  /// Until the rule's hint of that rise stands so, or nobody waits any more.
  private func wait(for standing: String, since time: Instant) async {
    let request = ClientRequest(.get, (city.warnings ?? "") + "/warnings/hints", headers: ["Authorization": "Bearer \(officer)"], bodyLimit: 8 << 20)
    while !notes.isStopping {
      let hints = try? await JSONValue(parsing: client.send(request).body)["hints"]?.array
      let own = hints?.first { $0["rule"]?.string?.lowercased() == rule && $0["since"]?.string == time.rfc3339 }
      if own?["standing"]?.string == standing { return }
      try? await Task.sleep(for: .milliseconds(100))
    }
  }
}
