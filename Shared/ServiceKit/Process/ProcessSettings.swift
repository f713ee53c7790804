import Foundation

/// The settings of a process that serves or looks after the city. Beside them each service may have its own.
public enum ProcessSettings {
  /// Which broker carries the streams between services.
  public enum BrokerKind: String, Sendable, CaseIterable {
    case postgres, kafka
  }

  /// Who makes topics in Kafka.
  public enum TopicMaking: String, Sendable, CaseIterable {
    case make, compare
  }

  public static let home = SettingKey<String>.text(
    "home", "DIR", default: isRoot ? "/var/lib/dos2030" : NSHomeDirectory() + "/.local/state/dos2030", help: "Folder of the state, such as the development key")
  public static let postgres = SettingKey<String>.text(
    "postgres", "CONNINFO", default: "host=\(privateSockets)/run user=dos", help: "How PostgreSQL is reached, without a database's name or a password")
  public static let postgresPassword = SettingKey<Secret?>.secret("postgres-password", help: "Password for PostgreSQL, where it wants one")
  public static let identityDatabase = SettingKey<String>.text(
    "identity-database", "NAME", default: "dos_sensors", help: "Database with the keys of devices; a process that does not serve it takes its own")
  public static let broker = SettingKey<BrokerKind>.choice("broker", default: .postgres, help: "What carries the streams between services")
  public static let kafkaBootstrap = SettingKey<String?>.text(
    "kafka-bootstrap", "HOST:PORT,...", help: "Brokers of the Kafka to begin with; needed with --broker kafka")
  public static let kafkaReplication = SettingKey<Int>.integer(
    "kafka-replication", in: 1...9, default: 3, help: "How many brokers hold a topic that is made; with 3 or more, two must have what is acknowledged")
  public static let kafkaTopics = SettingKey<TopicMaking>.choice(
    "kafka-topics", default: .make, help: "Whether topics are made and set up as declared, or only compared: somebody else makes them")
  public static let kafkaProperties = SettingKey<[String]>.list(
    "kafka-property", "NAME=VALUE", help: "Further property of librdkafka, such as security.protocol=SASL_SSL")
  public static let kafkaPassword = SettingKey<Secret?>.secret("kafka-password", help: "Password for Kafka (sasl.password), where it wants one")
  public static let unsafeDurability = SettingKey<Bool>.toggle(
    "unsafe-durability", help: "Start although PostgreSQL may lose what it acknowledged (fsync or synchronous_commit off); for tests")
  public static let city = SettingKey<String>.text("city", "NAME", default: "dortmund", help: "The city that runs this process")
  public static let startLimit = SettingKey<Duration>.duration(
    "start-limit", in: .seconds(1) ... .seconds(86_400), default: .seconds(120), help: "How long the start waits for databases and broker")

  public static let host = SettingKey<String>.text(
    "host", "ADDRESS", default: "127.0.0.1", help: "Address to listen on; loopback alone while no OIDC issuer is set")
  public static let port = SettingKey<Int?>.integer(
    "port", in: 0...65_535, help: "Port to listen on; else 8080, or the service's own when it runs alone; 0 lets the system choose")
  public static let trustedProxies = SettingKey<[String]>.list(
    "trusted-proxy", "CIDR", help: "Network whose X-Forwarded-For, -Proto and -Host are believed")

  public static let oidcIssuer = SettingKey<String?>(
    "oidc-issuer", "URL", default: nil, shown: nil, help: "The city's OIDC provider; without one this is development: local keys, loopback only"
  ) { text throws(ImpossibleValue) in
    let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"].contains { text == $0 || text.hasPrefix($0 + ":") || text.hasPrefix($0 + "/") }
    guard text.hasPrefix("https://") || local, URL(string: text)?.host != nil else {
      throw ImpossibleValue(expected: "an https URL, exactly as the provider writes it in its tokens")
    }
    return text
  }
  public static let oidcKeys = SettingKey<String?>.text("oidc-keys", "FILE", help: "The provider's keys (JWKS) as a file, instead of asking the provider")
  public static let oidcAudience = SettingKey<String>.text("oidc-audience", "NAME", default: "dos2030", help: "What tokens must name as their audience")
  public static let rolesClaim = SettingKey<String>.text(
    "oidc-roles-claim", "PATH", default: "roles", help: "The claim with the roles, for Keycloak realm_access.roles")
  public static let cityClaim = SettingKey<String>.text("oidc-city-claim", "NAME", default: "city", help: "The claim with the city")

  public static let oidcClient = SettingKey<String?>.text(
    "oidc-client-id", "NAME", help: "What the provider knows the city's pages as: a public client with PKCE; nobody logs in on a page without")
  public static let oidcToken = SettingKey<PageLogin.TokenKind>.choice(
    "oidc-token", default: .access, help: "What pages show as proof: the access token, or the ID token where access tokens are no JWT")

  public static let mapTiles = SettingKey<String?>.text(
    "map-tiles", "URL", help: "Tiles of the pages' maps: a template with {z}, {x} and {y}; none without")
  public static let mapTilesAttribution = SettingKey<String?>.text("map-tiles-attribution", "TEXT", help: "What the licence of the tiles wants to be shown")

  public static let logLevel = SettingKey<Log.Level>.choice("log-level", default: .info, help: "How much the log says")
  public static let logForm = SettingKey<Log.Form>.choice("log-form", default: .automatic, help: "Lines of JSON or for people; automatic looks for a terminal")

  /// What every command has.
  public static var common: [Setting] { [home.setting, logLevel.setting, logForm.setting] }
  /// What commands that reach the databases have besides.
  public static var storage: [Setting] {
    common + [
      postgres.setting, postgresPassword.setting, identityDatabase.setting, broker.setting, kafkaBootstrap.setting, kafkaReplication.setting,
      kafkaTopics.setting, kafkaProperties.setting, kafkaPassword.setting, unsafeDurability.setting, city.setting, startLimit.setting,
    ]
  }
  /// What `dos serve` has besides.
  public static var serving: [Setting] {
    storage + [
      host.setting, port.setting, trustedProxies.setting, oidcIssuer.setting, oidcKeys.setting, oidcAudience.setting, rolesClaim.setting, cityClaim.setting,
      oidcClient.setting, oidcToken.setting, mapTiles.setting, mapTilesAttribution.setting,
    ]
  }

  private static var isRoot: Bool { getuid() == 0 }

  /// Where the private PostgreSQL of one machine has its sockets, as `ops/postgres` makes them.
  private static var privateSockets: String {
    if isRoot { return "/run/dos2030" }
    return ProcessInfo.processInfo.environment["XDG_RUNTIME_DIR"].map { $0 + "/dos2030" } ?? "/tmp/dos2030-\(getuid())"
  }
}

extension Settings {
  /// The log as asked for.
  public var log: Log { Log(level: self[ProcessSettings.logLevel], form: self[ProcessSettings.logForm]) }
}
