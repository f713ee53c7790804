import Broker
import HTTP
import Postgres
import Time

/// A service of the city as data: what it is called, what it needs and what it runs. `dos` holds the list of them.
public protocol Service: Sendable {
  /// The word after `dos serve`: `sensors`.
  var name: String { get }
  /// Where its routes begin: `/sensors`.
  var prefix: String { get }
  /// The port it listens on when it runs alone.
  var port: Int { get }
  /// The database it owns: `dos_sensors`.
  var database: String { get }
  /// The topics it publishes to; declared before it starts.
  var topics: [Topic] { get }
  /// Its own settings beside those of every process.
  var settings: [Setting] { get }
  /// Its pages, for the list at `/`.
  var pages: [ServicePage] { get }

  /// The steps of its database's schema, those of the shared parts it uses first.
  func migrations() throws -> [SchemaSteps]

  /// Builds its parts on a migrated database and a broker with its topics. Nothing runs yet: what runs is in the answer's `parts`.
  func assemble(_ context: ServiceContext) async throws -> AssembledService

  /// The projections `dos replay` can build anew.
  func replays(_ context: ServiceContext) async throws -> [ReplayableProjection]

  /// The events that could not be projected, for `dos dead-letters`.
  func deadLetters(_ context: ServiceContext) async throws -> any DeadLetterBox
}

extension Service {
  public var settings: [Setting] { [] }
  public var pages: [ServicePage] { [] }
}

/// The steps of one part's schema.
public struct SchemaSteps: Sendable {
  /// Whose steps these are; each scope counts its own.
  public let scope: String
  public let migrations: [Migration]

  public init(scope: String, _ migrations: [Migration]) {
    self.scope = scope
    self.migrations = migrations
  }
}

/// A page for people.
public struct ServicePage: Sendable {
  /// In German, as it stands in the list.
  public let title: String
  public let summary: String
  public let path: String

  public init(title: String, summary: String, path: String) {
    self.title = title
    self.summary = summary
    self.path = path
  }
}

/// What a service stands on.
public struct ServiceContext: Sendable {
  /// Of the service's own database.
  public let pool: PostgresPool
  public let broker: any EventBroker
  /// The city this process serves; events it writes carry it unless they say otherwise.
  public let city: String
  public let settings: Settings
  public let log: Log
  public let metrics: Metrics
  public let clock: @Sendable () -> Instant
  /// Time that passes whatever the clock is set to; only differences count.
  public let steady: @Sendable () -> Duration

  public init(
    pool: PostgresPool, broker: any EventBroker, city: String, settings: Settings = Settings(), log: Log = Log(), metrics: Metrics = Metrics(),
    clock: @escaping @Sendable () -> Instant = { Instant.now() },
    steady: @escaping @Sendable () -> Duration = { [start = ContinuousClock.now] in start.duration(to: .now) }
  ) {
    self.pool = pool
    self.broker = broker
    self.city = city
    self.settings = settings
    self.log = log
    self.metrics = metrics
    self.clock = clock
    self.steady = steady
  }
}

/// A service ready to run.
public struct AssembledService: Sendable {
  public let routes: [Route]
  /// In the order in which they start; all of them before the first request is taken, and they end after the last.
  public let parts: [Part]
  public let checks: [HealthCheck]
  /// How its API is described at `<prefix>/openapi.json`; nil where the service answers there itself.
  public let api: OpenAPI?

  public init(routes: [Route], parts: [Part] = [], checks: [HealthCheck] = [], api: OpenAPI? = nil) {
    self.routes = routes
    self.parts = parts
    self.checks = checks
    self.api = api
  }
}

/// A read model that can be built anew from its events.
public struct ReplayableProjection: Sendable {
  /// How far it is.
  public struct Progress: Sendable {
    public let done: Int64
    public let total: Int64
    /// What is counted: "events", "readings".
    public let unit: String

    public init(done: Int64, total: Int64, unit: String = "events") {
      self.done = done
      self.total = total
      self.unit = unit
    }
  }

  /// How it ended.
  public struct Outcome: Sendable {
    /// How much was read.
    public var done: Int64
    /// What is counted: "events", "readings".
    public var unit: String
    /// What differs between the live tables and those built anew, in words; empty when nothing does. Filled when asked to verify.
    public var differences: [String]
    /// What else has to be known about the outcome.
    public var notes: [String]

    public init(done: Int64, unit: String = "events", differences: [String] = [], notes: [String] = []) {
      self.done = done
      self.unit = unit
      self.differences = differences
      self.notes = notes
    }
  }

  public let name: String
  /// Builds beside the live tables and swaps; with `verify` it compares and swaps nothing.
  public let run: @Sendable (_ verify: Bool, _ progress: @escaping @Sendable (Progress) -> Void) async throws -> Outcome

  public init(
    name: String, run: @escaping @Sendable (_ verify: Bool, _ progress: @escaping @Sendable (Progress) -> Void) async throws -> Outcome
  ) {
    self.name = name
    self.run = run
  }
}

/// Events that a projection could not take, parked until somebody looks.
public protocol DeadLetterBox: Sendable {
  func list() async throws -> [DeadLetterNote]
  /// Tries what is parked again, in order, all or for one projection, and answers how many went through.
  func retry(projection: String?) async throws -> Int
}

/// One parked event, as a person needs it.
public struct DeadLetterNote: Sendable {
  public let projection: String
  public let stream: String
  public let event: String
  public let parkedAt: Instant
  public let cause: String

  public init(projection: String, stream: String, event: String, parkedAt: Instant, cause: String) {
    self.projection = projection
    self.stream = stream
    self.event = event
    self.parkedAt = parkedAt
    self.cause = cause
  }
}
