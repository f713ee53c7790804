public import Broker
import Embedded
import EventSourcing
import Foundation
import HTTP
import JSON
import Postgres
public import ServiceKit
import Time
import WarningDomain

/// Warnings: from what sensors notice to people who know, and the end of it.
///
/// Decisions about hints, alerts, releases and deliveries go through their deciders into the Journal of `dos.warnings.decisions`; what is issued is published in
/// `dos.warnings.alerts`. `Dispatch` reacts to decisions, `WarningProjection` keeps what is read and what is due, a `Post` per channel carries out.
public struct WarningService: Service {
  public let name = "warnings"
  public let prefix = "/warnings"
  public let port = 8083
  public let database = "dos_warnings"
  public let pages = WarningPages.listed

  static let areas = SettingKey<String?>.text(
    "warnings-areas", "FILE", help: "JSON with the districts and who is competent where; one drawn by hand without")
  static let privateWebhooks = SettingKey<Bool>.toggle(
    "warnings-private-webhooks", help: "Lets webhooks lead into private networks: only where officers alone name them and the app's backend is there")
  static let smtp = SettingKey<String?>.text("smtp-url", "URL", help: "Where mail is handed over: smtp://host:587 or smtps://host; without, mail is not sent")
  static let smtpUser = SettingKey<String?>.text("smtp-user", "NAME", help: "Who hands it over, where the server asks")
  static let smtpPassword = SettingKey<Secret?>.secret("smtp-password", help: "That user's password")
  static let smtpPlain = SettingKey<Bool>.toggle("smtp-plain", help: "Hands mail over without TLS too: only within a machine or a closed network")
  static let mailFrom = SettingKey<String>.text("mail-from", "ADDRESS", default: "warnung@localhost.localdomain", help: "Whom mail comes from")
  public let settings = [
    areas.setting, privateWebhooks.setting, smtp.setting, smtpUser.setting, smtpPassword.setting, smtpPlain.setting, mailFrom.setting,
  ]

  public init() {}

  public var topics: [Topic] { [WarningTopics.decisions, WarningTopics.alerts] }

  public func migrations() throws -> [SchemaSteps] {
    let own = WarningFiles.all.filter { $0.name.hasPrefix("Migrations/") }
    return [SchemaSteps(scope: EventSourcingMigrations.scope, try EventSourcingMigrations.load()), SchemaSteps(scope: name, try Migrations.load(own))]
  }

  public func assemble(_ context: ServiceContext) async throws -> AssembledService {
    let pool = context.pool
    let decisions = journal(WarningTopics.decisions, context)
    let published = journal(WarningTopics.alerts, context)
    let directory = try directory(context.settings[Self.areas])
    let targets = DeliveryTargets(pool: pool)
    let letters = LetterReader(decisions: decisions)
    let client = HTTPClient(HTTPClient.Settings(connectionsPerHost: 16, refusesPrivateAddresses: !context.settings[Self.privateWebhooks]))
    let posts = couriers(context, client).map { Post(courier: $0, letters: letters, targets: targets, clock: context.clock, log: context.log) }
    let due = DueDecisions(decisions: decisions, letters: letters, posts: posts, clock: context.clock)
    let ticker = DeadlineTicker(
      WarningProjection.deadlines, pool: pool, clock: context.clock, steady: context.steady,
      trouble: { context.log.repeating(.warning, "deadlines", "what is due waits", ["reason": .string($0)]) }, give: { try await due.give($0) })

    var observer = SubscriptionObserver(
      stopped: { context.log.error("a projection stands still until somebody decides", ["reason": .string($0)]) },
      trouble: { context.log.warning("a projection waits for its database", ["reason": .string($0)]) })
    let reacting = Subscription(
      Dispatch(decisions: decisions, published: published, targets: targets, clock: context.clock), source: JournalSource(decisions), pool: pool,
      observer: observer)
    let watcher = RuleWatcher(broker: context.broker, pool: pool, decisions: decisions, clock: context.clock, log: context.log)
    observer.projected = { _, _ in
      ticker.bell.ring()
      watcher.rulesChanged()
    }
    let projecting = Subscription(WarningProjection(), source: JournalSource(decisions), pool: pool, observer: observer)
    let forwarders = [decisions, published].map { ($0.topic.name, Forwarder(journal: $0, broker: context.broker)) }
    let stream = AppStream(broker: context.broker)
    let watch = SubscriptionWatch([projecting, reacting], metrics: context.metrics, log: context.log)

    let commands = WarningCommands(decisions: decisions, letters: letters, clock: context.clock)
    let lists = WarningLists(pool: pool, decisions: decisions, positions: projecting.positions)
    let resolver = AreaResolver(pool: pool, directory: directory)
    let templates = Templates(pool: pool)
    var routes = ActiveAPI(lists: lists, clock: context.clock).routes + stream.routes
    routes += AlertsAPI(commands: commands, areas: resolver, templates: templates, lists: lists, city: context.city).routes
    routes += TemplatesAPI(commands: commands, lists: lists, templates: templates).routes
    routes += HintsAPI(commands: commands, lists: lists).routes + ReleasesAPI(commands: commands, lists: lists, city: context.city).routes
    routes += DeliveriesAPI(commands: commands, lists: lists).routes + TargetsAPI(targets: targets, city: context.city).routes
    routes += CAPAPI(lists: lists, clock: context.clock).routes + ForeignAPI(commands: commands, lists: lists, board: ForeignBoard(pool: pool)).routes
    routes += RulesAPI(commands: commands, lists: lists, changed: watcher.rulesChanged).routes
    routes += RuleTrialsAPI(history: ReadingHistory(broker: context.broker), clock: context.clock).routes
    routes += WhyAPI(decisions: decisions, lists: lists).routes + (try WarningPages(directory, context)).routes
    return AssembledService(
      routes: routes,
      parts: [
        // First to start and so last to stop: what is under way is decided until the end.
        Part(
          "warnings journals", start: {},
          stop: {
            await decisions.close()
            await published.close()
            await client.close()
          }),
        Part("warnings areas", start: { try await directory.write(to: pool) }, stop: {}), part("projection", projecting.run), part("reactions", reacting.run),
      ] + forwarders.map { part("forwarder of \($0)", $1.run) } + posts.map { part("post \($0.channel.rawValue)", $0.run) } + [
        part("deadlines", ticker.run), part("rule watch", watcher.run),
        Part("warnings stream", start: { try await stream.start() }, stop: { await stream.stop() }),
        watch.part,
      ],
      checks: watch.checks, api: WarningDescription.openAPI)
  }

  public func replays(_ context: ServiceContext) async throws -> [ReplayableProjection] {
    [.of(WarningProjection(), JournalSource(journal(WarningTopics.decisions, context)), in: context.pool)]
  }

  public func deadLetters(_ context: ServiceContext) async throws -> any DeadLetterBox {
    let decisions = journal(WarningTopics.decisions, context)
    let dispatch = Dispatch(
      decisions: decisions, published: journal(WarningTopics.alerts, context), targets: DeliveryTargets(pool: context.pool), clock: context.clock)
    return ServiceDeadLetters(
      pool: context.pool, [.projection(WarningProjection(), topic: WarningTopics.decisions), .reaction(dispatch, topic: WarningTopics.decisions)])
  }

  private func couriers(_ context: ServiceContext, _ client: HTTPClient) -> [any Courier] {
    var couriers: [any Courier] = [WebhookCourier(client: client, clock: context.clock)]
    let settings = context.settings
    if let url = settings[Self.smtp] {
      let mailer = Mailer(
        Mailer.Settings(
          url: url, user: settings[Self.smtpUser], password: settings[Self.smtpPassword]?.revealed, requiresTLS: !settings[Self.smtpPlain]))
      couriers.append(MailCourier(mailer: mailer, from: settings[Self.mailFrom], clock: context.clock))
    } else {
      context.log.warning("mail is not sent: no SMTP server is set", ["setting": "DOS_SMTP_URL"])
    }
    return couriers
  }

  private func journal(_ topic: Topic, _ context: ServiceContext) -> Journal {
    Journal(
      pool: context.pool, topic: topic, city: context.city, source: "/\(context.city)/warnings",
      observer: .metrics(context.metrics, log: context.log, topic: topic.name))
  }

  private func directory(_ path: String?) throws -> AreaDirectory {
    let bytes: [UInt8]
    if let path {
      do {
        bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
      } catch {
        throw AreasUnusable(path: path, problem: "it cannot be read (\(error.localizedDescription))")
      }
    } else {
      bytes = WarningFiles.all.first { $0.name == "Areas/areas.json" }?.bytes ?? []
    }
    do {
      return try JSONDecoder().decode(AreaDirectory.self, from: Data(bytes))
    } catch {
      throw AreasUnusable(path: path ?? "areas.json", problem: "\(error)")
    }
  }

  private func part(_ name: String, _ run: @escaping @Sendable () async -> Void) -> Part {
    Part("warnings \(name)") { ready in
      ready()
      await run()
    }
  }
}

/// The file that `--warnings-areas` names cannot be used.
struct AreasUnusable: Error, CustomStringConvertible {
  let path: String
  let problem: String
  var description: String {
    "the areas \(path) cannot be used: \(problem); expected {\"authorities\": [{\"authority\": {\"id\", \"name\", \"actingCities\", \"ars\"}, \"outline\"}], \"districts\": [{\"name\", \"city\", \"outline\"}]}"
  }
}
