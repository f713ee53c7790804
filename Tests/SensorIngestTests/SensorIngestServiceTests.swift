import Broker
import HTTP
import ServiceKit
import TestSupport
import Testing

@testable import SensorIngest

@Suite("The sensors' service")
struct SensorIngestServiceTests {
  @Test("assembles routes that do not stand in each other's way")
  func routes() async throws {
    try await withTestDatabase(migrate: RegistryHarness.schema()) { pool in
      let broker = try await PostgresBroker.open(pool.configuration, unsafeDurability: true)
      let service = try await SensorIngestService().assemble(ServiceContext(pool: pool, broker: broker, city: "dortmund"))
      let router = try Router(service.routes)
      let landing = try Request(method: .get, target: "/sensors/v1.1", host: "city.example")
      #expect(await router.respond(to: landing).status == 200)
      await broker.close()
    }
  }
}
