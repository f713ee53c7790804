import Broker
import EventSourcing
import Foundation
import Postgres
import Synchronization
import TestSupport
import Testing
import Time

struct JournalServerStopTests {
  @Test(
    "When the server stops hard and starts again, pool and Journal go on by themselves: what was acknowledged is there, nothing is there twice",
    .timeLimit(.minutes(5)))
  func journal() async throws {
    try await OwnServer.running { server in
      let pool = PostgresPool(server.configuration(), size: 4)
      try await Migrations.apply(EventSourcingMigrations.load(), scope: EventSourcingMigrations.scope, to: pool)
      let journal = Journal(pool: pool, topic: decisions(partitions: 2), city: "dortmund", source: "/dortmund/tests")
      let acknowledged = Acknowledged()
      let writers = (0..<4).map { writer in
        Task {
          var turn = 0
          while !Task.isCancelled {
            turn += 1
            let data = "\"\(writer)-\(turn)\""
            // Whatever it answers instead: only what it acknowledged must be there.
            guard let appended = try? await journal.note("s\(writer)", .any, data) else { continue }
            if let position = appended.positions.first { acknowledged.note(data, position) }
          }
        }
      }
      let began = try await eventually { acknowledged.all.count >= 40 }
      #expect(began)
      for _ in 0..<2 {
        try await server.stop()
        try await failsFast(pool)
        try await givesUp(journal, pool)
        try await server.start()
        let before = acknowledged.all.count
        let goesOn = try await eventually { acknowledged.all.count >= before + 40 }
        #expect(goesOn)
        let answers = try await eventually { (try? await pool.query("select 1").count) == 1 }
        #expect(answers)
      }
      for writer in writers { writer.cancel() }
      for writer in writers { await writer.value }
      try await check(journal, acknowledged.all)
      await journal.close()
      await pool.close()
    }
  }

  /// Callers hear at once that the server is down, also those of connections that were idle, and may know that it is for the moment.
  private func failsFast(_ pool: PostgresPool) async throws {
    for _ in 0..<8 {
      let start = ContinuousClock.now
      let error = await #expect(throws: PostgresError.self) { try await pool.query("select 1") }
      #expect(error?.isTransient == true)
      // At once on an idle machine; what it must not do is wait as long as a lost packet would.
      #expect(ContinuousClock.now - start < .seconds(8))
    }
  }

  /// An append that was never sent waits for as long as its Journal is patient, and says that it may be repeated blindly.
  private func givesUp(_ journal: Journal, _ pool: PostgresPool) async throws {
    let hasty = Journal(
      pool: pool, topic: journal.topic, city: journal.city, source: journal.source, settings: JournalSettings(patience: .milliseconds(200)))
    let start = ContinuousClock.now
    do throws(JournalError) {
      try await hasty.note("hasty")
      Issue.record("appended while the server was down")
    } catch {
      guard case .unavailable(_, mayHaveHappened: false) = error else {
        Issue.record("\(error)")
        return
      }
    }
    #expect(ContinuousClock.now - start < .seconds(8))
    await hasty.close()
  }

  private func check(_ journal: Journal, _ acknowledged: [String: JournalPosition]) async throws {
    var found: [String: JournalPosition] = [:]
    for partition in 0..<2 {
      var after: Int64 = -1
      while case let page = try await journal.read(partition: partition, after: after, limit: 1_000), !page.isEmpty {
        #expect(page.map(\.position.offset) == Array(after + 1...after + Int64(page.count)))
        for event in page where event.stream.hasPrefix("s") {
          #expect(found.updateValue(event.position, forKey: String(decoding: event.data, as: UTF8.self)) == nil)
        }
        after += Int64(page.count)
      }
    }
    let missing = acknowledged.filter { found[$0.key] != $0.value }
    #expect(missing.isEmpty)
  }
}

/// Where the Journal said that something is, by what it is.
private final class Acknowledged: Sendable {
  private let positions = Mutex<[String: JournalPosition]>([:])
  var all: [String: JournalPosition] { positions.withLock { $0 } }
  func note(_ data: String, _ position: JournalPosition) { positions.withLock { $0[data] = position } }
}
