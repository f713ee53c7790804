import Broker
import EventSourcing
import Postgres
import TestSupport
import Testing

@testable import SensorIngest

@Suite("What the intake knows of datastreams", .timeLimit(.minutes(5)))
struct DatastreamRegistryTests {
  @Test("what another process has acknowledged is waited for before it is said not to be there")
  func acknowledgedElsewhere() async throws {
    try await RegistryHarness.run { city in
      _ = try await city.post("/Things", Body.thing(datastreams: [Body.datastream()]))
      #expect(try await city.pool.query("select 1 from datastreams").isEmpty, "the read model has nothing of it yet")

      let journal = Journal(pool: city.pool, topic: SensorTopics.registry, city: "dortmund", source: "/dortmund/sensors")
      let subscription = Subscription(RegistryProjection(), source: JournalSource(journal), pool: city.pool)
      let reads = RegistryReads(journal: journal, positions: subscription.positions)
      let registry = DatastreamRegistry(pool: city.pool, caughtUp: { try await reads.surely() }, caughtUpWithAll: { try await reads.surelyAll() })
      let datastreams = Task { try await registry.find(Set(1...100)) }
      let features = Task { try await registry.features(Set(1...100)) }
      try await Task.sleep(for: .milliseconds(200))
      let running = Task { await subscription.run() }
      #expect(try await datastreams.value.count == 1)
      #expect(try await features.value.count == 1)
      running.cancel()
      await running.value
      await journal.close()
    }
  }
}
