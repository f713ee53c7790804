public import Broker
import Embedded
import EventSourcing
import Foundation
import HTTP
import Postgres
import SensorDomain
public import ServiceKit
import Time

/// Sensors: what the cities measure, where, and what comes in from it.
///
/// Decisions about things, their catalogue and datastreams go through `ThingDecider`, `CatalogueDecider` and `DatastreamDecider` into the Journal of
/// `dos.sensors.registry`; readings go to `dos.sensors.observations.*`. Read models: `RegistryProjection`, `ObservationsProjection`.
public struct SensorIngestService: Service {
  public let name = "sensors"
  public let prefix = "/sensors"
  public let port = 8081
  public let database = "dos_sensors"
  public let pages = [ServicePage(title: "Sensorik", summary: "Messstellen beider Städte, ihre Werte und deren Verlauf", path: "/sensors/")]

  /// What a city may set of the page.
  static let outline = SettingKey<String?>.text(
    "sensors-outline", "FILE", help: "GeoJSON FeatureCollection with the cities' outlines; one drawn by hand without")
  public let settings = [outline.setting]

  public init() {}

  public var topics: [Topic] { [SensorTopics.registry] + ObservationTopics.declared }

  public func migrations() throws -> [SchemaSteps] {
    let own = SensorFiles.all.filter { $0.name.hasPrefix("Migrations/") }
    return [SchemaSteps(scope: EventSourcingMigrations.scope, try EventSourcingMigrations.load()), SchemaSteps(scope: name, try Migrations.load(own))]
  }

  public func assemble(_ context: ServiceContext) async throws -> AssembledService {
    let pool = context.pool
    let journal = journal(context)
    let observer = SubscriptionObserver(
      stopped: { context.log.error("a projection stands still until somebody decides", ["reason": .string($0)]) },
      trouble: { context.log.warning("a projection waits for its database", ["reason": .string($0)]) })
    let registry = Subscription(RegistryProjection(), source: JournalSource(journal), pool: pool, observer: observer)
    let observations = ObservationSubscriptions(broker: context.broker, pool: pool, observer: observer)
    let forwarder = Forwarder(journal: journal, broker: context.broker)

    let reads = RegistryReads(journal: journal, positions: registry.positions)
    let lookUp = DatastreamRegistry(pool: pool, caughtUp: { try await reads.surely() }, caughtUpWithAll: { try await reads.surelyAll() })
    let model = STAModel(STAModel.registry + [.observation])
    let acknowledged = Acknowledged()
    let intake = ObservationIntake(
      registry: lookUp, pool: pool, broker: context.broker, acknowledged: acknowledged, backlog: Backlog(standing: observations.standing), clock: context.clock)
    let readings = ObservationsAPI(pool: pool, intake: intake, progress: observations, model: model)
    let service = STAService(
      pool: pool, journal: journal, ids: EntityIds(pool: pool), model: model, registry: lookUp,
      settings: RegistrySettings(city: City(rawValue: context.city)), clock: context.clock,
      caughtUp: { positions in
        try await reads.named(positions)
        await reads.ownWrites()
      },
      readingsCaughtUp: { try await readings.waitForOwnWrites($0, datastream: $1) }, readings: intake)
    let create = CreateObservations(intake: intake, registerFeature: { try await service.registerFeature($0, for: $1) })

    let watch = SubscriptionWatch([registry] + observations.subscriptions, metrics: context.metrics, log: context.log)

    var routes = SensorPages(map: try MapTiles(context.settings), outline: try context.settings[Self.outline].map(SensorPages.outline)).routes
    routes += LandingPage(model: model).routes() + RegistryRoutes(service: service).all()
    routes += readings.routes + create.routes + RollupsAPI(pool: pool, observations: readings).routes
    let live = Live(broker: context.broker)
    routes += live.routes
    routes += STARoutes(service: service).routes(skipping: Set(routes.filter { $0.method == .get }.map(\.pattern)))
    return AssembledService(
      routes: routes,
      parts: [
        part("registry", registry.run), part("observations", observations.run), part("forwarder", forwarder.run),
        Part("sensors live", start: { try await live.start() }, stop: { await live.stop() }),
        Part("journal", start: {}, stop: { await journal.close() }),
        watch.part,
      ],
      checks: watch.checks,
      api: OpenAPI(title: "Sensors", description: Self.words, schemas: Self.schemas(model, service.settings)))
  }

  /// What the document says beyond its schemas.
  private static let words = """
    OGC SensorThings 1.1 and what this city adds to it. Beyond what schemas can say: an entity that a body points to must be there, and each once; the ends of \
    a range or an interval are in order; a time has come and lies not before 1970; a duration is of whole seconds; dataArray@iot.count is the number of rows, \
    and $resultFormat=dataArray goes without $expand; \
    a thing's city is for life and its datastreams'; readings of a thing without a Location name a FeatureOfInterest, and their result is as the \
    datastream's observationType says; other names that begin with dos: are refused, and the character U+0000 is wherever it stands.
    """

  static func schemas(_ model: STAModel, _ settings: RegistrySettings) -> [String: String] {
    let parts = [Answers.schemas(of: model), EntityBodies(cities: settings.cities).all, ObservationBodies.all]
    return parts.reduce(into: [:]) { all, part in all.merge(part) { first, _ in first } }
  }

  public func replays(_ context: ServiceContext) async throws -> [ReplayableProjection] {
    SensorReplays(journal: journal(context), broker: context.broker, pool: context.pool).all
  }

  public func deadLetters(_ context: ServiceContext) async throws -> any DeadLetterBox {
    ServiceDeadLetters(
      pool: context.pool,
      [.projection(RegistryProjection(), topic: SensorTopics.registry)]
        + ObservationTopics(of: context.broker).all.map { .projection(ObservationsProjection(), topic: $0) })
  }

  private func journal(_ context: ServiceContext) -> Journal {
    Journal(
      pool: context.pool, topic: SensorTopics.registry, city: context.city, source: "/\(context.city)/sensors",
      observer: .metrics(context.metrics, log: context.log, topic: SensorTopics.registry.name))
  }

  private func part(_ name: String, _ run: @escaping @Sendable () async -> Void) -> Part {
    Part("sensors \(name)") { ready in
      ready()
      await run()
    }
  }
}
